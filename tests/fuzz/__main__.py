"""Fuzzing that anyone can run: in the folder tests,

    python -m fuzz                          every target, --seconds each (10)
    python -m fuzz csv model --seconds 3600
    python -m fuzz extremes --first 1000 --runs 20000
    python -m fuzz csv --engine atheris --runs 1000000

Random changes of the corpus need nothing else; atheris (PyPI) follows the coverage of the package's
Python, not of its kernels. "extremes" are configurations and data of tests/support/extremes.py.
What fails is written to the folder fuzz-findings here; the exit code is then 1. To try it again:
python -m fuzz csv --file fuzz-findings/csv-...
"""

import argparse
import hashlib
import random
import sys
import time
import traceback
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"
GOLDEN = CORPUS.parents[1] / "golden"


def corpus_of(name):
    """Sound files of a target, and those that were once read wrongly."""
    contents = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
    if name == "model":
        contents += [path.read_bytes() for path in sorted(GOLDEN.glob("*.fm"))]
    return contents


def keep(folder, name, content, error):
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"
    path.write_bytes(content)
    print(f"{name}: {error!r}: {path}", flush=True)
    traceback.print_exception(error, limit=-3)


def fuzz(name, *, seconds, runs, seed, findings):
    """Random changes; the numbers of executions and of findings."""
    from fuzz.mutations import mutated
    from fuzz.targets import run

    rng, corpus = random.Random(f"{seed} {name}"), corpus_of(name)
    start, n_runs, found = time.monotonic(), 0, set()
    while n_runs < runs and time.monotonic() - start < seconds:
        content = corpus[n_runs] if n_runs < len(corpus) else mutated(rng, corpus)
        n_runs += 1
        try:
            run(name, content)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            if (place := (type(error), last.filename, last.lineno)) not in found:
                keep(findings, name, content, error)
            found.add(place)
    print(f"{name}: {n_runs:,} executions, {len(found)} findings", flush=True)
    return n_runs, len(found)


def fuzz_with_atheris(name, arguments):
    """Never returns: the engine ends the process."""
    import atheris

    with atheris.instrument_imports(include=["fastfm_cy"]):
        from fuzz.targets import run

    limits = [f"-runs={arguments.runs}", f"-max_total_time={int(arguments.seconds)}"]
    options = [f"-seed={arguments.seed}", "-max_len=20000", "-rss_limit_mb=4096", *limits]
    arguments.findings.mkdir(exist_ok=True)
    options.append(f"-artifact_prefix={arguments.findings}/{name}-")
    folders = [str(CORPUS / name)] + ([str(GOLDEN)] if name == "model" else [])
    scratch = arguments.findings / f"corpus-{name}"  # what is found to be new goes to the first
    scratch.mkdir(exist_ok=True)
    atheris.Setup([sys.argv[0], *options, str(scratch), *folders], lambda data: run(name, data))
    atheris.Fuzz()


def extremes(first, runs, seconds):
    """Configurations and data of seeds; the numbers of runs and of findings."""
    from support.extremes import outcome_without_warnings

    start, outcomes, n_found = time.monotonic(), {}, 0
    for seed in range(first, first + runs):
        if time.monotonic() - start > seconds:
            break
        try:
            said = outcome_without_warnings(seed)
        except Exception as error:
            n_found, said = n_found + 1, "wrong"
            print(f"extremes: seed {seed}: {error!r}", flush=True)
            traceback.print_exception(error, limit=-3)
        outcomes[said] = outcomes.get(said, 0) + 1
    print(f"extremes: {sum(outcomes.values()):,} seeds from {first}: {outcomes}", flush=True)
    return sum(outcomes.values()), n_found


def main():
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--runs", type=int, default=10**9)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=1000, help="seed of extremes")
    parser.add_argument("--engine", choices=["random", "atheris"], default="random")
    parser.add_argument("--file", type=Path, help="run one target on it")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    arguments = parser.parse_args()
    if arguments.engine == "atheris":
        (name,) = arguments.targets
        fuzz_with_atheris(name, arguments)
    from fuzz.targets import TARGETS, run

    if arguments.file:
        run(arguments.targets[0], arguments.file.read_bytes())
        return 0
    n_found, limits = 0, {"seconds": arguments.seconds, "runs": arguments.runs}
    for name in arguments.targets or [*TARGETS, "extremes"]:
        if name == "extremes":
            n_found += extremes(arguments.first, **limits)[1]
        else:
            n_found += fuzz(name, seed=arguments.seed, findings=arguments.findings, **limits)[1]
    return int(n_found > 0)


if __name__ == "__main__":
    sys.exit(main())
