"""Beyond the paper: how many features could be given a label that holds on users and items it was not made on."""

import pandas as pd

from interp.features.label_folds import REPEATS
from interp.features.labels import F1, LIFT
from interp.plots.blocks import Block, Column, exhibit, table
from interp.plots.names import EXAMPLES, KINDS
from interp.study.study import Study

N_LABELS = 12


def labels(study: Study) -> Block:
    """How many by kind; of labels that hold, each once, the best and the weakest."""
    kinds = study.table("label_kinds")
    chance = kinds.loc[kinds["kind"] == "all", "by_chance"].item()
    scores = [Column("precision", "Precision"), Column("recall", "Recall"), Column("f1", "F1")]
    kind_columns = [
        Column("name", "Best predicate", None),
        Column("features", "Features", 0),
        Column("on_unseen_users", "Hold on unseen users", 0),
        Column("labelled", "… and on unseen items", 0),
        *scores,
        Column("lift", "Lift", 1),
        Column("hard_precision", "Precision, hard"),
    ]
    label_columns = [
        Column("label", "Label", None),
        Column("features", "Features", 0),
        Column("feature", "Best", 0),
        *scores,
        Column("unseen_items", "Halves of the items"),
        *(Column(role, name, None) for role, name in EXAMPLES.items()),
    ]
    good = study.table("labels").query("labelled").sort_values("f1", ascending=False, kind="stable")
    good = good.assign(features=good.groupby(["kind", "label"])["feature"].transform("size"))
    good = good.drop_duplicates(["kind", "label"])
    ends = {
        "The labels that hold best": good.head(N_LABELS),
        "The weakest that are kept": good.iloc[N_LABELS:].tail(N_LABELS),
    }
    return exhibit(
        "",
        "What features are called, and whether that is true of other users and items",
        "A label is a predicate on the item of a step, or two at once, chosen for each feature on the users that "
        "trained the dictionary. The scores are from test users: of the steps that the label speaks of, the share "
        "where the feature is above the median of its activations (precision), the share of those that it speaks of "
        "(recall), and how much more often it is right than by chance (lift). Hard negatives are steps of items with a "
        "concept near to the feature, or where a feature of a similar direction is active; precision among them is for "
        f"as many as active steps. Features whose label has an F1 below {F1:g}, a lift below {LIFT:g} or a precision "
        f"among hard negatives below 2/3 stay unlabelled. The label of another feature gets that far in {chance:.2%} "
        "of cases. A label must also hold on items that it was not learnt from: learnt again on one half of the items, "
        f"it must pass on the other half, for more than half of {2 * REPEATS} halves. A label that is one item by name "
        "is exempt, and says “only”. Means are over labels that passed on these same users, so they lean to the good "
        "side.",
        ["labels", "label_kinds", "label_items"],
        table(kinds.assign(name=kinds["kind"].map(KINDS)), kind_columns, strong=[0]),
        *(table(_with_examples(study, rows), label_columns, title) for title, rows in ends.items() if len(rows)),
    )


def _with_examples(study: Study, rows: pd.DataFrame) -> pd.DataFrame:
    """With the titles of items that speak for each label and against it."""
    items = (
        study.table("label_items")
        .query("rank <= 2")
        .assign(title=lambda found: found["item"].map(study.items["title"]))
    )
    titles = items.groupby(["feature", "role"])["title"].agg("; ".join).unstack("role")
    return rows.join(titles.reindex(columns=list(EXAMPLES)).fillna("–"), on="feature")
