"""Seconds a sweep of ALS and of the Gibbs samplers: ``python -m benchmarks.speed.coordinate``.

libFM through the environment variable LIBFM (its own clock), fastFM and, for Gibbs, myFM if they
are installed (difference of two fits), and fastfm_cy in one and two threads (its own clock). All
with bias and linear weights.
"""

import argparse
import os
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean
from time import perf_counter

import numpy as np
from scipy import sparse

from fastfm_cy import BayesianFMRegressor, FMRegressor

from ..measure import from_difference, min_median, print_table, ratios
from ..peers import libfm
from ..workloads import WORKLOADS

_OURS = "fastfm_cy"


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    names = ["ml100k", "ml100k-side", "B"]
    parser.add_argument("--workloads", nargs="+", choices=names, default=names)
    parser.add_argument("--methods", nargs="+", choices=["als", "gibbs"], default=["als", "gibbs"])
    parser.add_argument("--factors", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sweeps", type=int, default=5)
    parser.add_argument("--rows", type=int, help="training rows of B, if not its own")
    options = parser.parse_args()
    for name in options.workloads:
        workload = WORKLOADS[name](options)
        for n_factors in options.factors:
            for method in options.methods:
                with tempfile.TemporaryDirectory() as folder:
                    _compare(workload, method, n_factors, Path(folder), options)


def _compare(workload, method, n_factors, folder, options):
    ours = _our_als if method == "als" else _our_gibbs
    samplers = {
        _OURS: lambda sweeps: ours(workload, n_factors, sweeps, 1),
        f"{_OURS}, 2 threads": lambda sweeps: ours(workload, n_factors, sweeps, 2),
    }
    if libfm.missing() is None:
        samplers["libfm"] = lambda sweeps: _libfm(workload, method, n_factors, sweeps, folder)
    if find_spec("fastFM"):
        samplers["fastfm"] = lambda sweeps: _fastfm(workload, method, n_factors, sweeps)
    if method == "gibbs" and find_spec("myfm"):
        samplers["myfm"] = lambda sweeps: _myfm(workload, n_factors, sweeps)
    seconds = {name: [] for name in samplers}
    for _ in range(options.runs):
        for name, sample in samplers.items():
            seconds[name].append(sample(options.sweeps))
    print(f"\n{workload.title}; {method}, k = {n_factors}\n")
    print_table(
        ["", "s a sweep: min", "median", "times ours: min", "median"],
        [
            (name, min_median(seconds[name], 4), min_median(ratios(seconds, name, _OURS), 2))
            for name in samplers
        ],
    )


def _our_als(workload, n_factors, sweeps, n_jobs):
    model = FMRegressor(
        n_factors, solver="als", max_iter=sweeps + 1, init_scale=0.1, n_jobs=n_jobs, random_state=0
    )
    model.fit(workload.X, workload.y)
    return fmean(model.history_["seconds"][1:])


def _our_gibbs(workload, n_factors, sweeps, n_jobs):
    model = BayesianFMRegressor(
        n_factors, max_iter=sweeps + 1, n_burn_in=sweeps, n_jobs=n_jobs, random_state=0
    )
    model.fit(workload.X, workload.y)
    return fmean(model.history_["seconds"][1:])


def _libfm(workload, method, n_factors, sweeps, folder):
    train, test = workload.write(folder)
    log = folder / "libfm.log"
    command = [os.environ["LIBFM"], "-task", "r", "-train", train, "-test", test]
    command += ["-method", "als" if method == "als" else "mcmc", "-regular", "0,3,12"]
    command += ["-dim", f"1,1,{n_factors}", "-iter", sweeps, "-rlog", log, "-seed", 1]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    header, *lines = log.read_text().splitlines()
    column = header.split("\t").index("time_learn")
    return fmean(float(line.split("\t")[column]) for line in lines)


def _fastfm(workload, method, n_factors, sweeps):
    from fastFM import als, mcmc

    X, X_test = (sparse.csc_matrix(x, dtype=np.float64) for x in (workload.X, workload.X_test))
    y = np.asarray(workload.y, dtype=np.float64)

    def fit(n_iter):
        settings = {"n_iter": n_iter, "rank": n_factors, "random_state": 0}
        start = perf_counter()
        if method == "als":
            als.FMRegression(l2_reg_w=3, l2_reg_V=12, **settings).fit(X, y)
        else:
            mcmc.FMRegression(**settings).fit_predict(X, y, X_test[:1])
        return perf_counter() - start

    return from_difference(fit, sweeps)


def _myfm(workload, n_factors, sweeps):
    import myfm

    X = sparse.csr_matrix(workload.X, dtype=np.float64)

    def fit(n_iter):
        start = perf_counter()
        myfm.MyFMGibbsRegressor(rank=n_factors, random_seed=0).fit(
            X, workload.y, n_iter=n_iter, n_kept_samples=1
        )
        return perf_counter() - start

    return from_difference(fit, sweeps)


if __name__ == "__main__":
    main()
