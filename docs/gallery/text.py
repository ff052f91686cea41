"""
Text: which library does a sentence come from?
==============================================

A linear model weighs words; a factorization machine also weighs pairs of words, without a column
for each pair. The data are sentences of the docstrings of NumPy, SciPy and scikit-learn, which you
have: nothing is downloaded. What this teaches: :class:`~fastfm_cy.FMClassifier` takes the sparse
output of any of scikit-learn's vectorizers, and its defaults choose how long to train and how
strongly to shrink.
"""

# %%
# Sentences of the docstrings of public functions and classes, without those that name a library:
import importlib
import inspect
import re

LIBRARIES = {
    "NumPy": ["numpy", "numpy.linalg", "numpy.random", "numpy.fft", "numpy.ma"],
    "SciPy": ["scipy.optimize", "scipy.stats", "scipy.signal", "scipy.spatial", "scipy.sparse"],
    "scikit-learn": [
        "sklearn.linear_model",
        "sklearn.metrics",
        "sklearn.cluster",
        "sklearn.ensemble",
    ],
}


def sentences(names):
    found = set()
    for module in map(importlib.import_module, names):
        for name in dir(module):
            text = inspect.getdoc(getattr(module, name)) or ""
            if callable(getattr(module, name)) and not name.startswith("_"):
                text = re.sub(r">>>.*|\n\s*-+\s*\n|`|\*", " ", text)
                found.update(re.split(r"(?<=[.:])\s+", " ".join(text.split())))
    named = re.compile(r"numpy|scipy|sklearn|scikit|\bnp\.", re.IGNORECASE)
    return sorted(s for s in found if 40 < len(s) < 300 and not named.search(s))


texts, labels = [], []
for library, modules in LIBRARIES.items():
    own = sentences(modules)[:4000]
    texts += own
    labels += [library] * len(own)
print(len(texts), "sentences, such as:", texts[0])

# %%
# Logistic regression and a factorization machine, both with their defaults, on the same tf-idf
# rows:
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from fastfm_cy import FMClassifier

train, test, y, y_test = train_test_split(
    texts, labels, test_size=0.3, random_state=0, stratify=labels
)
words = TfidfVectorizer(min_df=2, sublinear_tf=True)
X, X_test = words.fit_transform(train), words.transform(test)

models = {
    "constant": None,
    "logistic regression": LogisticRegression(max_iter=500).fit(X, y),
    "factorization machine": FMClassifier(loss="softmax", random_state=0).fit(X, y),
}
losses, right = {}, {}
for name, model in models.items():
    if model is None:
        shares = [y.count(library) / len(y) for library in sorted(LIBRARIES)]
        losses[name], right[name] = log_loss(y_test, [shares] * len(y_test)), max(shares)
    else:
        losses[name] = log_loss(y_test, model.predict_proba(X_test))
        right[name] = model.score(X_test, y_test)
    print(f"{name:24} log loss {losses[name]:.3f}  right {right[name]:.1%}")

# %%
# What the pairs gain, and the words that tell most: of each library, those of the largest linear
# weights.
import matplotlib.pyplot as plt
import numpy as np

machine = models["factorization machine"]
names = words.get_feature_names_out()
colours = dict(zip(machine.classes_, ["#0072B2", "#D55E00", "#009E73"], strict=True))
figure, axes = plt.subplots(1, 4, figsize=(11, 3.8), layout="constrained")
bars = axes[0].bar(list(losses), list(losses.values()), color=["0.7", "#E69F00", "#0072B2"])
axes[0].bar_label(bars, fmt="%.3f")
axes[0].set_xticks(range(3), [name.replace(" ", "\n") for name in losses], fontsize=8)
axes[0].set_title("Test log loss")
for place, library, weights in zip(axes[1:], machine.classes_, machine.coef_, strict=True):
    best = np.argsort(weights)[-12:]
    place.barh(names[best], weights[best], color=colours[library])
    place.set_title(f"Words of {library}")
    place.set_xlabel("linear weight")
for place in axes:
    place.spines[["top", "right"]].set_visible(False)
