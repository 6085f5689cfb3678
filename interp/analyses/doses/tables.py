"""The least costly steers that reach a share of a concept, chosen on some users and tested on others."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from interp.concepts import Concepts
from interp.control.dose_search import Goal, Search
from interp.control.doses import find_dose
from interp.control.receipts import Receipt, receipt_of_lists
from interp.control.steered_lists import steered_lists
from interp.control.sweeps import user_shares
from interp.control.targets import steering_targets
from interp.control.user_doses import find_user_doses
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Steer
from interp.steering.parsing import Meanings
from interp.store.table_files import Tables
from recmodels.sequences import Histories

SHARE = 0.4  # asked of a concept that has less
MORE, MOST = 0.2, 0.9  # asked on top of a share that is there already, and the most that is then asked
K = 10


def doses(
    rec: RecommenderEnvoy,
    site: str,
    steered_validation_users: Histories,
    steered_users: Histories,
    steered: tuple[str, ...],
    concepts: Concepts,
    concepts_table: pd.DataFrame,
    features_table: pd.DataFrame,
    items_table: pd.DataFrame,
    evidence_table: pd.DataFrame | None = None,
) -> Tables:
    """Table `doses`: what gives each concept a share of the top 10, at one dose for all users and at one for each.

    A concept that has the share without steering is asked for 0.2 more than it has, at most 0.9.

    Args:
        rec: the recommender with the dictionary attached.
        site: where it is attached.
        steered_validation_users: users that doses for all are found on.
        steered_users: test users that these are then tried on.
        steered: the concepts that are steered.
        concepts: all concepts.
        concepts_table, features_table: which features are aligned with a concept, of which the best three may be set
            for it, and their units.
        items_table: popularity of every item.
        evidence_table: which concepts a feature follows above chance; the others are steered only if asked for.

    Returns:
        A row for each target, method ("population": one dose for all, or "user": one for each) and part ("found_on" or
        "test"; doses for each user need nothing but their own lists, so they are found on the very part): asked, users,
        reached (whether the mean share of these users is as asked), own_before and own_after (share of the users whose
        own list is as asked), n_features and amount (medians over steered users if each has a dose), overlap, and of
        share and ndcg each before, after, change, change_low and change_high.
    """
    targets: list[str] = steering_targets(concepts_table, steered, evidence_table)["concept"].tolist()
    popularity = items_table.set_index("item")["popularity"]
    meanings = Meanings.of_tables(features_table, concepts_table)
    rows = dose_rows(rec, site, steered_validation_users, steered_users, targets, concepts, popularity, meanings)
    return {"doses": rows}


def dose_rows(
    rec: RecommenderEnvoy,
    site: str,
    found_on: Histories,
    steered_users: Histories,
    targets: Sequence[str],
    concepts: Concepts,
    popularity: pd.Series,
    meanings: Meanings,
    share: float = SHARE,
) -> pd.DataFrame:
    """The rows of the table `doses`.

    Args:
        rec, site, steered_users, concepts: as above.
        found_on: users that doses for all are found on.
        targets: the concepts.
        popularity: training interactions by item id.
        meanings: which features are aligned with a concept, and their units.
        share: what is asked.
    """
    labels = concepts.labels(rec.recommender.vocabulary.ids)
    rows, unsteered = [], rec.rank(found_on.split_last()[0], K)
    inputs, truth = steered_users.split_last()
    for target in targets:
        has = labels[:, [concepts.index(target)]]
        plain = float(user_shares(unsteered, has).mean())
        goal_share = share if plain < share else round(min(plain + MORE, MOST), 2)
        search = Search.aligned(rec, site, concepts, popularity, Goal(target, goal_share, k=K), meanings)
        dose = find_dose(search, found_on)
        lists = steered_lists(rec, inputs, [Steer((), site), dose.steer], K)
        on_test = receipt_of_lists(rec.recommender.vocabulary, lists, concepts, popularity, truth, targets=[target])
        own_on_test = [float(dose.goal.is_met(user_shares(user_lists, has)).mean()) for user_lists in lists]
        for part, users, receipt, own in (
            ("found_on", found_on, dose.receipt, [dose.own_before, dose.own_after]),
            ("test", steered_users, on_test, own_on_test),
        ):
            about = {"target": target, "method": "population", "part": part, "asked": goal_share, "users": len(users)}
            size = {"n_features": len(dose.features), "amount": dose.amount}
            rows.append({**about, **size, **_receipt_columns(receipt, own, dose.goal)})

            per_user = find_user_doses(search, users)
            users_with_dose = per_user.users[per_user.users["n_features"] > 0]
            own = [dose.goal.is_met(per_user.users[f"share_{side}"]).mean() for side in ("before", "after")]
            size = {
                name: users_with_dose[name].median() if len(users_with_dose) else 0.0
                for name in ("n_features", "amount")
            }
            rows.append({**about, "method": "user", **size, **_receipt_columns(per_user.receipt, own, dose.goal)})
    return pd.DataFrame(rows)


def _receipt_columns(receipt: Receipt, own: Sequence[float], goal: Goal) -> dict[str, Any]:
    """Share, NDCG and overlap of a receipt."""
    measures = receipt.measures.set_index("measure")
    rows = {"share": receipt.shares.set_index("concept").loc[goal.target], "ndcg": measures.loc[f"ndcg@{K}"]}
    numbers = ("before", "after", "change", "change_low", "change_high")
    return {
        "reached": bool(goal.is_met(rows["share"]["after"])),
        "own_before": own[0],
        "own_after": own[1],
        "overlap": measures.at["overlap", "after"],
        **{f"{name}_{number}": row[number] for name, row in rows.items() for number in numbers},
    }
