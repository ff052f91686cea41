include "anova.pxi"
include "scorer.pxi"
include "strengths.pxi"
