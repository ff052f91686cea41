"""
Tuning with scikit-learn's halving search and with Optuna
=========================================================

The defaults look at held-out rows by themselves; a search finds what is left, which here is
nothing. What this teaches: scikit-learn's searches and Optuna's take the estimators here; give
``max_iter`` to a search, lest each fit tunes itself; and compare it with the defaults.
"""

# %%
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split

from fastfm_cy import FMRegressor
from fastfm_cy.datasets import make_ratings

data = make_ratings(n_users=400, n_items=300, n_ratings=20_000, random_state=0)
X, X_test, y, y_test = train_test_split(data.X, data.y, random_state=0)
default = FMRegressor(random_state=0).fit(X, y)
found = {"defaults": root_mean_squared_error(y_test, default.predict(X_test))}
print("defaults chose", default.tuned_)

# %%
# Successive halving gives many settings a few epochs, and the better third of them three times as
# many. The resource is ``max_iter``.
from scipy.stats import loguniform, randint
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV

halving = HalvingRandomSearchCV(
    FMRegressor(random_state=0),
    {
        "n_factors": randint(2, 32),
        "learning_rate": loguniform(0.01, 0.3),
        "l2_linear": loguniform(0.001, 0.3),
        "l2_factors": loguniform(0.01, 1),
    },
    n_candidates=27, resource="max_iter", min_resources=3, max_resources=81, factor=3, cv=3,
    scoring="neg_root_mean_squared_error", random_state=0,
).fit(X, y)  # fmt: skip
found["halving"] = root_mean_squared_error(y_test, halving.predict(X_test))
print("halving chose", halving.best_params_)

# %%
# Optuna suggests settings by what it has seen; a callback lets it give up fits that fall behind.
import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)
X_fit, X_valid, y_fit, y_valid = train_test_split(X, y, test_size=0.2, random_state=1)


def machine(trial, max_iter=60):
    return FMRegressor(
        n_factors=trial.suggest_int("n_factors", 2, 32, log=True),
        learning_rate=trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
        l2_linear=trial.suggest_float("l2_linear", 0.001, 0.3, log=True),
        l2_factors=trial.suggest_float("l2_factors", 0.01, 1, log=True),
        max_iter=max_iter,
        early_stopping=True,
        random_state=0,
    )


def objective(trial):
    def watch(model, history):
        trial.report(history["validation_loss"][-1], len(history["validation_loss"]))
        return trial.should_prune()

    model = machine(trial).fit(X_fit, y_fit, eval_set=(X_valid, y_valid), callbacks=watch)
    return min(model.history_["validation_loss"])


study = optuna.create_study(
    sampler=optuna.samplers.TPESampler(seed=0), pruner=optuna.pruners.MedianPruner(5, 3)
)
study.optimize(objective, n_trials=40)
best = machine(study.best_trial).fit(X, y)
found["Optuna"] = root_mean_squared_error(y_test, best.predict(X_test))
print("Optuna chose", study.best_params)
for name, error in found.items():
    print(f"{name:10} test RMSE {error:.4f}")

# %%
import matplotlib.pyplot as plt
import numpy as np

figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
results = halving.cv_results_
for step, colour in enumerate(["#56B4E9", "#E69F00", "#009E73", "#0072B2"]):
    own = results["iter"] == step
    axes[0].plot(
        results["n_resources"][own], -results["mean_test_score"][own], "o", color=colour, alpha=0.7
    )
axes[0].set_xscale("log", base=3)
axes[0].set_xticks([3, 9, 27, 81], ["3", "9", "27", "81"])
axes[0].set(title="Halving: fewer, longer fits", xlabel="epochs", ylabel="RMSE, cross-validated")
losses = [trial.value for trial in study.trials]
axes[1].plot(np.sqrt(2 * np.array(losses)), "o", color="#56B4E9", label="a trial")
axes[1].plot(np.sqrt(2 * np.minimum.accumulate(losses)), color="#0072B2", label="the best so far")
axes[1].set(title="Optuna: trial after trial", xlabel="trial", ylabel="validation RMSE")
axes[1].legend(frameon=False)
bars = axes[2].bar(list(found), list(found.values()), color=["0.7", "#E69F00", "#0072B2"])
axes[2].bar_label(bars, fmt="%.4f")
axes[2].axhline(0.7, color="0.4", linestyle="--")
axes[2].set(title="What came of it (dashed: noise)", ylabel="test RMSE", ylim=(0.68, 0.85))
for place in axes:
    place.spines[["top", "right"]].set_visible(False)
