"""Sections 7.1.1, 7.1.3 and 7.2 and Appendix C of the report: what features stand for."""

import pandas as pd

from interp import plots
from interp.paper import is_the_papers, number_of, paper_table
from interp.plots.blocks import Block, Column, exhibit, figure, missing, paper_name, table
from interp.store.analysis import about_concepts
from interp.study.study import Study

SCORES = (
    ("correlation", "Correlation"),
    ("auc", "ROC AUC"),
    ("sensitivity", "Sensitivity"),
    ("popularity", "Popularity"),
)


@about_concepts
def heatmap(study: Study) -> Block:
    """Figure 2: each top feature against all concepts."""
    return exhibit(
        number_of("heatmap", study.name, study.model),
        "Top features against all concepts",
        "One row is one feature, the one that correlates most with the concept named first; its number follows. "
        "Green: positive, orange: negative correlation.",
        ["alignment", "concepts"],
        figure(plots.concept_heatmap(study.table("alignment"), study.table("concepts"))),
    )


@about_concepts
def top_features(study: Study) -> Block:
    """Table 2: scores of the top features."""
    keys = [key for key, _ in SCORES]
    mean = study.table("concepts")[keys].mean().to_frame().T.assign(concept="Mean")
    results = pd.concat([study.table("concepts")[["concept", "feature", *keys]], mean], ignore_index=True)
    results["feature"] = ["" if pd.isna(value) else f"{value:.0f}" for value in results["feature"]]
    paper = paper_table("concepts")
    if is_the_papers(study, study.name, study.model):
        paper_rows = paper[(paper["dataset"] == study.name) & (paper["model"] == study.model)]
    else:
        paper_rows = paper.iloc[:0]
    columns = [Column("concept", "Concept", None), Column("feature", "Feature", None)]
    strong = [len(results) - 1]
    context = []
    if paper_rows.empty:
        columns += [Column(key, name) for key, name in SCORES]
        columns_of_paper = [Column("concept", "Genre", None), *(Column(key, name, 3, True) for key, name in SCORES)]
        for (number_, dataset, model), rows in paper.groupby(["table", "dataset", "model"], sort=False):
            title = f"The paper’s Table {number_}, {paper_name(dataset, model)}"
            context.append(table(rows, [*columns_of_paper, Column("note", "", None)], title, [len(rows) - 1]))
    else:
        paper_columns = paper_rows.drop(columns=["table", "dataset", "model"]).add_suffix("_paper")
        results = results.assign(key=results["concept"].str.casefold()).merge(
            paper_columns.assign(key=paper_columns["concept_paper"].str.casefold()), on="key", how="left"
        )
        results["note_paper"] = results["note_paper"].fillna("")
        for key, name in SCORES:
            columns += [Column(key, name), Column(f"{key}_paper", "paper", 3, True)]
        columns.append(Column("note_paper", "", None))
    return exhibit(
        number_of("top", study.name, study.model),
        "Top features of the concepts",
        "Of the feature with the largest correlation with each concept, on the test part; popularity is the share of "
        "steps with the concept. The means are the overall metrics.",
        ["concepts"],
        table(results, columns, strong=strong),
        *context,
    )


@about_concepts
def beside_neurons(study: Study) -> Block:
    """Figure 4: features beside neurons."""
    return exhibit(
        number_of("neurons", study.name, study.model),
        "Features beside neurons",
        f"Largest correlation of any neuron of {study.site} and of any SAE feature with each concept.",
        ["concepts"],
        figure(plots.features_beside_neurons(study.table("concepts"))),
    )


@about_concepts
def extremes(study: Study) -> Block:
    """Table 3: minimum, mean and maximum."""
    paper = paper_table("table3")
    paper["name"] = [f"the paper’s {paper_name(row.dataset, row.model)}" for row in paper.itertuples()]
    results = _extremes(study.table("concepts").assign(name=study.title), "name")
    return exhibit(
        "Table 3",
        "Features beside neurons, in short",
        "Minimum, mean and maximum over concepts of the largest correlation. Below, the paper’s experiments.",
        ["concepts"],
        table(
            pd.concat([results, paper], ignore_index=True), [Column("name", "", None), *_extreme_columns()], strong=[0]
        ),
    )


@about_concepts
def activations(study: Study) -> Block:
    """Figure 5: histograms of the first two steered concepts."""
    targets = study.table("steering")["target"].drop_duplicates().head(2)
    top = study.table("concepts").set_index("concept")["feature"]
    best = study.table("features").set_index("feature")["concept"]
    histograms = study.table("histograms")
    figures = []
    for letter, concept in zip("ab", targets, strict=False):
        feature = int(top[concept])
        rows = histograms[histograms["feature"] == feature]
        title = f"({letter}) {concept}: feature {feature}"
        if best[feature] != concept:
            title += f", which follows {best[feature]} more"
        figures.append(figure(plots.activation_histogram(rows, best[feature]), title, half=True))
    return exhibit(
        "Figure 5",
        "Activations of top features",
        "Positive activations on test steps, split by whether the item has the feature’s best concept.",
        ["histograms", "concepts", "features"],
        *figures,
    )


@about_concepts
def other_attributes(study: Study) -> list[Block]:
    """Figure 18 and Table 6: the same for other attributes."""
    rows = study.table("attributes")
    rest = rows[rows["attribute"] != study.record["attribute"]]
    letters = "abcdefghijklmnopqrstuvwxyz"
    figures = [
        figure(plots.features_beside_neurons(group), f"({letters[place % 26]}) {name}")
        for place, (name, group) in enumerate(rest.groupby("attribute", sort=False))
    ]
    not_run = missing("--other-attributes decade franchise (any column of the item table)")
    paper = paper_table("table6")
    paper["name"] = "the paper’s " + paper["attribute"]
    numbers_ = _extremes(rest, "attribute").rename(columns={"attribute": "name"})
    summary_table = table(
        pd.concat([numbers_, paper], ignore_index=True), [Column("name", "Attribute", None), *_extreme_columns()]
    )
    bars = exhibit(
        "Figure 18",
        "Features beside neurons for other attributes",
        "Largest correlation of any neuron and of any feature with each of the most frequent values.",
        ["attributes"],
        *(figures or [not_run]),
    )
    summary = exhibit(
        "Table 6",
        "Features beside neurons for other attributes, in short",
        "Minimum, mean and maximum over the values of each attribute, on the steps whose item has a known value"
        f"{_known(rest)}. The paper’s are of GPTRec on MovieLens-20M.",
        ["attributes"],
        *([] if figures else [not_run]),
        summary_table,
    )
    return [bars, summary]


def _known(rows: pd.DataFrame) -> str:
    """Which share of the steps that is, for the attributes that are not known of all items."""
    shares = rows.groupby("attribute", sort=False)["known"].first()
    texts = [f"{name} {share:.0%}" for name, share in shares.items() if share < 1]
    return f" ({', '.join(texts)} of the steps)" if texts else ""


def _extremes(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    groups = rows.groupby(by, sort=False)[["neuron_correlation", "correlation"]].agg(["min", "mean", "max"])
    groups.columns = [f"{source}_{statistic}" for source in ("neurons", "sae") for statistic in ("min", "mean", "max")]
    return groups.reset_index()


def _extreme_columns() -> list[Column]:
    heads = (("neurons", "Neurons"), ("sae", "SAE"))
    return [
        Column(f"{source}_{statistic}", f"{name} {statistic}", 2)
        for source, name in heads
        for statistic in ("min", "mean", "max")
    ]
