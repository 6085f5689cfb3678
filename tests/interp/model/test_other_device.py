"""Nothing is left on the CPU by accident: the same numbers on a device whose tensors do not mix with the CPU's."""

import numpy as np
import pandas as pd
import pytest
import torch
from other_device import DEVICE, Elsewhere, OtherDevice
from tiny_recommenders import HISTORIES, IDS, every_steer, random_sae, tiny

from interp.activations.collecting import collect
from interp.activations.feature_matrix import encode, last_features, step_features
from interp.activations.fidelity import downstream, reconstruction
from interp.control.baselines import Raise, boosted_lists
from interp.control.feature_ablations import feature_ablations
from interp.control.least_collateral import learn_weights
from interp.control.list_entry import to_enter
from interp.control.ranking_kept import ranking_kept
from interp.control.score_changes import feature_contributions
from interp.control.score_equations import LastStates
from interp.control.steered_lists import steered_lists
from interp.features.effects import mean_jacobian, promoted_items
from interp.features.explanations import why
from interp.model.envoys import RecommenderEnvoy

HAS = np.arange(len(IDS)) % 3 == 0


@pytest.fixture(scope="module", params=["gptrec", "bert4rec"])
def pair(request):
    """The same recommender and dictionary on the CPU and elsewhere, inside the guard."""
    with OtherDevice():
        here, there = tiny(request.param), tiny(request.param)
        there.model.to(DEVICE)
        yield tuple(RecommenderEnvoy(some, random_sae("top_k", here.fingerprint)) for some in (here, there))


def test_the_device_tells():
    with OtherDevice():
        there = torch.ones(3, device=DEVICE)
        assert isinstance(there * 2, Elsewhere)
        assert (there * 2).device == DEVICE
        for mistake in (lambda: there + torch.ones(3), lambda: there.numpy(), lambda: there @ torch.ones(3)):
            with pytest.raises((RuntimeError, TypeError)):
                mistake()
        assert (there + 1).cpu().tolist() == [2, 2, 2]


def users(rec):
    return rec.recommender.histories({str(name): items for name, items in HISTORIES.items() if len(items) > 1})


def contributions(rec, folder):
    return feature_contributions(rec, HISTORIES["ann"], IDS[20:23], rec.steer_of({3: 2.0, 9: -1.0}, op="add"))


def evaluation(rec, folder):
    sae, store = rec.site("blocks.0").sae, collect(rec, users(rec), folder / rec.device.type)
    return [*reconstruction(store, sae).values(), *encode(store, sae).toarray().ravel()]


def entry(rec, folder):
    return pd.DataFrame(to_enter(rec, HISTORIES["ann"], IDS[30]).ways)["rank_after"]


COMPUTATIONS = {
    "lists": lambda rec, _: rec.rank(HISTORIES),
    "scores": lambda rec, _: rec.recommend(HISTORIES)["score"],
    "steers": lambda rec, _: steered_lists(rec, rec.recommender.histories(HISTORIES), list(every_steer(rec).values())),
    "features": lambda rec, _: last_features(rec, "blocks.0", users(rec)).toarray(),
    "features of steps": lambda rec, _: step_features(rec, "blocks.0", users(rec)).toarray(),
    "evaluation": evaluation,
    "fidelity": lambda rec, _: downstream(rec, users(rec), "blocks.0").drop(columns="replaced"),
    "ranking kept": lambda rec, _: [value for value in vars(ranking_kept(rec, users(rec), "blocks.0")).values()],
    "effects": lambda rec, _: mean_jacobian(rec, users(rec), "blocks.0", 0.5),
    "explanation": lambda rec, _: why(rec, HISTORIES["ann"], IDS[30], 4).features,
    "ablations": lambda rec, _: feature_ablations(rec, users(rec), "blocks.0")[["lists", "overlap", "ndcg"]],
    "contributions": lambda rec, folder: contributions(rec, folder)["change"],
    "entry": entry,
    "boosts": lambda rec, _: boosted_lists(rec, users(rec), [Raise(HAS, [0.5, 2.0], 20)])[0],
    "least collateral": lambda rec, _: learn_weights(rec, users(rec), "blocks.0", {"third": HAS}, 3)[["feature"]],
    "expected NDCG": lambda rec, _: LastStates.of(rec, users(rec)).expected_ndcg(rec.rank(users(rec))),
}


@pytest.mark.parametrize("name", COMPUTATIONS)
def test_a_recommender_elsewhere_gives_the_same_numbers(pair, name, tmp_path):
    with OtherDevice():
        here, there = (np.asarray(COMPUTATIONS[name](rec, tmp_path), dtype=float) for rec in pair)
    np.testing.assert_allclose(there, here, rtol=1e-3, atol=1e-4)


def test_promoted_items_of_a_dictionary_elsewhere(pair):
    with OtherDevice():
        here, there = (promoted_items(np.eye(40, 16), rec.site("blocks.0").sae, pd.Index(IDS), 3) for rec in pair)
    pd.testing.assert_frame_equal(there, here)
