include "../gradient/fm.pxi"
include "../gradient/scorer.pxi"
include "../gradient/l2_gradients.pxi"
