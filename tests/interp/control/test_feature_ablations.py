"""All features ablated: the fast path gives what a steer of each feature alone gives."""

import numpy as np
import pytest

from interp.control.feature_ablations import feature_ablations
from interp.control.sweeps import user_overlap
from recmodels.errors import InputError
from recmodels.metrics import user_ndcg

K = 5


@pytest.mark.parametrize("model", ["gptrec", "bert4rec"])
@pytest.mark.parametrize("site", ["embedding", "blocks.0", "blocks.1", "final"])
def test_it_is_each_feature_steered_to_0_alone(steerable, histories, model, site):
    rec, users = steerable[model], histories.select(np.arange(40))
    table = feature_ablations(rec, users, site, K)
    inputs, truth = users.split_last()
    plain = rec.rank(inputs, K)
    before = user_ndcg(plain, truth)
    assert table["feature"].tolist() == list(range(32))
    with rec.trace(inputs):
        features = rec.site(site).features.save()
    active = (features != 0).any(dim=1).numpy()
    assert table["users"].to_numpy() == pytest.approx(active.mean(axis=0))
    for feature in np.argsort(-table["lists"].to_numpy())[:8]:
        with rec.steer([int(feature)], op="ablate", at="all", site=site):
            lists = rec.rank(inputs, K)
        row = table.loc[feature]
        changed = (lists != plain).any(axis=1)
        assert row["lists"] == changed.mean()
        assert row["overlap"] == pytest.approx(user_overlap(plain, lists).mean())
        assert row["ndcg"] == pytest.approx(user_ndcg(lists, truth).mean())
        assert row["change"] == pytest.approx((user_ndcg(lists, truth) - before).mean(), abs=1e-12)
        assert row["change_low"] <= row["change"] <= row["change_high"]
    assert table["lists"].max() > 0  # or nothing was compared


def test_a_feature_that_is_never_active_changes_nothing(steerable, histories):
    table = feature_ablations(steerable["gptrec"], histories.select(np.arange(2)), "blocks.0", K)
    rest = table[table["users"] == 0]
    assert len(rest)
    assert (rest[["change", "change_low", "change_high", "lists"]] == 0).all(axis=None)
    assert (rest[["overlap", "p", "q"]] == 1).all(axis=None)


def test_a_steer_in_force_is_refused(steerable, histories):
    rec = steerable["gptrec"]
    with rec.steer({3: 1.0}, site="blocks.0"), pytest.raises(InputError, match="a steer is in force"):
        feature_ablations(rec, histories, "blocks.0", K)
