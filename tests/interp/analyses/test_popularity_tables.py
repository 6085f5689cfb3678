"""Exposure under steers, against plain steers."""

from dataclasses import replace

import numpy as np
import pytest

from interp.analyses.popularity import tables as exposure
from interp.control.popularity import popularity_steer
from interp.control.sweeps import user_overlap
from recmodels.metrics import long_tail_share, ndcg

SITE = "blocks.0"


def test_exposure_by_strength_is_that_of_the_steers(
    rec, stores, activations, test_users, concepts, counts, items_table
):
    made = exposure.popularity(rec, stores["test"], activations, test_users, concepts, items_table, {})
    rows = made["popularity"].set_index(["strength", "measure"])
    assert tuple(rows.index.get_level_values(0).unique()) == exposure.STRENGTHS
    assert (rows.loc[0.0, "change"] == 0).all()
    inputs, truth = test_users.split_last()
    plain, popularity = rec.rank(inputs), counts.to_numpy()
    with rec.steer(popularity_steer(made["popularity_features"], SITE, 4.0)):
        lists = rec.rank(inputs)
    assert rows.loc[(4.0, "overlap"), "after"] == pytest.approx(user_overlap(plain, lists).mean())
    assert rows.loc[(4.0, "overlap"), "after"] < 1
    for side, some in (("before", plain), ("after", lists)):
        assert rows.loc[(4.0, "long_tail_share@10"), side] == pytest.approx(long_tail_share(some, popularity))
        assert rows.loc[(4.0, "mean_popularity@10"), side] == pytest.approx(popularity[some].mean())
        assert rows.loc[(4.0, "ndcg@10"), side] == pytest.approx(ndcg(some, truth))


def test_exposure_is_empty_where_no_step_has_a_popular_item(
    rec, stores, activations, test_users, concepts, counts, items_table
):
    once = items_table.assign(popularity=(np.arange(len(counts)) == 0).astype(int))
    others = stores["test"].rows["item"] != counts.index[0]
    store = replace(stores["test"], rows=stores["test"].rows[others], activations=stores["test"].activations[others])
    made = exposure.popularity(rec, store, activations[np.flatnonzero(others)], test_users, concepts, once, {})
    assert list(made) == ["popularity_features", "popularity"]
    assert all(table.empty for table in made.values())
