"""Explanations against hand calculation, finite differences, plain steers and plain hooks, for both models."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from interp.control.list_entry import GRID, HALVINGS, Entry, to_enter
from interp.features.attributions import attributions, average_attributions
from interp.features.explanations import Explanation, why
from interp.steering.edits import Edit, Steer
from recmodels.errors import InputError

MODELS = ("gptrec", "bert4rec")
SITES = ("blocks.0", "final")


def one_of(histories, user):
    return histories.select(np.array([user]))


def item_at(rec, one, rank):
    """The item at a rank, from 1."""
    return rec.recommender.vocabulary.ids[rec.rank(one, rank)[0, -1]]


def place(rec, given, item):
    """An item's place in the whole list, from 1."""
    listed = rec.recommend(given, len(rec.recommender.vocabulary))
    return listed.loc[listed["item"] == item, "rank"].item()


def relative(rec, given, item):
    scores = rec.score(rec.recommender.histories(given))[0]
    return (scores[rec.recommender.vocabulary.ids.get_loc(item)] - scores.mean()).item()


@pytest.mark.parametrize("model", MODELS)
def test_attributions_by_hand_where_scores_are_linear(steerable, histories, model):
    rec, one = steerable[model], one_of(histories, 3)
    item = item_at(rec, one, 5)
    with torch.no_grad(), rec.trace(one):
        features = rec.final.features[0, -1].save()
    table = rec.recommender.model.item_embeddings()
    towards = table[rec.recommender.vocabulary.ids.get_loc(item)] - table.mean(dim=0)
    expected = features * (rec.final.sae.directions @ towards)
    activations, attributed = attributions(rec, one, item, "final")
    torch.testing.assert_close(activations[-1], features)
    torch.testing.assert_close(attributed[-1], expected, atol=1e-5, rtol=1e-4)
    assert not attributed[:-1].any()  # only the last step is scored
    found = why(rec, one, item, top=8, site="final")
    np.testing.assert_allclose(found.features["ablation"], found.features["attribution"], atol=1e-4)
    by_size = expected.abs().sort(descending=True).indices[: len(found.features)].tolist()
    assert sorted(found.features["feature"]) == sorted(by_size)


@pytest.mark.parametrize("model", MODELS)
def test_attributions_are_activation_times_slope(steerable, histories, model):
    rec, one = steerable[model], one_of(histories, 3)
    item = item_at(rec, one, 5)
    code = rec.recommender.vocabulary.ids.get_loc(item)
    activations, attributed = attributions(rec, one, item, "blocks.0")
    early = attributed[:-1].abs()
    for step, feature in (divmod(early.argmax().item(), early.shape[1]), (-1, attributed[-1].abs().argmax().item())):
        ends = []
        for change in (0.02, -0.02):
            with torch.no_grad(), rec.trace(one):
                rec.blocks[0].features[:, step, feature] += change
                scores = rec.scores.save()
            ends.append((scores[0, code] - scores[0].mean()).item())
        slope = (ends[0] - ends[1]) / 0.04
        expected = activations[step, feature].item() * slope
        assert attributed[step, feature].item() == pytest.approx(expected, rel=0.05, abs=2e-5)


@pytest.mark.parametrize("model", MODELS)
def test_the_way_of_a_feature_to_zero_adds_up_to_its_ablation(steerable, histories, model):
    """Against gradients at 200 points of the way, each in a trace of its own."""
    rec, one = steerable[model], one_of(histories, 3)
    item = item_at(rec, one, 5)
    code = rec.recommender.vocabulary.ids.get_loc(item)
    found = why(rec, one, item, top=4, site="blocks.0")
    np.testing.assert_allclose(found.features["attribution"], found.features["ablation"], atol=2e-3)
    feature = int(found.features["feature"].iloc[0])
    total, points = 0.0, 200
    for part in (np.arange(points) + 0.5) / points:
        with rec.trace(one):
            features = rec.blocks[0].features.detach().clone()
            whole = features[0, :, feature].clone().save()
            features[:, :, feature] *= part
            changed = features.requires_grad_().save()
            rec.blocks[0].features = changed
            scores = rec.scores.save()
        (gradient,) = torch.autograd.grad(scores[0, code] - scores[0].mean(), changed)
        total = total + (whole * gradient[0, :, feature]).detach() / points
    step_by_step = average_attributions(rec, one, item, "blocks.0", [feature])[:, 0]
    torch.testing.assert_close(step_by_step.detach(), total, atol=2e-3, rtol=0)


def test_what_moves_all_items_alike_counts_nothing(steerable, histories):
    rec, one = steerable["gptrec"], one_of(histories, 3)
    every = torch.stack([attributions(rec, one, item, "blocks.0")[1] for item in rec.recommender.vocabulary.ids])
    assert every.abs().max() > 0.1
    torch.testing.assert_close(every.mean(dim=0), torch.zeros_like(every[0]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("model", MODELS)
def test_an_ablation_is_a_steer_to_zero_at_all_steps(steerable, histories, model):
    rec, one = steerable[model], one_of(histories, 7)
    item = item_at(rec, one, 15)
    found = why(rec, one, item, top=6, site="blocks.0")
    assert (found.item, found.rank) == (item, place(rec, one, item)) == (item, 15)
    assert found.score == pytest.approx(relative(rec, one, item), abs=1e-4)
    assert len(found.features) == 6
    assert found.features["ablation"].abs().is_monotonic_decreasing
    assert (found.features["ablation"].abs() > 1e-4).any()
    for row in found.features.itertuples():
        with rec.steer({row.feature: 0.0}, at="all", site="blocks.0"):
            assert row.score_after == pytest.approx(relative(rec, one, item), abs=1e-4)
            assert row.rank_after == place(rec, one, item)
        assert row.ablation == pytest.approx(found.score - row.score_after, abs=1e-6)


def test_attributions_agree_in_sign_with_ablations(steerable, rec, histories):
    rng = np.random.default_rng(0)
    for envoy in (rec, steerable["bert4rec"]):
        agree = []
        for user in range(12):
            one = one_of(histories, user)
            for item in (item_at(envoy, one, 1), *rng.choice(envoy.recommender.vocabulary.ids, 2)):
                table = why(envoy, one, item, top=5, site="blocks.0").features
                agree += (np.sign(table["attribution"]) == np.sign(table["ablation"])).tolist()
        assert len(agree) > 150
        assert np.mean(agree) >= 0.97


@pytest.mark.parametrize("model", MODELS)
def test_steps_say_where_a_feature_was_active(steerable, histories, model):
    rec, one = steerable[model], one_of(histories, 7)
    item = item_at(rec, one, 1)
    found = why(rec, one, item, site="blocks.0")
    activations, slopes = attributions(rec, one, item, "blocks.0")
    order = found.features["feature"].tolist()
    attributed = average_attributions(rec, one, item, "blocks.0", order)
    np.testing.assert_allclose(found.features["gradient"], slopes.sum(dim=0)[order], atol=1e-5)
    grid = rec.item_grid(one)[0]
    assert (grid[-1] is None) == (model == "bert4rec")
    assert found.steps["feature"].unique().tolist() == found.features["feature"].tolist()
    for feature, rows in found.steps.groupby("feature"):
        assert sorted(rows["step"]) == activations[:, feature].nonzero().flatten().tolist()
        assert rows["item"].tolist() == grid[rows["step"]].tolist()
        np.testing.assert_array_equal(rows["activation"], activations[rows["step"].to_numpy(), feature])
        np.testing.assert_allclose(
            rows["attribution"], attributed[rows["step"].to_numpy(), order.index(feature)], atol=1e-5
        )
        assert rows["share"].abs().sum() == pytest.approx(1, rel=1e-4)
        assert rows["share"].abs().is_monotonic_decreasing
        total = found.features.set_index("feature").loc[feature, "attribution"]
        assert rows["attribution"].sum() == pytest.approx(total, abs=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_items_that_light_a_feature_against_plain_hooks(steerable, histories, model):
    rec, one = steerable[model], one_of(histories, 7)
    bare, envoy, (codes,) = rec.recommender.model, rec.blocks[0], [one[0]]
    found = why(rec, one, item_at(rec, one, 1), site="blocks.0").items
    again = next(code for code in codes if (codes == code).sum() == 1)
    tokens, seen = bare.inference_inputs(one), {}
    mean = bare.item_embeddings().mean(dim=0)

    def hide(_, inputs, output):
        return torch.where((inputs[0] == again + 1)[..., None], mean, output)

    hooks = [bare.get_submodule(bare.sites["blocks.0"]).register_forward_hook(lambda *call: seen.update(out=call[-1]))]
    bare(tokens)
    whole = envoy.sae.encode(seen["out"][0, -1])
    hooks.append(bare.get_input_embeddings().register_forward_hook(hide))
    bare(tokens)
    without = envoy.sae.encode(seen["out"][0, -1])
    for hook in hooks:
        hook.remove()
    item = rec.recommender.vocabulary.ids[again]
    rows = found[found["item"] == item].set_index("feature")
    assert len(found) == len(rows) * len(set(codes))
    for feature, row in rows.iterrows():
        assert row["activation"] == pytest.approx(whole[feature].item(), abs=1e-4)
        assert row["drop"] == pytest.approx((whole - without)[feature].item(), abs=1e-4)
    assert all(part["drop"].is_monotonic_decreasing for _, part in found.groupby("feature"))


def test_one_item_is_a_history_and_steers_count(steerable):
    rec = steerable["gptrec"]
    ids = rec.recommender.vocabulary.ids
    with torch.no_grad():
        plain = why(rec, [ids[4]], ids[9], site="blocks.0")
    assert plain.items["item"].unique().tolist() == [ids[4]]
    with rec.steer({3: 8.0}, site="blocks.0"):
        steered = why(rec, [ids[4]], ids[9], site="blocks.0")
        assert steered.score == pytest.approx(relative(rec, [ids[4]], ids[9]), abs=1e-4)
    assert abs(steered.score - plain.score) > 0.01


def test_an_explanation_shows_itself_and_escapes():
    features = pd.DataFrame(
        {"feature": [4], "attribution": [0.5], "ablation": [0.4], "score_after": [1.0], "rank_after": [7]}
    )
    steps = pd.DataFrame(
        {"feature": 4, "step": [1, 0], "item": pd.Series([None, "<b>"], dtype=object), "share": [0.75, -0.25]}
    )
    items = pd.DataFrame({"feature": 4, "item": ["<b>", "other"], "activation": 2.0, "drop": [1.5, -0.2]})
    shown = Explanation("<i>", 3, 1.4, features, steps, items)
    assert "item <i>: rank 3, score 1.40" in repr(shown)
    assert "[MASK] +75%, <b> −25%" in repr(shown)
    assert "<b> 1.50" in repr(shown)
    assert "other" not in repr(shown)  # it dims the feature
    page = shown._repr_html_()
    assert "&lt;i&gt;" in page
    assert "&lt;b&gt; 1.50" in page
    assert "<i>" not in page
    told = replace(shown, score_without=0.35, titles={"<i>": "Alien", "<b>": "Jaws"}, names={4: "≈ Horror"})
    assert "Alien (item <i>): rank 3, score 1.40 above the mean item; without these 1 feature 0.35" in repr(told)
    assert "they explain +1.05, 75% of it" in repr(told)
    assert "≈ Horror" in repr(told)
    assert "[MASK] +75%, Jaws −25%" in repr(told)


@pytest.mark.parametrize("model", MODELS)
def test_what_is_explained_is_the_drop_without_all_of_its_features(steerable, histories, model):
    rec, one = steerable[model], one_of(histories, 7)
    item = item_at(rec, one, 2)
    found = why(rec, one, item, 4, site="blocks.0")
    gone = Steer(tuple(Edit(int(j), 0.0, "set", "all") for j in found.features["feature"]), "blocks.0")
    with rec.steer(gone):
        assert found.score_without == pytest.approx(relative(rec, one, item), abs=1e-4)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("site", SITES)
def test_steers_that_let_an_item_enter_are_the_smallest(steerable, histories, model, site):
    rec, one, k = steerable[model], one_of(histories, 7), 5
    item = item_at(rec, one, 9)
    resolution = 4 / GRID / 2**HALVINGS
    found = to_enter(rec, one, item, k, site=site)
    assert found.rank == 9
    steers = found.ways[found.ways["kind"] == "steer"]
    assert steers["change"].map(len).tolist() == [1, 1, 1, 2, 3]
    assert steers["enters"].any()
    for way in steers[steers["enters"]].itertuples():
        assert set(np.abs(list(way.change.values()))) == {way.amount}
        just_less = {f: value * (way.amount - 1.01 * resolution) / way.amount for f, value in way.change.items()}
        with rec.steer(way.change, op="add", site=site):
            assert place(rec, one, item) == way.rank_after <= k
        with rec.steer(just_less, op="add", site=site):
            assert place(rec, one, item) > k
    smallest = steers.iloc[0]
    amounts = np.linspace(-4, 4, 64)
    for feature in range(0, 32, 5):  # no other feature gets there with less
        for amount in amounts[np.abs(amounts) < smallest["amount"] - 1e-9]:
            with rec.steer({feature: amount}, op="add", site=site):
                assert place(rec, one, item) > k
    together = steers["amount"].iloc[[0, 3, 4]]
    assert together.is_monotonic_decreasing


def test_units_and_features_that_are_never_active(steerable, histories):
    rec, one = steerable["gptrec"], one_of(histories, 7)
    item = item_at(rec, one, 9)
    plain = to_enter(rec, one, item, 5, site="blocks.0").ways.iloc[0]
    ((feature, change),) = plain["change"].items()
    units = np.where(np.arange(32) == feature, 2.0, 0.0)
    found = to_enter(rec, one, item, 5, pd.Series(units), reach=2.0, site="blocks.0").ways
    steers = found[found["kind"] == "steer"]
    assert len(steers) == 1  # the others are left alone
    assert steers["change"].item() == {feature: pytest.approx(change)}
    assert steers["amount"].item() == pytest.approx(plain["amount"] / 2)


def test_under_a_steer_the_search_takes_the_long_way(steerable, histories):
    rec, one = steerable["gptrec"], one_of(histories, 7)
    item = item_at(rec, one, 9)
    with rec.steer({2: 0.0}, site="final"):
        found = to_enter(rec, one, item, 5, site="blocks.0")
        assert found.rank == place(rec, one, item)
        for way in found.ways[found.ways["kind"] == "steer"].itertuples():
            with rec.steer(way.change, op="add", site="blocks.0"):
                assert place(rec, one, item) == way.rank_after


@pytest.mark.parametrize("model", MODELS)
def test_other_histories_carry_their_receipts(steerable, histories, model):
    rec, one = steerable[model], one_of(histories, 7)
    ids, own = rec.recommender.vocabulary.ids, rec.recommender.vocabulary.ids[one[0]].tolist()
    item = item_at(rec, one, 30)
    found = to_enter(rec, one, item, 10, candidates=ids, count=200, site="blocks.0").ways
    removed, appended = (found[found["kind"] == kind] for kind in ("remove", "append"))
    assert sorted(removed["change"]) == sorted(set(own))
    assert sorted(appended["change"]) == sorted(set(ids) - set(own) - {item})
    for rows in (removed, appended):
        assert rows["rank_after"].is_monotonic_increasing
        assert (rows["enters"] == (rows["rank_after"] <= 10)).all()
        assert (rows["rank_before"] == 30).all()
    for way in removed.iloc[::8].itertuples():
        assert place(rec, [[x for x in own if x != way.change]], item) == way.rank_after
    for way in appended.iloc[::25].itertuples():
        assert place(rec, [[*own, way.change]], item) == way.rank_after


def test_when_nothing_helps_or_nothing_is_needed(steerable, histories):
    rec, one = steerable["gptrec"], one_of(histories, 7)
    item = item_at(rec, one, 60)
    found = to_enter(rec, one, item, 5, reach=1e-3, site="blocks.0")
    assert not found.ways.loc[found.ways["kind"] == "steer", "enters"].any()
    assert "steer: nothing within 0.001 units; closest are" in repr(found)
    listed = to_enter(rec, one, item, 60, site="blocks.0")
    assert listed.ways.empty
    assert "is in the top 60 already, at rank 60" in repr(listed)


def test_an_entry_shows_itself_and_escapes():
    ways = pd.DataFrame(
        [
            ("steer", {4: 2.0, 7: -2.0}, 1.0, True, 30, 8),
            ("steer", {5: 4.0}, 4.0, False, 30, 12),
            ("remove", "<b>", np.nan, True, 30, 9),
        ],
        columns=["kind", "change", "amount", "enters", "rank_before", "rank_after"],
    )
    shown = Entry("<i>", 30, 10, 4.0, ways)
    assert "steer {4: +2.00, 7: -2.00} (1.00 units): rank 8" in repr(shown)
    assert "{5:" not in repr(shown)  # it is not enough, and another one is
    assert "remove &lt;b&gt;: rank 9" in shown._repr_html_()
    assert "<i>" not in replace(shown, rank=3)._repr_html_()


def test_questions_that_cannot_be_answered(steerable, histories):
    rec, one = steerable["gptrec"], one_of(histories, 7)
    ids = rec.recommender.vocabulary.ids
    item = item_at(rec, one, 20)
    with pytest.raises(InputError, match="one at a time"):
        why(rec, histories, item, site="blocks.0")
    with pytest.raises(InputError, match="unknown to this recommender"):
        why(rec, one, "nobody", site="blocks.0")
    with pytest.raises(InputError, match="say which with site="):
        why(rec, one, item)
    with pytest.raises(InputError, match="is in the history"):
        to_enter(rec, one, ids[one[0][0]], site="blocks.0")
    with pytest.raises(InputError, match="give a positive number of units"):
        to_enter(rec, one, item, reach=0.0, site="blocks.0")
    with pytest.raises(InputError, match="one number, 0 or more"):
        to_enter(rec, one, item, units=[1.0, 2.0], site="blocks.0")
