"""Profiles: the mean features of users, to blend with other users, and of concepts, to steer towards."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import sparse

from interp.activations.feature_matrix import last_features
from interp.concepts import Concepts, non_constant_columns
from interp.model.envoys import RecommenderEnvoy, check_envoy
from interp.sae.autoencoder import SparseAutoencoder
from interp.steering.parsing import DICTIONARY

FEATURES = 20  # of a concept's profile


def profile(rec: RecommenderEnvoy, histories: Any, site: str | None = None) -> pd.Series:
    """Mean features of some users at the step that is scored, to blend with other users.

        with rec.steer(profile(rec, friends), weight=0.5):
            lists = rec.recommend(mine)

    Args:
        rec: the recommender, with a dictionary attached.
        histories: one history or many, in any form.
        site: the site of the dictionary; by default the only site with one.

    Returns:
        Activations, indexed by feature; they record the dictionary, and cannot steer another one.

    Raises:
        InputError: no history, an unknown item, or no such dictionary.
    """
    check_envoy(rec)
    name = rec.only_site() if site is None else site
    rows = last_features(rec, name, rec.recommender.histories(histories))
    means = pd.Series(np.asarray(rows.mean(axis=0)).ravel(), name="activation").rename_axis("feature")
    means.attrs[DICTIONARY] = rec.site(name).sae.fingerprint
    return means


def concept_profiles(
    activations: sparse.csc_array, items: Any, concepts: Concepts, sae: SparseAutoencoder
) -> pd.DataFrame:
    """The difference of mean features with and without each concept.

    A profile that is added to a user's features steers them towards the concept. It is the counterpart, in features, of
    the difference of mean hidden states (Marks and Tegmark, *The Geometry of Truth*, arXiv 2310.06824).

    Args:
        activations: [n, f] of the part that the dictionary was trained on.
        items: the item of each row.
        concepts: concepts of the items; those of no row or of all rows have no profile.
        sae: the dictionary.

    Returns:
        concept, feature, weight: differences of means of the 20 features where they are largest, scaled so that the
        direction of all of them together has length 1 in normalised activations; all 0 if no mean differs.
    """
    labels, rows = concepts.labels(items), activations.tocsr()
    parts = []
    for column in non_constant_columns(labels):
        has = labels[:, column]
        with_it, without = (np.asarray(rows[np.flatnonzero(some)].mean(axis=0)).ravel() for some in (has, ~has))
        difference = (with_it - without).astype(np.float32)
        features = np.argsort(-np.abs(difference), kind="stable")[:FEATURES]
        weight = difference[features]
        length = float((torch.from_numpy(weight) @ sae.directions[features.tolist()].cpu()).norm()) / sae.std
        parts.append(
            pd.DataFrame({"concept": concepts.names[column], "feature": features, "weight": weight / (length or 1)})
        )
    return pd.concat(parts, ignore_index=True)
