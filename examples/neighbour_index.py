"""Recommendations from an index of neighbours, and how many of the exact ones it finds.

    python examples/neighbour_index.py --data path/to/ml-100k

The score of a user and an item is an inner product of two vectors, so that any index of neighbours
can find the best items without looking at all of them. This puts the item vectors of a recommender
into an HNSW graph of faiss, asks it for the users' best items (without --data, of generated
interactions), and prints the recall against `recommend`. Needs faiss
(python -m pip install faiss-cpu).
"""

import argparse
import time
from pathlib import Path

import numpy as np
from scipy import sparse

from fastfm_cy import FMRecommender

N = 10  # recommendations a user


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of MovieLens 100K")
    parser.add_argument("--items", type=int, default=20_000, help="generated ones")
    parser.add_argument("--users", type=int, default=2_000, help="generated ones")
    options = parser.parse_args(arguments)
    if options.data:
        users, items = np.loadtxt(options.data / "u.data", dtype=np.int64)[:, :2].T - 1
    else:
        users, items = generated(options.users, options.items)
    chosen = sparse.csr_array((np.ones(len(users)), (users, items)))
    model = FMRecommender(n_factors=32, max_iter=10, random_state=0).fit(chosen)

    index = build(model.item_vectors_)
    start = time.perf_counter()
    found = ask(index, model.query_vectors(), chosen)
    seconds_index = time.perf_counter() - start
    start = time.perf_counter()
    exact, _ = model.recommend(n=N)
    seconds_exact = time.perf_counter() - start

    recall = np.mean([len(np.intersect1d(*lists)) / N for lists in zip(found, exact, strict=True)])
    print(f"{chosen.shape[0]} users, {chosen.shape[1]} items: recall of the best {N} {recall:.3f}")
    print(f"seconds: index {seconds_index:.3f}, recommend {seconds_exact:.3f}")
    return recall


def generated(n_users, n_items, n_each=20, seed=0):
    """Users who choose items near to them in a space of few dimensions."""
    rng = np.random.default_rng(seed)
    tastes, kinds = rng.normal(size=(n_users, 4)), rng.normal(size=(n_items, 4))
    popularity = rng.exponential(size=n_items)
    users = np.repeat(np.arange(n_users), n_each)
    items = np.concatenate([
        np.argpartition(-(kinds @ taste) - popularity - rng.gumbel(size=n_items), n_each)[:n_each]
        for taste in tastes
    ])  # fmt: skip
    return users, items


def build(vectors):
    """An HNSW graph whose nearest neighbours are those of the highest inner product."""
    try:
        import faiss
    except ImportError:
        raise SystemExit("This example needs faiss: python -m pip install faiss-cpu") from None
    index = faiss.IndexHNSWFlat(vectors.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 200
    index.add(np.ascontiguousarray(vectors, dtype=np.float32))
    return index


def ask(index, queries, seen):
    """The best N items of each query that it has not seen: as many more are asked for."""
    n_seen = np.diff(sparse.csr_array(seen).indptr)
    most = min(index.ntotal, N + int(n_seen.max(initial=0)))
    index.hnsw.efSearch = max(100, 2 * most)
    _, neighbours = index.search(np.ascontiguousarray(queries, dtype=np.float32), most)
    lists = np.full((len(queries), N), -1)
    for row, candidates in enumerate(neighbours):
        unseen = candidates[~np.isin(candidates, seen[[row]].indices)][:N]
        lists[row, : len(unseen)] = unseen
    return lists


if __name__ == "__main__":
    main()
