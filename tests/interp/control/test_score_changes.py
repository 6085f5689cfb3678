"""What a steer does to scores, taken apart feature by feature."""

import numpy as np
import pytest
import torch

from interp.control.score_changes import feature_contributions
from recmodels.errors import InputError

EDITS = {3: 1.5, 7: -0.5, 11: 2.0}


@pytest.mark.parametrize("model", ["gptrec", "bert4rec"])
@pytest.mark.parametrize("site", ["blocks.0", "final"])
def test_parts_add_up_to_what_the_steer_does(steerable, histories, model, site):
    rec = steerable[model]
    one, steer = histories.select([2]), rec.steer_of(EDITS, site=site, op="add")
    items = rec.recommender.vocabulary.ids[[0, 5, 9]].tolist()
    found = feature_contributions(rec, one, items, steer)
    assert found.groupby("item", sort=False)["feature"].apply(sorted).tolist() == [[3, 7, 11]] * 3
    assert found["item"].tolist() == np.repeat(items, 3).tolist()
    with torch.no_grad():
        plain = rec.score(one)[0]
        with rec.steer(steer):
            change = rec.score(one)[0] - plain
    expected = (change - change.mean())[[0, 5, 9]]
    np.testing.assert_allclose(found.groupby("item", sort=False)["change"].sum(), expected, rtol=1e-2, atol=1e-3)


def test_one_feature_made_the_whole_change(steerable, histories):
    rec = steerable["gptrec"]
    item = rec.recommender.vocabulary.ids[4]
    twice = rec.steer_of([*rec.steer_of({3: 1.0}, site="blocks.0", op="add").edits] * 2, site="blocks.0")
    (alone,) = feature_contributions(rec, histories.select([2]), [item], twice)["change"]
    once = rec.steer_of({3: 2.0}, site="blocks.0", op="add")
    (same,) = feature_contributions(rec, histories.select([2]), [item], once)["change"]
    assert alone == pytest.approx(same) != 0


def test_nothing_moves_nothing_and_other_steers_are_refused(steerable, histories):
    rec, one = steerable["gptrec"], histories.select([2])
    item = rec.recommender.vocabulary.ids[4]
    assert feature_contributions(rec, one, [item], rec.steer_of({}, site="blocks.0")).empty
    assert feature_contributions(rec, one, [], rec.steer_of(EDITS, site="blocks.0", op="add")).empty
    with pytest.raises(InputError, match="does not only add to features"):
        feature_contributions(rec, one, [item], rec.steer_of(EDITS, site="blocks.0"))
