import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from interp.activations.feature_matrix import encode
from interp.concepts import Concepts, concepts_of
from interp.control.profiles import FEATURES, concept_profiles, profile
from interp.control.sweeps import profile_points


class Plain:
    """A dictionary of three directions for activations that were divided by 2."""

    std = 2.0
    directions = torch.tensor([[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]])


def test_profiles_by_hand():
    # With the concept (rows 0 and 2) the means are 2, 0, 1; without it 0, 1, 1.
    activations = sparse.csc_array(np.array([[4.0, 0, 2], [0, 2, 0], [0, 0, 0], [0, 0, 2]]))
    has = np.array([[True, True, False], [False, True, False]])
    concepts = Concepts(["both", "every", "none"], pd.Index(["a", "b"]), has)
    found = concept_profiles(activations, ["a", "b", "a", "b"], concepts, Plain())
    assert found["concept"].unique().tolist() == ["both"]
    assert found["feature"].tolist() == [0, 1, 2]
    # 2 · (3, 0) − 1 · (0, 4) is of length √52, so 1 among normalised activations asks for 2 / √52 of it.
    np.testing.assert_allclose(found["weight"], np.array([2.0, -1, 0]) * 2 / np.sqrt(52), rtol=1e-6)


def test_a_profile_writes_a_direction_of_unit_length(sae, stores, planted):
    concepts, store = concepts_of(planted.items, "concepts"), stores["sae"]
    profiles = concept_profiles(encode(store, sae), store.rows["item"], concepts, sae)
    assert (profiles.groupby("concept").size() == FEATURES).all()
    name = profiles["concept"].iloc[0]
    (point,) = profile_points(sae, profiles, [name], [2.0])
    hidden = torch.from_numpy(np.array(store.activations[:5]))[:, None]
    moved = point.steer.apply(hidden, sae) - hidden
    np.testing.assert_allclose(moved.norm(dim=2) / sae.std, 2.0, rtol=1e-4)
    assert point.steer.concepts == [name]


def test_a_profile_of_users_is_their_mean(rec, histories):
    few = histories.select(np.arange(5))
    with rec.trace(few):
        features = rec.blocks[0].features.save()
    found = profile(rec, few)
    assert found.index.name == "feature"
    assert found.tolist() == pytest.approx(features[:, -1].mean(dim=0).tolist(), abs=1e-5)
