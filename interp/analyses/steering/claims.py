"""Claims about steering (paper section 8)."""

import pandas as pd

from interp.control.sweeps import monotone
from interp.store.claim import BEYOND, NOTHING, Claim, drop, signed

GONE, HIGH = 0.05, 0.5  # shares of the concept in the lists
GENTLE, STRONG = 2.0, 5.0  # absolute values set
LOST = 0.10
ON_PAR = 0.80
INNER = 4.0


def rises(steering_table: pd.DataFrame) -> Claim:
    """Section 8.2.1."""
    statement = "For all steered features, the share of the concept increases monotonically with the activation."
    replaced = _replaced(steering_table)
    values = replaced["value"].dropna()
    low, high = values.min(), values.max()
    criterion = (
        f"Holds if it rises, and never falls from one value to the next, from {signed(low)} to {signed(high)}, for "
        "every feature."
    )
    if not low <= -INNER < INNER <= high:
        why = f"The values do not span −{INNER:g} to {INNER:g}."
        return Claim("8.2.1", statement, criterion, why, None, ("steering",))
    every, inner = monotone(replaced, low, high), monotone(replaced, -INNER, INNER)
    measured = (
        f"It rises throughout for {int(every.sum())} of {len(every)} features; from −{INNER:g} to {INNER:g} for "
        f"{int(inner.sum())}."
    )
    return Claim("8.2.1", statement, criterion, measured, bool(every.all()), ("steering",))


def vanishes(steering_table: pd.DataFrame) -> Claim:
    """Section 8.2.1."""
    return _at_the_end(
        _replaced(steering_table),
        "For large negative values the share of the concept is close to zero.",
        f"Holds if it is at most {GONE:g} at the lowest value for every feature.",
        low=True,
    )


def dominates(steering_table: pd.DataFrame) -> Claim:
    """Section 8.2.1."""
    return _at_the_end(
        _replaced(steering_table),
        "For large positive values the share of the concept is very high.",
        f"Holds if it is at least {HIGH:g} at the highest value for every feature.",
        low=False,
    )


def gentle_is_safe(steering_table: pd.DataFrame) -> Claim:
    """Section 8.2.2."""
    statement = "Small interventions are safe for the quality of the recommendations."
    criterion = (
        f"Holds if, with absolute values of at most {GENTLE:g}, NDCG@10 and Coverage@10 both lose less than {LOST:.0%} "
        "in most cases (a case is a feature and a value)."
    )
    gentle = _losses(_replaced(steering_table))[lambda rows: rows["value"].abs() <= GENTLE]
    if gentle.empty:
        return Claim("8.2.2", statement, criterion, "No value is that small.", None, ("steering",))
    if gentle["ndcg@10"].isna().any():
        return Claim("8.2.2", statement, criterion, NOTHING, None, ("steering",))
    safe = (gentle["ndcg@10"] < LOST) & (gentle["coverage@10"] < LOST)
    mean = gentle[["ndcg@10", "coverage@10"]].mean()
    measured = (
        f"True in {int(safe.sum())} of {len(safe)} cases; on average NDCG@10 changes by "
        f"{signed(-mean['ndcg@10'], '+.1%')}, Coverage@10 by {signed(-mean['coverage@10'], '+.1%')}."
    )
    return Claim("8.2.2", statement, criterion, measured, bool(safe.mean() > 0.5), ("steering",))


def strong_costs_more(steering_table: pd.DataFrame) -> Claim:
    """Section 8.2.2."""
    statement = "Strong interventions can cost much of the quality."
    criterion = (
        f"Holds if NDCG@10 loses more on average with absolute values above {STRONG:g} than with at most {GENTLE:g}."
    )
    lost = _losses(_replaced(steering_table))
    size = lost["value"].abs()
    if not (size > STRONG).any() or not (size <= GENTLE).any():
        return Claim("8.2.2", statement, criterion, "The values do not span both ranges.", None, ("steering",))
    if lost["ndcg@10"].isna().any():
        return Claim("8.2.2", statement, criterion, NOTHING, None, ("steering",))
    strong, gentle = lost.loc[size > STRONG, "ndcg@10"].mean(), lost.loc[size <= GENTLE, "ndcg@10"].mean()
    large, small = signed(-strong, "+.1%"), signed(-gentle, "+.1%")
    measured = f"It changes by {large} on average with strong values, {small} with small ones."
    return Claim("8.2.2", statement, criterion, measured, bool(strong > gentle), ("steering",))


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
    added = steering_table[steering_table["method"].isin(["add", "probe"])]
    plain = added[added["value"].isna()].set_index(["method", "target"])["share"]
    mean = added[added["value"] > 0].groupby(["method", "target"])["share"].mean()
    gained = (mean - plain).unstack("method").dropna()
    if gained.empty:
        return Claim("8.2.3", statement, criterion, "No factor is above 0.", None, ("steering",))
    sae, probe = gained["add"].mean(), gained["probe"].mean()
    enough = gained["add"] >= gained["probe"] - (1 - ON_PAR) * gained["probe"].abs()
    measured = (
        f"The share rises by {sae:.3f} along features and {probe:.3f} along probes on average; for "
        f"{int(enough.sum())} of {len(enough)} concepts the feature’s gain is that large."
    )
    return Claim("8.2.3", statement, criterion, measured, bool(sae >= probe - (1 - ON_PAR) * abs(probe)), ("steering",))


def keeping_the_error_is_cheaper(steering_table: pd.DataFrame) -> Claim:
    """Beyond the paper, from the table `steering`: its method "set" against "replace"."""
    statement = "Keeping the reconstruction error while steering costs less quality than the paper’s replacement."
    criterion = f"Holds if NDCG@10 loses less on average over features and absolute values of at most {GENTLE:g}."
    lost = {}
    for method in ("set", "replace"):
        rows = _losses(steering_table[steering_table["method"] == method])
        lost[method] = rows.loc[rows["value"].abs() <= GENTLE, "ndcg@10"].mean()
    if pd.isna(lost["set"]):
        why = "No value is that small, or the recommender finds no test user's item."
        return Claim(BEYOND, statement, criterion, why, None, ("steering",))
    kept, replaced = (signed(-lost[method], "+.1%") for method in ("set", "replace"))
    measured = f"It changes by {kept} on average with the error kept, {replaced} with the replacement."
    return Claim(BEYOND, statement, criterion, measured, bool(lost["set"] < lost["replace"]), ("steering",))


def _replaced(steering: pd.DataFrame) -> pd.DataFrame:
    """The rows of the paper's way to steer."""
    return steering[steering["method"] == "replace"]


def _at_the_end(replaced: pd.DataFrame, statement: str, criterion: str, low: bool) -> Claim:
    values = replaced["value"].dropna()
    end = values.min() if low else values.max()
    if abs(end) < STRONG:
        why = f"The {'lowest' if low else 'highest'} value, {signed(end)}, is not large (at least {STRONG:g})."
        return Claim("8.2.1", statement, criterion, why, None, ("steering",))
    share = replaced[replaced["value"] == end].set_index("target")["share"]
    reached = share <= GONE if low else share >= HIGH
    told = ", ".join(f"{name} {value:.3f}" for name, value in share.items())
    measured = f"True for {int(reached.sum())} of {len(reached)} features at {signed(end)}: {told}."
    return Claim("8.2.1", statement, criterion, measured, bool(reached.all()), ("steering",))


def _losses(rows: pd.DataFrame) -> pd.DataFrame:
    """Value, and what NDCG@10 and Coverage@10 lose of the unsteered model's, per feature and value."""
    plain = rows[rows["value"].isna()].set_index("target")
    steered = rows[rows["value"].notna()]
    measures = ("ndcg@10", "coverage@10")
    lost = {
        name: [drop(plain.at[row["target"], name], row[name]) for _, row in steered.iterrows()] for name in measures
    }
    return pd.DataFrame({"value": steered["value"].to_numpy(), **lost})
