"""
Serving: a small ASGI app, measured
===================================

One row at a time, as requests come. What this teaches: ``compile()`` gives a scorer without
scikit-learn's checks, whose own time does not show beside that of a web server; a table's row goes
through the encoder first, which then is what counts; and how to measure it.
"""

# %%
# A model of clicks, and its scorer:
import numpy as np

from fastfm_cy import FMClassifier
from fastfm_cy.datasets import make_clicks

data = make_clicks(20_000, random_state=0)
model = FMClassifier(random_state=0).fit(data.X, data.y)
scorer = model.compile()

# %%
# An app by the ASGI protocol; nothing but Python's library. Saved as ``serving.py``,
# ``uvicorn serving:app`` serves it; here a load generator calls it as a server would.
import json


async def app(scope, receive, send):
    """POST {"indices": [...], "values": [...]} -> {"probability": ...}"""
    message = await receive()
    try:
        row = json.loads(message["body"])
        score = scorer.row(row["indices"], row["values"])
        status, answer = 200, {"probability": 1 / (1 + np.exp(-score))}
    except (ValueError, TypeError, LookupError) as error:
        status, answer = 400, {"error": str(error)}
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


# %%
# The load generator: so many clients at a time, each with its next request once it has an answer.
import asyncio
import time


async def request(body):
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    start = time.perf_counter()
    await app({"type": "http", "method": "POST", "path": "/"}, receive, send)
    return time.perf_counter() - start, sent[0]["status"], json.loads(sent[1]["body"])


async def load(bodies, n_clients=8):
    waiting, results = iter(enumerate(bodies)), [None] * len(bodies)

    async def client():
        for place, body in waiting:
            results[place] = await request(body)
            await asyncio.sleep(0)

    await asyncio.gather(*(client() for _ in range(n_clients)))
    return results


def run(coroutine):
    """asyncio.run, also where a loop is running already, as in a notebook."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


rows = [data.X[[place]] for place in range(5000)]
bodies = [
    json.dumps({"indices": row.indices.tolist(), "values": row.data.tolist()}).encode()
    for row in rows
]
results = run(load(bodies))
expected = model.predict_proba(data.X[:5000])[:, 1]
answers = np.array([answer["probability"] for _, _, answer in results])
assert np.allclose(answers, expected, atol=1e-5)
print(run(request(b'{"indices": [1, 999999], "values": [1, 1]}'))[1:])  # it does not crash

# %%
# Microseconds of a request, of the scorer in it, and of ``predict_proba`` in the scorer's place:
import matplotlib.pyplot as plt


def microseconds(function, rows):
    spent = []
    for row in rows:
        start = time.perf_counter()
        function(row)
        spent.append(1e6 * (time.perf_counter() - start))
    return np.array(spent)


times = {
    "scorer.row": microseconds(lambda row: scorer.row(row.indices, row.data), rows),
    "a request to the app": np.array([1e6 * seconds for seconds, _, _ in results]),
    "model.predict_proba": microseconds(model.predict_proba, rows[:1000]),
}
figure, axes = plt.subplots(figsize=(8, 3.8), layout="constrained")
bins = np.geomspace(0.3, 3000, 120)
for (name, spent), colour in zip(times.items(), ["#0072B2", "#009E73", "#D55E00"], strict=True):
    low, high = np.percentile(spent, [50, 99])
    print(f"{name:22} median {low:7.1f} us, 99th percentile {high:7.1f} us")
    axes.hist(
        spent, bins, weights=np.full(len(spent), 1 / len(spent)), color=colour, alpha=0.75,
        label=f"{name}: median {low:.3g}",
    )  # fmt: skip
axes.set_xscale("log")
axes.set(title="Microseconds of one row of 20 entries", xlabel="microseconds", ylabel="share")
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
