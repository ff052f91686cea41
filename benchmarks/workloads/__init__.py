"""The data that all libraries train on; one file a workload."""

from . import ctr, ml100k, ml100k_side, ratings, text

WORKLOADS = {
    "ml100k": ml100k.load,
    "ml100k-side": ml100k_side.load,
    "A": ctr.load,
    "B": ratings.load,
    "C": text.load,
}
