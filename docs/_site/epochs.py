"""Seconds an epoch on clicks, ratings and text, beside the peers."""

import bars
from result_tables import median_seconds

clicks = "A, clicks: 500,000 rows of 39, 1,000,000 features"
wanted = {
    f"{clicks}; sgd, k = 16, one thread": "Clicks, SGD",
    f"{clicks}; adagrad, k = 16, one thread": "Clicks, AdaGrad",
    "B, ratings: 5,000,000 rows of 2, 80,700 features; sgd, k = 16, one thread": "Ratings, SGD",
    "C, text: 100,000 rows of 113, 50,000 features; sgd, k = 16, one thread": "Text, SGD",
}
found = dict(median_seconds("epochs.md"))
bars.draw([(title, found[caption]) for caption, title in wanted.items()], "median seconds an epoch")
