"""The parameter table: where the weights of a factorization machine live in memory.

Three arrays of one float type, each with a parameter's optimiser state beside it, so that an
update touches the same cache lines for both (S numbers of state: 0 for SGD, 1 for AdaGrad):

    intercept  (1 + S,)                       [w0 | state]
    linear     (n_features, 1 + S)            a row a feature: [w | state]
    factors    (n_features, (1 + S) * P)      a row a feature: [v_1 .. v_P | states]

P is the number of factors padded to 4, 8 or whole cache lines, so that a feature's vector never
straddles more lines than it must, and the kernels need no loops for remainders. Padding holds
zeros and stays zero: its gradient is zero. All three arrays start on a cache line. Linux backs
NumPy's large arrays with huge pages, which saves the kernels most of their address look-ups.
"""

import numpy as np

CACHE_LINE = 64  # bytes
_START_BLOCK = 1 << 16  # features whose start values are drawn at a time


def aligned_zeros(shape, dtype):
    """Zeros whose first element lies on a cache line."""
    dtype = np.dtype(dtype)
    n_bytes = int(np.prod(shape, dtype=object)) * dtype.itemsize
    buffer = np.zeros(n_bytes + CACHE_LINE, dtype=np.uint8)
    offset = -buffer.ctypes.data % CACHE_LINE
    return buffer[offset : offset + n_bytes].view(dtype).reshape(shape)


def _padded(n_factors, dtype):
    a_line = CACHE_LINE // dtype.itemsize
    if n_factors <= 4:
        return 4 if n_factors else 0
    return 8 if n_factors <= 8 else -(-n_factors // a_line) * a_line


class ParameterTable:
    """Weights of one model, laid out for the kernels.

    Parameters
    ----------
    n_features, n_factors : int
    dtype : "float32" or "float64"
    state_start : sequence of float
        Start value of each number of optimiser state a parameter.
    """

    def __init__(self, n_features, n_factors, dtype, state_start=()):
        dtype = np.dtype(dtype)
        slots = 1 + len(state_start)
        self.n_factors = n_factors
        self.n_padded = _padded(n_factors, dtype)
        self.intercept = aligned_zeros((slots,), dtype)
        self.linear = aligned_zeros((n_features, slots), dtype)
        self.factors = aligned_zeros((n_features, slots * self.n_padded), dtype)
        for slot, value in enumerate(state_start, start=1):
            self.intercept[slot] = value
            self.linear[:, slot] = value
            self.factors[:, slot * self.n_padded : (slot + 1) * self.n_padded] = value

    @property
    def n_features(self):
        return self.linear.shape[0]

    @property
    def dtype(self):
        return self.linear.dtype

    @property
    def coef(self):
        """View of the linear weights, shape (n_features,)."""
        return self.linear[:, 0]

    @property
    def factor_vectors(self):
        """View of the factor vectors, shape (n_features, n_factors)."""
        return self.factors[:, : self.n_factors]

    def draw_factors(self, scale, rng, home=None):
        """Start the factors from a normal distribution; the same draws in either dtype.

        `home` holds the table row of each feature, if that is not its own number.
        """
        vectors = self.factor_vectors
        n_features = self.n_features if home is None else len(home)
        for start in range(0, n_features, _START_BLOCK):
            stop = min(n_features, start + _START_BLOCK)
            rows = slice(start, stop) if home is None else home[start:stop]
            draws = rng.standard_normal((stop - start, self.n_factors), dtype=np.float32)
            vectors[rows] = np.float32(scale) * draws

    def copy_head(self, head, n_copies):
        """Make the first copies of the `head` rows equal to the last, the master."""
        master = slice(n_copies * head, (n_copies + 1) * head)
        for copy in range(n_copies):
            rows = slice(copy * head, (copy + 1) * head)
            self.linear[rows] = self.linear[master]
            self.factors[rows] = self.factors[master]

    def is_finite(self):
        """Whether every weight is finite."""
        arrays = (self.intercept[:1], self.coef, self.factor_vectors)
        return all(np.isfinite(array).all() for array in arrays)

    def for_prediction(self, home=None):
        """The weights alone, without optimiser state, feature by feature."""
        if home is None and len(self.intercept) == 1:
            return self
        rows = slice(None) if home is None else home
        n_features = self.n_features if home is None else len(home)
        table = ParameterTable(n_features, self.n_factors, self.dtype)
        table.intercept[0] = self.intercept[0]
        table.coef[...] = self.coef[rows]
        table.factor_vectors[...] = self.factor_vectors[rows]
        return table

    def __getstate__(self):
        """Pickled as laid out, less the alignment, which is made anew."""
        return self.n_factors, self.n_padded, self.intercept, self.linear, self.factors

    def __setstate__(self, state):
        self.n_factors, self.n_padded = state[:2]
        for name, array in zip(("intercept", "linear", "factors"), state[2:], strict=True):
            aligned = aligned_zeros(array.shape, array.dtype)
            aligned[...] = array
            setattr(self, name, aligned)
