"""Options and arguments that several commands have."""

from typing import Annotated

import typer

from ..estimators.registry import families
from ..io.data_files.formats import DATA_FORMATS

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="DATA...",
        help="Files (perhaps packed), - for standard input, or a converted folder.",
    ),
]
ModelFile = Annotated[
    str, typer.Argument(metavar="MODEL", help="A model file of ours, libFM's, xLearn's, libffm's.")
]
Format = Annotated[
    str,
    typer.Option(
        help=f"{', '.join(DATA_FORMATS)}, parquet; auto looks at the first bytes and lines."
    ),
]
Target = Annotated[
    str | None,
    typer.Option(help="Of csv: the target's column, by number or name (the first), or none."),
]
Drop = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="Of csv: a column to leave out, by number or name."),
]
NHash = Annotated[
    int | None,
    typer.Option(
        min=1, help="Hash names, or numbers beyond 2^31, to so many features; the same for a model "
        "and all its data.",
    ),
]  # fmt: skip
_TABLE = "Tables of any columns"
Categorical = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN,...", help="Columns that are categories, such as ids that are numbers.",
        rich_help_panel=_TABLE,
    ),
]  # fmt: skip
Multi = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN:SEPARATOR", help="A column with several categories a cell.",
        rich_help_panel=_TABLE,
    ),
]  # fmt: skip
Missing = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT", help="Cells that are missing, beside empty ones, such as NA.",
        rich_help_panel=_TABLE,
    ),
]  # fmt: skip
MinFrequency = Annotated[
    int | None,
    typer.Option(
        min=1, help="Categories in fewer rows share a feature.", rich_help_panel=_TABLE
    ),
]  # fmt: skip
Task = Annotated[
    str,
    typer.Option(help="regression or classification; auto: classification of two target values."),
]
ModelTask = Annotated[
    str, typer.Option(help="regression or classification, of libFM's and xLearn's models.")
]
NoWeights = Annotated[
    bool,
    typer.Option("--no-weights", help="Of a recommender's data: read user and item alone."),
]
Names = Annotated[
    str | None, typer.Option(metavar="FILE", help="Names of the features, one a line.")
]
Plot = Annotated[
    str | None, typer.Option(metavar="FILE", help="Draw a picture, of the kind of its suffix.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON lines, for programs.")]

# Of the estimator -------------------------------------------------------------------------------

_PANEL = "Estimator"
Estimator = Annotated[str, typer.Option(help=f"{', '.join(families())}.", rich_help_panel=_PANEL)]
NFactors = Annotated[
    int | None, typer.Option("--n-factors", "-k", help="Number of factors.", rich_help_panel=_PANEL)
]
MaxIter = Annotated[
    int | None, typer.Option(help="Epochs, or draws, at most.", rich_help_panel=_PANEL)
]
Solver = Annotated[
    str | None, typer.Option(help="sgd, adagrad, adam, ftrl, als ...", rich_help_panel=_PANEL)
]
Loss = Annotated[str | None, typer.Option(help="Such as huber, hinge.", rich_help_panel=_PANEL)]
LearningRate = Annotated[float | None, typer.Option(help="Step size.", rich_help_panel=_PANEL)]
L2Linear = Annotated[str | None, typer.Option(help="Strength, or auto.", rich_help_panel=_PANEL)]
L2Factors = Annotated[str | None, typer.Option(help="Strength, or auto.", rich_help_panel=_PANEL)]
Threads = Annotated[
    int | None, typer.Option("--n-jobs", "-j", help="Threads; -1 is all.", rich_help_panel=_PANEL)
]
Seed = Annotated[
    int | None,
    typer.Option(min=0, max=2**32 - 1, help="Decides all that is random.", rich_help_panel=_PANEL),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Any parameter of the estimator.",
        rich_help_panel=_PANEL,
    ),
]  # fmt: skip
