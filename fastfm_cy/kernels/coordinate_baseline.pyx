include "coordinate.pxi"
include "blocks.pxi"
include "coordinate_anova.pxi"
