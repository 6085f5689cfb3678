"""Receipts of standard steers, against plain steers."""

import numpy as np
import pytest

from interp.analyses.receipts.tables import receipts
from interp.control.sweeps import concept_shares, user_overlap
from recmodels.metrics import ndcg

SITE = "blocks.0"


def test_receipts_are_of_the_standard_steer(rec, test_users, features, aligned, concepts, items_table):
    top = aligned.loc[aligned.groupby("concept")["correlation"].idxmax(), ["concept", "feature"]].iloc[[4, 1]]
    names = tuple(top["concept"])
    table = receipts(rec, SITE, test_users, names, top, features, items_table, concepts, {})["receipts"]
    assert table["target"].unique().tolist() == top["concept"].tolist()
    inputs, truth = test_users.split_last()
    labels, plain = concepts.labels(rec.recommender.vocabulary.ids), rec.rank(inputs)
    for target, feature in top.itertuples(index=False):
        rows = table[table["target"] == target]
        value = features.set_index("feature").loc[feature, "p99"]
        assert (rows["feature"] == feature).all()
        assert (rows["value"] == value).all()
        with rec.steer({feature: value}):
            lists = rec.rank(inputs)
        shares = rows[rows["measure"] == "share"].set_index("concept").loc[concepts.names]
        np.testing.assert_allclose(shares["before"], concept_shares(plain, labels))
        np.testing.assert_allclose(shares["after"], concept_shares(lists, labels))
        assert shares.loc[target, "change"] > 0
        others = rows[rows["concept"] == ""].set_index("measure")
        assert others.loc["ndcg@10", "after"] == pytest.approx(ndcg(lists, truth))
        assert others.loc["overlap", "after"] == pytest.approx(user_overlap(plain, lists).mean())
