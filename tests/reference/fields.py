"""Per-sample training of the models that know fields; rows are lists of (field, feature, x)."""

import numpy as np


def of_feature(Solver):
    """A solver whose Adam counts the visits of a feature, as the kernels do, not of a parameter."""

    class OfFeature(Solver):
        def __init__(self, rate):
            super().__init__(rate)
            self.visits = {}

        def visit(self, owner):
            self.visits[owner] = self.visits.get(owner, 0) + 1

        def step(self, name, owner, theta, gradient, l1, l2):
            if hasattr(self, "state") and owner in self.visits:
                state = self.state.get(name)
                if state is not None and len(state) == 3:
                    self.state[name] = (*state[:2], self.visits[owner] - 1)
                elif state is None and hasattr(self, "beta2"):
                    self.state[name] = 0.0, 0.0, self.visits[owner] - 1
            return super().step(name, theta, gradient, l1, l2)

    return OfFeature


def epoch(models, rows, y, weights, order, solver, loss, strengths, *, fit_intercept=True,
          fit_linear=True, fit_pair_weights=True, l2_pairs=0.0):  # fmt: skip
    """The sum of the weighted losses before each update; the models change in place.

    `models` holds one an output, `strengths` a row (l1_linear, l2_linear, l1_factors, l2_factors) a
    feature, `loss` a value and gradients from (scores, y). All slopes are those before the row.
    `l2_pairs` pulls the weights of pairs towards 1."""
    total = 0.0
    for number in order:
        row = rows[number]
        value, gradients = loss(np.array([model.score(row) for model in models]), y[number])
        total += weights[number] * value
        for c, (model, gradient) in enumerate(zip(models, gradients, strict=True)):
            g = weights[number] * gradient
            slopes = [model.factor_slopes(row, entry) for entry in range(len(row))]
            pair_slopes = model.pair_slopes(row) if fit_pair_weights else {}
            solver.visit(c)
            if fit_intercept:
                model.w0 = solver.step(("w0", c), c, model.w0, g, 0.0, 0.0)
            for (_, j, x), slopes_of_entry in zip(row, slopes, strict=True):
                solver.visit((c, j))
                l1_linear, l2_linear, l1_factors, l2_factors = strengths[j]
                if fit_linear:
                    step = g * x, l1_linear, l2_linear
                    model.w[j] = solver.step(("w", c, j), (c, j), model.w[j], *step)
                for place, slope in slopes_of_entry.items():
                    step = g * slope, l1_factors, l2_factors
                    name = ("v", c, place)
                    model.v[place] = solver.step(name, (c, j), model.v[place], *step)
            for place, slope in pair_slopes.items():
                centre = 1.0 if l2_pairs else 0.0
                step = model.r[place] - centre, g * slope, 0.0, l2_pairs
                model.r[place] = centre + solver.step(("r", c, place), c, *step)
    return total
