include "coordinate.pxi"
include "blocks.pxi"
