"""All features of a study as one table: `study.features.to_frame()`."""

import pandas as pd

from interp.features.grades import GRADES, TESTED
from interp.steering.parsing import DICTIONARY
from interp.study.feature_view import FeatureView, FeatureViews

STATISTICS = ["density", "mean", "p99", "max", "std"]
OF_LABEL = ["precision", "recall", "f1"]
OF_CONCEPT = ["concept", "correlation", "auc", "sensitivity"]


def feature_frame(views: FeatureViews) -> pd.DataFrame:
    """See `Features.to_frame`."""
    study = views.study
    table = study.table("features").set_index("feature")
    labels = study.table("labels").set_index("feature")
    frame = table[STATISTICS].join(labels[OF_LABEL])
    frame.insert(0, "label", pd.Series({view.index: view.label for view in views}))
    frame.insert(1, "grade", pd.Series({view.index: grade(view) for view in views}))
    if study.has_concepts:
        evidence = study.table("feature_evidence").set_index("feature")
        frame = frame.join(table[OF_CONCEPT]).join(evidence[["unseen_items", "q"]])
    frame.attrs[DICTIONARY] = study.sae.fingerprint
    return frame


def grade(view: FeatureView) -> str:
    """How sure a feature's name is, in the words of `interp.features.grades`, or "dead"."""
    if view.dead:
        return "dead"
    return GRADES[TESTED if view.labelled else view.name.grade][0]
