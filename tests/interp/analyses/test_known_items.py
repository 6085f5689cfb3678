"""Attributes that are not known of all items: a film whose director nobody noted has one, and may be the very one."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from interp.analyses.alignment.tables import _attributes, _features_beside_neurons
from interp.analyses.other_attributes.claims import attributes
from interp.concepts import concepts_of
from interp.concepts.alignment import align
from interp.concepts.evidence import Rows
from interp.features.candidate_rows import known_rows

# Kubrick made the films 0 to 3, but the table does not know it of 2 and 3; Lean made 4 and 5; of 6 nothing is known.
ITEMS = pd.DataFrame({"director": ["Kubrick", "Kubrick", None, None, "Lean", "Lean", None]})
STEPS = np.array([0, 1, 2, 3, 4, 5, 6, 0, 2, 4])
KUBRICK = np.isin(STEPS, [0, 1, 2, 3]).astype(float)


@pytest.fixture
def directors():
    return concepts_of(ITEMS, "director", of_every_item=True)


def test_a_feature_of_a_director_is_not_marked_down_for_films_that_nobody_noted(directors):
    """On known steps it is perfect; if unknown were absent, it would be right on 3 of its 6 steps only."""
    store = SimpleNamespace(rows=pd.DataFrame({"item": STEPS}))
    features, neurons = sparse.csc_array(KUBRICK[:, None]), KUBRICK[:, None] - 2
    genres = _features_beside_neurons(*(align(values, (STEPS < 3)[:, None], ["g"]) for values in (features, neurons)))
    rows = _attributes("genres", genres, features, neurons, store, {"director": directors}).set_index("concept")
    assert rows["known"].to_dict() == pytest.approx({"g": 1.0, "Kubrick": 0.6, "Lean": 0.6})
    assert rows.loc["Kubrick", ["correlation", "neuron_correlation", "auc"]].tolist() == pytest.approx([1, 1, 1])
    assert rows.at["Kubrick", "popularity"] == pytest.approx(3 / 6)
    as_absent = align(features, directors.labels(STEPS), directors.names).top().set_index("concept")
    assert as_absent.at["Kubrick", "correlation"] < 0.6


def test_only_steps_of_known_items_are_evidence(directors):
    rows = Rows(sparse.csc_array(KUBRICK[:, None]), STEPS, np.arange(len(STEPS)))
    known = known_rows(rows, directors)
    assert known.items.tolist() == [0, 1, 4, 5, 0, 4]
    assert known.users.tolist() == [0, 1, 4, 5, 7, 9]
    assert known.activations.toarray()[:, 0].tolist() == [1, 1, 0, 0, 1, 0]
    assert known_rows(rows, concepts_of(ITEMS, "director")) is rows


def summary(passes=2, low=0.01, high=0.05, known=0.96, attribute="directors", users=604):
    """The rows of one attribute with two values in the table `attribute_summary`."""
    return pd.DataFrame(
        {
            "attribute": attribute,
            "source": ["features", "neurons"],
            "known": known,
            "users": users,
            "values": 2,
            "correlation": [0.18, 0.1],
            "null": [0.12, 0.06],
            "unseen_items": [0.07, 0.04],
            "passes": [passes, 0],
            "ahead": [0.0, 0.03],
            "ahead_low": [0.0, low],
            "ahead_high": [0.0, high],
        }
    )


def test_the_claim_on_attributes_says_what_is_left_of_it():
    claim = attributes(summary(passes=1))
    assert claim.holds is False  # one of two is not more than half
    assert claim.measured == (
        "What is left of the paper's claim: directors (on the 96% of steps whose item has a known value) 0.180 as the "
        "paper measures, 0.120 by chance, 0.070 on unseen items, where neurons have 0.040 (+0.030 [+0.010, +0.050]); "
        "1 of 2 values pass."
    )
    assert "(on the" not in attributes(summary(known=1.0)).measured
    assert attributes(summary().iloc[:0]).holds is None


@pytest.mark.parametrize(
    ("others", "holds", "unclear"),
    [
        ({}, True, False),
        ({"low": -0.01}, None, True),
        ({"low": -0.05, "high": -0.01}, False, False),
        ({"low": -0.01, "passes": 1}, False, False),  # what fails, fails, whatever its interval
        ({"low": np.nan, "high": np.nan}, None, True),
        ({"users": 5}, None, True),
    ],
)
def test_the_claim_on_attributes_needs_every_one_of_them(others, holds, unclear):
    claim = attributes(pd.concat([summary(), summary(attribute="actors", **others)]))
    assert (claim.holds, claim.unclear) == (holds, unclear)
