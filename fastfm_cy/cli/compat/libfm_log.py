"""What libFM's command line says of each iteration: lines on the screen, and the -rlog file."""

from contextlib import ExitStack

import numpy as np

from ...io.outputs import written_aside

_CLIPPED = (0.01, 0.99)


class Log:
    """Prints an iteration's errors, and writes all measurements into a file, tab-separated.

    Parameters
    ----------
    path : path or None
        The file appears at the end, if there was no error.
    """

    def __init__(self, path):
        self.path, self.file, self.n_iter = path, None, 0

    def __enter__(self):
        self._stack = ExitStack()
        if self.path:
            self.file = self._stack.enter_context(written_aside(self.path))
        return self

    def __exit__(self, *error):
        return self._stack.__exit__(*error)

    def iteration(self, train, test, values, log_loss=None):
        """Of one iteration: the error on both sets, and the measurements by their names."""
        more = "" if log_loss is None else f"\tTest(ll)={log_loss:.6g}"
        print(f"#Iter={self.n_iter:3d}\tTrain={train:.6g}\tTest={test:.6g}{more}", flush=True)
        if self.file:
            if self.n_iter == 0:
                self._line(values)
            self._line(f"{value:.6g}" for value in values.values())
        self.n_iter += 1

    def _line(self, words):
        self.file.write(("\t".join(words) + "\n").encode())


def errors(predictions, y, is_classification):
    """(Name, value) of the errors that libFM reports, the main one first."""
    if is_classification:
        return {"accuracy": float(np.mean((predictions >= 0.5) == (y > 0)))}
    difference = predictions - y
    return {
        "rmse": float(np.sqrt(np.mean(difference**2))),
        "mae": float(np.mean(np.abs(difference))),
    }


def log_loss(probabilities, y):
    """In logarithms to the base 10, of probabilities kept away from 0 and 1."""
    right = np.where(y > 0, probabilities, 1 - probabilities).clip(*_CLIPPED)
    return float(-np.mean(np.log10(right)))
