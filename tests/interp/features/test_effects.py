"""What features do to scores, against traced passes and autograd."""

import numpy as np
import pandas as pd
import pytest
import torch

from interp.analyses.effects.tables import effects, paths
from interp.features.effects import mean_jacobian, promoted_items
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Edit, Steer

STEP = 0.3


def slow_jacobian(rec, histories, site):
    """The mean Jacobian [v, d] by two traced passes per neuron."""
    columns = []
    for neuron in range(rec.recommender.model.config.hidden_size):
        sides = []
        for push in (STEP, -STEP):
            with torch.no_grad(), rec.trace(histories):
                rec.site(site).output[:, -1, neuron] += push
                scores = rec.scores.save()
            sides.append(scores.double().mean(dim=0))
        columns.append((sides[0] - sides[1]) / (2 * STEP))
    jacobian = torch.stack(columns, dim=1).numpy()
    return jacobian - jacobian.mean(axis=0)


@pytest.mark.parametrize("model", ["gptrec", "bert4rec"])
@pytest.mark.parametrize("site", ["blocks.0", "blocks.1", "blocks.0.mlp", "embedding", "final"])
def test_the_mean_jacobian_is_that_of_two_traced_passes_per_neuron(steerable, histories, model, site):
    rec, few = steerable[model], histories.select(np.arange(5))
    assert len(set(few.lengths)) > 2  # so that padding takes part
    expected = slow_jacobian(rec, few, site)
    assert np.abs(expected).max() > 0.05
    np.testing.assert_allclose(mean_jacobian(rec, few, site, STEP, users=5), expected, rtol=0, atol=1e-4)


def test_the_mean_jacobian_is_taken_under_the_steers_in_force(steerable, histories):
    rec, few = steerable["gptrec"], histories.select(np.arange(3))
    with rec.steer(Steer((Edit(3, 8.0, "set", "all"),), "blocks.0")):
        expected = slow_jacobian(rec, few, "blocks.0")
        found = mean_jacobian(rec, few, "blocks.0", STEP, users=3)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    assert np.abs(found - mean_jacobian(rec, few, "blocks.0", STEP, users=3)).max() > 1e-2


def test_the_mean_jacobian_is_what_autograd_says(rec, recommender, histories):
    inputs, _ = histories.split_last()
    sample = inputs.select(np.arange(6))
    found = mean_jacobian(rec, sample, "blocks.0", step=0.02, users=6)
    hidden = []

    def grab(module, args, output):
        hidden.append(output.detach().requires_grad_())
        return hidden[-1]

    hook = recommender.model.backbone.h[0].register_forward_hook(grab)
    model = recommender.model
    scores = model(model.inference_inputs(sample)).scores
    hook.remove()
    centred = scores - scores.mean(dim=1, keepdim=True)
    for item in (0, 17, 99):
        (gradient,) = torch.autograd.grad(centred[:, item].sum(), hidden[0], retain_graph=True)
        expected = gradient[:, -1].mean(dim=0).numpy()
        np.testing.assert_allclose(found[item], expected, rtol=0, atol=2e-3 * np.abs(found).max())


def test_promoted_items_are_the_ends_of_the_effect(sae, recommender):
    rng = np.random.default_rng(0)
    items = recommender.vocabulary.ids
    jacobian = rng.normal(size=(len(items), sae.directions.shape[1]))
    table = promoted_items(jacobian, sae, items, count=3)
    effect = jacobian @ sae.directions[11].numpy()
    mine = table[table["feature"] == 11]
    for direction, order in (("promoted", np.argsort(-effect)), ("suppressed", np.argsort(effect))):
        rows = mine[mine["direction"] == direction].sort_values("rank")
        assert rows["item"].tolist() == items[order[:3]].tolist()
        np.testing.assert_allclose(rows["effect"], effect[order[:3]])


def test_effects_are_told_through_the_layers_and_directly(rec, recommender, histories, sae):
    """The direct path is what the scorer alone makes of a push of the last block's output: by autograd."""
    assert paths(rec, "blocks.0") == {"layers": "blocks.0", "direct": "blocks.1"}
    assert paths(rec, "blocks.1") == {"layers": "blocks.1"}
    assert paths(rec, "final") == {"layers": "final"}
    few = histories.select(np.arange(6))
    units = pd.DataFrame({"feature": np.arange(sae.n_features)[::-1], "p99": np.arange(sae.n_features)[::-1] / 10})
    tables = effects(rec, sae, few, "blocks.0", units)
    table = tables["effects"]
    inputs, _ = few.split_last()
    for path, site in (("layers", "blocks.0"), ("direct", "blocks.1")):
        made = promoted_items(mean_jacobian(rec, inputs, site, step=sae.std), sae, recommender.vocabulary.ids)
        mine = table[table["path"] == path].drop(columns="path").reset_index(drop=True)
        assert mine.equals(made)
    change = mean_jacobian(rec, inputs, "blocks.0", step=sae.std) @ sae.directions.double().numpy().T
    for row in tables["item_effects"].sample(40, random_state=0).itertuples():
        mine = change[recommender.vocabulary.ids.get_loc(row.item)] * np.arange(sae.n_features) / 10
        order = np.argsort(-mine if row.direction == "promoted" else mine, kind="stable")
        assert order[row.rank - 1] == row.feature
        assert row.effect == pytest.approx(mine[row.feature])
    model = recommender.model
    with torch.no_grad():
        last = RecommenderEnvoy(recommender).hidden(inputs, "blocks.1")[:, -1]
    last.requires_grad_()
    scores = model.scorer(model.backbone.ln_f(last), model.item_embeddings())
    centred = (scores - scores.mean(dim=1, keepdim=True)).mean(dim=0)
    best = table.query("path == 'direct' and direction == 'promoted' and rank == 1").set_index("feature")
    for feature in (0, 11, 40):
        item = recommender.vocabulary.ids.get_loc(best.loc[feature, "item"])
        (gradient,) = torch.autograd.grad(centred[item], last, retain_graph=True)
        expected = float(gradient.sum(dim=0) @ sae.directions[feature])
        assert best.loc[feature, "effect"] == pytest.approx(expected, rel=0.02)
