"""Data sets: generators with a known structure, and readers of well-known files."""

from .generators import make_clicks, make_ratings
from .movielens import load_movielens_design, load_movielens_fields, load_movielens_fold
from .ratings import Ratings, load_ratings
from .sms_spam import load_sms_spam

__all__ = [
    "Ratings",
    "load_movielens_design",
    "load_movielens_fields",
    "load_movielens_fold",
    "load_ratings",
    "load_sms_spam",
    "make_clicks",
    "make_ratings",
]
