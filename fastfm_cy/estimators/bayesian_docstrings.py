"""The parts of the Bayesian estimators' documentation that all of them share."""

from __future__ import annotations

from collections.abc import Callable

from .docstrings import filler

SAMPLER_PARAMETERS = """
n_factors : int, default=8
    Length k of each feature's factor vector; 0 gives the linear model.
max_iter : int >= 1, default=200
    Number of sweeps over all parameters.
n_burn_in : int >= 0, default=20
    First sweeps that are forgotten.
thin : int >= 1, default=1
    Keep every so manieth draw.
n_kept_samples : int >= 1 or None, default=None
    Keep only the last so many draws; None keeps all.
categorical_features : "from_dtype" or list of columns, default="from_dtype"
    Columns of a table, by name or position, that are categories beside those whose type says so,
    such as ids that are numbers. If all of X is numbers and none is named, X is taken as it is;
    else a `FieldEncoder` with its defaults makes sparse rows of it, and is kept in ``encoder_``.
    Categories that it does not know are left out.
feature_groups : int array of shape (n_features,) or None, default=None
    Number of the group of each feature, from 0. A group has priors of its own; fields (users,
    items, ...) make good groups.
init_scale : float > 0, default=0.1
    Standard deviation of the normal distribution that the factors start from.
alpha_0 : float > 0, default=1
    Shape, times two, of the gamma priors of all precisions; the defaults of all four are libFM's.
beta_0 : float > 0, default=1
    Weight, in features, of the normal priors of the groups' means.
gamma_0 : float > 0, default=1
    Rate, times two, of the gamma priors of all precisions.
mu_0 : float, default=0
    Mean of the normal priors of the groups' means.
{terms}
scaling : {"auto", None}, default="auto"
    "auto" samples on columns and targets brought to unit scale where they are far from it, as the
    priors assume, and what columns that most rows have make of a row to unit length; each kept draw
    is folded back exactly. Relational designs are not scaled.
warm_start : bool, default=False
    Whether fit goes on with the chain of the last fit, and adds its draws to those kept. What comes
    is what an uninterrupted fit would have drawn.
max_memory : int or str, default="2GB"
    Most bytes that the kept draws may take, 4 (n_features (k + 1) + 2) each; a fit that would keep
    more is refused.
n_jobs : int or None, default=None
    Threads; None is 1 and -1 all processors. The draws do not depend on it: only features that
    share no row, such as those of a one-hot field, are drawn at once.
random_state : int, RandomState or None, default=None
    The same int gives the same draws, bit for bit.
verbose : int, default=0
    1 shows a progress bar with the running error on the eval_set, and says what the draws take.
dtype : {"float32", "float64"}, default="float32"
    Type of the arithmetic; draws are kept as float32.
"""

SAMPLER_ATTRIBUTES = """
n_iter_ : int
    Sweeps run, in all fits that went on.
n_samples_ : int
    Draws that are kept.
{constant}
coef_ : ndarray of shape (n_features,)
    Posterior means of the w_i. Factors have no useful means: rotating all of them changes nothing.
history_ : dict
    Lists with a number a sweep: "train_rmse" (or "train_log_loss") of the single draw, "alpha" (the
    noise's precision), "seconds"; with an eval_set "validation_rmse" (or "validation_log_loss") of
    the mean over the draws so far.
rhat_ : float
    Split R-hat of the training error after the burn-in (Gelman et al. 2013): about 1 once the chain
    has mixed. ``fit`` warns (ConvergenceWarning) if it has not, and the error fell meanwhile.
encoder_ : FieldEncoder
    Only if X was a table with columns that are not numbers: what makes rows of it.
n_features_in_ : int
    Columns of X.
feature_names_in_ : ndarray of str
    Only if X had column names.
"""

SAMPLER_REFERENCES = """
.. [1] S. Rendle, "Factorization Machines with libFM", ACM TIST 3(3), 2012.
.. [2] C. Freudenthaler, L. Schmidt-Thieme, S. Rendle, "Bayesian Factorization Machines", NIPS
   Workshop on Sparse Representation and Low-rank Approximation, 2011.
"""

SAMPLER_FIT_PARAMETERS = """
eval_set : tuple (X, y), default=None
    Rows whose error is followed after each sweep, into ``history_``.
callbacks : function or list of functions of (estimator, history), default=None
    Called after each sweep; sampling stops when one of them returns True.
"""


SAMPLER = {
    "terms": """fit_intercept, fit_linear : bool, default=True
    Whether the model has w0, and the w_i.""",
    "constant": """intercept_ : float
    Posterior mean of w0.""",
}

REGRESSION_SAMPLER = SAMPLER | {
    "terms": SAMPLER["terms"]
    + """
clip_predictions : bool or (float, float), default=True
    Clip each draw's prediction to the range of the training targets (`y_range_`), or to one that is
    known beforehand.""",
}

ORDINAL_SAMPLER = {
    "terms": """classes : array of shape (n_classes,) or None, default=None
    All labels from the lowest to the highest; some need not occur. None is the order of numbers, or
    the one that the type of y declares.
nu : float > 0, default=5
    Degrees of freedom of the t distribution that proposes cutpoints.
cutpoint_scale : float > 0, default=10
    Standard deviation of the normal priors of the first cutpoint, and of the logarithms of the gaps
    to the next.
fit_linear : bool, default=True
    Whether the model has the w_i.""",
    "constant": """cutpoints_ : ndarray of shape (n_classes - 1,)
    Posterior means of the cutpoints between neighbouring classes.""",
}


def documented_sampler(**special: str) -> Callable[[type], type]:
    """The same as `documented` for the Bayesian estimators."""
    return filler(
        SAMPLER_PARAMETERS.replace("{terms}", special["terms"]),
        SAMPLER_ATTRIBUTES.replace("{constant}", special["constant"]),
        SAMPLER_REFERENCES,
        SAMPLER_FIT_PARAMETERS,
    )
