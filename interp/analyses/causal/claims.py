"""Whether features do what their correlations say."""

import pandas as pd

from interp.store.analysis import about_concepts
from interp.store.claim import BEYOND, Claim
from recmodels.wording import signed

P = 0.05


@about_concepts
def does_what_it_says(causal_agreement_table: pd.DataFrame) -> Claim:
    """From the table `causal_agreement`."""
    statement = (
        "Features do what their correlations say: turning a feature up raises the concepts that it correlates with."
    )
    criterion = (
        "Holds if both the rank correlation of a feature’s correlations with its effects and the share of features "
        f"whose most raised concept is their best-correlated one are above chance, with p < {P:g}."
    )
    if causal_agreement_table.empty:
        reason = "Fewer than two concepts occur at some steps and not at others."
        return Claim(BEYOND, statement, criterion, reason, None, ("causal_agreement",))
    rows = causal_agreement_table.set_index("score")
    above = (rows["value"] > rows["chance"]) & (rows["p"] < P)
    ranks, tops = rows.loc["rank_correlation"], rows.loc["top_matches"]
    # Adding 0 makes the sign of −0 go away.
    result = (
        f"Rank correlation {signed(ranks['value'], '.2f')} (by chance {signed(round(ranks['chance'], 2) + 0, '.2f')}, "
        f"p {ranks['p']:.2g}); the concept is the same for {tops['value']:.0%} (by chance {tops['chance']:.0%}, "
        f"p {tops['p']:.2g}) of {ranks['features']:.0f} features, over {ranks['users']:.0f} users."
    )
    return Claim(BEYOND, statement, criterion, result, bool(above.all()), ("causal_agreement",))
