"""The parts of the estimators' documentation that all of them share."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent
from typing import Any

PARAMETERS = """
{n_factors}
{model}
{loss}
solver : {{"adagrad", "sgd", "adam", "adamw", "ftrl"{als_name}}}, default="adagrad"
    "sgd" takes steps of one size, and wants features of about unit size. "adagrad" divides each
    parameter's steps by the root of 1 + the sum of its squared gradients [2]_. "adam" and "adamw"
    divide a running mean of the gradient by the root of a running mean of its square, both with
    their bias corrected by the visits of the feature [3]_; "adamw" shrinks by its L2 strengths
    apart from the gradient [4]_. "ftrl" is FTRL-Proximal [5]_, whose L1 strengths make weights
    exactly zero.{als}
learning_rate : float > 0 or None, default=None
    Step size; None is the solver's default: {rates}
schedule : {{"constant", "invscaling", "cosine"}}, default="constant"
    The learning rate of epoch t = 0, 1, ...: itself; divided by ``(1 + t) ** power_t``; falling
    along half a cosine almost to zero in epoch `max_iter`. "ftrl" takes "constant" only.
power_t : float > 0, default=0.5
    For "invscaling".
adam_betas : (float, float), default=(0.9, 0.999)
    Adam's decay of the mean gradient and of the mean square, a visit.
ftrl_beta : float > 0, default=1.0
    FTRL's beta: a parameter's step size starts at learning_rate / beta.
max_iter : int >= 1 or None, default=None
    Number of epochs (passes over the rows), at most. None leaves it to `tuning`; where that has no
    say, it is 20, or 100 with early_stopping.
l1_linear, l1_factors : float >= 0 or array, default=0
    L1 strengths of the linear weights and of the factors. An array holds
    a strength a group of `feature_groups` or, without groups, one a feature.
l2_linear, l2_factors : float >= 0, array{auto_name} or None, default=None
    L2 strengths likewise; None is the solver's default: {l2}.{auto}
l2_intercept : float >= 0, default=0
    L2 strength of the intercept: it draws predictions towards 0, and is seldom wanted.
feature_groups : int array of shape (n_features,) or None, default=None
    Number of the group of each feature, from 0.
{init}
init_intercept : float or None, default=None
    Where the intercept starts; None is the best constant for the data of the first call.
fit_intercept, fit_linear : bool, default=True
    Whether the model has w0, and the w_i.
{special}
tuning : {{"auto", None}}, default="auto"
    "auto" chooses the number of epochs, and of `learning_rate`, `l2_linear` and `l2_factors` those
    that are None, on held-out rows (five folds of small data) among a few settings, may rescale the
    scores, and then trains on all rows; `tuned_` has what it chose. Only for data in memory, and
    where nothing else says how long to train: max_iter, early_stopping, "auto" strengths,
    warm_start, a schedule of the learning rate. None never does.
scaling : {{"auto", None}}, default="auto"
    "auto" trains on columns, and on the targets of "squared_error" and "huber", brought to unit
    scale where they are far from it, and folds that back exactly: all parameters are those of X
    and y as they are. Strengths then act on the scaled weights. One-hot, multi-hot and tf-idf
    columns, and ratings, are left alone. None never scales, as libFM, fastFM and libffm.
shuffle : {{"block", True, False}}, default="block"
    The order of the rows: "block" shuffles blocks of 64 neighbouring rows anew each epoch, which
    memory likes, and on fewer than 32,768 rows shuffles single rows, as True always does; False
    keeps the order of X.
early_stopping : bool or "refit", default=False
    Stop when the validation loss (or score) has not improved for `n_iter_no_change` epochs, and go
    back to the best epoch. Validates on fit's eval_set or else on `validation_fraction` of X;
    "refit" then trains on all of X for as many epochs.
validation_fraction : float in (0, 1), default=0.1
    Share of the rows that early stopping holds out{stratified}.
scoring : str, callable or None, default=None
    What early stopping follows: a scikit-learn scorer; None is the loss.
n_iter_no_change : int >= 1, default=3
    Epochs without improvement after which to stop.
tol : float >= 0 or None, default=None
    A smaller gain is no improvement. Without early_stopping, a number also stops training when the
    training loss no longer falls by more; None never does.
warm_start : bool, default=False
    Whether fit goes on from the last fit's model and optimiser state.
grow_features : bool, default=False
    Whether partial_fit takes blocks with more columns than before (new features start as at the
    beginning of a fit) or with fewer (the rest is taken for empty).
relabel : bool, default=False
    Place the parameters by the features' frequency while training. Faster for many features and
    epochs, the same model; holds the column numbers of X and the parameters once more. Several
    threads always do so.
n_jobs : int or None, default=None
    Threads for training and prediction; None is 1 and -1 all processors. With several, the threads
    share the parameters of the rarer features without locks (Hogwild [7]_), so two fits differ
    slightly; a model fitted in one thread is reproducible.
deterministic : bool, default=False
    Train so that the result is the same, bit for bit, for any n_jobs, in up to 4 threads: they
    share nothing between merges. Slower to train and to converge, and 5 times the memory.
random_state : int, RandomState or None, default=None
    Decides the start values, the orders and the held-out rows. The same int gives the same model,
    bit for bit, in one thread or if deterministic.
verbose : int, default=0
    1 shows a progress bar with the running loss.
dtype : {{"float32", "float64"}}, default="float32"
    Type of the parameters and of the arithmetic.
"""

CATEGORICAL = """categorical_features : "from_dtype" or list of columns, default="from_dtype"
    Columns of a table, by name or position, that are categories beside those whose type says so,
    such as ids that are numbers. If all of X is numbers and none is named, X is taken as it is;
    else a `FieldEncoder` with its defaults makes sparse rows of it, and is kept in ``encoder_``.
    Categories that it does not know are left out, unless partial_fit with `grow_features` adds
    them."""

HASHING = """n_hash : int or None, default=None
    Hash the features to so many rows of the table, which bounds its memory; features that meet
    share their parameters{met}. ``coef_`` and ``factors_`` then have a row a hash."""
MOST_MEMORY = """max_memory : int, str or None, default=None
    Most bytes, or such as "8GB", that the parameters may take, copies included; a fit that needs
    more is refused. None is what the system has free."""
MEMORY = "\n".join([CATEGORICAL, HASHING, MOST_MEMORY])

DEGREE = """degree : int from 2 to 5, default=2
    The most features that interact. Beyond 2, the score also has for every order d up to the degree
    the sum over all sets of d features of the products of their x_i and of their factors, summed
    over the k factors [11]_, computed in O(nnz degree^2 k).
share_factors : bool, default=False
    Whether all orders have the same factor vectors, in O(nnz degree k), and not each its own."""

# What fills the braces for one of them.
_RATES = """0.05 for "adagrad", 0.02 for "sgd", 0.002 for
    "adam" and "adamw", 0.1 for "ftrl"."""
_FM = {
    "n_factors": """n_factors : int, default=16
    Length k of each feature's factor vector; 0 gives the plain linear model.""",
    "model": DEGREE
    + "\n"
    + MEMORY.format(met=", and where a row has several,\n    their values are summed"),
    "als_name": ', "als"',
    "als": """ "als" sets one parameter after the other to its best value [8]_, for
    "squared_error" exactly, for "log_loss", "probit" and "squared_hinge" (two classes) by a
    quadratic bound; it has no learning rate, takes no L1, and holds X once more by columns. Its
    result is the same for any n_jobs.""",
    "rates": _RATES,
    "auto_name": ', "auto"',
    "auto": """ "auto" learns them on
    `validation_fraction` of the rows (or on the eval_set) in a fit of its own, one a group [6]_,
    and leaves them in ``l2_linear_`` and ``l2_factors_``.""",
    "init": """init_scale : float > 0, default=0.01
    Standard deviation of the normal distribution that the factors start from; those of an order
    d > 2 of their own start from ``init_scale ** (2 / d)``. Linear weights start at 0, and so do
    the factors of features that never occur, where there are more than 100,000 features, and more
    than four an entry of X: then these cost nothing.""",
}
REGRESSOR = _FM | {
    "loss": """loss : {"squared_error", "huber", "poisson"}, default="squared_error"
    Half the squared error; Huber's, linear beyond `huber_delta`; or the Poisson deviance of a
    target >= 0, whose mean is the exponential of the score.""",
    "special": """huber_delta : float > 0, default=1.0
    Error beyond which loss="huber" is linear.
clip_predictions : bool or (float, float), default=True
    Clip predictions to the range of the training targets (`y_range_`) or to one that is known
    beforehand; for "squared_error" and "huber" also in training, as libFM does.""",
    "l2": '0.02 and 0.07, for "adamw" 0.02 and 0.3, for "ftrl" 2 and 60, for "als" 3 and 12',
    "stratified": "",
}
CLASSIFIER = _FM | {
    "loss": """loss : {"log_loss", "probit", "hinge", "squared_hinge", "softmax"}
    Default "log_loss". Of the label as -1 or +1 and the score. Of more than two classes, each is
    set against the rest, but for "softmax", the log loss of all classes together. "log_loss",
    "probit" (the normal distribution function in the logistic's place) and "softmax" give
    probabilities.""",
    "special": """class_weight : dict {label: weight}, "balanced" or None, default=None
    Factors on the losses of each class; "balanced" is inverse to the class frequencies.""",
    "l2": '0.02 and 0.002, for "adam" 0.002 both, for "adamw" 0.02 both, for "ftrl" 1 and 5, '
    'for "als" 1 and 6; for '
    "clicks with many rows a feature, less is better: try 1e-4 for the factors",
    "stratified": ", of each class",
}

_FIELDS = """fields : int array of shape (n_features,) or None, default=None
    The field of each feature, from 0. None takes the columns of a table for fields, and the fields
    that a FieldEncoder gave its rows; else each column of X is a field of its own, of at most 100;
    or the fields of the single entries come with the data, as `fields` of ``fit`` and ``predict``.
n_fields : int or None, default=None
    Number of fields; None is the largest in the first call, and one.
same_field : bool, default={same_field}
    Whether two features of one field interact, where a row has several.
normalize : {{"l2"}} or None, default={normalize}
    "l2" divides each row of X by its Euclidean length (instance-wise normalisation): interactions
    are then divided by its square, as in libffm, and linear terms by itself."""
_MODEL_WITH_FIELDS = "\n".join([HASHING.format(met=""), CATEGORICAL, MOST_MEMORY])
_WITH_FIELDS = {
    "model": _MODEL_WITH_FIELDS, "als_name": "", "als": "", "auto_name": "", "auto": "",
}  # fmt: skip
_PAIR_WEIGHTS = """
fit_pair_weights : bool, default=True
    Whether the weights of the pairs of fields are learned; else they stay 1, which is the plain
    machine.
l2_pair_weights : float >= 0 or None, default=None
    L2 strength that pulls the pair weights towards 1, in each row those of its pairs of fields, of
    which each has an equal share of it; without it they undo the factors' L2. None is 0.5, for
    "adamw" 10, and for "ftrl", where it counts once for all rows, 80,000."""
FFM_TEXTS = _WITH_FIELDS | {
    "n_factors": """n_factors : int, default=4
    Length k of each of a feature's factor vectors, one a field; 0 gives the plain linear model.
"""
    + _FIELDS.format(same_field=True, normalize='"l2"'),
    "init": """init : {"uniform", "normal"}, default="uniform"
    What the factors start from: U(0, init_scale) / sqrt(n_factors), libffm's for an init_scale of
    1; or a normal distribution of standard deviation init_scale. A feature's factors start when it
    first occurs and are zero until then. Linear weights start at 0.
init_scale : float > 0, default=0.3
    Scale of the start.""",
    "rates": """0.2 for "adagrad", 0.08 for "sgd", 0.008 for
    "adam" and "adamw", 0.4 for "ftrl".""",
}
FWFM_TEXTS = _WITH_FIELDS | {
    "rates": _RATES,
    "n_factors": """n_factors : int, default=8
    Length k of each feature's factor vector; 0 gives the plain linear model.
"""
    + _FIELDS.format(same_field=True, normalize="None"),
    "model": _MODEL_WITH_FIELDS + _PAIR_WEIGHTS,
    "init": """init : {"normal", "uniform"}, default="normal"
    What the factors start from: a normal distribution of standard deviation init_scale, or
    U(0, init_scale) / sqrt(n_factors). A feature's factors start when it first occurs and are zero
    until then. Linear weights start at 0.
init_scale : float > 0, default=0.01
    Scale of the start.""",
}

ATTRIBUTES = """
n_iter_ : int
    Epochs run, or calls of partial_fit.
tuned_ : dict
    Of the parameters that tuning chose, the values; only if it did. partial_fit goes on with them.
best_iter_ : int
    With early_stopping, the epoch whose parameters the model has, from 1.
history_ : dict
    Lists with a number an epoch: "train_loss", the mean loss, each row's taken just before its
    update; "seconds" of training; with held-out rows "validation_loss", and "validation_score" if
    `scoring` is given.
l2_linear_, l2_factors_ : float or ndarray of shape (n_groups,)
    Learned strengths, where "auto" was asked for.
sparsity_ : dict
    Shares of the linear weights, of the factors and of whole features that are zero.
encoder_ : FieldEncoder
    Only if X was a table with columns that are not numbers: what makes rows of it.
    ``encoder_.get_feature_names_out()`` names the features of ``coef_`` and ``factors_``.
n_features_in_ : int
    Columns of X.
feature_names_in_ : ndarray of str
    Only if X had column names.
"""

REFERENCES = """
.. [1] S. Rendle, "Factorization Machines", ICDM 2010.
.. [2] J. Duchi, E. Hazan, Y. Singer, "Adaptive Subgradient Methods for Online Learning and
   Stochastic Optimization", JMLR 12, 2011.
.. [3] D. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.
.. [4] I. Loshchilov, F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
.. [5] H. B. McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013.
.. [6] S. Rendle, "Learning Recommender Systems with Adaptive Regularization", WSDM 2012.
.. [7] F. Niu, B. Recht, C. Re, S. J. Wright, "Hogwild!: A Lock-Free Approach to Parallelizing
   Stochastic Gradient Descent", NIPS 2011.
.. [8] S. Rendle, Z. Gantner, C. Freudenthaler, L. Schmidt-Thieme, "Fast Context-aware
   Recommendations with Factorization Machines", SIGIR 2011.
.. [9] Y. Juan, Y. Zhuang, W.-S. Chin, C.-J. Lin, "Field-aware Factorization Machines for CTR
   Prediction", RecSys 2016.
.. [10] J. Pan, J. Xu, A. L. Ruiz, W. Zhao, S. Pan, Y. Sun, Q. Lu, "Field-weighted Factorization
   Machines for Click-Through Rate Prediction in Display Advertising", WWW 2018.
.. [11] M. Blondel, A. Fujino, N. Ueda, M. Ishihata, "Higher-Order Factorization Machines", NIPS
   2016.
"""

FIT_PARAMETERS = """
sample_weight : array of shape (n_samples,), default=None
    Factors >= 0 on each row's loss; a row of weight zero is not visited.
eval_set : tuple (X, y) or (X, y, sample_weight), Dataset, or DiskDataset if X is one, default=None
    Rows to validate on after each epoch, into ``history_``; early stopping follows them.
callbacks : function or list of functions of (estimator, history), default=None
    Called after each epoch; the estimator predicts with the model so far. Training stops when
    one of them returns True.
"""
FIELD_PARAMETER = """
fields : CSR matrix of int, default=None
    The field of each entry of X, which then is CSR, too: for features that appear under several
    fields. Otherwise the estimator's `fields` says it.
"""


def documented(**special: str) -> Callable[[type], type]:
    """Class decorator that fills {parameters}, {attributes} and {references} of the docstring, and
    {fit_parameters} of fit's."""
    return filler(PARAMETERS.format(**special), ATTRIBUTES, REFERENCES, FIT_PARAMETERS)


def documented_with_fields(family: dict[str, str], task: dict[str, str]) -> Callable[[type], type]:
    """The same for estimators that know fields, all of whose methods take them."""

    def fill(cls: type) -> type:
        cls = documented(**(task | family))(cls)
        for name in ("fit", "partial_fit", "predict", "decision_function", "predict_proba"):
            method = vars(_class_of(cls, name)).get(name)
            function = getattr(method, "fn", method)  # of available_if
            if function is not None:
                parts = {"field_parameter": FIELD_PARAMETER}
                function.__doc__ = _filled(function.__doc__, parts, "        ")
        return cls

    return fill


def _class_of(cls: type, name: str) -> type:
    """The class that defines a method, or cls."""
    return next((parent for parent in cls.__mro__ if name in vars(parent)), cls)


def filler(
    parameters: str, attributes: str, references: str, fit_parameters: str
) -> Callable[[type], type]:
    def fill(cls: Any) -> type:
        parts = {"parameters": parameters, "attributes": attributes, "references": references}
        cls.__doc__ = _filled(cls.__doc__, parts, "    ")
        cls.fit.__doc__ = _filled(cls.fit.__doc__, {"fit_parameters": fit_parameters}, "        ")
        return cls

    return fill


def _filled(text: str | None, parts: dict[str, str], margin: str) -> str | None:
    if text is None:  # python -OO
        return None
    for name, part in parts.items():
        text = text.replace(f"{margin}{{{name}}}", indent(part.strip("\n"), margin))
    return text
