include "../coordinate/sweeps.pxi"
include "../coordinate/block_sweeps.pxi"
include "../coordinate/higher_order_sweeps.pxi"
