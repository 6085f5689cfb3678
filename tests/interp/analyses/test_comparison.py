"""Many dictionaries side by side: how they are grouped, averaged and chosen."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from interp.activations.evaluation import best_aligned
from interp.analyses.comparison.tables import CHANGE, MEASURES, over_seeds, side_by_side
from interp.analyses.lists.tables import lists
from interp.concepts import concepts_of
from interp.config import GridConfig, StudyConfig
from interp.control.sweeps import user_shares
from interp.sae_config import SAEConfig

BASE = SAEConfig(n_features=64, steps=60, batch_size=64, warmup_steps=10, sparsity_warmup_steps=10)


def row(site="blocks.0", trainer="unsquared", n_features=64, sparsity=0.1, seed=0, l0=10.0, correlation=0.5):
    """What `evaluate_dictionary` says, with the same numbers on held-out and test users."""
    change = dict(zip(CHANGE, (-0.1, -0.2 - seed, 0.1), strict=True))
    measures = dict.fromkeys(MEASURES, 0.25) | change | {"l0": l0, "mean_top_correlation": correlation}
    held_out = {"val_l0": l0, "val_explained_variance": 0.9, "val_mean_top_correlation": correlation}
    settings = {"site": site, "trainer": trainer, "n_features": n_features, "sparsity": sparsity, "seed": seed}
    return pd.DataFrame([settings | held_out | measures])


ROWS = [
    row(l0=40, correlation=0.5),
    row(seed=1, l0=44, correlation=0.7),
    row(sparsity=0.3, l0=12, correlation=0.4),
    row(n_features=128, l0=60, correlation=0.8),
    row(trainer="top_k", sparsity=8, l0=8, correlation=0.3),
    row(site="final", l0=2, correlation=0.9),
]


@pytest.mark.parametrize(("max_l0", "place"), [(100, 3), (50, 1), (44, 1), (43.9, 0), (16, 2), (9, 4), (1, 4)])
def test_the_best_aligned_that_is_sparse_enough(max_l0, place):
    """If none is sparse enough, the sparsest."""
    assert best_aligned(pd.concat(ROWS[:5], ignore_index=True), max_l0) == place


def test_a_dictionary_of_another_trainer_is_not_chosen_but_may_be_the_sparse_one():
    rows = [row(l0=40, correlation=0.5), row(trainer="top_k", sparsity=8, l0=8, correlation=0.9)]
    sites = pd.DataFrame({"site": ["blocks.0"], "neurons": [0.2]})
    every = side_by_side(rows, {}, sites, BASE, 50, 16)["dictionaries"]
    assert every["chosen"].tolist() == [True, False]
    assert every["sparse"].tolist() == [False, True]


def test_the_tables_by_hand():
    plain = {"ndcg@10": 0.3, "hit_rate@10": 0.4, "coverage@10": 0.5, "diversity@10": 0.6}
    sites = pd.DataFrame({"site": ["blocks.0", "final"], "neurons": [0.2, 0.1]})
    made = side_by_side(ROWS, plain, sites, BASE, 50, 16)
    every = made["dictionaries"]
    assert np.flatnonzero(every["chosen"]).tolist() == [1]
    assert np.flatnonzero(every["sparse"]).tolist() == [2]
    l1 = made["l1"]
    assert np.isnan(l1["sparsity"][0])
    assert l1["sparsity"].tolist()[1:] == [0.1, 0.3]
    assert l1["ndcg@10"].tolist() == [0.3, 0.25, 0.25]
    assert l1["mean_top_correlation"].tolist()[1:] == pytest.approx([0.6, 0.4])
    assert made["sizes"]["n_features"].tolist() == [64, 128]
    assert made["sites"][["site", "neurons", "mean_top_correlation"]].to_numpy().tolist() == [
        ["blocks.0", 0.2, 0.5],
        ["final", 0.1, 0.9],
    ]
    trade_off = made["trade_off"]
    assert trade_off[["trainer", "n_features", "l0"]].to_numpy().tolist() == [
        ["top_k", 64, 8.0],
        ["unsquared", 64, 12.0],
        ["unsquared", 64, 42.0],
        ["unsquared", 128, 60.0],
    ]


def test_mean_and_spread_over_seeds():
    rows = pd.concat([row(seed=s, correlation=c) for s, c in enumerate((0.2, 0.5, 0.8))] + [row(sparsity=0.3)])
    table = over_seeds(rows, "sparsity")
    assert table["runs"].tolist() == [3, 1]
    assert table["mean_top_correlation"].tolist() == pytest.approx([0.5, 0.5])
    assert table["std_mean_top_correlation"][0] == pytest.approx(0.3)
    assert np.isnan(table["std_mean_top_correlation"][1])
    assert table[list(CHANGE)].to_numpy().tolist() == [
        pytest.approx([-0.1, -1.2, 0.1]),
        pytest.approx([-0.1, -0.2, 0.1]),
    ]


def test_a_grid_has_every_dictionary_once():
    grid = GridConfig(
        l1=(0.1, 0.3), n_features=(64, 32), seeds=2, trade_off=("top_k:8", "unsquared:0.3"), sites=("final",)
    )
    found = StudyConfig(sae=BASE, grid=grid).dictionaries()
    assert [config.name for config in found["blocks.0"]] == [
        "unsquared-64-l1-0.1",
        "unsquared-64-l1-0.3",
        "unsquared-32-l1-0.1",
        "unsquared-64-l1-0.1-seed-1",
        "unsquared-64-l1-0.3-seed-1",
        "unsquared-32-l1-0.1-seed-1",
        "top_k-64-k-8",
    ]
    assert found["final"] == [BASE]
    # What a trainer does not use makes no other dictionary.
    top_k = StudyConfig(sae=replace(BASE, trainer="top_k"), grid=replace(grid, trade_off=(), seeds=1, sites=()))
    names = [config.name for config in top_k.dictionaries()["blocks.0"]]
    assert names == ["top_k-64-k-16", "top_k-32-k-16"]
    assert StudyConfig(sae=BASE).dictionaries() == {"blocks.0": [BASE]}


def test_lists_are_of_the_users_with_most_and_least(rec, histories, planted):
    concepts = concepts_of(planted.items, "concepts")
    top = pd.DataFrame({"concept": ["concept-01", "concept-03"], "feature": [2, 7]})
    table = lists(rec, "blocks.0", histories, concepts, top, ("concept-03",))["lists"]
    inputs, _ = histories.split_last()
    labels = concepts.labels(rec.recommender.vocabulary.ids)[:, [concepts.index("concept-03")]]
    shares = user_shares(rec.rank(inputs), labels)[:, 0]
    for direction, extreme in (("up", shares.min()), ("down", shares.max())):
        rows = table[table["direction"] == direction]
        (user,) = rows["user"].unique()
        place = inputs.users.get_loc(user)
        assert shares[place] == extreme
        for value, listed in rows.groupby("value", dropna=False):
            with rec.steer(rec.steer_of({}) if np.isnan(value) else {7: value}):
                expected = rec.recommend(inputs.select(np.array([place])))
            assert listed["item"].tolist() == expected["item"].tolist()
    assert set(table.loc[table["direction"] == "up", "value"].dropna()) == {2.0, 5.0}
    assert set(table.loc[table["direction"] == "down", "value"].dropna()) == {0.0, -2.0}
