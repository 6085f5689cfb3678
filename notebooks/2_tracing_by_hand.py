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
# # 2. Tracing by hand
#
# Everything that a study shows comes from reading hidden states, and everything that a steer does is writing them. Here
# you do both yourself, and check a few of the study's numbers against your own.

# %%
import numpy as np
import pandas as pd
import plotly.express as px
import torch

import interp
from interp import RecommenderEnvoy
from recmodels import Recommender, TrainingConfig
from recmodels.training import build

study = interp.open("../artifacts/ml-100k")
rec, sae = study.recommender, study.sae
horror = study.features["Horror"]
histories = [[200, 219, 183], [1, 71, 95, 588]]  # The Shining, A Nightmare on Elm Street, Alien; Toy Story, …

# %% [markdown]
# ## Reading
#
# Inside `with rec.trace(…)` the recommender runs, and whatever you `save()` is yours afterwards. Item ids are
# MovieLens's own; there is nothing to pad, mask or translate.

# %%
with rec.trace(histories):
    hidden = rec.blocks[0].output.save()  # [user, step, neuron]
    features = rec.blocks[0].features.save()  # [user, step, feature]
    scores = rec.scores.save()  # [user, item]

print("hidden  ", tuple(hidden.shape))
print("features", tuple(features.shape))
print("scores  ", tuple(scores.shape))

# %% [markdown]
# The histories have three and four items. Which step is which item? Short histories are padded on the left, so that
# step −1 is everyone's last one: the only one that scores are made from.

# %%
pd.DataFrame(rec.item_grid(histories), index=["horror fan", "family"])

# %%
step_by_step = pd.DataFrame(
    {
        "title": study.items.loc[histories[0], "title"].tolist(),
        f"feature {horror.index}": features[0, -3:, horror.index],
        "features active": (features[0, -3:] > 0).sum(dim=1),
    }
)
step_by_step.round(2)

# %% [markdown]
# Of 96 features, 20 to 30 are on at each of these steps. Which are strongest after the last film, relative to
# how strong each can get?

# %%
strength = pd.Series(features[0, -1].numpy()) / study.features.table["p99"]
strongest = study.features.table.loc[strength.nlargest(5).index, ["concept", "correlation"]]
strongest.assign(strength=strength, label=[study.features[n].label for n in strongest.index]).round(2)

# %% [markdown]
# The closest genre of a feature is not yet its name: what these correlate with is plausible after *Alien*, yet only one
# label held on other users and on films that it was not learnt from. The others are called `unlabelled`.

# %% [markdown]
# One step tells little. Here is the Horror feature along the history in which it is strongest. As in the study, the
# user's last film is held out, and the recommender reads the 64 before it:

# %%
users = study.users()
place = users.users.get_loc(horror.histories["user"].iloc[0])
one, held_out = users.select([place]).split_last()
with rec.trace(one):
    along = rec.blocks[0].features[0, :, horror.index].save()

assert np.isclose(along.max(), horror.row["max"], atol=1e-3)  # what the table and the dashboard say

watched = rec.item_grid(one)[0]
genre = np.where(study.concepts.labels(watched)[:, study.concepts.index("Horror")], "Horror", "other")
figure = px.bar(
    x=range(len(along)),
    y=along,
    color=genre,
    color_discrete_map={"Horror": "#D55E00", "other": "#0072B2"},
    hover_name=study.items.loc[watched, "title"],
    height=300,
)
figure.update_layout(xaxis_title="step", yaxis_title=f"feature {horror.index}", legend_title="film")

# %% [markdown]
# It comes on when the user turns to horror, and once it is on, a film of another genre can leave it on: a hidden state
# is about the history, not only about the film at its step.
#
# ## The dictionary by hand
#
# A sparse autoencoder is two small maps. It *encodes* a normalised hidden state into features and *decodes* them into a
# reconstruction; what is left over is its *error*.

# %%
by_hand = sae.encode(hidden)
reconstruction = sae.decode(by_hand)
error = hidden - reconstruction

torch.testing.assert_close(by_hand, features)
torch.testing.assert_close(reconstruction, by_hand @ sae.directions + sae.decode(torch.zeros_like(by_hand)))
print(f"length of the last hidden state: {hidden[0, -1].norm():.2f}, of its error: {error[0, -1].norm():.2f}")

# %% [markdown]
# The second check says the useful thing: a reconstruction is a sum of *directions*, one for each feature, weighted by
# its activation, plus a constant. Turning a feature up moves the hidden state along its direction.
#
# How good is the reconstruction over all test users? Their hidden states are in the study, and so is the answer:

# %%
store = study.activations()
x = torch.from_numpy(np.array(store.activations))
z = sae.encode(x)
explained = 1 - (x - sae.decode(z)).var(dim=0) / x.var(dim=0)

dictionary = study.table("dictionary").iloc[0]
print(f"explained variance: {explained.mean():.4f}, the table says {dictionary['explained_variance']:.4f}")
print(f"active at a step:   {(z > 0).sum(dim=1).float().mean():.2f}, the table says {dictionary['l0']:.2f}")
assert np.isclose(explained.mean(), dictionary["explained_variance"], atol=1e-4)

# %% [markdown]
# And the number that gave the feature its name: the correlation of its activation with whether the film at that step is
# a horror film.

# %%
is_horror = study.concepts.labels(store.rows["item"])[:, study.concepts.index("Horror")]
correlation = np.corrcoef(z[:, horror.index], is_horror)[0, 1]

in_table = horror.concepts.set_index("concept").at["Horror", "correlation"]
print(f"correlation: {correlation:.4f}, the table says {in_table:.4f}")
assert np.isclose(correlation, in_table, atol=1e-4)

# %% [markdown]
# ## Writing
#
# Features can be assigned to inside a trace. The family has had no horror; let us see what one feature at one step
# does:

# %%
with rec.trace(histories):
    rec.blocks[0].features[1, -1, horror.index] = 4.0
    steered = rec.scores.save()


def titles(scores: torch.Tensor, count: int = 5) -> list[str]:
    """Of the best items, those of the history included."""
    return study.items["title"].iloc[scores.topk(count).indices].tolist()


pd.DataFrame({"as it is": titles(scores[1]), "feature at 4": titles(steered[1])}, index=range(1, 6))

# %% [markdown]
# What was written? Not the decoded features, which would lose the error, but the hidden state moved along one
# direction, by as much as the feature is to change. By hand:

# %%
with rec.trace(histories):
    change = 4.0 - rec.blocks[0].features[1, -1, horror.index]
    rec.blocks[0].output[1, -1] += change * sae.directions[horror.index]
    moved = rec.scores.save()

torch.testing.assert_close(moved, steered, rtol=0, atol=1e-4)
assert torch.equal(steered[0], scores[0])  # the other user is left alone

# %% [markdown]
# `rec.steer` does the same for everything inside a block, traces and lists alike, for all users or with values by user:

# %%
with rec.steer({horror.index: {1: 4.0}}):  # user 1 only
    lists = study.recommend(histories, k=5)

lists[lists["user"] == 1]

# %%
with rec.steer(rec.steer_of({})), rec.trace(histories):
    unsteered = rec.scores.save()
assert torch.equal(unsteered, scores)  # a steer of nothing is no steer, to the last bit

# %% [markdown]
# The list has changed: *Jaws* and *The Shining* are in it, for a history of Toy Story and The Lion King. Whether that
# goes for others, and at what price, is the matter of notebook 3.
#
# ## When does the recommender know?
#
# Scores are made by the final normalisation and the item embeddings. Nothing forbids asking them earlier, of the hidden
# states behind each block: the *logit lens* of language models.

# %%
items = rec.recommender.model.item_embeddings()
lens = {}
with rec.trace(histories):
    for number in range(len(rec.blocks)):
        lens[f"block {number}"] = rec.scorer(rec.final(rec.blocks[number].output)[:, -1], items).save()
    at_the_end = rec.scores.save()

torch.testing.assert_close(list(lens.values())[-1], at_the_end)
pd.DataFrame({name: titles(of[0]) for name, of in lens.items()}, index=range(1, 6))

# %%
final_ten = set(at_the_end[0].topk(10).indices.tolist())
for name, of in lens.items():
    print(f"{name}: {len(final_ten & set(of[0].topk(10).indices.tolist()))} of the final ten")

# %% [markdown]
# The first block already has half of the list, with films much like the last one watched; the blocks after it look
# further back. (These are raw scores: films of the history are still among them.)

# %% [markdown]
# ## Other places, and the other model
#
# A trace reads any site, in the order of the forward pass: what attention and the MLP add, the stream after each block.

# %%
with rec.trace(histories):
    embedding = rec.embedding.output.save()
    attention = rec.blocks[0].attention.output.save()
    mlp = rec.blocks[0].mlp.output.save()
    stream = rec.blocks[0].output.save()

pd.Series({"item": embedding, "attention adds": attention, "MLP adds": mlp, "after the block": stream}).map(
    lambda part: round(part[0, -1].norm().item(), 2)
).to_frame("length at the last step")

# %% [markdown]
# All of this is the same for BERT4Rec, but for one thing: it reads histories in both directions and predicts what is
# hidden, so its last step is no item but the [MASK] that stands for the next one. An untrained one shows it:

# %%
vocabulary = rec.recommender.vocabulary
bert = RecommenderEnvoy(Recommender(build(TrainingConfig(model="bert4rec"), len(vocabulary)), vocabulary))
pd.DataFrame(bert.item_grid(histories), index=["horror fan", "family"])
