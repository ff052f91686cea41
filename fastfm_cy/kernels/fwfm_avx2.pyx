include "fwfm.pxi"
