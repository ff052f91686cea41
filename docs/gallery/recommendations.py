"""
Recommendations, and items that nobody has seen
===============================================

Who chose what, and what the items are: enough to rank items for users, old items and new ones. What
this teaches: :class:`~fastfm_cy.FMRecommender` takes interactions and tables by their ids; metrics
count what is held out; and an item that nobody has chosen yet is ranked by its features.
"""

# %%
# Films with genres and users with tastes; some films are popular. The last 40 films are kept back.
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n_users, n_films, n_new = 600, 400, 40
GENRES = ["comedy", "drama", "horror", "romance", "thriller", "western"]
genres = [rng.choice(GENRES, rng.integers(1, 3), replace=False) for _ in range(n_films)]
films = pd.DataFrame(
    {"genre": ["|".join(g) for g in genres], "decade": rng.choice(["1980s", "1990s"], n_films)},
    index=[f"film {n}" for n in range(n_films)],
)
likes = rng.normal(0, 1.5, (n_users, len(GENRES)))
belongs = np.array([[name in own for name in GENRES] for own in genres])
appeal = likes @ belongs.T / belongs.sum(axis=1) + rng.normal(0, 0.7, n_films)
appeal += rng.normal(0, 1, (n_users, 3)) @ rng.normal(0, 0.5, (3, n_films))
seen = np.argsort(-(appeal + rng.gumbel(size=appeal.shape)), axis=1)[:, :40]
users, items = np.repeat(np.arange(n_users), 40), seen.ravel()
chosen = pd.DataFrame({"user": users, "item": films.index[items]})
is_new = items >= n_films - n_new
old, new = chosen[~is_new], chosen[is_new]
print(films.head(3), f"{len(old)} interactions", sep="\n\n")

# %%
# With the features of films and without:
from fastfm_cy import FMRecommender
from fastfm_cy.metrics import split_by_user
from fastfm_cy.preprocessing import FieldEncoder, MultiValued

train, test = (old.iloc[rows] for rows in split_by_user(old["user"], 0.25, random_state=0))
known = films.iloc[:-n_new]
plain = FMRecommender(n_factors=16, random_state=0).fit(train)
encoder = FieldEncoder({"genre": MultiValued("|")})
model = FMRecommender(n_factors=16, encoders={"item_features": encoder}, random_state=0)
model.fit(train, item_features=known)
for name, recommender in (("ids alone", plain), ("ids and genres", model)):
    metrics = recommender.evaluate(test, unknown="skip")  # films without a choice in training
    print(name, {key: round(value, 3) for key, value in metrics.items()})

# %%
# The cold start: new films, described by their table, are ranked for users who are known. A film's
# place is right if the users who chose it later have it nearer to the top than the others do.
new_films = films.iloc[-n_new:]
ids, scores = model.recommend(list(range(n_users)), n=n_new, item_features=new_films)
chose = {user: set(group["item"]) for user, group in new.groupby("user")}
hits = {"model": np.zeros(n_new), "most popular": np.zeros(n_new), "chance": np.zeros(n_new)}
order = new["item"].value_counts().index.to_list()
popular = order + [film for film in new_films.index if film not in order]
shuffled = rng.permutation(new_films.index)
for user, wanted in chose.items():
    for name, ranked in (("model", ids[user]), ("most popular", popular), ("chance", shuffled)):
        hits[name] += np.cumsum([film in wanted for film in ranked]) / len(wanted)

# %%
# Recall at k of the films that were known in training, and of the new ones. "Most popular" of the
# new films knows what happened afterwards; the model does not.
import matplotlib.pyplot as plt

from fastfm_cy.inspection import RankingDisplay

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
RankingDisplay.from_estimator(model, test, ax=left)
left.set_title("Films known in training")
for (name, found), colour, style in zip(
    hits.items(), ["#0072B2", "#E69F00", "0.6"], ["-", "--", ":"], strict=True
):
    right.plot(np.arange(1, n_new + 1), found / len(chose), style, color=colour, label=name)
right.set(title="New films, by their genres alone", xlabel="k", ylabel="recall at k", ylim=(0, 1))
right.legend(frameon=False)
right.spines[["top", "right"]].set_visible(False)
