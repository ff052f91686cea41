"""The solvers as their papers write them, on one array of parameters at a time, by name.

`gradient` is that of the loss alone; each solver knows what to do with its strengths.
"""

import numpy as np

EPSILON = 1e-6


def soft_threshold(theta, by):
    return np.sign(theta) * np.maximum(np.abs(theta) - by, 0)


class Sgd:
    def __init__(self, rate):
        self.rate = rate

    def step(self, name, theta, gradient, l1, l2):
        return soft_threshold(theta - self.rate * (gradient + l2 * theta), self.rate * l1)


class AdaGrad:
    def __init__(self, rate, start=1.0):
        self.rate, self.start, self.squares = rate, start, {}

    def step(self, name, theta, gradient, l1, l2):
        gradient = gradient + l2 * theta
        squares = self.squares.get(name, self.start) + gradient**2
        self.squares[name] = squares
        rate = self.rate / np.sqrt(squares)
        return soft_threshold(theta - rate * gradient, rate * l1)


class Adam:
    """Kingma & Ba, algorithm 1, with t the visits of the parameter."""

    decoupled = False

    def __init__(self, rate, beta1=0.9, beta2=0.999):
        self.rate, self.beta1, self.beta2, self.state = rate, beta1, beta2, {}

    def step(self, name, theta, gradient, l1, l2):
        if not self.decoupled:
            gradient = gradient + l2 * theta
        m, v, t = self.state.get(name, (0.0, 0.0, 0))
        t += 1
        m = self.beta1 * m + (1 - self.beta1) * gradient
        v = self.beta2 * v + (1 - self.beta2) * gradient**2
        self.state[name] = m, v, t
        m, v = m / (1 - self.beta1**t), v / (1 - self.beta2**t)
        shrunk = theta * (1 - self.rate * l2) if self.decoupled else theta
        return soft_threshold(shrunk - self.rate * m / (np.sqrt(v) + EPSILON), self.rate * l1)


class AdamW(Adam):
    """Loshchilov & Hutter, algorithm 2."""

    decoupled = True


class Ftrl:
    """McMahan et al. 2013, algorithm 1; z starts where it gives the start value."""

    def __init__(self, rate, beta=1.0):
        self.rate, self.beta, self.state = rate, beta, {}

    def step(self, name, theta, gradient, l1, l2):
        start = -theta * (self.beta / self.rate + l2) - np.sign(theta) * l1
        z, n = self.state.get(name, (start, 0.0))
        sigma = (np.sqrt(n + gradient**2) - np.sqrt(n)) / self.rate
        z, n = z + gradient - sigma * theta, n + gradient**2
        self.state[name] = z, n
        return -soft_threshold(z, l1) / ((self.beta + np.sqrt(n)) / self.rate + l2)


SOLVERS = {"sgd": Sgd, "adagrad": AdaGrad, "adam": Adam, "adamw": AdamW, "ftrl": Ftrl}
