"""A feature in a sentence, worked out by hand from the study of `pages`."""

import pytest
from pages import CONCEPTS, DEAD, HOSTILE, handmade_study

TURNED = (
    "turned up by its 99th percentile it moves {} from 10.0% to 30.0% of the lists, +20.0 [+17.0, +23.0] points, and "
    "changes NDCG@10 by −0.010 "
)
RE_RANKED = "re-ranking to that share changes it by −0.020 [−0.050, +0.010]."


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return handmade_study(tmp_path_factory.mktemp("study"))


def test_a_tested_feature_says_what_lights_it_and_what_it_does(study):
    assert study.features[7].sentence == (
        f"Lights on {CONCEPTS[0]}; promotes {HOSTILE['rtl']} and Film 30; {TURNED.format(CONCEPTS[0])}"
        f"[−0.040, +0.020], 95 users; {RE_RANKED}"
    )


def test_a_correlated_one_says_that_it_only_correlates_and_who_measured_it(study):
    assert study.features[20].sentence == (
        f"Lights on items such as Film 20 and correlates with {CONCEPTS[0]}; promotes Film 21 and Film 22; "
        f"{TURNED.format(CONCEPTS[1])}[−0.040, +0.020], 47 users (the concept was chosen on others); {RE_RANKED}"
    )


def test_what_moves_nothing_clearly_says_so(study, monkeypatch):
    costs = study.table("feature_costs").assign(share_low=-0.01, concept=CONCEPTS[2])
    table = study.table
    monkeypatch.setattr(type(study), "table", lambda self, name: costs if name == "feature_costs" else table(name))
    study.__dict__.pop("features", None)
    text = study.features[7].sentence
    study.__dict__.pop("features", None)
    assert (
        f"it does not clearly move {CONCEPTS[2]}, 10.0% to 30.0% of the lists, +20.0 [−1.0, +23.0] points, and" in text
    )
    assert "re-ranking" not in text


def test_a_dead_feature_says_that_it_was_never_on(study):
    assert study.features[DEAD].sentence == "It was never on for the test users."


def test_the_sentence_is_shown_in_a_terminal_and_a_notebook(study):
    feature = study.features[7]
    assert " ".join(feature.sentence.split()[-9:]) in " ".join(repr(feature).split())
    assert "re-ranking to that share" in feature._repr_html_()
    assert feature.costs["ahead"] == pytest.approx(0.01)
    assert set(feature.receipt["concept"]) == {"", *CONCEPTS}
    assert study.features[DEAD].receipt.empty
    assert study.features[DEAD].costs.empty
