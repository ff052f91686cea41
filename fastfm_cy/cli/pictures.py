"""Pictures that commands draw into files."""

from pathlib import Path

from ..io.outputs import written_aside


def check_picture(path):
    """Refuse a file name whose kind of picture is unknown; without matplotlib all are taken."""
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ModuleNotFoundError:  # so nothing is drawn, and the command says so
        return
    kinds = FigureCanvasBase.get_supported_filetypes()
    if _kind_of(path) not in kinds:
        raise ValueError(f"{path}: pictures can be {', '.join(sorted(kinds))}.")


def new_picture(n_panels, size=(6.4, 4.4)):
    """(figure, axes side by side), drawn without a screen."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
    except ModuleNotFoundError as error:
        raise ImportError(
            "Pictures need matplotlib: python -m pip install 'fastfm_cy[plot]'."
        ) from error
    width, height = size
    figure, axes = plt.subplots(
        1, n_panels, figsize=(width * n_panels, height), squeeze=False, layout="constrained"
    )
    return figure, axes[0]


def save_picture(figure, path):
    """Write it, whole or not at all, and close it."""
    import matplotlib.pyplot as plt

    with written_aside(path) as file:
        figure.savefig(file, dpi=120, format=_kind_of(path))
    plt.close(figure)


def _kind_of(path):
    return Path(path).suffix[1:].lower() or "png"
