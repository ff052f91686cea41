"""Seconds a sweep of ALS and of Gibbs sampling, beside the peers."""

import bars
from result_tables import median_seconds

wanted = {
    "ml-100k u1: 80,000 rows of 2; als, k = 32": "ALS, ids",
    "ml-100k u1: 80,000 rows of 2; gibbs, k = 32": "Gibbs, ids",
    "ml-100k u1 with side features: 80,000 rows of 9.1; als, k = 32": "ALS, with side features",
    "ml-100k u1 with side features: 80,000 rows of 9.1; gibbs, k = 8": (
        "Gibbs, with side features, 8 factors"
    ),
}
found = dict(median_seconds("coordinate.md"))
panels = []
for caption, title in wanted.items():
    panels.append((title, {n: s for n, s in found[caption].items() if "threads" not in n}))
bars.draw(panels, "median seconds a sweep")
