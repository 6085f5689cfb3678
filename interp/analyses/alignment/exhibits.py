"""Sections 7.1.1, 7.1.3 and 7.2 and Appendix C of the report: what features stand for."""

import pandas as pd

from interp import plots
from interp.pages.rendering import number, numbers
from interp.paper import paper_table
from interp.study.blocks import Block, Column, Source, exhibit, figure, missing, paper_name, table

SCORES = (
    ("correlation", "Correlation"),
    ("auc", "ROC AUC"),
    ("sensitivity", "Sensitivity"),
    ("popularity", "Popularity"),
)
# Table 2, Figures 2, 4 and 9 have counterparts for the paper's other experiments.
NUMBERS = {
    "top": {("ml-20m", "bert4rec"): "Table 4", ("music4all", "gptrec"): "Table 5"},
    "heatmap": {("ml-20m", "bert4rec"): "Figure 11", ("music4all", "gptrec"): "Figure 15"},
    "neurons": {("ml-20m", "bert4rec"): "Figure 12", ("music4all", "gptrec"): "Figure 4(b)"},
    "sweep": {("ml-20m", "bert4rec"): "Figure 14", ("music4all", "gptrec"): "Figure 17"},
}
FIRST = {"top": "Table 2", "heatmap": "Figure 2", "neurons": "Figure 4", "sweep": "Figure 9"}


def numbered(source: Source, what: str) -> str:
    """The paper's number of a table or figure, for its experiment with the same data and model if there is one."""
    return NUMBERS[what].get((source.study.name, source.model), FIRST[what])


def heatmap(source: Source) -> Block:
    """Figure 2: each top feature against all concepts."""
    return exhibit(
        source,
        numbered(source, "heatmap"),
        "Top features against all concepts",
        "One row is one feature, the one that correlates most with the concept named first; its number follows. "
        "Orange: positive, blue: negative correlation.",
        ["alignment", "concepts"],
        figure(plots.concept_heatmap(source["alignment"], source["concepts"])),
    )


def top_features(source: Source) -> Block:
    """Table 2: scores of the top features."""
    keys = [key for key, _ in SCORES]
    mean = source["concepts"][keys].mean().to_frame().T.assign(concept="Mean")
    ours = pd.concat([source["concepts"][["concept", "feature", *keys]], mean], ignore_index=True)
    ours["feature"] = ["" if pd.isna(one) else f"{one:.0f}" for one in ours["feature"]]
    paper = paper_table("concepts")
    if source.is_the_papers(source.study.name, source.model):
        same = paper[(paper["dataset"] == source.study.name) & (paper["model"] == source.model)]
    else:
        same = paper.iloc[:0]
    columns = [Column("concept", "Concept", None), Column("feature", "Feature", None)]
    strong = [len(ours) - 1]
    context = []
    if same.empty:
        columns += [Column(key, name) for key, name in SCORES]
        columns_of_paper = [Column("concept", "Genre", None), *(Column(key, name, 3, True) for key, name in SCORES)]
        for (number_, dataset, model), rows in paper.groupby(["table", "dataset", "model"], sort=False):
            title = f"The paper’s Table {number_}, {paper_name(dataset, model)}"
            context.append(table(rows, [*columns_of_paper, Column("note", "", None)], title, [len(rows) - 1]))
    else:
        theirs = same.drop(columns=["table", "dataset", "model"]).add_suffix("_paper")
        ours = ours.assign(key=ours["concept"].str.casefold()).merge(
            theirs.assign(key=theirs["concept_paper"].str.casefold()), on="key", how="left"
        )
        ours["note_paper"] = ours["note_paper"].fillna("")
        for key, name in SCORES:
            columns += [Column(key, name), Column(f"{key}_paper", "paper", 3, True)]
        columns.append(Column("note_paper", "", None))
    return exhibit(
        source,
        numbered(source, "top"),
        "Top features of the concepts",
        "Of the feature with the largest correlation with each concept, on the test part; popularity is the share of "
        "steps with the concept. The means are the overall metrics.",
        ["concepts"],
        table(ours, columns, strong=strong),
        *context,
    )


def beside_neurons(source: Source) -> Block:
    """Figure 4: features beside neurons."""
    return exhibit(
        source,
        numbered(source, "neurons"),
        "Features beside neurons",
        f"Largest correlation of any neuron of {source.study.site} and of any SAE feature with each concept.",
        ["concepts"],
        figure(plots.features_beside_neurons(source["concepts"])),
    )


def extremes(source: Source) -> Block:
    """Table 3: minimum, mean and maximum."""
    paper = paper_table("table3")
    paper["name"] = [f"the paper’s {paper_name(row.dataset, row.model)}" for row in paper.itertuples()]
    ours = _extremes(source["concepts"].assign(name=source.name), "name")
    return exhibit(
        source,
        "Table 3",
        "Features beside neurons, in short",
        "Minimum, mean and maximum over concepts of the largest correlation. Below, the paper’s experiments.",
        ["concepts"],
        table(pd.concat([ours, paper], ignore_index=True), [Column("name", "", None), *_extreme_columns()], strong=[0]),
    )


def activations(source: Source) -> Block:
    """Figure 5: histograms of the first two steered concepts."""
    steered = source["steering"]["target"].drop_duplicates().head(2)
    top = source["concepts"].set_index("concept")["feature"]
    best = source["features"].set_index("feature")["concept"]
    histograms = source["histograms"]
    drawn = []
    for letter, concept in zip("ab", steered, strict=False):
        feature = int(top[concept])
        rows = histograms[histograms["feature"] == feature]
        title = f"({letter}) {concept}: feature {feature}"
        if best[feature] != concept:
            title += f", which follows {best[feature]} more"
        drawn.append(figure(plots.activation_histogram(rows, best[feature]), title, half=True))
    return exhibit(
        source,
        "Figure 5",
        "Activations of top features",
        "Positive activations on test steps, split by whether the item has the feature’s best concept.",
        ["histograms", "concepts", "features"],
        *drawn,
    )


def cases(source: Source) -> Block:
    """Figure 6: histories of the best case of each kind, and all cases found."""
    found, histories = source["cases"], source["case_histories"]
    items, largest = source.study.items, source["features"].set_index("feature")["max"]
    groups = []
    for case in found[found["rank"] == 1].itertuples():
        rows = histories[histories["kind"] == case.kind]
        groups.append(
            {
                "title": f"{case.kind}: {case.concept} (feature {case.feature}, p_top100 {case.p_top100:.2f})",
                "concept": case.concept,
                "largest": number(largest[case.feature]),
                "histories": [_history(history, items) for _, history in rows.groupby("rank")],
            }
        )
    columns = [
        Column("kind", "Kind", None),
        Column("concept", "Stands for", None),
        Column("feature", "Feature", 0),
        Column("correlation", "Correlation"),
        Column("auc", "ROC AUC"),
        Column("p_top100", "p_top100"),
        Column("p_top100_pooled", "p_top100, pooled"),
        Column("rows", "Steps with it", 0),
    ]
    return exhibit(
        source,
        "Figure 6",
        "Features for more than the concepts",
        "Found by search over all features and the categories that the items allow, best aligned first. The strongest "
        "histories of each kind’s first are shown around their peak (outlined). Yellow to red: activation, as a share "
        "of the feature’s largest. Blue edge and filled label: the item belongs to the category.",
        ["cases", "case_histories", "features", "items"],
        {"kind": "histories", "groups": groups},
        table(found, columns),
    )


def other_attributes(source: Source) -> list[Block]:
    """Figure 18 and Table 6: the same for other attributes."""
    rows = source["attributes"]
    others = rows[rows["attribute"] != source.study.record["attribute"]]
    letters = "abcdefghijklmnopqrstuvwxyz"
    drawn = [
        figure(plots.features_beside_neurons(group), f"({letters[place % 26]}) {name}")
        for place, (name, group) in enumerate(others.groupby("attribute", sort=False))
    ]
    not_run = missing("--other-attributes decade franchise (any column of the item table)")
    paper = paper_table("table6")
    paper["name"] = "the paper’s " + paper["attribute"]
    numbers_ = _extremes(others, "attribute").rename(columns={"attribute": "name"})
    shown = table(
        pd.concat([numbers_, paper], ignore_index=True), [Column("name", "Attribute", None), *_extreme_columns()]
    )
    bars = exhibit(
        source,
        "Figure 18",
        "Features beside neurons for other attributes",
        "Largest correlation of any neuron and of any feature with each of the most frequent values.",
        ["attributes"],
        *(drawn or [not_run]),
    )
    summary = exhibit(
        source,
        "Table 6",
        "Features beside neurons for other attributes, in short",
        "Minimum, mean and maximum over the values of each attribute. The paper’s are of GPTRec on MovieLens-20M.",
        ["attributes"],
        *([] if drawn else [not_run]),
        shown,
    )
    return [bars, summary]


def _history(rows: pd.DataFrame, items: pd.DataFrame) -> Block:
    known = items.loc[rows["item"]]
    return {
        "user": str(rows["user"].iat[0]),
        "first": int(rows["step"].iat[0]),
        "titles": known["title"].tolist(),
        "concepts": [list(names) for names in known["concepts"]],
        "has": rows["has"].astype(bool).tolist(),
        "activations": numbers(rows["activation"]),
    }


def _extremes(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    groups = rows.groupby(by, sort=False)[["neuron_correlation", "correlation"]].agg(["min", "mean", "max"])
    groups.columns = [f"{who}_{what}" for who in ("neurons", "sae") for what in ("min", "mean", "max")]
    return groups.reset_index()


def _extreme_columns() -> list[Column]:
    heads = (("neurons", "Neurons"), ("sae", "SAE"))
    return [Column(f"{who}_{what}", f"{name} {what}", 2) for who, name in heads for what in ("min", "mean", "max")]
