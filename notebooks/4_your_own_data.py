# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4. Your own data, your own recommender
#
# Two tables are enough for a study: who met what when, and what the items are. Here they are the loans of a small
# library, made up so that the truth is known: every reader has a taste for two subjects, and stays with one of them for
# a while.

# %%
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor, nn

from interp import (
    Columns,
    RecommenderEnvoy,
    SAEConfig,
    StudyConfig,
    TrainingConfig,
    align,
    collect,
    encode,
    from_tables,
    run,
    train,
)
from recmodels import (
    Recommender,
    RecommenderConfig,
    SequentialRecommender,
    evaluate,
    fit,
    paper_split,
    register,
)

# %%
SUBJECTS = ["crime", "gardening", "history", "poetry", "science", "travel"]
ADJECTIVES = [
    "Silent",
    "Red",
    "Last",
    "Hidden",
    "Northern",
    "Broken",
    "Golden",
    "Distant",
    "Bitter",
    "Paper",
    "Blind",
    "Tall",
]
NOUNS = ["Harbour", "Garden", "Letter", "Winter", "Orchard", "Mirror", "Road", "Island", "Clock", "River"]

rng = np.random.default_rng(0)
subject = np.repeat(np.arange(6), 20)  # of each book
books = pd.DataFrame(
    {
        "isbn": [f"978-{number:04}" for number in range(120)],
        "name": rng.permutation([f"The {adjective} {noun}" for adjective in ADJECTIVES for noun in NOUNS]),
        "subjects": [SUBJECTS[number] for number in subject],
    }
)

loans = []
for reader in range(300):
    tastes = rng.choice(6, size=2, replace=False)
    mood, seen, day = tastes[0], set(), reader
    for _ in range(rng.integers(10, 30)):
        if rng.random() < 0.15:
            mood = rng.choice(tastes)
        on_the_shelf = [book for book in np.flatnonzero(subject == mood) if book not in seen] or range(120)
        book = rng.choice(on_the_shelf)
        seen.add(book)
        day += rng.integers(1, 20)
        loans.append((f"reader-{reader:03}", books["isbn"][book], pd.Timestamp("2020-01-01") + pd.Timedelta(days=day)))
loans = pd.DataFrame(loans, columns=["reader", "isbn", "date"])

loans.head()

# %%
books.sample(5, random_state=0)

# %% [markdown]
# ## From tables to a study
#
# Say what your columns are called. Subjects become the concepts; a book may have several, separated by `|`. Ids stay as
# they are, here and everywhere after.

# %%
columns = Columns(user="reader", item="isbn", time="date", title="name", attribute="subjects")
dataset = from_tables(loans, books, columns, "library")
dataset.interactions.head(3)

# %% [markdown]
# One configuration decides everything. The defaults are the paper's, for millions of interactions; these settings suit
# 8,000. A study trains a recommender and a dictionary, tests both on readers that neither saw, and writes every table
# and the dashboard, here in seconds. (`%%capture` keeps out of the way what it prints: a line for each step, with its
# time.)

# %%
# %%capture
training = TrainingConfig(
    max_history=24, hidden_size=32, num_hidden_layers=2, windows="all", learning_rate=3e-3, batch_size=32, max_epochs=6
)
dictionary = SAEConfig(n_features=64, steps=300, batch_size=256, warmup_steps=50, sparsity_warmup_steps=100)
out = Path("../artifacts/library")
study = run(
    StudyConfig(training=training, sae=dictionary, steered=("poetry",), values=(-2.0, 0.0, 2.0), out=out), dataset
)

# %%
study

# %%
study.table("concepts")[["concept", "feature", "correlation", "auc", "neuron", "neuron_correlation"]].round(2)

# %% [markdown]
# The recommender never saw a subject, and has a feature for each of them. It is this easy because the readers are made
# up; how well it goes with real ones, the notebooks before this one show. From here on it is like there:

# %%
poetry = study.features["poetry"]
poetry.histogram()

# %%
history = loans.query("reader == 'reader-007'")["isbn"].tolist()
with study.recommender.steer({"poetry": 1.0}, unit="p99"):
    steered = study.recommend(history, k=5)
lists = {"as it is": study.recommend(history, k=5), "more poetry": steered}
pd.concat(lists, axis=1).loc[:, pd.IndexSlice[:, ["title", "concepts"]]]

# %%
assert sum("poetry" in subjects for subjects in steered["concepts"]) >= 4
study.receipt({"poetry": 1.0}, unit="p99")

# %% [markdown]
# ## Your own recommender
#
# GPTRec and BERT4Rec are two recommenders; yours may be another. What the toolkit needs is a network whose steps have
# hidden states, and where they are. Derive from `SequentialRecommender`, build the network, implement
# `get_input_embeddings` and `encode`, and name your `site_paths`; scoring, training on next items, saving and steering
# come with the base class.
#
# Here is a [GRU4Rec](https://arxiv.org/abs/1511.06939) with residual layers:


# %%
class GRUConfig(RecommenderConfig):
    model_type = "gru4rec"


class GRULayer(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.gru = nn.GRU(size, size, batch_first=True, bias=False)  # without bias, padding keeps the state at 0

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.gru(hidden)[0]


@register
class GRU4Rec(SequentialRecommender):
    config_class = GRUConfig
    site_paths = {"embedding": "items", "blocks.*": "layers.*", "final": "norm"}

    def __init__(self, config: GRUConfig) -> None:
        super().__init__(config)
        self.items = nn.Embedding(config.n_items + 1, config.hidden_size, padding_idx=0)
        self.layers = nn.ModuleList(GRULayer(config.hidden_size) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size)
        self.post_init()

    def get_input_embeddings(self) -> nn.Embedding:
        return self.items

    def encode(self, input_ids: Tensor) -> Tensor:
        hidden = self.items(input_ids)  # [user, step, neuron]; token 0 is padding, on the left
        for layer in self.layers:
            hidden = layer(hidden)
        return self.norm(hidden)


# %% [markdown]
# `run(StudyConfig(training=TrainingConfig(model="gru4rec", …)), dataset)` would now make a whole study with it. Step by
# step instead, since that is also the way to train on your own terms. First the recommender, on the same readers as
# above:

# %%
split, folder = paper_split(dataset.interactions), Path("../artifacts/library-gru4rec")
gru = fit(split.recommender, split.validation, replace(training, model="gru4rec"), folder / "recommender")

test = gru.histories(split.test)
catalogue = np.arange(len(gru.vocabulary))
pd.Series(
    {
        "GRU4Rec": evaluate(gru.score, test, catalogue)["ndcg@10"],
        "GPTRec": study.table("recommender").set_index("replaced").at["none", "ndcg@10"],
    }
).to_frame("NDCG@10")

# %% [markdown]
# What `fit` wrote is a folder of safetensors and JSON. You may as well train elsewhere, and wrap what you have as
# `Recommender(model, Vocabulary(ids))`. Wrapped as an envoy, it can be traced; the envoy first checks that a trace
# agrees with the bare model and that padding changes nothing.

# %%
rec = RecommenderEnvoy(Recommender.load(folder / "recommender"))
with rec.trace(history):
    hidden = rec.blocks[0].output.save()
print(list(rec.recommender.model.sites), tuple(hidden.shape))

# %% [markdown]
# Then a dictionary behind its first layer: collect activations, train, attach.

# %%
store = collect(rec, split.sae, folder / "activations", site="blocks.0")
rec.attach(train(store, {"gru": dictionary}, folder / "dictionaries")["gru"])

print(f"{len(store)} steps of {len(store.users[1])} readers")

# %% [markdown]
# Which feature stands for what? The same comparison as in a study's tables, for these activations:

# %%
activations, labels = encode(store, rec.blocks[0].sae), study.concepts.labels(store.rows["item"])
top = align(activations, labels, study.concepts.names).top()
top[["concept", "feature", "correlation", "auc"]].round(2)

# %%
feature = top.set_index("concept").at["poetry", "feature"]
strongest, shares = activations[:, [feature]].max(), {}
for times in (0, 1, 4):
    with rec.steer({feature: times * strongest}):
        lists = study.titles(rec.recommend(test, k=10))
    shares[f"{times} × its maximum"] = lists["concepts"].map(lambda subjects: "poetry" in subjects).mean()

assert list(shares.values()) == sorted(shares.values())
pd.Series(shares).to_frame("share of poetry in the top 10 of test readers").round(2)

# %% [markdown]
# A recommender of your own, steered by a feature that nobody told it about.
