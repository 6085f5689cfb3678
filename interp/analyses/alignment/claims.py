"""Claims about what features stand for (paper section 7, Appendix C)."""

import pandas as pd

from interp.store.analysis import about_concepts
from interp.store.claim import Claim
from recmodels.wording import signed

MOST = 0.5
NEARLY_ALL = 0.9


@about_concepts
def monosemantic(concepts_table: pd.DataFrame, features_table: pd.DataFrame) -> Claim:
    """Section 7.1.1, from the tables `concepts` and `features`."""
    concepts, features = concepts_table, features_table
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


@about_concepts
def beats_neurons(concepts_table: pd.DataFrame) -> Claim:
    """Section 7.1.3, from the table `concepts`."""
    concepts = concepts_table
    wins = concepts["correlation"] > concepts["neuron_correlation"]
    exceptions = concepts.loc[~wins, "concept"].tolist()
    return Claim(
        "7.1.3",
        "For nearly every concept the best feature correlates better than the best neuron.",
        "Holds if it does for at least 9 in 10 concepts.",
        f"True for {int(wins.sum())} of {len(wins)} concepts"
        + (f", not for {', '.join(exceptions)}." if exceptions else "."),
        bool(wins.mean() >= NEARLY_ALL),
        ("concepts",),
    )


@about_concepts
def better_on_average(concepts_table: pd.DataFrame) -> Claim:
    """Section 7.1.3, Table 3, from the table `concepts`."""
    features, neurons = concepts_table["correlation"], concepts_table["neuron_correlation"]
    texts = [
        " / ".join(signed(number, ".3f") for number in (values.min(), values.mean(), values.max()))
        for values in (features, neurons)
    ]
    return Claim(
        "7.1.3",
        "On average over concepts, features correlate better than neurons.",
        "Holds if the mean over concepts is larger.",
        f"Minimum / mean / maximum: features {texts[0]}, neurons {texts[1]}.",
        bool(features.mean() > neurons.mean()),
        ("concepts",),
    )


@about_concepts
def grows_with_activation(
    concepts_table: pd.DataFrame, features_table: pd.DataFrame, histograms_table: pd.DataFrame
) -> Claim:
    """Section 7.2.1, from the tables `concepts`, `features` and `histograms`."""
    statement = "The stronger a feature is active, the larger the share of items that have its concept."
    criterion = (
        "Holds if, for at least 9 in 10 top features, the share is larger in the upper half of the activation’s "
        "range than in the lower (features that follow another concept more are left out)."
    )
    tables = ("concepts", "features", "histograms")
    best = features_table.set_index("feature")["concept"]
    own = [row.feature for row in concepts_table.itertuples() if best[row.feature] == row.concept]
    if not own:
        return Claim("7.2.1", statement, criterion, "Every top feature follows another concept more.", None, tables)
    by_feature = dict(iter(histograms_table.groupby("feature")))
    grows = sum(_upper_is_larger(by_feature[feature].sort_values("left")) for feature in own)
    result = f"True for {grows} of {len(own)} top features."
    return Claim("7.2.1", statement, criterion, result, grows >= NEARLY_ALL * len(own), tables)


@about_concepts
def other_attributes(attributes_table: pd.DataFrame, attribute: str) -> Claim:
    """Appendix C, from the table `attributes`."""
    statement = "Features also follow other attributes of the items better than neurons do."
    criterion = "Holds if the mean of the top features’ correlations is larger for each of the attributes."
    rest = attributes_table[attributes_table["attribute"] != attribute]
    if rest.empty:
        return Claim("C", statement, criterion, "No other attributes are configured.", None, ("attributes",))
    means = rest.groupby("attribute", sort=False)[["correlation", "neuron_correlation"]].mean()
    texts = [
        f"{row.Index} {signed(row.correlation, '.3f')} against {signed(row.neuron_correlation, '.3f')}"
        for row in means.itertuples()
    ]
    holds = bool((means["correlation"] > means["neuron_correlation"]).all())
    return Claim("C", statement, criterion, f"Features against neurons: {', '.join(texts)}.", holds, ("attributes",))


def _upper_is_larger(bins: pd.DataFrame) -> bool:
    half = len(bins) // 2
    lower, upper = (part[["present", "absent"]].sum() for part in (bins.iloc[:half], bins.iloc[half:]))
    return bool(upper["present"] / max(upper.sum(), 1) > lower["present"] / max(lower.sum(), 1))
