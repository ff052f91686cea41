include "../ranking/ranking.pxi"
