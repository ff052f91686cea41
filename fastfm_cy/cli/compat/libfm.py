"""``fastfm-cy libfm``: libFM's own flags and files, trained by this package's estimators."""

import argparse
import re

import typer

from ...io.outputs import written_aside
from ..files import check_files
from .libfm_data import load_problem, sources_of
from .libfm_log import Log
from .libfm_methods import METHODS, Numbers

_DESCRIPTION = """\
Factorization machines with libFM's flags and files. Lists are separated by , or ; and files are
text or, without their suffix, binary (.x or .xt, and .y). Differences: docs/migration.md."""


def libfm(context: typer.Context):
    """libFM's command line: the same flags, files and outputs (-help lists them)."""
    run(context.args)


def run(arguments):
    """Do what a command line of libFM says.

    Parameters
    ----------
    arguments : list of str
        Without the program's name.
    """
    options = parse(arguments)
    method_class = METHODS[options.method]
    method_class.check(options)
    check_files(sources_of(options), [options.out, options.rlog], [options.save_model])
    problem = load_problem(options)
    if options.verbosity:
        problem.describe()
    method = method_class(options, problem)
    with Log(options.rlog) as log:
        predictions = method.train(log)
    if options.save_model:
        method.save(options.save_model)
    if options.out:
        with written_aside(options.out) as file:
            file.writelines(b"%.9g\n" % value for value in predictions.tolist())


def parse(arguments):
    """Options from a command line; SystemExit with status 2 if it is wrong."""
    parser = _parser()
    options = parser.parse_args(arguments)
    options.method = options.method.lower()
    for problem in _contradictions(options):
        parser.error(problem)
    return options


def _parser():
    parser = argparse.ArgumentParser(
        "fastfm-cy libfm", description=_DESCRIPTION, add_help=False, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    for flag, options in _FLAGS.items():
        parser.add_argument(flag, **options)
    return parser


def _contradictions(options):
    if options.method not in METHODS:
        yield f"-method must be one of {', '.join(METHODS)}; got {options.method!r}"
    if options.method == "sgda" and not options.validation:
        yield "-method sgda needs a -validation file"
    if options.validation and options.method != "sgda":
        yield "-validation is for -method sgda only"
    if options.iter < 0 or (options.iter == 0 and not options.load_model):
        yield "-iter must be at least 1, or 0 with -load_model to predict only"
    if len(set(options.learn_rate)) > 1:
        yield "-learn_rate: the bias, linear weights and factors share one; give one number"
    for name in ("init_stdev", "learn_rate"):
        if not min([getattr(options, name)] if name == "init_stdev" else options.learn_rate) > 0:
            yield f"-{name} must be above 0"


# The types of values ----------------------------------------------------------------------------


def _words(text):
    return [word for word in re.split("[,;]", text.strip()) if word]


def _numbers(text):
    return [float(word) for word in _words(text)]


def _dim(text):
    k0, k1, k2 = (int(word) for word in _words(text))
    if k0 not in (0, 1) or k1 not in (0, 1) or k2 < 0:
        raise ValueError
    return bool(k0), bool(k1), k2


def _learn_rate(text):
    values = _numbers(text)
    if len(values) not in (1, 3):
        raise ValueError
    return values


_numbers.__name__, _words.__name__ = "list of numbers", "list"
_dim.__name__, _learn_rate.__name__ = "'k0,k1,k2'", "one or three numbers"

_FLAGS = {
    "-task": {"required": True, "choices": ["r", "c"], "help": "regression or classification"},
    "-train": {"required": True, "metavar": "FILE", "help": "training data"},
    "-test": {
        "required": True, "metavar": "FILE", "help": "test data; without labels, no errors of them",
    },
    "-validation": {"metavar": "FILE", "help": "validation data, for sgda"},
    "-meta": {"metavar": "FILE", "help": "the group of each feature, a number a line"},
    "-relation": {"type": _words, "default": [], "metavar": "NAMES", "help": "blocks of features"},
    "-cache_size": {
        "type": int, "metavar": "BYTES", "help": "accepted; data are always read whole",
    },
    "-dim": {
        "type": _dim, "default": (True, True, 8), "metavar": "'k0,k1,k2'",
        "help": "with bias, with linear weights, number of factors (default 1,1,8)",
    },
    "-method": {"default": "mcmc", "help": f"{', '.join(METHODS)} (default mcmc)"},
    "-iter": {"type": int, "default": 100, "metavar": "N", "help": "iterations (default 100)"},
    "-learn_rate": {
        "type": _learn_rate, "default": [0.1], "metavar": "RATE", "help": "of sgd and sgda (0.1)",
    },
    "-regular": {
        "type": Numbers.parse, "default": Numbers([0.0]), "metavar": "R",
        "help": "one for all; bias, linear, factors; or bias, then one a group for both (als)",
    },
    "-init_stdev": {
        "type": float, "default": 0.1, "metavar": "S", "help": "of the factors' start (0.1)",
    },
    "-seed": {"type": int, "metavar": "N", "help": "decides all that is random"},
    "-out": {"metavar": "FILE", "help": "where predictions of the test data go, one a line"},
    "-rlog": {"metavar": "FILE", "help": "where measurements of each iteration go, tab-separated"},
    "-save_model": {
        "metavar": "FILE",
        "help": "where the model goes: libFM's text, for mcmc a file of fastfm-cy with all draws",
    },
    "-load_model": {"metavar": "FILE", "help": "a model to start from"},
    "-verbosity": {"type": int, "default": 0, "metavar": "N", "help": "1 describes the data"},
    "-help": {"action": "help", "help": "show this and stop"},
}  # fmt: skip
