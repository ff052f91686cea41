"""Dask, which is an extra: imported here, with a message where it is missing."""

try:
    import dask
    import distributed
except ImportError as error:  # pragma: no cover
    raise ImportError(
        "fastfm_cy.dask needs Dask, and a part of it is missing "
        f'({error}): python -m pip install "fastfm_cy[dask]".'
    ) from error

__all__ = ["dask", "distributed"]
