"""Where the real data are: the folder that FASTFM_CY_DATA names, else ../shared/data."""

import os
import sys
from pathlib import Path


def data_file(name):
    path = Path(os.environ.get("FASTFM_CY_DATA", "../shared/data")) / name
    if not path.exists():
        sys.exit(f"{path} is missing: set FASTFM_CY_DATA to the folder that holds {name}.")
    return path
