include "fm.pxi"
include "scorer.pxi"
include "strengths.pxi"
