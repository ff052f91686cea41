include "coordinate.pxi"
