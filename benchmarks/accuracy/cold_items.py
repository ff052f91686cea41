"""How well new items are ranked by their features: ``python -m benchmarks.accuracy.cold_items``.

A fifth of MovieLens 100K's items, drawn by each seed, has no interaction in training; genres and
years tell of them, and only they are candidates. NDCG@10 depends on the draw more than on anything
else, so that libraries are compared on the same draws. "the most popular" are the ten cold items
that most users chose, which no model can know: nearly all there is to find without the users.
Settings of every library were chosen on another fifth of the remaining items.
"""

import argparse

import numpy as np
from scipy import sparse

from fastfm_cy import FMRecommender
from fastfm_cy.metrics import ndcg_at_k

from ..measure import print_table
from ..speed.ranking import LightFM, as_lightfm, movielens_with_features
from .ranking import load

OURS = [
    {"learning_rate": rate, "max_iter": epochs, "l2_factors": l2}
    for rate, epochs in ((0.03, 20), (0.05, 10))
    for l2 in (0.003, 0.01, 0.03)
]
THEIRS = [
    {"no_components": 30, "learning_rate": 0.05, "epochs": 10},
    {"no_components": 64, "learning_rate": 0.02, "epochs": 30},
]


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy.cold_items", description=__doc__
    )
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    train, test = load("rand 0")
    whole, features = sparse.csc_array(train + test), movielens_with_features()[2]
    models = {"fastfm_cy, defaults": (ours, [{}]), "fastfm_cy, chosen": (ours, OURS)}
    if LightFM is not None:
        models["LightFM warp, chosen"] = (lightfm, THEIRS)
    found = {}
    for seed in range(options.seeds):
        cold = np.random.default_rng(seed).random(whole.shape[1]) < 0.2
        data = whole[:, ~cold].tocsr(), features[~cold], features[cold]
        truth = whole[:, cold].tocsr()
        popular = np.tile(np.argsort(-truth.sum(axis=0), kind="stable")[:10], (truth.shape[0], 1))
        found.setdefault(("the most popular", ""), []).append(ndcg_at_k(truth, popular))
        for name, (recommended, grid) in models.items():
            for identity in (True, False):
                settings = chosen(recommended, grid, *data[:2], identity, seed)
                score = ndcg_at_k(truth, recommended(*data, identity, seed, settings))
                found.setdefault((name, "with" if identity else "without"), []).append(score)
    print_table(
        ["model", "items' ids", "NDCG@10"],
        [(*key, f"{np.mean(values):.4f} ± {np.std(values):.4f}") for key, values in found.items()],
    )


def chosen(recommended, grid, train, features, identity, seed):
    """The settings that are best for a fifth of the warm items, held out as if they were cold."""
    if len(grid) == 1:
        return grid[0]
    held_out = np.random.default_rng(1000 + seed).random(train.shape[1]) < 0.2
    train = train.tocsc()
    data = train[:, ~held_out].tocsr(), features[~held_out], features[held_out]
    truth = train[:, held_out].tocsr()
    scores = [ndcg_at_k(truth, recommended(*data, identity, seed, settings)) for settings in grid]
    return grid[int(np.argmax(scores))]


def ours(train, features, new_features, identity, seed, settings):
    model = FMRecommender(item_identity=identity, random_state=seed, **settings)
    return model.fit(train, item_features=features).recommend(item_features=new_features)[0]


def lightfm(train, features, new_features, identity, seed, settings):
    n_new, n_ids = new_features.shape[0], features.shape[0] if identity else 0
    ids, none = sparse.identity(features.shape[0], format="csr"), sparse.csr_matrix((n_new, n_ids))
    given = as_lightfm(sparse.hstack([ids, features]) if identity else features)
    new = as_lightfm(sparse.hstack([none, new_features]))
    settings = dict(settings)
    epochs = settings.pop("epochs")
    model = LightFM(loss="warp", random_state=seed, **settings)
    model.fit(as_lightfm(train).tocoo(), item_features=given, epochs=epochs)
    biases, vectors = model.get_item_representations(new)
    scores = model.user_embeddings @ vectors.T + biases
    return np.argsort(-scores, axis=1, kind="stable")[:, :10]


if __name__ == "__main__":
    main()
