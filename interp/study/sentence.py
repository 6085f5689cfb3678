"""A feature in a sentence, with numbers and intervals: what lights it, what it promotes, what it moves, what it costs.

Every view shows this one: the dashboard, the static site, `study.features[412]`.
"""

from math import isfinite
from typing import Any

from interp.control.feature_receipts import BY_OTHER_USERS
from interp.features.grades import CORRELATED, NO_NAME, TESTED_ITEM
from interp.study.feature_view import FeatureView
from recmodels.wording import counted, with_interval

TITLES = 2  # items that are named at once
LONGEST = 60  # characters of a title


def sentence(view: FeatureView) -> str:
    """What one must know of a feature first."""
    if view.dead:
        return "It was never on for the test users."
    parts = [_lights(view), *_promotes(view), *_moves(view.costs)]
    return f"{'; '.join(parts)}."


def _lights(view: FeatureView) -> str:
    name, titles = view.name, _titles(view.top_titles)
    such = f"such as {titles}" if titles else ""
    if name.grade == NO_NAME:
        return f"Lights on items {such}" if such else "Unlabelled"
    if name.grade == CORRELATED:
        return (
            f"Lights on items {such} and correlates with {view.concept}" if such else f"Correlates with {view.concept}"
        )
    if name.grade == TESTED_ITEM or not such:
        return f"Lights on {name.text}"
    return f"Lights on {name.text}, {such}"


def _promotes(view: FeatureView) -> list[str]:
    titles = _titles(view.views.titles_of([change.item for change in view.strongest_changes("promoted")]))
    return [f"promotes {titles}"] if titles else []


def _moves(costs: Any | None) -> list[str]:
    if costs is None:
        return []
    ndcg = f"NDCG@10 by {_change(costs, 'ndcg', '.3f')}"
    up, users = "turned up by its 99th percentile it", counted(costs.users, "user")
    if not costs.concept:
        return [f"{up} changes {ndcg}, {users}"]
    moves = costs.share_low > 0 or costs.share_high < 0
    before, after = f"{costs.share_before:.1%}", f"{costs.share_after:.1%} of the lists, {share_change(costs)},"
    shares = (
        f"moves {costs.concept} from {before} to" if moves else f"does not clearly move {costs.concept}, {before} to"
    )
    chosen = " (the concept was chosen on others)" if costs.chosen_by == BY_OTHER_USERS else ""
    parts = [f"{up} {shares} {after} and changes {ndcg}, {users}{chosen}"]
    if isfinite(costs.boost) and moves:
        parts.append(f"re-ranking to that share changes it by {_change(costs, 'boost', '.3f')}")
    return parts


def share_change(costs: Any) -> str:
    """By how much a feature changes its concept's share: "+10.5 [+7.7, +14.1] points"; a row of `feature_costs`."""
    share, low, high = (100 * value for value in (costs.share, costs.share_low, costs.share_high))
    return f"{with_interval(share, low, high, '+.1f')} points"


def _change(row: Any, name: str, form: str) -> str:
    """A change with its interval."""
    return with_interval(getattr(row, name), getattr(row, f"{name}_low"), getattr(row, f"{name}_high"), f"+{form}")


def _titles(titles: list[str]) -> str:
    some = [title if len(title) <= LONGEST else f"{title[:LONGEST]}…" for title in filter(None, titles[:TITLES])]
    return " and ".join(some)
