"""Report of the panel: a table of losses, ratios to what was tuned, and what was not run."""

import numpy as np

from .columns import COLUMNS, DEFAULTS, SOLVERS
from .portfolio import choices

MAIN = ("constant", "linear, tuned", "FM, tuned", "default", "tuning=None", "modern-fm")
FAMILIES = ("degree 3", "FFM", "FwFM", "Bayesian", "ordinal")


def report(outcomes, data_sets):
    """Markdown of all that was run of these data sets."""
    parts = [
        "## The default, and what was tuned\n",
        *_table(outcomes, data_sets, MAIN),
        *_ratios(outcomes, data_sets, MAIN, ("FM, tuned", "linear, tuned")),
        *_beyond(outcomes, data_sets, "default", ("FM, tuned", "linear, tuned")),
        "\n## Other solvers\n",
        *_table(outcomes, data_sets, ("FM, tuned", *SOLVERS)),
        *_own(outcomes, data_sets, SOLVERS),
        "\n## Other families\n",
        *_table(outcomes, data_sets, ("FM, tuned", *FAMILIES)),
        *_own(outcomes, data_sets, FAMILIES),
        "\n## Never worse than a constant\n",
        *_against_constants(outcomes, data_sets),
        "\n## Fits that warned of themselves (ConvergenceWarning)\n",
        *_warned(outcomes, data_sets),
        "\n## Choice of the candidates\n",
        *_portfolio(outcomes, data_sets),
    ]
    return "\n".join(parts) + "\n"


def _table(outcomes, data_sets, columns):
    """Mean test losses over the splits that all of the columns have."""
    run = [name for name in columns if any(at == name for _, _, at in outcomes.cells)]
    lines = ["| data (splits) | " + " | ".join(run) + " |", "|---" * (1 + len(run)) + "|"]
    for data in data_sets:
        seeds = outcomes.seeds(data, run)
        if seeds:
            cells = " | ".join(_shown(outcomes, data, seeds, name) for name in run)
            lines.append(f"| {data} ({len(seeds)}) | {cells} |")
    seconds = [_seconds(outcomes, data_sets, run, name) for name in run]
    lines.append("| processor time, s | " + " | ".join(f"{total:.0f}" for total in seconds) + " |")
    missing = [name for name in columns if name not in run]
    return [*lines, *([f"\nNot run: {', '.join(missing)}."] if missing else [])]


def _shown(outcomes, data, seeds, name):
    losses = [outcomes.loss(data, seed, name) for seed in seeds]
    return "-" if None in losses else f"{np.mean(losses):.4g}"


def _seconds(outcomes, data_sets, run, name):
    return sum(
        outcomes.cells.get((data, seed, name), {}).get("seconds", 0.0)
        for data in data_sets for seed in outcomes.seeds(data, run)
    )  # fmt: skip


def log_ratios(outcomes, data_sets, column, reference):
    """By data set: the mean over common splits of the log loss ratio."""
    found = {}
    for data in data_sets:
        seeds = [
            seed for seed in outcomes.seeds(data, [column, reference])
            if None not in (outcomes.loss(data, seed, column), outcomes.loss(data, seed, reference))
        ]  # fmt: skip
        if seeds:
            found[data] = np.mean(
                [np.log(outcomes.loss(data, seed, column) / outcomes.loss(data, seed, reference))
                 for seed in seeds]
            )  # fmt: skip
    return found


def _summary(ratios):
    worst = max(ratios, key=ratios.get)
    mean = np.exp(np.mean(list(ratios.values())))
    within = sum(ratio <= np.log(1.02) for ratio in ratios.values())
    return f"{mean:.4f} | {np.exp(ratios[worst]):.3f} ({worst}) | {within} of {len(ratios)}"


def _summaries(outcomes, data_sets, pairs):
    lines = ["\n| of | over | geometric mean | worst | within 2 % |", "|---" * 5 + "|"]
    for column, reference in pairs:
        ratios = log_ratios(outcomes, data_sets, column, reference)
        if ratios:
            lines.append(f"| {column} | {reference} | {_summary(ratios)} |")
    return lines if len(lines) > 2 else []


def _ratios(outcomes, data_sets, columns, references):
    pairs = [(name, over) for over in references for name in columns if name not in references]
    return _summaries(outcomes, data_sets, [pair for pair in pairs if pair[0] != "constant"])


def _beyond(outcomes, data_sets, column, references):
    """Where a column is more than 2 % worse."""
    lines = []
    for reference in references:
        ratios = log_ratios(outcomes, data_sets, column, reference)
        worse = {data: ratio for data, ratio in ratios.items() if ratio > np.log(1.02)}
        said = _named(worse) or "nowhere"
        lines.append(f"\nMore than 2 % worse than {reference}: {said}.")
    return lines


def _named(ratios):
    return ", ".join(f"{data} ({np.exp(ratio):.3f})" for data, ratio in ratios.items())


def _own(outcomes, data_sets, columns):
    """Each over the tuned FM, and over its own tuned best."""
    pairs = [
        (name, over) for name in columns for over in ("FM, tuned", f"{name}, tuned")
        if over in COLUMNS
    ]  # fmt: skip
    return _summaries(outcomes, data_sets, pairs)


def _against_constants(outcomes, data_sets):
    lines = []
    for name in DEFAULTS:
        ratios = log_ratios(outcomes, data_sets, name, "constant")
        worse = {data: ratio for data, ratio in ratios.items() if ratio > 0}
        if ratios:
            lines.append(f"- {name}: worse on {_named(worse) or 'none'} of {len(ratios)}")
    return lines or ["Not run."]


def _warned(outcomes, data_sets):
    """By column and data set: on how many splits of those run."""
    lines = []
    for name in DEFAULTS:
        found = []
        for data in data_sets:
            cells = [
                cell for (at, _, of), cell in outcomes.cells.items() if (at, of) == (data, name)
            ]
            n_warned = sum("ConvergenceWarning" in cell["warned"] for cell in cells)
            if n_warned:
                found.append(f"{data} ({n_warned} of {len(cells)})")
        if found:
            lines.append(f"- {name}: {', '.join(found)}")
    return lines or ["None."]


def _portfolio(outcomes, data_sets):
    found = choices(outcomes, data_sets)
    if not found:
        return ["Not run: it takes the tuned machine on three data sets at least."]
    lines = ["| settings | geometric mean over the tuned FM | worst |", "|---" * 3 + "|"]
    return lines + [
        f"| {name} | {np.exp(ratios.mean()):.4f} | {np.exp(ratios.max()):.3f} |"
        for name, ratios in found.items()
    ]
