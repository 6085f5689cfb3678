"""Everything that an envoy does, on modules of other programs and without a study."""

import numpy as np
import pandas as pd
import pytest
import torch

import interp
from interp.concepts import concepts_of
from interp.control.least_collateral import learn_weights
from interp.control.list_entry import to_enter
from interp.control.score_equations import LastStates, NearItems, user_jacobians, user_moves
from interp.features.effects import mean_jacobian, paths
from interp.features.explanations import why
from interp.model.envoys import RecommenderEnvoy
from recmodels.errors import InputError
from tests.recmodels.adapters.test_zoo import built
from tests.recmodels.adapters.zoo import IDS, USERS

SAE = interp.SAEConfig(n_features=12, l1=0.01, steps=40, batch_size=64, warmup_steps=5, sparsity_warmup_steps=5)
MEMBERS = [
    "zoo-right",
    "zoo-left",
    "zoo-unmasked",
    "zoo-mask",
    "zoo-tuples",
    "zoo-gru",
    "zoo-no-blocks",
    "zoo-times",
    "zoo-no-steps",
]
ITEMS = pd.DataFrame({"title": IDS, "kind": [("odd",) if code % 2 else ("even",) for code in range(20)]}, index=IDS)


def table(n: int = 30) -> pd.DataFrame:
    """Histories of 3 to 8 items; a model that knows three users has each of them once."""
    rng = np.random.default_rng(0)
    users = USERS if n == 3 else [f"user {number}" for number in range(n)]
    parts = []
    for user in users:
        items = rng.choice(IDS, rng.integers(3, 9), replace=False)
        parts.append(pd.DataFrame({"user": user, "item": items, "time": 1e9 + 3600.0 * np.arange(len(items))}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module", params=MEMBERS)
def wrapped(request, tmp_path_factory):
    """An envoy with a dictionary at the model's default site, histories, and the store."""
    folder = tmp_path_factory.mktemp("wrapped")
    recommender = built(request.param)
    rec = RecommenderEnvoy(recommender)
    rows = table(3 if recommender.vocabulary.users is not None else 30)
    store = interp.collect(rec, rows, folder / "activations", windows="all")
    sae = interp.train(store, {"top": SAE}, folder / "dictionaries")["top"]
    rec.attach(sae)
    return rec, rows, store


def test_one_data_point_for_each_step_and_a_dictionary_of_them(wrapped):
    rec, rows, store = wrapped
    model = rec.recommender.model
    assert store.site == model.default_site == rec.only_site()
    assert store.activations.shape[1] == model.width(store.site)
    items = rows.groupby("user").size() - 1
    # A user's one vector stands beside the items that the model reads; steps are read in windows.
    assert len(store) == (items if model.has_steps else items.clip(upper=model.config.max_history)).sum()
    before = rec.recommender.histories(rows).split_last()[0].select([0])
    with rec.trace(before):
        steps = rec.site(store.site).output[0].save()
    of_first = store.activations[np.flatnonzero(store.rows["user"] == rows["user"][0])[-1]]
    last = steps[rec.item_steps(before)[0]][-1]
    np.testing.assert_allclose(of_first, last.numpy(), rtol=1e-4, atol=1e-5)
    concepts = concepts_of(ITEMS, "kind")
    features = interp.encode(store, rec.site(store.site).sae)
    alignment = interp.align(features, concepts.labels(store.rows["item"]), concepts.names)
    assert set(alignment.top()["concept"]) == {"odd", "even"}


def test_steers_receipts_and_explanations(wrapped):
    rec, rows, store = wrapped
    histories = rec.recommender.histories(rows)
    with rec.steer(rec.steer_of({})):
        assert torch.equal(rec.score(histories), rec.recommender.score(histories))
    with rec.trace(histories):
        direction = rec.site(store.site).sae.directions[4]
        rec.site(store.site).output[:, -1] += 3 * direction
        expected = rec.scores.save()
    with rec.steer({4: 3.0}, op="add"):
        torch.testing.assert_close(rec.score(histories), expected, rtol=1e-4, atol=1e-4)
        assert len(rec.recommend(rows, 5)) == 5 * rows["user"].nunique()
    steer = rec.steer_of({4: 3.0}, op="add")
    counts = pd.Series(1.0, IDS)
    receipt = interp.steering_receipt(rec, rows, steer, concepts_of(ITEMS, "kind"), counts, 5)
    assert receipt.n_users == rows["user"].nunique()

    first = rows[rows["user"] == rows["user"][0]]
    listed = rec.recommend(first, 20)["item"]
    explanation = why(rec, first, listed.iloc[3], top=3)
    assert explanation.rank == 4
    assert ("not measured" in repr(explanation)) is explanation.items.empty
    assert explanation.items.empty is not rec.recommender.model.reads_item_embeddings
    entry = to_enter(rec, first, listed.iloc[8], k=5, candidates=[listed.iloc[9]])
    assert {"steer", "remove", "append"} <= set(entry.ways["kind"])


def test_effects_are_differences_of_scores(wrapped):
    rec, rows, store = wrapped
    model, histories = rec.recommender.model, rec.recommender.histories(rows)
    step = 0.01
    measured = mean_jacobian(rec, histories, store.site, step)
    push = torch.zeros(model.width(store.site))
    push[1] = step

    def pushed(amount: float) -> torch.Tensor:
        with torch.no_grad(), rec.trace(histories):
            rec.site(store.site).output[:, -1] += amount * push
            scores = rec.scores.save()
        return scores.double().mean(dim=0)

    column = ((pushed(1) - pushed(-1)) / (2 * step)).numpy()
    np.testing.assert_allclose(measured[:, 1], column - column.mean(), atol=2e-2)
    assert set(paths(rec, store.site).values()) <= set(model.sites)


def test_least_collateral_uses_the_scorers_weights_and_bias(wrapped):
    rec, rows, store = wrapped
    model, histories = rec.recommender.model, rec.recommender.histories(rows)
    has = np.arange(20) % 2 == 1
    if not model.has_linear_scores:
        with pytest.raises(InputError, match="does not score items by weights"):
            LastStates.of(rec, histories)
        return
    states = LastStates.of(rec, histories)
    free = ~states.own
    torch.testing.assert_close(states.scores[free], rec.score(histories)[free], rtol=1e-4, atol=1e-4)
    moved = states.scores_of(states.hidden + user_moves(NearItems.of(states, has), 1.0))
    with torch.no_grad(), rec.trace(histories):
        rec.final.output[:, -1] += user_moves(NearItems.of(states, has), 1.0)
        expected = rec.scores.save()
    torch.testing.assert_close(moved[free], expected[free], rtol=1e-3, atol=1e-3)
    jacobian = user_jacobians(rec, histories, store.site, 0.01)
    assert jacobian.shape == (len(histories), model.width("final"), model.width(store.site))
    learnt = learn_weights(rec, histories, store.site, {"odd": has}, 3)
    assert set(learnt["concept"]) == {"odd"}
