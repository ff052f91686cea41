"""The SMS Spam Collection (Almeida, Gomez Hidalgo & Yamakami, 2011)."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def load_sms_spam(path: str | Path) -> tuple[list[str], np.ndarray]:
    """The SMS Spam Collection, as tab-separated label and message with a header line.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    messages : list of str
    labels : ndarray of str, "ham" or "spam"
    """
    with Path(path).open(encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t", 1) for line in file]
    labels, messages = zip(*rows[1:], strict=True)
    return list(messages), np.array(labels)
