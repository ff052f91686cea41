"""The data that all peers train on; one file a workload."""

from . import clicks, ml100k

WORKLOADS = {"ml100k": ml100k.load, "clicks": clicks.load}
