"""Causal maps of the planted world."""

import numpy as np
import pandas as pd

from interp.analyses.causal import tables as causal
from interp.concepts import Concepts
from interp.control.causal_map import agreement, causal_map
from interp.features.examples import SEED

SITE = "blocks.0"


def test_a_causal_map_takes_as_many_users_as_it_may(rec, test_users, features, aligned, concepts, monkeypatch):
    active = features.set_index("feature")["p99"][lambda units: units > 0]
    # Room for 20 users and a rest that is not enough for one more.
    monkeypatch.setattr(causal, "LISTS", 2 * len(active) * 20 + 1)
    made = causal.causal(rec, SITE, test_users, features, aligned, concepts)
    drawn = np.sort(np.random.default_rng(SEED).choice(30, 20, replace=False))
    users = test_users.split_last()[0].select(drawn)
    expected = causal_map(rec, users, active, concepts)
    pd.testing.assert_frame_equal(made["causal"], expected.table())
    pd.testing.assert_frame_equal(made["moved_items"], expected.item_changes)
    found = agreement(expected, aligned)
    overall = made["causal_agreement"].set_index("score")
    assert overall["value"].to_dict() == {
        "rank_correlation": found.rank_correlation,
        "top_matches": found.top_matches,
    }
    assert tuple(overall["chance"]) == found.by_chance
    assert tuple(overall["p"]) == found.p_values
    assert overall[["features", "users"]].to_numpy().tolist() == [[len(active), 20]] * 2
    pd.testing.assert_frame_equal(made["causal_concepts"], found.concepts)


def test_one_concept_has_no_ranks(rec, test_users, features, aligned, concepts):
    one = Concepts(concepts.names[:1], concepts.items, concepts.matrix[:, :1])
    only = aligned[aligned["concept"] == concepts.names[0]]
    made = causal.causal(rec, SITE, test_users, features[:3], only, one)
    assert set(made["causal"]["concept"]) == set(one.names)
    assert made["causal_agreement"].empty
    assert made["causal_concepts"].empty
