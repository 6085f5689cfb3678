"""Claims about what features stand for (paper section 7, Appendix C)."""

import pandas as pd

from interp.concepts.alignment import UNALIGNED
from interp.store.claim import Claim

MOST = 0.5
NEARLY_ALL = 0.9
P_TOP = 0.5  # p_top100 from which on a feature stands for a category; the paper's examples have 0.58 to 0.98
SEVERAL = 2


def monosemantic(concepts: pd.DataFrame, features: pd.DataFrame) -> Claim:
    """Section 7.1.1, from the tables `concepts` and `features`."""
    best = features.set_index("feature")["concept"].loc[concepts["feature"]].to_numpy()
    own = int((best == concepts["concept"].to_numpy()).sum())
    return Claim(
        "7.1.1",
        "The concepts’ top features are mostly monosemantic.",
        "Holds if the top feature’s largest correlation is with its own concept for more than half of the concepts.",
        f"True for {own} of {len(concepts)} concepts.",
        own > MOST * len(concepts),
        ("concepts", "features"),
    )


def beats_neurons(concepts: pd.DataFrame) -> Claim:
    """Section 7.1.3, from the table `concepts`."""
    wins = concepts["correlation"] > concepts["neuron_correlation"]
    lost = concepts.loc[~wins, "concept"].tolist()
    return Claim(
        "7.1.3",
        "For nearly every concept the best feature correlates better than the best neuron.",
        "Holds if it does for at least 9 in 10 concepts.",
        f"True for {int(wins.sum())} of {len(wins)} concepts" + (f", not for {', '.join(lost)}." if lost else "."),
        bool(wins.mean() >= NEARLY_ALL),
        ("concepts",),
    )


def better_on_average(concepts: pd.DataFrame) -> Claim:
    """Section 7.1.3, Table 3, from the table `concepts`."""
    features, neurons = concepts["correlation"], concepts["neuron_correlation"]
    told = [f"{values.min():.3f} / {values.mean():.3f} / {values.max():.3f}" for values in (features, neurons)]
    return Claim(
        "7.1.3",
        "On average over concepts, features correlate better than neurons.",
        "Holds if the mean over concepts is larger.",
        f"Minimum / mean / maximum: features {told[0]}, neurons {told[1]}.",
        bool(features.mean() > neurons.mean()),
        ("concepts",),
    )


def grows_with_activation(concepts: pd.DataFrame, features: pd.DataFrame, histograms: pd.DataFrame) -> Claim:
    """Section 7.2.1, from the tables `concepts`, `features` and `histograms`."""
    statement = "The stronger a feature is active, the larger the share of items that have its concept."
    criterion = (
        "Holds if, for at least 9 in 10 top features, the share is larger in the upper half of the activation’s "
        "range than in the lower (features that follow another concept more are left out)."
    )
    tables = ("concepts", "features", "histograms")
    best = features.set_index("feature")["concept"]
    own = [row.feature for row in concepts.itertuples() if best[row.feature] == row.concept]
    if not own:
        return Claim("7.2.1", statement, criterion, "Every top feature follows another concept more.", None, tables)
    by_feature = dict(iter(histograms.groupby("feature")))
    grows = sum(_upper_is_larger(by_feature[feature].sort_values("left")) for feature in own)
    measured = f"True for {grows} of {len(own)} top features."
    return Claim("7.2.1", statement, criterion, measured, grows >= NEARLY_ALL * len(own), tables)


def beyond_the_concepts(cases: pd.DataFrame) -> Claim:
    """Section 7.2.2, from the table `cases`."""
    statement = "Some features stand for categories beyond the concepts, such as a film series, a language or a decade."
    criterion = (
        f"Holds if a feature has p_top100 of at least {P_TOP:g} and a correlation of at least {UNALIGNED:g} for a "
        "category of any kind but a single item."
    )
    rows = cases[cases["kind"] != "item"]
    if rows.empty:
        return Claim("7.2.2", statement, criterion, "The items allow no such categories.", None, ("cases",))
    # What nearly every item has takes a large share of any activation: that alone names nothing.
    best = _best_cases(rows[rows["correlation"] >= UNALIGNED])
    if best.empty:
        why = f"No category has a feature with a correlation of {UNALIGNED:g}."
        return Claim("7.2.2", statement, criterion, why, False, ("cases",))
    return Claim("7.2.2", statement, criterion, _listed(best), bool((best["p_top100"] >= P_TOP).any()), ("cases",))


def single_items(cases: pd.DataFrame) -> Claim:
    """Section 7.2.2, from the table `cases`."""
    statement = "A number of features activate predominantly on one popular item."
    criterion = f"Holds if at least {SEVERAL} features have p_top100 of at least {P_TOP:g} for a single item."
    rows = cases[cases["kind"] == "item"]
    if rows.empty:
        return Claim("7.2.2", statement, criterion, "No item is common enough to look.", None, ("cases",))
    found = rows[rows["p_top100"] >= P_TOP]
    measured = f"True for {len(found)} of the {len(rows)} best-aligned features. {_listed(_best_cases(rows))}"
    return Claim("7.2.2", statement, criterion, measured, len(found) >= SEVERAL, ("cases",))


def other_attributes(attributes: pd.DataFrame, own: str) -> Claim:
    """Appendix C, from the table `attributes`; `own` is the attribute of the study's concepts."""
    statement = "Features also follow other attributes of the items better than neurons do."
    criterion = "Holds if the mean of the top features’ correlations is larger for each of the attributes."
    others = attributes[attributes["attribute"] != own]
    if others.empty:
        return Claim("C", statement, criterion, "No other attributes are configured.", None, ("attributes",))
    means = others.groupby("attribute", sort=False)[["correlation", "neuron_correlation"]].mean()
    told = [f"{row.Index} {row.correlation:.3f} against {row.neuron_correlation:.3f}" for row in means.itertuples()]
    holds = bool((means["correlation"] > means["neuron_correlation"]).all())
    return Claim("C", statement, criterion, f"Features against neurons: {', '.join(told)}.", holds, ("attributes",))


def _upper_is_larger(bins: pd.DataFrame) -> bool:
    half = len(bins) // 2
    lower, upper = (part[["present", "absent"]].sum() for part in (bins.iloc[:half], bins.iloc[half:]))
    return bool(upper["present"] / max(upper.sum(), 1) > lower["present"] / max(lower.sum(), 1))


def _best_cases(cases: pd.DataFrame) -> pd.DataFrame:
    """Of every kind, the case with the largest p_top100."""
    return cases.sort_values("p_top100", ascending=False).drop_duplicates("kind").sort_values("kind")


def _listed(best: pd.DataFrame) -> str:
    told = [f"{row.kind} {row.concept} {row.p_top100:.2f}" for row in best.itertuples()]
    return f"Largest p_top100: {'; '.join(told)}."
