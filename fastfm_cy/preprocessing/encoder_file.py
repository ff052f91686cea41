"""A fitted encoder as a file beside the rows that it made, without pickle."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np

from ..exceptions import FileFormatError
from .encoder import FieldEncoder

_STATE = "state"


def encoder_bytes(encoder: FieldEncoder) -> bytes:
    """An NPZ file: the arrays by their numbers, and the rest as JSON."""
    state, arrays = encoder.to_state()
    text = np.frombuffer(json.dumps(state).encode(), np.uint8)
    file = io.BytesIO()
    members = {str(number): array for number, array in enumerate(arrays)}
    np.savez(file, allow_pickle=False, **members, **{_STATE: text})
    return file.getvalue()


def read_encoder(path: Path) -> FieldEncoder:
    """The encoder of a file that `encoder_bytes` made.

    Raises
    ------
    FileFormatError
        It is none, or was altered.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                raise ValueError("its parts are packed")
        with np.load(path, allow_pickle=False) as parts:
            arrays = [parts[str(number)] for number in range(len(parts.files) - 1)]
            state = json.loads(parts[_STATE].tobytes())
        return FieldEncoder.from_state(state, arrays)
    except (ValueError, KeyError, EOFError, RecursionError, zipfile.BadZipFile) as error:
        raise FileFormatError(f"{path} is no encoder, or was altered: {error}") from error
