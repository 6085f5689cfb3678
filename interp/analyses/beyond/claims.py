"""Claims of this project's own: what features do, explanations, and exposure of the long tail."""

import pandas as pd

from interp.store.claim import BEYOND, Claim, drop, signed

AGREE = 0.90
P = 0.05
TAIL = "long_tail_share@10"


def does_what_it_says(causal_agreement: pd.DataFrame) -> Claim:
    """From the table `causal_agreement`."""
    statement = "Features do what they say: what turning one raises in the lists is what it correlates with."
    criterion = (
        "Holds if both the rank correlation of a feature’s correlations with its effects and the share of features "
        f"whose most raised concept is their best-correlated one are above chance, with p < {P:g}."
    )
    if causal_agreement.empty:
        why = "Fewer than two concepts tell steps apart."
        return Claim(BEYOND, statement, criterion, why, None, ("causal_agreement",))
    rows = causal_agreement.set_index("score")
    above = (rows["value"] > rows["chance"]) & (rows["p"] < P)
    ranks, tops = rows.loc["rank_correlation"], rows.loc["top_matches"]
    # Adding 0 makes the sign of −0 go away.
    measured = (
        f"Rank correlation {signed(ranks['value'], '.2f')} (by chance {signed(round(ranks['chance'], 2) + 0, '.2f')}, "
        f"p {ranks['p']:.2g}); the concept is the same for {tops['value']:.0%} (by chance {tops['chance']:.0%}, "
        f"p {tops['p']:.2g}) of {ranks['features']:.0f} features, over {ranks['users']:.0f} users."
    )
    return Claim(BEYOND, statement, criterion, measured, bool(above.all()), ("causal_agreement",))


def attributions_are_right(explanation_agreement: pd.DataFrame) -> Claim:
    """From the table `explanation_agreement`."""
    statement = "Attributions say rightly which features speak for and against an item."
    criterion = (
        f"Holds if, for at least {AGREE:.0%} of the five largest attributions of users’ first items, the sign is that "
        "of the change that ablation measures."
    )
    every = explanation_agreement[explanation_agreement["place"].isna()].iloc[0]
    if not every["pairs"]:
        why = "No feature has an attribution."
        return Claim(BEYOND, statement, criterion, why, None, ("explanation_agreement",))
    largest = explanation_agreement[explanation_agreement["place"] == 1].iloc[0]
    measured = (
        f"The same sign for {every['agree']:.1%} of {every['pairs']:.0f} attributions "
        f"({every['gradient_agrees']:.1%} of the plain gradients); their correlation with what ablation measures is "
        f"{signed(every['correlation'], '.2f')}. For each item's largest alone, {largest['agree']:.1%}."
    )
    return Claim(BEYOND, statement, criterion, measured, bool(every["agree"] >= AGREE), ("explanation_agreement",))


def reaches_the_long_tail(popularity: pd.DataFrame) -> Claim:
    """From the table `popularity`."""
    statement = "Exposure can be moved from popular items to the long tail, at a price that can be named."
    criterion = (
        "Holds if the share of the long tail never falls from one strength to the next and is higher at the highest "
        "strength than without a steer, with an interval above 0."
    )
    tail = popularity[popularity["measure"] == TAIL].sort_values("strength")
    if tail.empty or tail["change"].isna().any():
        why = "Popular and unpopular items cannot be told apart here."
        return Claim(BEYOND, statement, criterion, why, None, ("popularity",))
    strongest = tail.iloc[-1]
    at_end = popularity[popularity["strength"] == strongest["strength"]].set_index("measure")
    price = [f"{at_end.at['overlap', 'after']:.0%} of the lists stay"]
    if "ndcg@10" in at_end.index and at_end.at["ndcg@10", "before"]:
        lost = drop(at_end.at["ndcg@10", "before"], at_end.at["ndcg@10", "after"])
        price.insert(0, f"NDCG@10 changes by {signed(-lost, '+.1%')}")
    measured = (
        f"It is {', '.join(f'{row.after:.3f} at {signed(row.strength)}' for row in tail.itertuples())}; at strength "
        f"{signed(strongest['strength'])} it changes by {signed(strongest['change'], '+.3f')} "
        f"[{signed(strongest['change_low'], '+.3f')}, {signed(strongest['change_high'], '+.3f')}], "
        f"{' and '.join(price)}."
    )
    holds = tail["after"].is_monotonic_increasing and strongest["change_low"] > 0
    return Claim(BEYOND, statement, criterion, measured, bool(holds), ("popularity",))
