"""libFM's methods as this package's estimators."""

from time import perf_counter
from typing import ClassVar

import numpy as np

from ...data.inputs import PlainInput
from ...estimators.bayesian import BayesianFMClassifier, BayesianFMRegressor
from ...estimators.fm import FMClassifier, FMRegressor
from ...io import load_model, read_libfm_model, save_model, write_libfm_model
from ...model.responses import NormalResponse, ProbitResponse
from ...model.scoring import score_rows
from ..estimators import check_parameters
from .libfm_log import errors, log_loss

_BURNT_IN = 5  # iterations that libFM's "all_but5" leaves out


class Numbers(list):
    """The value of -regular."""

    @classmethod
    def parse(cls, text):
        return cls(float(word) for word in text.replace(";", ",").split(",") if word.strip())

    @property
    def n_groups(self):
        """How many groups it is of; 1 if it may be of any number."""
        return (len(self) - 1) // 2 if len(self) > 3 else 1

    def of(self, n_groups):
        """Strengths of the bias, the linear weights and the factors; of the latter perhaps one a
        group."""
        if len(self) == 1:
            return self[0], self[0], self[0]
        if len(self) == 3:
            return tuple(self)
        if len(self) == 1 + 2 * n_groups:
            return self[0], self[1 : 1 + n_groups], self[1 + n_groups :]
        raise ValueError(
            f"-regular must have 1, 3 or, for {n_groups} groups, {1 + 2 * n_groups} numbers; got "
            f"{len(self)}."
        )


Numbers.parse.__func__.__name__ = "list of numbers"


class Method:
    """Training of an estimator, with measurements after each iteration."""

    kinds: ClassVar[tuple[type, type]]
    """Of regression and of classification."""
    has_log_loss = True

    @classmethod
    def check(cls, options):
        """Check the flags that are parameters of the estimator, before there are data."""
        parameters = cls.parameters_of(options, options.regular.n_groups)
        check_parameters(cls.kinds[options.task == "c"](**parameters))

    def __init__(self, options, problem):
        self.options, self.problem = options, problem
        self.model = self._loaded() if options.load_model else self._new()

    def train(self, log):
        """Train; predictions of the test data."""
        if self.options.iter:
            part = self.problem.train
            self.model.fit(part.X, part.y, callbacks=lambda *_: self._record(log), **self._more())
        return self._predictions()

    @classmethod
    def parameters_of(cls, options, n_groups):
        """Of the estimator, as far as the flags and the number of groups tell."""
        fit_intercept, fit_linear, n_factors = options.dim
        return {
            "n_factors": n_factors, "fit_intercept": fit_intercept, "fit_linear": fit_linear,
            "init_scale": options.init_stdev, "max_iter": max(1, options.iter), "scaling": None,
            "random_state": None if options.seed is None else options.seed % 2**32,
        }  # fmt: skip

    def _parameters(self):
        """The same, and what the data tell."""
        known = self.parameters_of(self.options, self.problem.n_groups)
        if not self.problem.is_classification:
            y = self.problem.train.y
            known["clip_predictions"] = float(y.min()), float(y.max())
        return known | {"feature_groups": self.problem.groups}

    def _new(self):
        return self.kinds[self.problem.is_classification](**self._parameters())

    def _more(self):
        """Arguments of fit."""
        return {}

    def _measure(self, log, on_train, on_test, values):
        """Report an iteration, given predictions."""
        train, test, is_classification = (
            self.problem.train, self.problem.test, self.problem.is_classification,
        )  # fmt: skip
        of_train = errors(on_train, train.y, is_classification)
        of_test = errors(on_test, test.y, is_classification)
        name = next(iter(of_train))
        shown = {"Train": of_train[name]}
        if of_test:
            shown["Test"] = of_test[name]
            if self.has_log_loss and is_classification:
                shown["Test(ll)"] = log_loss(on_test, test.y)
        log.iteration(shown, of_test | values | {f"{name}_train": of_train[name]})


class TableMethod(Method):
    """With one set of weights: sgd, sgda and als."""

    kinds = FMRegressor, FMClassifier
    solver, has_log_loss = "sgd", False

    def _loaded(self):
        parameters = self._parameters()
        for name in ("n_factors", "fit_intercept", "fit_linear"):  # the file tells
            del parameters[name]
        task = "classification" if self.problem.is_classification else "regression"
        model = read_libfm_model(self.options.load_model, task=task, warm_start=True, **parameters)
        self.problem.widen(model.n_features_in_, self.options.load_model)
        return model

    @classmethod
    def parameters_of(cls, options, n_groups):
        intercept, linear, factors = options.regular.of(n_groups)
        return super().parameters_of(options, n_groups) | {
            "solver": cls.solver, "shuffle": False, "init_intercept": 0.0,
            "learning_rate": options.learn_rate[0],
            "l2_intercept": intercept, "l2_linear": linear, "l2_factors": factors,
        }  # fmt: skip

    def _record(self, log):
        start = perf_counter()
        on_test = self._predictions()
        values = {
            "time_pred": perf_counter() - start, "time_learn": self.model.history_["seconds"][-1]
        }  # fmt: skip
        self._measure(log, self._predict(self.problem.train.X), on_test, values)

    def _predictions(self):
        return self._predict(self.problem.test.X)

    def _predict(self, X):
        if self.problem.is_classification:
            return self.model.predict_proba(X)[:, 1]
        return self.model.predict(X).astype(np.float64)

    def save(self, path):
        """As libFM's text."""
        write_libfm_model(self.model, path)


class SGDA(TableMethod):
    """Strengths that are learned on the validation data, by _adaptive.py rather than as libFM."""

    @classmethod
    def parameters_of(cls, options, n_groups):
        learned = {"l2_linear": "auto", "l2_factors": "auto"}
        return super().parameters_of(options, n_groups) | learned

    def _more(self):
        return {"eval_set": (self.problem.validation.X, self.problem.validation.y)}


class ALS(TableMethod):
    """Alternating least squares; of classification, in the probit model, as libFM."""

    solver, has_log_loss = "als", True

    @classmethod
    def parameters_of(cls, options, n_groups):
        loss = {"loss": "probit"} if options.task == "c" else {}
        return super().parameters_of(options, n_groups) | loss


class MCMC(Method):
    """Gibbs sampling; predictions are means over all iterations, without a burn-in."""

    kinds = BayesianFMRegressor, BayesianFMClassifier

    def __init__(self, options, problem):
        super().__init__(options, problem)
        self.rows, self.draws, y = {}, RunningMeans(), problem.train.y
        self.response = ProbitResponse()
        if not problem.is_classification:
            self.response = NormalResponse((float(y.min()), float(y.max())))

    @classmethod
    def parameters_of(cls, options, n_groups):
        kept = {"n_burn_in": 0, "n_kept_samples": None if options.save_model else 1}
        return super().parameters_of(options, n_groups) | kept

    def _loaded(self):
        model = load_model(self.options.load_model)
        self.problem.widen(model.n_features_in_, self.options.load_model)
        return model.set_params(warm_start=True, max_iter=max(1, self.options.iter))

    def _record(self, log):
        start = perf_counter()
        drawn = self._draw(self.problem.test.X)
        self.draws.add(drawn)
        values = {
            "time_pred": perf_counter() - start, "time_learn": self.model.history_["seconds"][-1],
        }  # fmt: skip
        values |= self._of_draws(drawn) | self._of_chain()
        self._measure(log, self._draw(self.problem.train.X), self.draws.all, values)

    def _draw(self, X):
        """Predictions of the chain's current state."""
        table = self.model._chain.table
        if id(X) not in self.rows:
            self.rows[id(X)] = PlainInput().check(X, str(table.dtype), 1)
        scores = score_rows(table, self.rows[id(X)])[:, 0]
        return self.response.value(scores, self.model._chain.cutpoints)

    def _of_draws(self, drawn):
        y, values = self.problem.test.y, {}
        if y is None:
            return values
        predictions = {"this": drawn, "all": self.draws.all, "all_but5": self.draws.all_but_first}
        is_classification = self.problem.is_classification
        short = "acc" if is_classification else "rmse"
        for name, mean in predictions.items():
            found = errors(mean, y, is_classification)
            values[f"{short}_mcmc_{name}"] = next(iter(found.values()))
        if is_classification:
            values |= {f"ll_mcmc_{name}": log_loss(mean, y) for name, mean in predictions.items()}
        if np.isscalar(self.draws.all_but_first):  # none so far
            values |= {name: np.nan for name in values if name.endswith("all_but5")}
        return values

    def _of_chain(self):
        """The hyper-parameters of the current state, by libFM's names."""
        chain = self.model._chain
        values = {"alpha": chain.alpha}
        for group, (precision, mean) in enumerate(chain.linear_prior):
            values |= {f"wmu[{group}]": mean, f"wlambda[{group}]": precision}
        for group in range(len(chain.means)):
            for factor in range(chain.n_factors):
                place = f"[{group},{factor}]"
                values[f"vmu{place}"] = chain.means[group, factor]
                values[f"vlambda{place}"] = chain.precisions[group, factor]
        return values

    def _predictions(self):
        if not self.options.load_model:
            return self.draws.all
        X = self.problem.test.X
        if self.problem.is_classification:
            return self.model.predict_proba(X)[:, 1]
        return self.model.predict(X)

    def save(self, path):
        """All draws and the chain, to predict from and to go on with."""
        save_model(self.model, path)


class RunningMeans:
    """Means over draws: of all, and of all but the first five."""

    def __init__(self):
        self.n, self.all, self.all_but_first = 0, 0.0, np.nan

    def add(self, drawn):
        self.n += 1
        self.all = self.all + (drawn - self.all) / self.n
        n_later = self.n - _BURNT_IN
        if n_later == 1:
            self.all_but_first = drawn
        elif n_later > 1:
            self.all_but_first = self.all_but_first + (drawn - self.all_but_first) / n_later


METHODS = {"sgd": TableMethod, "sgda": SGDA, "als": ALS, "mcmc": MCMC}
