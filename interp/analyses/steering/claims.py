"""Claims about steering (paper section 8)."""

import pandas as pd

from interp.control.sweeps import monotone
from interp.store.claim import BEYOND, NO_HITS, Claim, drop
from recmodels.wording import signed

NEAR_ZERO, HIGH = 0.05, 0.5  # shares of the concept in the lists
GENTLE, STRONG = 2.0, 5.0  # absolute values set
MAX_LOSS = 0.10
ON_PAR = 0.80
INNER = 4.0


def rises(steering_table: pd.DataFrame) -> Claim:
    """Section 8.2.1."""
    statement = "For all steered features, the share of the concept increases monotonically with the activation."
    replacement = _replacement(steering_table)
    values = replacement["value"].dropna()
    low, high = values.min(), values.max()
    criterion = (
        f"Holds if it rises, and never falls from one value to the next, from {signed(low)} to {signed(high)}, for "
        "every feature."
    )
    if not low <= -INNER < INNER <= high:
        reason = f"The values do not span −{INNER:g} to {INNER:g}."
        return Claim("8.2.1", statement, criterion, reason, None, ("steering",))
    everywhere, inner = monotone(replacement, low, high), monotone(replacement, -INNER, INNER)
    result = (
        f"It rises throughout for {int(everywhere.sum())} of {len(everywhere)} features; "
        f"from −{INNER:g} to {INNER:g} for {int(inner.sum())}."
    )
    return Claim("8.2.1", statement, criterion, result, bool(everywhere.all()), ("steering",))


def vanishes(steering_table: pd.DataFrame) -> Claim:
    """Section 8.2.1."""
    return _at_the_end(
        _replacement(steering_table),
        "For large negative values the share of the concept is close to zero.",
        f"Holds if it is at most {NEAR_ZERO:g} at the lowest value for every feature.",
        low=True,
    )


def dominates(steering_table: pd.DataFrame) -> Claim:
    """Section 8.2.1."""
    return _at_the_end(
        _replacement(steering_table),
        "For large positive values the share of the concept is very high.",
        f"Holds if it is at least {HIGH:g} at the highest value for every feature.",
        low=False,
    )


def gentle_is_safe(steering_table: pd.DataFrame) -> Claim:
    """Section 8.2.2."""
    statement = "Small interventions are safe for the quality of the recommendations."
    criterion = (
        f"Holds if, with absolute values of at most {GENTLE:g}, NDCG@10 and Coverage@10 both lose less than "
        f"{MAX_LOSS:.0%} in most cases (a case is a feature and a value)."
    )
    gentle = _losses(_replacement(steering_table))[lambda rows: rows["value"].abs() <= GENTLE]
    if gentle.empty:
        return Claim("8.2.2", statement, criterion, "The study has no value that small.", None, ("steering",))
    if gentle["ndcg@10"].isna().any():
        return Claim("8.2.2", statement, criterion, NO_HITS, None, ("steering",))
    safe = (gentle["ndcg@10"] < MAX_LOSS) & (gentle["coverage@10"] < MAX_LOSS)
    mean = gentle[["ndcg@10", "coverage@10"]].mean()
    result = (
        f"True in {int(safe.sum())} of {len(safe)} cases; on average NDCG@10 changes by "
        f"{signed(-mean['ndcg@10'], '+.1%')}, Coverage@10 by {signed(-mean['coverage@10'], '+.1%')}."
    )
    return Claim("8.2.2", statement, criterion, result, bool(safe.mean() > 0.5), ("steering",))


def strong_costs_more(steering_table: pd.DataFrame) -> Claim:
    """Section 8.2.2."""
    statement = "Strong interventions can cost much of the quality."
    criterion = (
        f"Holds if NDCG@10 loses more on average with absolute values above {STRONG:g} than with at most {GENTLE:g}."
    )
    losses = _losses(_replacement(steering_table))
    size = losses["value"].abs()
    if not (size > STRONG).any() or not (size <= GENTLE).any():
        return Claim("8.2.2", statement, criterion, "The values do not span both ranges.", None, ("steering",))
    if losses["ndcg@10"].isna().any():
        return Claim("8.2.2", statement, criterion, NO_HITS, None, ("steering",))
    strong, gentle = losses.loc[size > STRONG, "ndcg@10"].mean(), losses.loc[size <= GENTLE, "ndcg@10"].mean()
    large, small = signed(-strong, "+.1%"), signed(-gentle, "+.1%")
    result = f"NDCG@10 changes by {large} on average with strong values and by {small} with small ones."
    return Claim("8.2.2", statement, criterion, result, bool(strong > gentle), ("steering",))


def probes_correlate_better(probes_table: pd.DataFrame, concepts_table: pd.DataFrame) -> Claim:
    """Section 8.2.3, from the tables `probes` and `concepts`."""
    both = probes_table.merge(concepts_table[["concept", "correlation"]], on="concept")
    mean = both[["correlation_decision", "correlation_probability", "correlation"]].mean()
    return Claim(
        "8.2.3",
        "Supervised linear probes correlate better with concepts than features do.",
        "Holds if the mean correlation of their decision values is larger than that of the top features.",
        f"Decision values {mean['correlation_decision']:.3f} (probabilities {mean['correlation_probability']:.3f}; the "
        f"paper has 0.7), top features {mean['correlation']:.3f}, over {len(both)} concepts.",
        bool(mean["correlation_decision"] > mean["correlation"]),
        ("probes", "concepts"),
    )


def on_par_with_probes(steering_table: pd.DataFrame) -> Claim:
    """Section 8.2.3, from the table `steering`."""
    statement = "Steering along a feature’s direction is on par with steering along a probe’s."
    criterion = (
        f"Holds if, over features and all factors above 0, the share gained is on average at least {ON_PAR:.0%} of "
        "the probes’."
    )
    rows = steering_table[steering_table["method"].isin(["add", "probe"])]
    plain = rows[rows["value"].isna()].set_index(["method", "target"])["share"]
    mean = rows[rows["value"] > 0].groupby(["method", "target"])["share"].mean()
    gain = (mean - plain).unstack("method").dropna()
    if gain.empty:
        return Claim("8.2.3", statement, criterion, "No factor is above 0.", None, ("steering",))
    sae, probe = gain["add"].mean(), gain["probe"].mean()
    enough = gain["add"] >= gain["probe"] - (1 - ON_PAR) * gain["probe"].abs()
    result = (
        f"The share rises by {signed(sae, '.3f')} along features and {signed(probe, '.3f')} along probes on average; "
        f"for {int(enough.sum())} of {len(enough)} concepts the feature’s gain is that large."
    )
    return Claim("8.2.3", statement, criterion, result, bool(sae >= probe - (1 - ON_PAR) * abs(probe)), ("steering",))


def keeping_the_error_is_cheaper(steering_table: pd.DataFrame) -> Claim:
    """Beyond the paper, from the table `steering`: its method "set" against "replace"."""
    statement = "Keeping the reconstruction error while steering costs less quality than the paper’s replacement."
    criterion = f"Holds if NDCG@10 loses less on average over features and absolute values of at most {GENTLE:g}."
    losses = {}
    for method in ("set", "replace"):
        rows = _losses(steering_table[steering_table["method"] == method])
        losses[method] = rows.loc[rows["value"].abs() <= GENTLE, "ndcg@10"].mean()
    if pd.isna(losses["set"]):
        reason = "The study has no value that small, or no test user's next item is in the top 10."
        return Claim(BEYOND, statement, criterion, reason, None, ("steering",))
    with_error, replacement = (signed(-losses[method], "+.1%") for method in ("set", "replace"))
    result = (
        f"NDCG@10 changes by {with_error} on average with the error kept and by {replacement} with the replacement."
    )
    return Claim(BEYOND, statement, criterion, result, bool(losses["set"] < losses["replace"]), ("steering",))


def _replacement(steering: pd.DataFrame) -> pd.DataFrame:
    """The rows of the paper's way to steer."""
    return steering[steering["method"] == "replace"]


def _at_the_end(replacement: pd.DataFrame, statement: str, criterion: str, low: bool) -> Claim:
    values = replacement["value"].dropna()
    end = values.min() if low else values.max()
    if abs(end) < STRONG:
        reason = f"The {'lowest' if low else 'highest'} value, {signed(end)}, is not large (at least {STRONG:g})."
        return Claim("8.2.1", statement, criterion, reason, None, ("steering",))
    share = replacement[replacement["value"] == end].set_index("target")["share"]
    is_reached = share <= NEAR_ZERO if low else share >= HIGH
    texts = ", ".join(f"{name} {value:.3f}" for name, value in share.items())
    result = f"True for {int(is_reached.sum())} of {len(is_reached)} features at {signed(end)}: {texts}."
    return Claim("8.2.1", statement, criterion, result, bool(is_reached.all()), ("steering",))


def _losses(rows: pd.DataFrame) -> pd.DataFrame:
    """Value, and what NDCG@10 and Coverage@10 lose of the unsteered model's, per feature and value."""
    plain = rows[rows["value"].isna()].set_index("target")
    steered = rows[rows["value"].notna()]
    measures = ("ndcg@10", "coverage@10")
    losses = {
        name: [drop(plain.at[row["target"], name], row[name]) for _, row in steered.iterrows()] for name in measures
    }
    return pd.DataFrame({"value": steered["value"].to_numpy(), **losses})
