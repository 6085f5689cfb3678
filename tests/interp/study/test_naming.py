"""Names that a function gives, scored as labels are."""

import numpy as np
import pandas as pd
import pytest

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import encode
from interp.features.label_folds import label_halves
from interp.study.naming import MIN_STEPS, Name, label_with
from recmodels.errors import InputError


def has(concept):
    return lambda items: items["concepts"].map(lambda names: concept in names)


def hidden_items(study):
    """The half of the items that a function is not given, on which its names must hold."""
    rows = [study.activations(part).rows["item"] for part in ("sae", "test")]
    items = pd.Index(np.union1d(*rows))
    return items[label_halves(items, study.concepts, rows[0].value_counts())[0]]


def test_a_name_of_the_shown_items_alone_does_not_hold(study):
    """It is true of other users, but says nothing of the items that were hidden."""
    hidden = hidden_items(study)
    feature = study.table("labels").query("kind == 'concept'").sort_values("f1")["feature"].iloc[-1]
    label = study.table("labels").set_index("feature")["label"][feature]

    def function(evidence):
        return Name("shown", lambda items: has(label)(items) & ~items.index.isin(hidden))

    row = label_with(study, function, [feature]).iloc[0]
    assert row["on_unseen_users"]
    assert row["unseen_items"] == 0
    assert not row["labelled"]


def test_a_function_that_says_what_the_table_says_scores_the_same(study):
    table = study.table("labels")
    chosen = table[(table["kind"] == "concept") & (table["active"] > 0)].head(5)
    names = chosen.set_index("feature")["label"]
    seen = []

    def function(evidence):
        seen.append(evidence)
        return Name(f"about {names[evidence.feature]}", has(names[evidence.feature]))

    found = label_with(study, function, chosen["feature"])
    columns = table.columns.drop(["label", "kind", "unseen_items", "labelled"])
    pd.testing.assert_frame_equal(found[columns], chosen[columns].reset_index(drop=True))
    assert found["label"].tolist() == [f"about {name}" for name in names]
    assert set(found["kind"]) == {"named"}
    assert (found["labelled"] == (found["on_unseen_users"] & (found["unseen_items"] == 1))).all()
    assert found["labelled"].any()
    hidden = hidden_items(study)
    # The evidence names the same concept as the label that was chosen from it.
    for evidence in seen:
        assert evidence.concepts["concept"].iloc[0] == names[evidence.feature]
        assert evidence.concepts["f1"].is_monotonic_decreasing
        assert evidence.items["activation"].is_monotonic_decreasing
        assert evidence.items["active"].between(0, 1).all()
        assert evidence.items["title"].tolist() == study.items.loc[evidence.items["item"], "title"].tolist()
        effects = study.features[evidence.feature].effects.query("path == 'layers' and direction == 'promoted'")
        assert evidence.promoted["item"].tolist() == effects.loc[~effects["item"].isin(hidden), "item"].tolist()
        assert not evidence.items["item"].isin(hidden).any()


def test_items_that_light_a_feature_are_those_of_the_part_it_was_trained_on(study):
    """Counted again step by step; nothing of the test users is shown."""
    feature = int(study.table("concepts")["feature"][0])
    seen = []
    label_with(study, seen.append, [feature])
    shown = seen[0].items
    store = ActivationStore.load(study.folder / "activations" / study.site / "sae")
    values = encode(store, study.sae)[:, [feature]].toarray()[:, 0]
    rows = store.rows.assign(activation=values, active=values > np.median(values[values > 0]))
    means = rows.groupby("item").agg(
        steps=("user", "size"), active=("active", "mean"), activation=("activation", "mean")
    )
    for column in means:
        assert shown[column].tolist() == pytest.approx(means.loc[shown["item"], column].tolist(), rel=1e-4)
    common = means[means["steps"] >= MIN_STEPS]
    rest = common[~common.index.isin(hidden_items(study))].drop(shown["item"])
    assert rest["activation"].max() <= shown["activation"].min() + 1e-6


def test_a_function_may_decline(study):
    feature = study.table("concepts")["feature"][0]
    (row,) = label_with(study, lambda evidence: None, [feature]).to_dict("records")
    assert (row["feature"], row["label"], row["kind"], row["labelled"], row["support"]) == (feature, "", "", False, 0)


def test_a_name_that_fits_all_items_says_nothing(study):
    feature = study.table("concepts")["feature"][0]
    row = label_with(study, lambda evidence: Name("anything", lambda items: [True] * len(items)), [feature]).iloc[0]
    assert row["recall"] == 1
    assert row["lift"] == pytest.approx(1)
    assert row["hard_precision"] == pytest.approx(0.5)
    assert not row["labelled"]


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("Horror", "the function is a str: give a function from a feature's evidence to a Name or None$"),
        (
            lambda evidence: "Horror",
            r"returned a str for feature 3: return None or a Name\(.*\(from interp import Name\)$",
        ),
        (lambda evidence: 1 / 0, r"failed for every feature: .* \(feature 3: ZeroDivisionError: division by zero\)$"),
        (lambda evidence: Name("Horror", lambda items: [True]), "answers for 1 items: give a truth value for each of"),
    ],
)
def test_mistakes(study, function, says):
    with pytest.raises(InputError, match=says):
        label_with(study, function, [3])


def test_unknown_features_are_refused(study):
    with pytest.raises(InputError, match="no feature 999"):
        label_with(study, lambda evidence: None, [999])


def test_a_function_that_fails_for_some_features_costs_only_these(study):
    """As it names a feature, and as its name is asked about items; the first error is told on one line."""

    def times_out(items):
        raise TimeoutError("no answer\nin 60 s")

    def function(evidence):
        if evidence.feature == 6:
            raise KeyError("answer")
        return Name("named", times_out if evidence.feature == 4 else lambda items: [True] * len(items))

    with pytest.warns(UserWarning, match="stay without a name") as warned:
        found = label_with(study, function, [5, 4, 6, 7])
    assert found["label"].tolist() == ["named", "", "", "named"]
    assert found["kind"].tolist() == ["named", "", "", "named"]
    (one,) = warned
    assert str(one.message) == (
        "the function failed for 2 of 4 features, which stay without a name; first for "
        "feature 4: TimeoutError: no answer in 60 s"
    )
    assert one.filename == __file__
