include "../gradient/fwfm.pxi"
