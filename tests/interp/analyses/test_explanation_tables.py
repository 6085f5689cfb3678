"""Attributions against ablations, one at a time."""

import numpy as np
import pytest
import torch

from interp.analyses.explanations import tables as explanations


def test_explanations_are_checked_by_ablations(rec, sae, test_users, monkeypatch):
    monkeypatch.setattr(explanations, "EXPLAINED", 6)
    made = explanations.explanations(rec, sae, test_users)
    rows, summary = made["explanations"], made["explanation_agreement"].set_index("place")
    assert rows["user"].nunique() == 6
    sizes = rows["attribution"].abs().groupby(rows["user"], sort=False)
    assert all(size.is_monotonic_decreasing for _, size in sizes)
    inputs = test_users.split_last()[0]
    vocabulary = rec.recommender.vocabulary
    for row in rows.groupby("user").nth(0).head(3).itertuples():
        one = inputs.select(np.array([inputs.users.get_loc(row.user)]))
        code = rec.rank(one, 1)[0, 0]
        assert vocabulary.ids[code] == row.item
        with torch.no_grad():
            before = rec.score(one)[0]
            with rec.steer({row.feature: 0.0}, at="all"):
                after = rec.score(one)[0]
        drop = (before[code] - before.mean() - after[code] + after.mean()).item()
        assert row.ablation == pytest.approx(drop, abs=1e-5)
        assert row.agree == (drop * row.attribution > 0)
    assert summary["pairs"].tolist() == [len(rows), *rows["place"].value_counts().sort_index()]
    assert summary["agree"].iloc[0] == rows["agree"].mean() > 0.8
    assert summary["gradient_agrees"].iloc[0] == (rows["gradient"] * rows["ablation"] > 0).mean()
    first = rows[rows["place"] == 1]
    assert summary.loc[1, "agree"] == (first["attribution"] * first["ablation"] > 0).mean()
    assert summary.loc[1, "attribution"] == pytest.approx(first["attribution"].abs().mean())
    assert summary.loc[1, "correlation"] == pytest.approx(np.corrcoef(first["attribution"], first["ablation"])[0, 1])
