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
# # 1. First look at a dictionary
#
# A GPTRec was trained on MovieLens-100K: on nothing but who watched what after what. It saw numbers, never a title,
# never a genre. A sparse autoencoder, the *dictionary*, then took the hidden states behind its first block apart into
# 96 *features*. What are they about? `make demo` has made everything that is opened here; nothing is trained in this
# notebook.

# %%
import interp

study = interp.open("../artifacts/ml-100k")
study

# %% [markdown]
# Three numbers to keep in mind. The recommender is better than a list of the most popular items, and the interval of
# the difference says so. Through the dictionary's reconstruction the lists are about as good as without: whatever the
# recommender uses, most of it is in these features. And there are few test users, so that the standard error of
# NDCG@10 is about 0.028: no difference of one hundredth means anything here.
#
# ## Which feature is Horror?
#
# At every step of every test user's history we know the item, and so its genres. For each genre, the feature whose
# activation correlates best with it is its *top feature*. None was asked to have one.

# %%
top = study.table("concepts")
top[["concept", "feature", "correlation", "auc", "sensitivity", "neuron", "neuron_correlation"]].round(3)

# %% [markdown]
# The last two columns are the control: the same search among the 64 *neurons* that the features were made from. If
# genres lay along neurons, nobody would need a dictionary.

# %%
study.figures.features_beside_neurons()

# %%
ahead = top["correlation"] > top["neuron_correlation"]
print(f"ahead of the best neuron: {ahead.sum()} of {len(top)} genres")
print("behind:", ", ".join(top.loc[~ahead, "concept"]) or "none")

# %% [markdown]
# More features than neurons were searched, which helps features. And a feature of one popular film correlates with all
# that the film is. So each number stands beside two others: what the same search finds for genres that mean nothing
# (`null`), and what is left on films that the feature was not chosen on (`unseen_items`). Where `passes` is false, this
# small data set cannot show a feature of the genre.

# %%
evidence = study.table("evidence").query("source == 'features'")
evidence[["concept", "correlation", "null", "unseen_items", "unseen_items_q", "passes"]].round(3)

# %% [markdown]
# One feature stands out. Features are asked for by number, or by the concept that they stand for:

# %%
horror = study.features["Horror"]
horror

# %% [markdown]
# ## What lights it
#
# Never trust a name before you have seen what it names. Here is the history in which the feature is strongest, around
# the peak.

# %%
peak = horror.histories.query("band == 'strongest' and rank == 1")
peak[["step", "title", "concepts", "activation"]].round(2)

# %% [markdown]
# The strongest histories flatter any feature. Those from the middle of its range do not:

# %%
middle = horror.histories.query("band == 'middle'")
middle.sort_values("activation", ascending=False).drop_duplicates("rank")[["user", "title", "concepts", "activation"]]

# %% [markdown]
# All its positive activations, split by whether the item at that step is a horror film (below). Strong ones mostly
# are; weak ones mostly are not, and there are many of those. So "the Horror feature" is true of its upper end.

# %%
horror.histogram()

# %%
store = study.activations()  # of the test users: a row for each step
activation = interp.encode(store, study.sae)[:, [horror.index]].toarray().ravel()
is_horror = study.concepts.labels(store.rows["item"])[:, study.concepts.index("Horror")]
for low in (0, 0.5, 1, 1.5):
    above = activation > low
    print(f"above {low:3}: {above.sum():4} steps, {is_horror[above].mean():4.0%} of them at a horror film")
print(f"all      : {len(above):4} steps, {is_horror.mean():4.0%}")

# %% [markdown]
# ## What else it follows, and what it does
#
# Correlations (left) say what a feature *reads*: at which films it is on. What it *writes* is another question: what
# happens to the lists of test users when this feature alone is turned up and down (right)? That both agree for Horror
# is not a matter of course.

# %%
horror.concept_bars()

# %%
study.table("causal_agreement").set_index("score").round(3)

# %% [markdown]
# Over all features, correlations and effects agree far better than by chance (0.61 against 0.01 in rank correlation),
# and far from perfectly: of most features, the concept that it raises most is not the one that it correlates with best.
#
# ## How far can its name be trusted?
#
# Labels were found on one group of users and tested on another. *Precision*: of the steps that the label speaks of, the
# share at which the feature is high (above the median of its activations). *Recall*: of the steps at which it is high,
# the share that the label speaks of.

# %%
horror.proof.drop(["feature", "kind", "labelled"]).to_frame(f"feature {horror.index}")

# %% [markdown]
# ## One genre, several features
#
# Features that are on together with it, and features that write into the same direction:

# %%
near = horror.neighbours.assign(label=[study.features[n].label for n in horror.neighbours["neighbour"]])
near[near["rank"] <= 4]

# %% [markdown]
# None of them has earned the same label: in a dictionary of this size, horror is one feature. In a larger one it is
# split, and a steer of a concept by its name turns all of its features together (notebook 3).
#
# ## The rest of the dictionary
#
# One feature out of 96 was easy. What about the others?

# %%
study.figures.densities()

# %%
study.figures.correlations()

# %%
table = study.features.table
labelled = study.table("labels").set_index("feature")["labelled"]
print(f"never active:                  {(table['density'] == 0).sum():5}")
print(f"correlation with a genre ≥ 0.2: {(table['correlation'] >= 0.2).sum():4}")
print(f"with a label that held:        {labelled.sum():5} of {len(table)}")

# %% [markdown]
# This is the honest state of a small dictionary: nothing is dead, and most features have no name that holds on other
# users. Genres are *our* vocabulary. The kinds of labels that held say what the recommender's may be:

# %%
kinds = study.table("label_kinds").query("labelled > 0")
kinds[["kind", "features", "labelled", "precision", "recall", "lift"]].round(2)

# %% [markdown]
# Nearly all labels that held are years of release, not genres: people joined MovieLens in 1997 and 1998 and began with
# what had just come out. The features that fit an attribute best, out of a search through years, decades,
# franchises and pairs of genres:

# %%
cases = study.table("cases").sort_values("correlation", ascending=False)
cases[["kind", "concept", "feature", "correlation", "auc", "rows"]].head(8).round(3)

# %%
study.features[int(cases["feature"].iloc[0])]

# %% [markdown]
# ## Where to look next
#
# `../artifacts/ml-100k/dashboard.html` holds all of this for every feature on one page that opens offline: draw around
# a region of the map, filter by label, send the file to a colleague. Notebook 2 checks the machinery by hand; notebook
# 3 turns features up and down and asks what that costs.
