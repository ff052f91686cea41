"""The data that all libraries train on; one file a workload."""

from . import ctr, ml100k, ratings, text

WORKLOADS = {"ml100k": ml100k.load, "A": ctr.load, "B": ratings.load, "C": text.load}
