"""Tables of benchmarks/results/, for the plots of the performance page."""

import re
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
# Okabe & Ito's colours, which those who are colour-blind tell apart, too.
COLOURS = {
    "fastfm_cy": "#0072B2",
    "xlearn": "#E69F00",
    "modern-fm": "#009E73",
    "libfm": "#D55E00",
    "fastfm": "#CC79A7",
    "myfm": "#56B4E9",
}


def tables(page):
    """Yield (caption, header, rows) of each table that stands below a line in bold."""
    text = (RESULTS / page).read_text(encoding="utf-8")
    for caption, body in re.findall(
        r"^\*\*(.+?)\*\*.*?\n((?:(?!\*\*).*\n)*?\|(?:.*\n?)*?)(?=\n\*\*|\n#|\Z)", text, re.MULTILINE
    ):
        lines = [line for line in body.splitlines() if line.startswith("|")]
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        yield caption, cells[0], cells[2:]


def median_seconds(page):
    """Yield (caption, {library: median seconds}) of the tables of seconds."""
    for caption, header, rows in tables(page):
        if "min" in header[1] and header[2] == "median" and header[1].startswith("s "):
            yield caption, {row[0]: float(row[2]) for row in rows}
