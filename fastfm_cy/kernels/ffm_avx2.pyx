include "ffm.pxi"
