include "../gradient/higher_order.pxi"
include "../gradient/scorer.pxi"
include "../gradient/l2_gradients.pxi"
