"""Whom we measure against; one file a peer.

A peer module has NAME, SOLVERS, ``missing()`` (why it cannot run here, or None) and a class
``Run(workload, solver, n_factors, folder)`` with ``fit(epochs)`` (train anew; seconds),
``seconds_an_epoch(epochs)`` (by a measurement of about so many) and ``test_metric()`` (of the last
fit).
"""

from . import libfm, modern_fm, xlearn

PEERS = {peer.NAME: peer for peer in (modern_fm, xlearn, libfm)}
