"""``fastfm-cy demo``: train on ratings and clicks, and print how much it gains."""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated

import numpy as np
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder

from ...datasets import load_ratings, make_clicks, make_ratings
from ...estimators.fm import FMClassifier, FMRegressor
from ..files import check_files
from ..pictures import check_picture, new_picture, save_picture

_TEST_SHARE = 0.2


@dataclass
class Result:
    """One line of the table."""

    model: str
    metrics: tuple[float, ...]
    seconds: float | None = None


@dataclass
class Report:
    """What one data set showed."""

    title: str
    metric_names: tuple[str, ...]
    results: list[Result]
    curve: list[float]
    """The factorization machine's training metric (the first one) of each epoch."""


def demo(
    ratings: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            readable=True,
            help="Your own ratings: user, item, rating[, timestamp] a line; csv, tsv or '::'.",
        ),
    ] = None,
    rows: Annotated[int, typer.Option(min=100, help="Rows to generate.")] = 200_000,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Decides every number.")] = 0,
    plot: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where the loss curves are drawn.")
    ] = Path("fastfm-cy-demo.png"),
    no_plot: Annotated[bool, typer.Option("--no-plot", help="Draw nothing.")] = False,
):
    """Train factorization machines and hold them against simple baselines.

    Without --ratings the data are generated, and the noise floor is known: the error of the
    model that generated them.
    """
    run(ratings, rows=rows, seed=seed, plot=None if no_plot else plot)


def run(ratings_file, *, rows, seed, plot):
    """Run the demo; prints to standard output, progress goes to standard error.

    Parameters
    ----------
    ratings_file : Path or None
        A user's ratings; None generates ratings and clicks.
    rows : int
        How many rows to generate.
    seed : int
    plot : Path or None
        Where to draw the loss curves, if matplotlib is installed.
    """
    console = Console()
    if plot is not None:
        check_files([ratings_file], [plot])
        check_picture(plot)
    if ratings_file is None:
        studies = (_generated_ratings, _generated_clicks)
        reports = [_announce(console, study(rows, seed)) for study in studies]
    else:
        reports = [_announce(console, _user_ratings(ratings_file, seed))]
    if plot is not None:
        _draw(console, reports, plot)


def _generated_ratings(rows, seed):
    data = make_ratings(n_ratings=rows, random_state=seed)
    split = train_test_split(
        data.X, data.y, data.expected, test_size=_TEST_SHARE, random_state=seed
    )
    X, X_test, y, y_test, _, expected = split
    report = _rating_report("Generated ratings", X, X_test, y, y_test, seed)
    floor = root_mean_squared_error(y_test, expected)
    report.results.append(Result("noise floor (true model)", (floor,)))
    return report


def _user_ratings(path, seed):
    data = load_ratings(path)
    if len(data.ratings) < 10:
        raise ValueError(f"{path} holds {len(data.ratings)} ratings; the demo needs at least 10.")
    ids = np.column_stack([data.users, data.items])
    train, test, y, y_test = train_test_split(
        ids, data.ratings, test_size=_TEST_SHARE, random_state=seed
    )
    encoder = OneHotEncoder(handle_unknown="ignore", dtype=np.float32)
    X, X_test = encoder.fit_transform(train), encoder.transform(test)
    return _rating_report(path.name, X, X_test, y, y_test, seed)


def _rating_report(title, X, X_test, y, y_test, seed):
    machine = FMRegressor(random_state=seed, verbose=1)
    models = {
        "mean": DummyRegressor(),
        "ridge regression": Ridge(),
        "factorization machine": machine,
    }

    def test_metrics(model):
        return (root_mean_squared_error(y_test, model.predict(X_test)),)

    results = _results(models, X, y, test_metrics)
    rmse = [float(np.sqrt(2 * loss)) for loss in machine.history_["train_loss"]]
    return Report(_describe(title, X, X_test), ("RMSE",), results, rmse)


def _generated_clicks(rows, seed):
    data = make_clicks(n_rows=rows, random_state=seed)
    split = train_test_split(
        data.X, data.y, data.probability, test_size=_TEST_SHARE, random_state=seed
    )
    X, X_test, y, y_test, _, probability = split
    machine = FMClassifier(random_state=seed, verbose=1)
    models = {
        "click rate": DummyClassifier(),
        "logistic regression": LogisticRegression(max_iter=300),
        "factorization machine": machine,
    }

    def metrics(probability):
        return log_loss(y_test, probability), roc_auc_score(y_test, probability)

    results = _results(models, X, y, lambda model: metrics(model.predict_proba(X_test)[:, 1]))
    results.append(Result("noise floor (true model)", metrics(probability)))
    title = _describe("Generated clicks", X, X_test)
    return Report(title, ("log loss", "AUC"), results, machine.history_["train_loss"])


def _results(models, X, y, test_metrics):
    results = []
    for name, model in models.items():
        start = perf_counter()
        model.fit(X, y)
        seconds = perf_counter() - start
        results.append(Result(name, test_metrics(model), seconds))
    return results


def _describe(title, X, X_test):
    return (
        f"{title}: {X.shape[0]:,} training rows, {X_test.shape[0]:,} test rows, "
        f"{X.shape[1]:,} features"
    )


def _announce(console, report):
    table = Table(box=box.SIMPLE)
    table.add_column("model")
    for name in report.metric_names:
        table.add_column(f"test {name}", justify="right")
    table.add_column("fit, s", justify="right")
    for result in report.results:
        seconds = "" if result.seconds is None else f"{result.seconds:.2f}"
        style = "bold" if result.model == "factorization machine" else None
        table.add_row(result.model, *(f"{m:.4f}" for m in result.metrics), seconds, style=style)
    console.print(report.title, style="bold", highlight=False, soft_wrap=True)
    console.print(table)
    return report


def _draw(console, reports, path):
    try:
        figure, axes = new_picture(len(reports))
    except ImportError:
        missing = "No picture: matplotlib is missing (python -m pip install 'fastfm_cy[plot]')."
        console.print(missing, highlight=False, markup=False, soft_wrap=True)
        return
    for axis, report in zip(axes, reports, strict=True):
        _draw_report(axis, report)
    save_picture(figure, path)
    console.print(f"Loss curves: {path}", highlight=False, markup=False, soft_wrap=True)


def _draw_report(axis, report):
    epochs = np.arange(1, len(report.curve) + 1)
    axis.plot(epochs, report.curve, "o-", markersize=3, label="factorization machine, training")
    for number, result in enumerate(report.results, start=1):
        axis.axhline(
            result.metrics[0], color=f"C{number}", linestyle="--", label=f"{result.model}, test"
        )
    title, sizes = report.title.split(": ")
    axis.set(xlabel="epoch", ylabel=report.metric_names[0])
    axis.set_title(f"{title}\n{sizes}", fontsize=10)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.legend(fontsize=8, loc="upper right", bbox_to_anchor=(1, 0.93))  # below the top line
