"""Compiled scorers under load: processes x threads, for a time; latencies and growth of memory.

    python -m benchmarks.speed.load --processes 8 --threads 8 --seconds 600

Every process maps one model file, compiles a scorer that its threads share, and scores rows and
small batches, of which every answer is compared with the first. Memory is what a process holds of
its own (anonymous, resident), looked at ten times; it must not grow after the first tenth.
"""

import argparse
import multiprocessing
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from fastfm_cy import FMClassifier
from fastfm_cy.datasets import make_clicks
from fastfm_cy.io import load_model, save_model

PARTS = 10
N_KEPT = 20_000  # latencies a thread, drawn so that all are as likely
GROWTH = 1 << 20  # bytes of a process that are no growth: buffers of its threads


def own_memory():
    """Bytes that this process holds of its own."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return 1024 * int(line.split()[1])
    return 0


class Caller(threading.Thread):
    """Scores rows and batches until it is told to stop."""

    def __init__(self, scorer, X, expected, stop, seed):
        super().__init__()
        self.scorer, self.X, self.expected, self.stop = scorer, X, expected, stop
        self.rng = np.random.default_rng(seed)
        self.n_calls, self.n_wrong = 0, 0
        self.latencies = np.zeros(N_KEPT)

    def run(self):
        X, rng = self.X, self.rng
        while not self.stop.is_set():
            row = int(rng.integers(X.shape[0] - 16))
            n_rows = 1 if rng.random() < 0.8 else 16
            begin, end = X.indptr[row], X.indptr[row + n_rows]
            indptr = X.indptr[row : row + n_rows + 1] - begin
            start = time.perf_counter()
            if n_rows == 1:
                scores = self.scorer.row(X.indices[begin:end], X.data[begin:end])
            else:
                scores = self.scorer.rows(indptr, X.indices[begin:end], X.data[begin:end])
            self.note(time.perf_counter() - start)
            self.n_wrong += not np.array_equal(
                scores, np.squeeze(self.expected[row : row + n_rows])
            )

    def note(self, seconds):
        place = self.n_calls if self.n_calls < N_KEPT else self.rng.integers(self.n_calls + 1)
        if place < N_KEPT:
            self.latencies[place] = seconds
        self.n_calls += 1


def serve(path, seed, n_threads, seconds, results):
    """One process: puts its latencies, calls, wrong answers and memory."""
    X = make_clicks(n_rows=5000, n_fields=20, n_features=100_000, random_state=0).X.tocsr()
    X = X.astype(np.float32)
    scorer = load_model(path, mmap=True).compile()
    expected = scorer.rows(X.indptr, X.indices, X.data)
    stop, memory = threading.Event(), []
    callers = [Caller(scorer, X, expected, stop, 100 * seed + n) for n in range(n_threads)]
    for caller in callers:
        caller.start()
    for _ in range(PARTS):
        time.sleep(seconds / PARTS)
        memory.append(own_memory())
    stop.set()
    for caller in callers:
        caller.join()
    latencies = np.concatenate([caller.latencies[: caller.n_calls] for caller in callers])
    n_calls, n_wrong = (sum(getattr(c, name) for c in callers) for name in ("n_calls", "n_wrong"))
    results.put((latencies, n_calls, n_wrong, memory))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=600)
    options = parser.parse_args()
    data = make_clicks(n_rows=20_000, n_fields=20, n_features=100_000, random_state=1)
    model = FMClassifier(16, max_iter=1, random_state=0).fit(data.X, data.y)
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.fm"
        save_model(model, path, optimizer_state=False)
        results = context.Queue()
        arguments = path, options.threads, options.seconds, results
        processes = [
            context.Process(target=serve, args=(path, seed, *arguments[1:]))
            for seed in range(options.processes)
        ]
        for process in processes:
            process.start()
        said = [results.get() for _ in processes]
        for process in processes:
            process.join()
    return report(options, said)


def report(options, said):
    latencies = 1e6 * np.concatenate([latencies for latencies, *_ in said])
    n_calls, n_wrong = sum(one[1] for one in said), sum(one[2] for one in said)
    growth = max(one[3][-1] - one[3][0] for one in said)
    print(f"{options.processes} processes x {options.threads} threads, {options.seconds:g} s")
    print(f"calls: {n_calls:,}, wrong answers: {n_wrong}")
    for percent in (50, 90, 99, 99.9, 99.99):
        print(f"p{percent:g}: {np.percentile(latencies, percent):,.1f} us")
    print(
        f"memory of a process, MB: {said[0][3][0] / 1e6:.1f} at first, {said[0][3][-1] / 1e6:.1f}"
    )
    print(f"most growth of a process after the first tenth: {growth / 1e6:.2f} MB")
    return int(n_wrong > 0 or growth > GROWTH)


if __name__ == "__main__":
    raise SystemExit(main())
