"""Panel of ordinary data: defaults against tuned models, ``python -m benchmarks.accuracy.panel``.

Each cell is the mean test loss over splits: RMSE, or log loss. Outcomes are kept in a file, so that
the panel can be run in pieces: a second call only fits what is missing.
"""

import argparse
from datetime import date
from pathlib import Path

from .columns import COLUMNS
from .data_sets import DATA_SETS, QUICK, SEEDS
from .outcomes import Outcomes
from .report import report

_PAGE = Path(__file__).parents[2] / "results" / "panel.md"
_START, _END = "<!-- written by --write: -->", "<!-- to here -->"


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy.panel", description=__doc__
    )
    parser.add_argument("--data", nargs="+", choices=list(DATA_SETS), help="data sets; all")
    parser.add_argument("--column", nargs="+", choices=list(COLUMNS), help="columns; all")
    parser.add_argument("--seeds", type=int, nargs="+", choices=SEEDS, default=list(SEEDS))
    parser.add_argument("--quick", action="store_true", help="one seed, and small data sets")
    parser.add_argument("--anew", action="store_true", help="fit what was fitted before, too")
    parser.add_argument("--no-fits", action="store_true", help="only report what was run")
    parser.add_argument("--write", action="store_true", help=f"the report to {_PAGE.name}")
    parser.add_argument("--file", type=Path, default=Path("build/panel.jsonl"))
    options = parser.parse_args()
    data_sets = options.data or (QUICK if options.quick else list(DATA_SETS))
    options.file.parent.mkdir(parents=True, exist_ok=True)
    outcomes = Outcomes(options.file)
    for seed in () if options.no_fits else options.seeds[: 1 if options.quick else None]:
        for data in data_sets:
            outcomes.complete(data, seed, options.column or COLUMNS, anew=options.anew)
    text = report(outcomes, data_sets)
    print(text)
    if options.write:
        _write(text)


def _write(text):
    """The report into its place on the results page."""
    page = _PAGE.read_text(encoding="utf-8")
    before, rest = page.split(_START)
    after = rest.split(_END)[1]
    text = f"{_START}\n\nOf {date.today().isoformat()}.\n\n{text}\n{_END}"
    _PAGE.write_text(before + text + after, encoding="utf-8")


if __name__ == "__main__":
    main()
