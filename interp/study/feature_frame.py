"""All features of a study as one table: `study.features.to_frame()`."""

import pandas as pd

from interp.features.labels import UNLABELLED
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
    """How sure a feature's name is: "labelled", "aligned" (no label holds, a concept does), "unlabelled", or "dead"."""
    if view.dead:
        return "dead"
    return "labelled" if view.labelled else "aligned" if view.aligned else UNLABELLED
