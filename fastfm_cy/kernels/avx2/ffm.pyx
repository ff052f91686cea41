include "../gradient/ffm.pxi"
