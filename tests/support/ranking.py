"""Ranking data and sides for tests."""

import numpy as np
from scipy import sparse

from fastfm_cy.data.interactions import check_interactions
from fastfm_cy.data.matrix_checks import check_rows
from fastfm_cy.model.sides import Side, no_rows
from fastfm_cy.training.ranking.interactions import known_of, lay_out
from fastfm_cy.training.ranking.losses import NEGATIVES, PAIR_LOSSES, RECOMMENDER_LOSSES
from fastfm_cy.training.ranking.plan import RankingPlan
from fastfm_cy.training.ranking.trainer import RecommenderTrainer
from fastfm_cy.training.regularization import NAMES, Strengths
from fastfm_cy.training.solvers import SOLVERS


def plan_of(loss="bpr", solver="sgd", *, pairs=False, negatives="uniform", **more):
    losses = PAIR_LOSSES if pairs else RECOMMENDER_LOSSES
    values = {
        "n_factors": 3, "learning_rate": 1e-5, "dtype": "float64", "max_iter": 1,
        "strengths": dict.fromkeys(NAMES, 0.0),
    }  # fmt: skip
    return RankingPlan(
        loss=losses[loss], solver=SOLVERS[solver], negatives=NEGATIVES[negatives], **values | more
    )


def no_strengths(dtype="float64"):
    return Strengths(np.zeros((1, 4), dtype=dtype))


def side_of(matrix, plan, rng, *, interacts=False, starts_with_own=False):
    """A side of a dense or sparse matrix; None and a number for rows that are their own feature."""
    n_features = matrix if isinstance(matrix, int) else matrix.shape[1]
    table = plan.new_table(n_features, key=0)
    table.coef[...] = rng.normal(size=n_features)
    table.factor_vectors[...] = rng.normal(size=table.factor_vectors.shape)
    rows = None if isinstance(matrix, int) else check_rows(matrix, plan.dtype, 1)
    return Side(rows, table, no_strengths(plan.dtype), starts_with_own, interacts)


def trainer_of(plan, interactions, users, items, rng, context=None, n_shards=1):
    given = check_interactions(interactions)
    laid_out = lay_out(given, np.dtype(plan.dtype), n_shards, rng, known_of(given.positives()))
    rows = no_rows(plan.dtype)
    if context is not None:
        rows = check_rows(context, plan.dtype, 1).take(given.source[laid_out.source])
    contexts = Side(rows, users.table, users.strengths)
    return RecommenderTrainer(plan, laid_out, users, contexts, items, given.n_items, rng)


def run_one_epoch(trainer):
    from tqdm import tqdm

    with trainer, tqdm(disable=True) as bar:
        loss = trainer.epoch(1, 1, bar)
    trainer.finish()
    return loss


def block_taste(n_users=100, n_items=80, n_blocks=5, density=0.8, seed=0):
    """Users who mostly choose items of their own block: easy to learn. (train, test)"""
    rng = np.random.default_rng(seed)
    own = np.arange(n_users)[:, None] % n_blocks == np.arange(n_items)[None, :] % n_blocks
    chosen = rng.random((n_users, n_items)) < np.where(own, density, 0.02)
    held_out = rng.random(chosen.shape) < 0.25
    return (
        sparse.csr_array((chosen & ~held_out).astype(float)),
        sparse.csr_array((chosen & held_out).astype(float)),
    )
