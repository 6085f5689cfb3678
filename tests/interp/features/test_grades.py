"""What features are called, and how good the evidence is: cases by hand."""

from types import SimpleNamespace as Row

import numpy as np
import pandas as pd
import pytest

from interp.concepts.alignment import UNALIGNED
from interp.features.grades import CORRELATED, GRADES, NO_NAME, TESTED, TESTED_ITEM, is_aligned, label_counts, name_of
from interp.plots.theme import plain

LABELS = {
    "tested": Row(labelled=True, label="Romance & Sci-Fi", kind="both"),
    "item": Row(labelled=True, label="only Alien", kind="item"),
    "failed": Row(labelled=False, label="War", kind="concept"),
}
FOLLOWS, FAINT = Row(concept="War", correlation=UNALIGNED), Row(concept="War", correlation=UNALIGNED - 0.01)
PASSES, FAILS = Row(passes=True), Row(passes=False)


@pytest.mark.parametrize(
    ("label", "feature", "evidence", "text", "grade", "group"),
    [
        ("tested", FOLLOWS, PASSES, "Romance & Sci-Fi", TESTED, "concept"),  # and not War, its best concept
        ("item", FOLLOWS, PASSES, "only Alien", TESTED_ITEM, "single item"),
        ("failed", FOLLOWS, PASSES, "≈ War", CORRELATED, ""),
        ("failed", FAINT, PASSES, "unlabelled", NO_NAME, ""),
        ("failed", FOLLOWS, FAILS, "unlabelled", NO_NAME, ""),
        ("failed", FOLLOWS, None, "unlabelled", NO_NAME, ""),  # a study without concepts
        ("failed", Row(concept="War", correlation=np.nan), PASSES, "unlabelled", NO_NAME, ""),
    ],
)
def test_a_tested_label_comes_before_a_correlation(label, feature, evidence, text, grade, group):
    name = name_of(LABELS[label], feature, evidence)
    assert (name.text, name.grade, name.group) == (text, grade, group)
    assert (grade == CORRELATED) <= is_aligned(feature, evidence)
    assert name.said == (text if grade == NO_NAME else f"{text} ({GRADES[grade][0]})")


def test_labels_are_counted_by_group():
    labels = pd.DataFrame(
        {
            "labelled": [True] * 6 + [False],
            "kind": ["year", "concept", "decade", "item", "both", "franchise", "concept"],
        }
    )
    assert label_counts(labels) == "6 tested: 2 concepts, 1 series, 1 single item, 2 years"
    assert label_counts(labels[6:]) == "0 tested"


def test_every_view_has_the_same_name(study):
    """Python, the map, sliders, reasons and the pages' chips."""
    for feature in study.features:
        name = study.names[feature.index]
        assert feature.name == feature.view.name == name
        assert f"feature {feature.index}: {name.said}" in repr(feature)
    texts = {
        int(number): text
        for trace in study.figures.map().data
        for number, text in zip(trace.customdata, trace.text, strict=True)
    }
    assert texts
    for number, text in texts.items():  # a family of near-duplicates is one point
        assert text.startswith(f"<b>Feature {number}</b> · {plain(study.names[number].said)}")
