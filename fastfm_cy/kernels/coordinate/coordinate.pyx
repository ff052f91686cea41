include "sweeps.pxi"
include "block_sweeps.pxi"
include "higher_order_sweeps.pxi"
