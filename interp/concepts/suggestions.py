"""Suggestions for an unknown concept: the features with that label, or the closest concept."""

from collections.abc import Iterable
from difflib import get_close_matches

import pandas as pd

SHOWN = 3  # features that are named


def unknown_concept(name: str, concepts: Iterable[str], labels: pd.DataFrame | None = None) -> str:
    """A one-line message about the name of an unknown concept.

    Args:
        name: the unknown name.
        concepts: the names of all concepts.
        labels: the table `labels`, whose features may be meant.
    """
    there_is_none = f"there is no concept {name!r}"
    names = {concept.casefold(): concept for concept in sorted(concepts)}
    if not names:
        return f"{there_is_none}: the items have no attribute, so steer features by number; a dose needs a concept"
    close = get_close_matches(str(name).casefold(), names, n=1)
    suggestion = f"did you mean {names[close[0]]!r}?" if close else ""
    features = []
    if labels is not None:
        features = labels.loc[labels["labelled"] & (labels["label"] == name), "feature"].tolist()
    if features:
        first, single = ", ".join(map(str, features[:SHOWN])), len(features) == 1
        more = f" and {len(features) - SHOWN} more" if len(features) > SHOWN else ""
        first = first if more else " and ".join(first.rsplit(", ", 1))
        subject = f"feature {first} is" if single else f"features {first}{more} are"
        use = f"{subject} labelled so: study.features[{features[0]}]"
        return f"{there_is_none}, but {use}" + (f"; {suggestion}" if suggestion else "")
    return f"{there_is_none}: {suggestion or 'choose one of ' + ', '.join(names.values())}"
