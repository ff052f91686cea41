"""Recommender: a factorization machine that ranks items for users, learned from interactions."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from ..preprocessing import FieldEncoder
from ..training.early_stopping import History
from ..utils.checks import check_bool
from .common import check_callbacks, new_rng, one_fit, set_parameters
from .folding import fold_parameters
from .recommender_answers import RecommenderAnswers
from .recommender_fit import RecommenderFit
from .recommender_tables import FeatureTables
from .registry import register

if TYPE_CHECKING:
    from typing_extensions import Self


@register("recommender", "recommendation")
class FMRecommender(RecommenderAnswers):
    """Factorization machine that learns from interactions which items to recommend to a user.

    Users, items and contexts may have features; an item scores ``b_i + <q_c, q_i>``, with q the sum
    of a side's factor vectors and b_i the item's linear weights and, with `item_interactions`, the
    interactions among its features [1]_. With ids alone that is matrix factorization with item
    biases.

    Parameters
    ----------
    n_factors : int >= 1, default=64
        Length of each feature's factor vector.
    loss : {"warp", "bpr", "softmax", "logistic", "hinge", "implicit_squared"}, default="warp"
        "warp" draws items that the user did not choose until one comes within a margin of 1 of the
        chosen one, and weighs it by the rank that the number of draws tells [2]_. "bpr" takes one
        such item, and the logistic loss of the difference of the scores [3]_; "hinge" the hinge
        loss. "softmax" sets the chosen item against `max_sampled` others at once; "logistic" is the
        log loss of it and of `max_sampled` others on their own. "implicit_squared" draws none: it
        looks at all pairs of users and items, with the solver "als" [6]_.
    solver : {"adagrad", "sgd", "adam", "adamw", "ftrl", "als"}, default="adagrad"
        "als" makes exact steps in eight factors at a time [7]_, for "implicit_squared" alone.
    learning_rate : float > 0 or None, default=None
        None is the solver's default: 0.07 for adagrad, 0.1 for ftrl, 0.05 for sgd, 0.002 for adam
        and adamw.
    schedule, power_t, adam_betas, ftrl_beta : as of `FMClassifier`
    max_iter : int >= 1, default=30
        Number of epochs (passes over the interactions), at most.
    max_sampled : int >= 1, default=10
        Most items drawn for a chosen one ("warp", "softmax", "logistic"). Known positives do not
        count: they are never negatives.
    negatives : {"uniform", "popularity", "adaptive"}, default="uniform"
        What negatives are drawn from: all items alike; by how often they were chosen; or those that
        score high with the user so far [4]_.
    item_interactions : bool or None, default=None
        Whether the features of an item interact among themselves; without it the model is that of
        LightFM [5]_. None is True, but False for "implicit_squared".
    user_identity, item_identity : bool, default=True
        Whether each user and item is a feature of its own. Without it features must be given.
    encoders : dict of str: FieldEncoder, default=None
        How to encode tables that are passed as "user_features", "item_features" or "context". Data
        frames with columns that hold no numbers have a `FieldEncoder()` without being named here.
    l1_linear, l2_linear, l1_factors, l2_factors : float >= 0, dict or None
        Strengths of regularisation, l2 / 2 times the square on what a step touches. A dict has a
        number for some of "users", "user_features", "context", "items", "item_features"; the others
        have none. None, the default of `l2_factors`, is the loss's: 0.1 for "warp", 0.01 for "bpr",
        0.03 for the others; for "implicit_squared", 0.3 for ids and 3 for features. The others'
        default is 0.
    fit_linear : bool or None, default=None
        Whether items have biases. None is True, but False for "implicit_squared".
    init_scale : as of `FMClassifier`
    early_stopping : bool, default=False
        Stop when the metric does not rise for `n_iter_no_change` epochs, and go back to the best.
    validation_fraction : float, default=0.1
        Share of each user's interactions to validate on, without an eval_set.
    n_iter_no_change : as of `FMClassifier`
    tol : float or None, default=0
        A rise by less is none.
    scoring : {"ndcg", "precision", "recall", "map", "mrr", "hit_rate", "auc"}, default="ndcg"
        Metric to validate with.
    top : int >= 1, default=10
        Length of the lists that it is taken of.
    shuffle, warm_start, n_jobs, deterministic, random_state, verbose, dtype : as of `FMClassifier`
    unobserved_weight : float >= 0 or None, default=None
        Of "implicit_squared", as the next three: the weight of a pair's squared score, whoever
        chose what. None is 0.5.
    alpha : float > 0, default=1.0
        Confidence of an interaction of weight 1; it is in proportion to the weight.
    counts_observed : bool, default=True
        Whether `unobserved_weight` counts for what was chosen, too [8]_; False is the loss of Hu et
        al. [9]_, where the confidence is all that such a pair weighs.
    frequency_power : float >= 0 or None, default=None
        Strengths are multiplied by that power of what a feature's pairs weigh together [8]_. None
        is 0.5; 0 leaves them as they are.

    Attributes
    ----------
    item_vectors_ : ndarray of shape (n_items, n_factors + 1)
        Their inner products with `query_vectors` are the scores.
    user_ids_, item_ids_ : ndarray
        Raw ids by number; numbers if the interactions were a matrix.
    encoders_ : dict of str: FieldEncoder
        Fitted ones, of what came as a table.
    n_iter_, best_iter_ : int
        The latter only with early stopping.
    history_ : dict
        Lists with a number an epoch: "train_loss", "seconds", and "validation_score".

    References
    ----------
    .. [1] S. Rendle, "Factorization Machines", ICDM 2010.
    .. [2] J. Weston et al., "WSABIE: Scaling Up To Large Vocabulary Image Annotation", IJCAI 2011.
    .. [3] S. Rendle et al., "BPR: Bayesian Personalized Ranking from Implicit Feedback", UAI 2009.
    .. [4] S. Rendle, C. Freudenthaler, "Improving Pairwise Learning for Item Recommendation from
       Implicit Feedback", WSDM 2014.
    .. [5] M. Kula, "Metadata Embeddings for User and Item Cold-start Recommendations", 2015.
    .. [6] I. Bayer, X. He, B. Kanagal, S. Rendle, "A Generic Coordinate Descent Framework for
       Learning from Implicit Feedback", WWW 2017.
    .. [7] S. Rendle et al., "iALS++: Speeding up Matrix Factorization with Subspace Optimization",
       2021.
    .. [8] S. Rendle et al., "Revisiting the Performance of iALS on Item Recommendation Benchmarks",
       RecSys 2022.
    .. [9] Y. Hu, Y. Koren, C. Volinsky, "Collaborative Filtering for Implicit Feedback Datasets",
       ICDM 2008.
    """

    _rng: np.random.Generator
    encoders_: dict[str, FieldEncoder]
    history_: History

    def __init__(
        self, n_factors: int = 64, *, loss: str = "warp", solver: str = "adagrad",
        learning_rate: float | None = None, schedule: str = "constant", power_t: float = 0.5,
        adam_betas: tuple[float, float] = (0.9, 0.999), ftrl_beta: float = 1.0, max_iter: int = 30,
        max_sampled: int = 10, negatives: str = "uniform", item_interactions: bool | None = None,
        user_identity: bool = True, item_identity: bool = True, encoders: Any = None,
        l1_linear: Any = 0.0, l2_linear: Any = 0.0, l1_factors: Any = 0.0, l2_factors: Any = None,
        fit_linear: bool | None = None, init_scale: float = 0.1, early_stopping: bool = False,
        validation_fraction: float = 0.1, n_iter_no_change: int = 5, tol: float | None = 0.0,
        scoring: str = "ndcg", top: int = 10, shuffle: str | bool = "block",
        warm_start: bool = False, n_jobs: int | None = None, deterministic: bool = False,
        random_state: Any = None, verbose: int = 0, dtype: str = "float32",
        unobserved_weight: float | None = None, alpha: float = 1.0, counts_observed: bool = True,
        frequency_power: float | None = None,
    ) -> None:  # fmt: skip
        set_parameters(self, locals())

    def __sklearn_is_fitted__(self) -> bool:
        return "_model" in vars(self)

    # Fitting -----------------------------------------------------------------------------------

    def fit(
        self, interactions: Any, user_features: Any = None, item_features: Any = None,
        context: Any = None, sample_weight: Any = None, eval_set: Any = None,
        callbacks: Any = None,
    ) -> Self:  # fmt: skip
        """Train from scratch, or go on if `warm_start`.

        Parameters
        ----------
        interactions : sparse matrix, data frame, or tuple (users, items[, weights])
            A matrix of users x items whose entries are weights, or a table with an interaction a
            row, whose ids are integers or strings. Weights <= 0 mark items that the user does not
            want. An interaction that occurs several times counts once, with the sum of its weights,
            unless there is a context.
        user_features, item_features : matrix or table, or (ids, matrix or table), default=None
            A row a user or item; in the order of the matrix of interactions, or with ids, which the
            index of a pandas frame is, too. Tables are encoded.
        context : matrix or table, default=None
            A row an interaction, in the order of its table (of a matrix: of its entries as COO).
        sample_weight : array, default=None
            Factors >= 0, one an interaction.
        eval_set : interactions, default=None
            To validate on after each epoch; of known users and items.
        callbacks : function or list of functions of (estimator, history), default=None
            Called after each epoch; training stops when one of them returns True.

        Returns
        -------
        self
        """
        with one_fit(self):
            data = interactions, user_features, item_features, context, sample_weight
            goes_on = check_bool(self.warm_start, "warm_start") and self.__sklearn_is_fitted__()
            self._fit(data, eval_set, callbacks, goes_on=goes_on)
        return self

    def partial_fit(
        self, interactions: Any, user_features: Any = None, item_features: Any = None,
        context: Any = None, sample_weight: Any = None,
    ) -> Self:  # fmt: skip
        """Train for one epoch on more interactions, whose users and items may be new.

        What earlier calls had as positives is remembered: it is not recommended, nor drawn.

        Parameters
        ----------
        interactions : as of `fit`
        user_features, item_features : as of `fit`
            Those of all users or items, the new ones included.
        context, sample_weight : as of `fit`

        Returns
        -------
        self
        """
        with one_fit(self, "partial_fit"):
            data = interactions, user_features, item_features, context, sample_weight
            self._fit(data, goes_on=self.__sklearn_is_fitted__(), partial=True)
        return self

    def _fit(
        self, data: tuple[Any, Any, Any, Any, Any], eval_set: Any = None, callbacks: Any = None,
        *, goes_on: bool, partial: bool = False,
    ) -> None:  # fmt: skip
        known = self._model if goes_on else None
        rng = copy.deepcopy(self._rng) if goes_on else new_rng(self.random_state)
        functions, params = check_callbacks(callbacks), self.get_params(deep=False)
        tables = FeatureTables(self.encoders, self.encoders_ if goes_on else None)
        fit = RecommenderFit(params, known, tables, rng, partial=partial)
        fit.read(*data, eval_set)
        before = self.history_ if goes_on and partial else {}

        def publish() -> None:
            self.__dict__.pop("best_iter_", None)
            self.__dict__.update(
                _model=fit.model_now(), _fold_parameters=fold_parameters(params), _rng=rng,
                encoders_=tables.fitted,
            )  # fmt: skip

        def after(history: History) -> bool:
            publish()
            self.history_, self.n_iter_ = history, len(history["seconds"])
            stops = [bool(function(self, history)) for function in functions]
            return any(stops)

        result = fit.run(after if functions else None)
        publish()
        self.history_ = {name: before.get(name, []) + new for name, new in result.history.items()}
        self.n_iter_ = len(self.history_["seconds"])
        if result.best_iter:
            self.best_iter_ = result.best_iter
