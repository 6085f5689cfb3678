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
# # 3. Steering and its price
#
# A feature that means something can be turned. Lists follow; so does a bill. This notebook turns *Horror* up for one
# user and then for all, reads the receipts, compares with what one would do without a dictionary, and looks for the
# smallest dose.

# %%
from pathlib import Path

import pandas as pd

import interp
from interp.study.equalizer import equalize

study = interp.open("../artifacts/ml-100k")
rec = study.recommender
family = [1, 71, 95, 588]  # Toy Story, The Lion King, Aladdin, Beauty and the Beast
study.recommend(family, k=5)

# %% [markdown]
# ## One user
#
# A steer is written as *what → how much*. Here: all features aligned with Horror, each to its own 99th percentile, at
# the step from which the list is made. Everything inside the block is steered; after it, nothing is.

# %%
with rec.steer({"Horror": 1.0}, unit="p99"):
    after = study.recommend(family, k=5)
after

# %% [markdown]
# That is loud: all that is aligned with horror at once, as strong as it hardly ever is. `equalize` *adds* to
# activations, as sliders do, and says for each film that enters or leaves which of the features moved it: their parts
# in the change of its score, which add up over all of them.

# %%
found = equalize(study, family, {"Horror": 0.5})
found

# %%
nothing = equalize(study, family, {"Horror": 0.0})
pd.testing.assert_frame_equal(nothing.before, nothing.after)  # at 0, a slider plays no part

# %% [markdown]
# ## Many users: the receipt
#
# One list proves little. A receipt makes the lists of all test users without and with the steer, each user's last film
# held out, and gives every change with a 95% interval over users.

# %%
receipt = study.receipt({"Horror": 1.0}, unit="p99")
receipt

# %% [markdown]
# Read it from the top. The share of Horror does what was asked. *Overlap*: how much of the old list is left. *NDCG* and
# *hit rate* ask whether the film that the user really watched next is still listed, and how high. Then the catalogue:
# the films are less popular ones (*long tail*, *mean popularity*), there are fewer of them (*coverage*), and the lists
# of different users become more alike (*diversity*). An interval that has 0 inside is a change that these few users
# cannot show; it is not a proof that there is none.
#
# ## From little to much
#
# The study has set Horror's top feature, alone, to each value from −10 to 10:

# %%
horror = study.features["Horror"]
horror.share_curve()

# %%
horror.quality_curve()

# %% [markdown]
# The share rises all the way, and downwards the feature works as well. NDCG@10 falls as the feature is turned up. That
# it seems to *rise* as the feature is turned down to −1 is tempting. Its receipt:

# %%
less = {horror: -1.0}
study.receipt(less)

# %% [markdown]
# The interval of NDCG@10 knows nothing of how −1 was picked: because it is the peak of the curve above, and on these
# same users. The users on which settings are chosen were no part of it:

# %%
study.receipt(less, users=study.users("sae_validation"))

# %% [markdown]
# Half of the gain is left there, its interval holds 0, and the hit rate falls, though these users are few. Whatever you
# choose on some users, measure on others.

# %% [markdown]
# ## What would one do without a dictionary?
#
# If all you want is more horror, you know which films are horror: add a little to their scores (*boost*). Other ways
# are a linear *probe*, a difference of *means*, a single *neuron*. At equal share of Horror in the lists, what is left
# of NDCG@10?

# %%
study.figures.costs("Horror")

# %%
equal = study.table("equal_share").query("target == 'Horror'")
percent = equal.assign(share=equal["share"].round(2), change=100 * equal["change"])
percent.pivot(index="method", columns="share", values="change").round(0)

# %% [markdown]
# Change of NDCG@10 in percent, at each share of Horror; NaN where a method never gets there. One standard error is
# about 20% here, so do not rank what lies close. What stays, here and in the larger studies of the README: **for an
# attribute that you have in a column, re-ranking is cheaper**. Among the ways that change hidden states, features cost
# about what a difference of means does, or less; a random direction, a single neuron and the probe never get to 25%,
# though the probe costs nothing as far as it goes. Features are for what re-ranking cannot do: what has no column, why
# an item is listed, what would have to change.
#
# ## The smallest dose
#
# Do not guess how far to turn. Ask for a share; the dose is found on users who were held out, and its receipt is made
# on others.

# %%
dose = study.dose("Horror", 0.3)
dose

# %% [markdown]
# One amount for all turns some lists over and hardly touches others. A dose for each user leaves those alone who have
# what is asked already:

# %%
doses = study.user_doses("Horror", 0.3)
print(doses.answer)
doses.users.head(6)

# %%
doses.receipt

# %% [markdown]
# ## Why is it listed? What would bring it in?
#
# `why` takes one score apart: which features made it, measured by turning each off, and which films of the history lit
# them.

# %%
history = [200, 219, 183]  # The Shining, A Nightmare on Elm Street, Alien
listed = study.recommend(history, k=1).iloc[0]
print(listed["title"])
study.why(history, listed["item"], top=5)

# %% [markdown]
# Each feature matters little by itself (compare `ablation` with the score): the recommender spreads what it knows over
# many. Most of what lit them is item 183, *Alien*, the last film. The question can be turned round: what would have to
# change for The Shining to enter the family's list?

# %%
study.to_enter(family, 200, candidates=[219, 183])

# %% [markdown]
# One more film in the history will do, *A Nightmare on Elm Street*; taking one out will not. Of steers, the smallest
# are listed: several features together need less of each.
#
# ## From the notebook into a service
#
# A steer is data: JSON that says which features of which dictionary, and refuses any other.

# %%
path = Path("../artifacts/horror.json")
interp.save_steer(dose.steer, path)
print(path.read_text())

# %%
with rec.steer(interp.load_steer(path)):
    from_file = rec.recommend(family)
with rec.steer(dose.steer):
    pd.testing.assert_frame_equal(rec.recommend(family), from_file)

# %% [markdown]
# ## Sliders
#
# All of this under your mouse: pick a test user or paste a history, turn concepts and features, see what enters, what
# leaves and why, and ask for a receipt on the test users. `interp equalizer artifacts/ml-100k` serves the same in the
# browser:
#
# ![The equalizer](../docs/equalizer.png)

# %%
study.equalizer()
