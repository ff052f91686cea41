include "fm.pxi"
