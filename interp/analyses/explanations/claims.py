"""Whether explanations are right."""

import pandas as pd

from interp.store.claim import BEYOND, Claim
from recmodels.wording import signed

AGREE = 0.90


def attributions_are_right(explanation_agreement_table: pd.DataFrame) -> Claim:
    """From the table `explanation_agreement`."""
    statement = "Attributions say correctly which features raise and which lower an item’s score."
    criterion = (
        f"Holds if, for at least {AGREE:.0%} of the five largest attributions of users’ first items, the sign is "
        "that of the change by ablation."
    )
    overall = explanation_agreement_table[explanation_agreement_table["place"].isna()].iloc[0]
    if not overall["pairs"]:
        reason = "No feature has an attribution."
        return Claim(BEYOND, statement, criterion, reason, None, ("explanation_agreement",))
    largest = explanation_agreement_table[explanation_agreement_table["place"] == 1].iloc[0]
    result = (
        f"The same sign for {overall['agree']:.1%} of {overall['pairs']:.0f} attributions "
        f"({overall['gradient_agrees']:.1%} of the plain gradients); their correlation with the changes by ablation is "
        f"{signed(overall['correlation'], '.2f')}. For the largest attribution of each item alone: "
        f"{largest['agree']:.1%}."
    )
    return Claim(BEYOND, statement, criterion, result, bool(overall["agree"] >= AGREE), ("explanation_agreement",))
