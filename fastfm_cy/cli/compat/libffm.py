"""``fastfm-cy ffm-train`` and ``ffm-predict``: libffm's own flags and files."""

import argparse
from pathlib import Path

import numpy as np
import typer
from sklearn.metrics import log_loss

from ...data.fields import joined
from ...estimators.ffm import FFMClassifier
from ...io import Dataset, read_libffm, read_libffm_model, write_libffm_model
from ...io.outputs import written_aside
from ..data import targets_of
from ..estimators import check_parameters
from ..files import check_files

_DESCRIPTION = "Field-aware factorization machines with libffm's flags and files."


def ffm_train(context: typer.Context):
    """libffm's ffm-train: the same flags and files (--help lists them)."""
    options = _train_parser().parse_args(context.args)
    if options.k < 1:
        _train_parser().error("-k must be at least 1")
    if options.auto_stop and not options.p:
        _train_parser().error("--auto-stop needs a validation set (-p)")
    model_file = options.model_file or f"{Path(options.training_set_file).name}.model"
    model = _new_model(options)
    check_files([options.training_set_file, options.p], models=[model_file])
    data = _read(options.training_set_file)
    X, y = joined(data.X, data.fields), targets_of(data, options.training_set_file)
    model.set_params(n_fields=int(data.fields.data.max(initial=0)) + 1)
    more = {}
    if options.p:
        held_out = _known(_read(options.p), data.X.shape[1], model.n_fields)
        y_held_out = targets_of(held_out, options.p)
        more["eval_set"] = joined(held_out.X, held_out.fields), y_held_out
    model.fit(X, y, callbacks=None if options.quiet else _show, **more)
    if options.auto_stop and not options.quiet:
        print(f"Auto-stop. Use the model of iteration {model.best_iter_}.")
    write_libffm_model(model, model_file)


def _new_model(options):
    model = FFMClassifier(
        options.k, learning_rate=options.r, l2_factors=options.l, max_iter=options.t,
        n_jobs=options.s, normalize=None if options.no_norm else "l2", fit_intercept=False,
        fit_linear=False, init_scale=1.0, early_stopping=options.auto_stop, n_iter_no_change=1,
        random_state=options.seed,
    )  # fmt: skip
    check_parameters(model)
    return model


def ffm_predict(context: typer.Context):
    """libffm's ffm-predict: TEST_FILE MODEL_FILE OUTPUT_FILE; rows need no labels."""
    options = _predict_parser().parse_args(context.args)
    check_files([options.test_file, options.model_file], [options.output_file])
    model = read_libffm_model(options.model_file, classes=(-1, 1))
    data = _known(_read(options.test_file), model.n_features_in_, model.n_fields_)
    probabilities = model.predict_proba(joined(data.X, data.fields))[:, 1]
    with written_aside(options.output_file) as file:
        file.writelines(b"%.9g\n" % value for value in probabilities.tolist())
    if data.y is not None:
        print(f"logloss = {log_loss(data.y, probabilities, labels=[-1, 1]):.5f}")


def _read(path):
    """Rows with labels -1 and +1, or without."""
    data = read_libffm(path)
    y = None if data.y is None else np.where(data.y > 0, 1, -1)
    return Dataset(data.X, y, fields=data.fields)


def _known(data, n_features, n_fields):
    """The rows without entries of features and fields that the model does not know, as libffm."""
    X, fields = data.X, data.fields
    keeps = (X.indices < n_features) & (fields.data < n_fields)
    before = np.concatenate([[0], np.cumsum(keeps)])
    shape, indptr = (X.shape[0], n_features), before[X.indptr]

    def kept(matrix):
        return type(X)((matrix.data[keeps], matrix.indices[keeps], indptr), shape)

    return Dataset(kept(X), data.y, fields=kept(fields))


def _show(model, history):
    epoch = len(history["train_loss"])
    names = {"train_loss": "tr_logloss", "validation_loss": "va_logloss"}
    shown = {title: history[name][-1] for name, title in names.items() if name in history}
    if epoch == 1:
        print("iter" + "".join(f"{title:>13}" for title in [*shown, "tr_time"]))
    numbers = "".join(f"{value:13.5f}" for value in shown.values())
    print(f"{epoch:4}{numbers}{sum(history['seconds']):13.1f}", flush=True)


def _train_parser():
    parser = argparse.ArgumentParser("fastfm-cy ffm-train", description=_DESCRIPTION)
    parser.add_argument("-l", type=float, default=2e-5, metavar="LAMBDA", help="(0.00002)")
    parser.add_argument("-k", type=int, default=4, metavar="FACTORS", help="(4)")
    parser.add_argument("-t", type=int, default=15, metavar="ITERATIONS", help="(15)")
    parser.add_argument("-r", type=float, default=0.2, metavar="ETA", help="learning rate (0.2)")
    parser.add_argument("-s", type=int, default=1, metavar="THREADS", help="(1)")
    parser.add_argument("-p", metavar="FILE", help="validation set")
    parser.add_argument("--quiet", action="store_true", help="print nothing")
    parser.add_argument("--no-norm", action="store_true", help="do not scale rows to unit length")
    parser.add_argument(
        "--auto-stop", action="store_true", help="keep the iteration before the loss of -p rises"
    )
    parser.add_argument("--seed", type=int, default=0, help="not libffm's: another start (0)")
    parser.add_argument("training_set_file")
    parser.add_argument("model_file", nargs="?", help="(the training set's name and .model)")
    return parser


def _predict_parser():
    parser = argparse.ArgumentParser("fastfm-cy ffm-predict", description=_DESCRIPTION)
    for name in ("test_file", "model_file", "output_file"):
        parser.add_argument(name)
    return parser
