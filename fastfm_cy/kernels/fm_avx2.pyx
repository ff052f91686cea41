include "fm.pxi"
include "scorer.pxi"
