from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.metrics import explained_variance_score, root_mean_squared_error

from interp.activations.feature_matrix import encode, statistics
from interp.activations.fidelity import downstream, reconstruction
from interp.analyses.effects.tables import effects, paths
from interp.features.effects import mean_jacobian, promoted_items
from interp.model.envoys import RecommenderEnvoy
from recmodels.errors import InputError
from recmodels.ranking import evaluate


def test_encode_equals_the_dictionary_row_by_row(stores, sae):
    found = encode(stores["test"], sae, batch_size=37)
    expected = sae.encode(torch.from_numpy(np.array(stores["test"].activations)))
    np.testing.assert_allclose(found.toarray(), expected.numpy(), rtol=0, atol=1e-6)


def test_a_dictionary_of_another_site_is_refused(stores, sae):
    other = replace(sae, provenance=replace(sae.provenance, site="blocks.1"))
    with pytest.raises(InputError, match=r"reads blocks\.1"):
        encode(stores["test"], other)
    foreign = replace(sae, provenance=replace(sae.provenance, recommender="another"))
    with pytest.raises(InputError, match="trained on recommender"):
        reconstruction(stores["test"], foreign)


def test_statistics_by_hand():
    values = np.array([[0, 1.0, 0], [0, 3.0, 0], [0, 0, 2.0], [0, 2.0, 0]])
    table = statistics(sparse.csc_array(values))
    assert table["density"].tolist() == [0, 0.75, 0.25]
    assert table["mean"].tolist() == [0, 2, 2]
    assert table["max"].tolist() == [0, 3, 2]
    assert table["p99"].tolist() == [0, pytest.approx(np.percentile([1, 2, 3], 99)), 2]
    assert table["std"].tolist() == pytest.approx(values.std(axis=0).tolist())


def test_reconstruction_against_scikit_learn(stores, sae):
    store = stores["test"]
    found = reconstruction(store, sae)
    hidden = torch.from_numpy(np.array(store.activations))
    x = sae.normalise(hidden).numpy()
    x_hat = sae.normalise(sae.decode(sae.encode(hidden))).numpy()
    assert found["explained_variance"] == pytest.approx(explained_variance_score(x, x_hat), abs=1e-5)
    assert found["rmse"] == pytest.approx(root_mean_squared_error(x.ravel(), x_hat.ravel()), rel=1e-4)
    active = sae.encode(hidden).numpy() > 0
    assert found["l0"] == pytest.approx(active.sum(axis=1).mean())
    assert found["dead"] == pytest.approx((~active.any(axis=0)).mean())


def test_a_dimension_that_never_varies_counts_as_scikit_learn_has_it(stores, sae):
    store = stores["test"]
    x = np.array(store.activations)
    x[:, 3], x[:, 5] = 0.5, 1e6
    hidden = torch.from_numpy(x)
    again = sae.normalise(sae.decode(sae.encode(hidden)))
    expected = explained_variance_score(sae.normalise(hidden).double(), again.double())
    assert reconstruction(replace(store, activations=x), sae)["explained_variance"] == pytest.approx(expected, abs=1e-9)


def test_downstream_of_a_replaced_layer(rec, recommender, histories, sae):
    table = downstream(rec, histories, "blocks.0").set_index("replaced")
    catalogue = np.arange(len(recommender.vocabulary))
    assert table.loc["none"].to_dict() == evaluate(recommender.score, histories, catalogue)

    def replaced(batch):
        hook = recommender.model.backbone.h[0].register_forward_hook(
            lambda module, inputs, output: sae.decode(sae.encode(output))
        )
        try:
            return recommender.score(batch)
        finally:
            hook.remove()

    assert table.loc["all"].to_dict() == pytest.approx(evaluate(replaced, histories, catalogue), abs=1e-9)


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
    table = effects(rec, sae, few, "blocks.0")["effects"]
    inputs, _ = few.split_last()
    for path, site in (("layers", "blocks.0"), ("direct", "blocks.1")):
        made = promoted_items(mean_jacobian(rec, inputs, site, step=sae.std), sae, recommender.vocabulary.ids)
        mine = table[table["path"] == path].drop(columns="path").reset_index(drop=True)
        assert mine.equals(made)
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
