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

    def iteration(self, shown, values):
        """Of one iteration: what the screen shows, and all measurements, by their names."""
        numbers = "".join(f"\t{name}={value:.6g}" for name, value in shown.items())
        print(f"#Iter={self.n_iter:3d}{numbers}", flush=True)
        if self.file:
            if self.n_iter == 0:
                self._line(values)
            self._line(f"{value:.6g}" for value in values.values())
        self.n_iter += 1

    def _line(self, words):
        self.file.write(("\t".join(words) + "\n").encode())


def errors(predictions, y, is_classification):
    """The errors that libFM reports, by their names, the main one first; none without labels."""
    if y is None:
        return {}
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
