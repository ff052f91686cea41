"""From tables of ratings, users and films to models: what each block of features gains.

    python examples/movie_tables.py --data path/to/ml-100k

encodes the tables of MovieLens 100K by FieldEncoder, each once, as a block that the ratings share
(RelationalDesign), and prints the test RMSE of three machines on an official split, with ids alone
and with more and more of what the tables say. Needs pandas.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.metrics import root_mean_squared_error

from fastfm_cy import BayesianFMRegressor, FFMRegressor, FMRegressor, RelationalDesign
from fastfm_cy.preprocessing import Dates, FieldEncoder, Join, MultiValued, Numeric

_GENRES = [
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary",
    "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi",
    "Thriller", "War", "Western",
]  # fmt: skip
STEPS = {
    "ids": {},
    "+ genres, year": {"film": True},
    "+ age, gender, occupation, region": {"film": True, "user": True},
    "+ day": {"film": True, "user": True, "time": True},
    "+ histories": {"film": True, "user": True, "time": True, "history": True},
}


@dataclass
class Tables:
    train: pd.DataFrame
    test: pd.DataFrame
    users: pd.DataFrame
    films: pd.DataFrame


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of MovieLens 100K")
    parser.add_argument("--split", default="u3", choices=["u1", "u2", "u3", "u4", "u5"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--sweeps", type=int, default=200, help="of the Bayesian machine")
    options = parser.parse_args(arguments)
    tables, errors = read_tables(options.data, options.split), {}
    print(f"MovieLens 100K, {options.split}: test RMSE, means over {options.seeds} seeds")
    print(f"{'features':36}{'number':>8}{'FM':>9}{'FFM':>9}{'Bayesian FM':>13}")
    for name, blocks in STEPS.items():
        X, X_test, fields = design(tables, **blocks)
        errors[name] = [
            fmean(
                _error(model.set_params(random_state=seed), X, X_test, tables)
                for seed in range(options.seeds)
            )
            for model in machines(fields, options.sweeps)
        ]
        print("{:36}{:8}{:9.4f}{:9.4f}{:13.4f}".format(name, X.shape[1], *errors[name]))
    return errors


def machines(fields, sweeps):
    """FM, FFM and Bayesian FM for features of these fields."""
    return (
        FMRegressor(),
        FFMRegressor(fields=fields),
        BayesianFMRegressor(10, max_iter=sweeps, feature_groups=fields),
    )


def _error(model, X, X_test, tables):
    y, y_test = (part["rating"].astype(float) for part in (tables.train, tables.test))
    return root_mean_squared_error(y_test, model.fit(X, y).predict(X_test))


def read_tables(folder, split):
    """Ratings to train on and to test, users, and films."""
    ratings = [
        pd.read_table(folder / f"{split}.{part}", names=["user", "film", "rating", "time"])
        for part in ("base", "test")
    ]
    users = pd.read_csv(
        folder / "u.user", sep="|", names=["user", "age", "gender", "occupation", "zip"]
    )
    users["region"] = users.pop("zip").str[0]
    films = pd.read_csv(
        folder / "u.item", sep="|", encoding="latin-1", header=None,
        names=["film", "title", "date", "video", "url", *_GENRES],
    )  # fmt: skip
    films["year"] = films["title"].str.extract(r"\((\d{4})\)$", expand=False)
    films["genres"] = films[_GENRES].apply(lambda row: "|".join(row.index[row == 1]), axis=1)
    return Tables(*ratings, users, films[["film", "year", "genres"]])


def design(tables, *, film=False, user=False, time=False, history=False):
    """Training and test rows, and the field of each feature."""
    of_users = FieldEncoder(
        None if user else dict.fromkeys(("age", "gender", "occupation", "region"), "drop"),
        categorical=["user"],
        numeric=Numeric("quantiles", 10),
        join=_history(tables.train, "user", "film") if history else None,
    )
    of_films = FieldEncoder(
        {"genres": MultiValued("|")} if film else {"genres": "drop", "year": "drop"},
        categorical=["film"],
        join=_history(tables.train, "film", "user") if history else None,
    )
    blocks = [(of_users, tables.users, "user"), (of_films, tables.films, "film")]
    if time:
        days = pd.DataFrame({"time": np.unique(tables.train["time"] // 86400)})
        blocks.append((FieldEncoder({"time": Dates(("date",), unit="D")}), days, "time"))
    designs, groups = ([], []), []
    for encoder, table, key in blocks:
        block = encoder.fit_transform(table)
        groups.append(encoder.fields_ + (groups[-1].max() + 1 if groups else 0))
        for parts, ratings in zip(designs, (tables.train, tables.test), strict=True):
            wanted = ratings[key] // 86400 if key == "time" else ratings[key]
            parts.append(_rows(block, table[key], wanted))
    X, X_test = (RelationalDesign(parts) for parts in designs)
    return X, X_test, np.concatenate(groups)


def _history(ratings, key, values):
    return {"history": Join(ratings, on=key, values=values, normalize="l2")}


def _rows(block, keys, wanted):
    """A block, with a last empty row for keys that it does not have, and the row of each key."""
    places = pd.Index(keys).get_indexer(wanted)
    empty = sparse.csr_array((1, block.shape[1]), dtype=block.dtype)
    return sparse.vstack([block, empty], format="csr"), np.where(places < 0, len(keys), places)


if __name__ == "__main__":
    main()
