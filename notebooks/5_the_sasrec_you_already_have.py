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
# # 5. Look inside the SASRec you already have
#
# Nobody's model in production was trained by this package. Here a model that another program trained becomes a
# recommender of this one, and then a whole study, without a single step of training: read it, steer it, see what it
# costs.
#
# The data are the loans of a small library, made up so that the truth is known: every reader has a taste for two
# subjects, and stays with one of them for a while.

# %%
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

import interp
from recmodels.adapters import Adapter, register_adapter, wrap

# %%
SUBJECTS = ["crime", "gardening", "history", "poetry", "science", "travel"]
ADJECTIVES = ["Silent", "Red", "Last", "Hidden", "Northern", "Broken", "Golden", "Distant", "Bitter", "Paper"]
NOUNS = ["Harbour", "Garden", "Letter", "Winter", "Orchard", "Mirror", "Road", "Island", "Clock"]

rng = np.random.default_rng(0)
subject = np.repeat(np.arange(6), 15)  # of each book
books = pd.DataFrame(
    {
        "isbn": [f"978-{number:04}" for number in range(90)],
        "name": rng.permutation([f"The {adjective} {noun}" for adjective in ADJECTIVES for noun in NOUNS]),
        "subjects": [SUBJECTS[number] for number in subject],
    }
)

loans = []
for reader in range(300):
    tastes = rng.choice(6, size=2, replace=False)
    mood, seen, day = tastes[0], set(), reader
    for _ in range(rng.integers(8, 24)):
        if rng.random() < 0.15:
            mood = rng.choice(tastes)
        on_the_shelf = [book for book in np.flatnonzero(subject == mood) if book not in seen] or range(90)
        book = rng.choice(on_the_shelf)
        seen.add(book)
        day += rng.integers(1, 20)
        loans.append((f"reader-{reader:03}", books["isbn"][book], pd.Timestamp("2020-01-01") + pd.Timedelta(days=day)))
loans = pd.DataFrame(loans, columns=["reader", "isbn", "date"])
histories = loans.groupby("reader")["isbn"].agg(list)

histories.head(3).to_frame()

# %% [markdown]
# ## Last year's model
#
# A plain SASRec in torch, with habits of its own. It numbers items from 1 on, as they first appear in the loans; it
# pads on the right; its scores have a bias. It was trained on the first 240 readers. You have its class, and a
# checkpoint with its weights and its numbering.

# %%
LENGTH = 20


class SASRec(nn.Module):
    def __init__(self, n_items: int, size: int = 32) -> None:
        super().__init__()
        self.item_emb = nn.Embedding(n_items + 1, size, padding_idx=0)
        self.pos_emb = nn.Embedding(LENGTH, size)
        nn.init.normal_(self.item_emb.weight, std=0.1)
        nn.init.normal_(self.pos_emb.weight, std=0.1)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(size, 2, 2 * size, batch_first=True, norm_first=True) for _ in range(2)
        )
        self.norm = nn.LayerNorm(size)
        self.bias = nn.Parameter(torch.zeros(n_items))

    def log2feats(self, tokens: torch.Tensor) -> torch.Tensor:
        steps = tokens.shape[1]
        hidden = self.item_emb(tokens) + self.pos_emb(torch.arange(steps))
        for block in self.blocks:
            hidden = block(hidden, src_mask=nn.Transformer.generate_square_subsequent_mask(steps))
        return self.norm(hidden)

    def predict(self, tokens: list[int]) -> torch.Tensor:
        """Its own prediction call: scores of all items after one history."""
        hidden = self.log2feats(torch.tensor([tokens[-LENGTH:]]))[0, -1]
        return self.item_emb.weight[1:] @ hidden + self.bias


# %%
torch.manual_seed(0)
trained_on = histories.index[:240]
numbering = {isbn: number for number, isbn in enumerate(loans["isbn"].unique(), 1)}
rows = [[numbering[isbn] for isbn in histories[reader]][-LENGTH - 1 :] for reader in trained_on]
inputs, targets = torch.zeros(2, len(rows), LENGTH, dtype=torch.long)
for place, row in enumerate(rows):
    inputs[place, : len(row) - 1], targets[place, : len(row) - 1] = torch.tensor(row[:-1]), torch.tensor(row[1:])

module = SASRec(len(numbering))
optimiser = torch.optim.Adam(module.parameters(), 3e-3)
for _ in range(30):
    for batch in torch.randperm(len(rows)).split(32):
        real = targets[batch] > 0
        scores = F.linear(module.log2feats(inputs[batch])[real], module.item_emb.weight[1:], module.bias)
        loss = F.cross_entropy(scores, targets[batch][real] - 1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
torch.save({"weights": module.state_dict(), "numbering": numbering}, "last_year.pth")

# %% [markdown]
# ## The adapter
#
# An adapter says four things: how histories become the module's inputs, where its blocks are, how its output becomes
# scores, and which item each score belongs to. `batch.tokens()` is numbered from 1, and padded on the `side` that the
# module wants. `build` makes an empty module, so that a study's folder can be opened later.


# %%
@register_adapter
class LastYear(Adapter):
    name = "last-year"
    title = "Last year’s SASRec"
    sites = {"embedding": "item_emb", "blocks.*": "blocks.*"}
    side = "right"

    def run(self, batch):
        return self.module.log2feats(batch.tokens())

    def weights(self):
        return self.module.item_emb.weight[1:]

    def bias(self):
        return self.module.bias

    @classmethod
    def build(cls, settings):
        return cls(SASRec(settings["n_items"]), settings["n_items"], LENGTH, settings)


# %% [markdown]
# Is that right? It is not a matter of belief. Record what the old program itself predicts for a few histories, by item
# id, outside the adapter:

# %%
checkpoint = torch.load("last_year.pth", weights_only=True)
item_ids = list(checkpoint["numbering"])

old = SASRec(len(item_ids)).eval()
old.load_state_dict(checkpoint["weights"])
with torch.no_grad():
    scores = {tuple(history): old.predict([numbering[isbn] for isbn in history]) for history in histories[-5:]}
expected = {history: dict(zip(item_ids, row.tolist(), strict=True)) for history, row in scores.items()}

# %% [markdown]
# Had we sorted the items, as so many programs do, every score would belong to another book. This is what it looks like:

# %%
adapter = LastYear.build({"n_items": len(item_ids)})
adapter.module.load_state_dict(checkpoint["weights"])

try:
    wrap(adapter, sorted(item_ids), expected=expected)
except interp.InputError as mistake:
    print(mistake)

# %%
recommender = wrap(adapter, item_ids, expected=expected)
print(recommender)

# %% [markdown]
# Padding, batches and causality were measured as well: a wrong `side` is another one-line mistake. Without `expected=`
# everything below works too, and every page says *unverified*.
#
# ## A study, without training
#
# `run` takes the recommender in place of a training configuration. Say whom it has seen: test users are drawn from the
# other readers, so that what is said of held-out users stays true. Nobody is needed to train a recommender, so all
# others serve the dictionary.

# %%
# %%capture
columns = interp.Columns(user="reader", item="isbn", time="date", title="name", attribute="subjects")
dataset = interp.from_tables(loans, books, columns, "library")
config = interp.StudyConfig(
    sae=interp.SAEConfig(n_features=48, steps=300, batch_size=256, warmup_steps=50, sparsity_warmup_steps=100),
    steered=("poetry",),
    values=(-2.0, 0.0, 2.0),
    out=Path("../artifacts/library-last-year"),
)
study = interp.run(config, dataset, recommender=recommender, seen_users=trained_on)

# %%
study

# %% [markdown]
# Was it worth the trouble to say whom it has seen? Test users are readers it was not trained on; most users of the SAE
# part it has seen, and their last loans too.

# %%
study.table("most_popular").query("measure == 'ndcg@10'")[["part", "users", "recommender", "most_popular"]].round(3)

# %% [markdown]
# On readers that it was trained on, its score is too high. Now the features:

# %%
study.table("concepts")[["concept", "feature", "correlation", "auc", "neuron", "neuron_correlation"]].round(2)

# %% [markdown]
# Last year's model was never told a subject, and has a feature for each. Here is the one of poetry:

# %%
poetry = study.features["poetry"]
poetry.histogram()

# %% [markdown]
# ## Steer it
#
# More poetry for one reader, by the old model's own inner state; and what it would do to all test users:

# %%
history = histories["reader-007"]
with study.recommender.steer({"poetry": 1.0}, unit="p99"):
    steered = study.recommend(history, k=5)
lists = {"as it is": study.recommend(history, k=5), "more poetry": steered}
pd.concat(lists, axis=1).loc[:, pd.IndexSlice[:, ["title", "concepts"]]]

# %%
study.receipt({"poetry": 1.0}, unit="p99")

# %% [markdown]
# Put the adapter into a file, and the command line does the same:
#
# ```bash
# interp --import last_year.py study own --data loans.csv --items books.csv \
#     --recommender last_year.pth --adapter last-year --expected expected.json --seen-users readers.txt
# ```
#
# For that it also has a `read`, which turns a checkpoint into the adapter and its item ids; see
# [A recommender trained elsewhere](../docs/how-to/trained-recommender.md), which also lists the programs whose
# checkpoints are read as they are: for those, you write no adapter.
