"""How copies of a parameter are merged, one parameter at a time, as plainly as possible.

A copy's update covers a part of its distance to the optimum: the step times the curvature there,
which grows by the parameters that move together (omega), and by L2. Summed over its updates, it is
u; it has settled by 1 - e^-u, for which every machine computes the same 1 - (1 + u/16)^-16.
"""

import numpy as np

EPSILON = 1e-6


def settled(u):
    return 1 - (1 + min(u, 64.0) / 16) ** -16.0


def moved(theta, copies, u, u_together):
    """By all of the sum of their moves, or by less where they have settled."""
    share = min(1.0, settled(u_together) / max(sum(settled(one) for one in u), 1e-300))
    return theta + share * sum(copy - theta for copy in copies)


def sgd(theta, copies, visits, rate, omega, curvature, l2):
    parts = [rate * n * (omega * curvature + l2) for n in visits]
    return moved(theta, copies, parts, sum(parts))


def adagrad(theta, squares, copies, copies_squares, visits, rate, omega, l2, beta=0.0):
    """Its sum of squares counts curvature. (theta, squares)

    Steps are rate / (sqrt(A) + beta), and each step's curvature is what it adds to A; the sum of
    them is about the integral, 2 rate (A_i - A_0) / (sqrt(A_i) + sqrt(A_0) + 2 beta).
    """

    def part(now, n):
        return 2 * rate * (omega * (now - squares) + l2 * n) / (now**0.5 + squares**0.5 + 2 * beta)

    together = squares + sum(now - squares for now in copies_squares)
    u = [part(now, n) for now, n in zip(copies_squares, visits, strict=True)]
    return moved(theta, copies, u, part(together, sum(visits))), together


def adam(theta, mean, square, age, copies, means, squares, ages, visits, rate, omega, l2, apart):
    """Its mean square is the curvature, and steps are divided by its root. (theta, mean, square)

    Means, and the ages that make them unbiased, are merged by visits. `apart`: L2 is (AdamW's).
    """
    weights = np.array(visits) / np.sum(visits)

    def part(square, age, n):
        size = np.sqrt(square / age if age > 0 else 0.0) + EPSILON
        return rate * n * (omega * size + (l2 if apart else l2 / size))

    mean, square, age = (
        before + weights @ (np.array(now) - before)
        for before, now in ((mean, means), (square, squares), (age, ages))
    )
    u = [part(*one) for one in zip(squares, ages, visits, strict=True)]
    return moved(theta, copies, u, part(square, age, sum(visits))), mean, square


def ftrl(theta, z, squares, copies, copies_squares, visits, rate, omega, l1, l2, beta):
    """AdaGrad's rule with steps of rate / (beta + sqrt(n)), without its L2, which is no part of a
    step; and the z that gives the merged weight. (theta, z, squares)"""
    theta, squares = adagrad(theta, squares, copies, copies_squares, visits, rate, omega, 0.0, beta)
    if theta == 0:
        return theta, np.clip(z, -l1, l1), squares
    z = -theta * ((beta + squares**0.5) / rate + l2) - np.sign(theta) * l1
    return theta, z, squares
