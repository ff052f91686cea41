"""What commands print: tables and progress for people, JSON lines for machines."""

import json
import math
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table


class Reporter:
    """Prints facts to standard output, progress to standard error.

    Parameters
    ----------
    as_json : bool
        A JSON object a line, nothing else.
    """

    def __init__(self, as_json):
        self.as_json = as_json
        self.screen, self.progress_screen = Console(), Console(stderr=True)

    def facts(self, event, facts):
        """Some facts about one thing."""
        if self.as_json:
            self.line(event, facts)
            return
        table = Table(title=event, title_justify="left", box=box.SIMPLE, show_header=False)
        for name, value in facts.items():
            table.add_row(name, shown(value))
        self.screen.print(table)

    def table(self, event, columns):
        """Rows of several columns: Columns of the inspection."""
        if self.as_json:
            for row in columns.rows():
                self.line(event, row)
            return
        table = Table(title=event, title_justify="left", box=box.SIMPLE)
        for name, values in columns.items():
            is_number = values.dtype.kind in "if"
            table.add_column(name, justify="right" if is_number else "left", no_wrap=is_number)
        for row in columns.rows():
            table.add_row(*(escape(_in_table(value)) for value in row.values()))
        self.screen.print(table)

    def line(self, event, facts):
        """A JSON line."""
        facts = {name: _plain(value) for name, value in facts.items()}
        print(json.dumps({"event": event, **facts}), flush=True)

    @contextmanager
    def training(self, n_rows, max_iter, title="training"):
        """Gives a callback for fit that follows it."""
        if self.as_json:
            yield _follower(n_rows, self._json_epoch)
            return
        progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(),
            TextColumn("{task.fields[speed]}"), TimeRemainingColumn(),
            console=self.progress_screen, transient=True,
            disable=not self.progress_screen.is_terminal,
        )  # fmt: skip
        with progress:
            bar = progress.add_task(title, total=max_iter, speed="")

            def show(epoch, values, speed):
                if epoch == 1:
                    names = "  ".join(f"{name.replace('_', ' '):>16}" for name in values)
                    progress.console.print(f"epoch  {names}        rows/s", highlight=False)
                numbers = "  ".join(f"{shown(value):>16}" for value in values.values())
                progress.console.print(f"{epoch:5}  {numbers}  {speed:>12,.0f}", highlight=False)
                progress.update(bar, advance=1, speed=f"{speed:,.0f} rows/s")

            yield _follower(n_rows, show)

    def _json_epoch(self, epoch, values, speed):
        self.line("epoch", {"epoch": epoch, **values, "rows_per_second": speed})


def _follower(n_rows, show):
    """A callback of fit: hands on the last numbers of the history, and rows a second."""

    def follow(model, history):
        values = {name: numbers[-1] for name, numbers in history.items()}
        seconds = values.pop("seconds")
        show(len(history["seconds"]), values, n_rows / seconds)

    return follow


def shown(value):
    """A value in a table."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _in_table(value):
    """A value where there is little room."""
    return f"{value:.4g}" if isinstance(value, float) else shown(value)


def _plain(value):
    """A value as JSON has it; what is no finite number is null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if hasattr(value, "item") else value
