"""What to say to a name that is no concept: which features are labelled so, or which concept is closest."""

from collections.abc import Iterable
from difflib import get_close_matches

import pandas as pd

SHOWN = 3  # features that are named


def unknown_concept(name: str, concepts: Iterable[str], labels: pd.DataFrame | None = None) -> str:
    """One line on a name that no concept has.

    Args:
        name: what was asked for.
        concepts: those that there are.
        labels: the table `labels`, where features may be meant.
    """
    there_is_none = f"there is no concept {name!r}"
    known = {concept.casefold(): concept for concept in sorted(concepts)}
    close = get_close_matches(str(name).casefold(), known, n=1)
    suggested = f"did you mean {known[close[0]]!r}?" if close else ""
    features = []
    if labels is not None:
        features = labels.loc[labels["labelled"] & (labels["label"] == name), "feature"].tolist()
    if features:
        first, one = ", ".join(map(str, features[:SHOWN])), len(features) == 1
        more = f" and {len(features) - SHOWN} more" if len(features) > SHOWN else ""
        first = first if more else " and ".join(first.rsplit(", ", 1))
        said = f"feature {first} is" if one else f"features {first}{more} are"
        use = f"{said} labelled so: study.features[{features[0]}]"
        return f"{there_is_none}, but {use}" + (f"; {suggested}" if suggested else "")
    return f"{there_is_none}: {suggested or 'choose one of ' + ', '.join(known.values())}"
