"""Doses of a study: goals for concepts by name, found on held-out users and measured on the test users."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from interp.control.dose_search import Goal, Search
from interp.control.doses import Dose, find_dose
from interp.control.least_collateral import LeastCollateral, learn_weights, set_of, store_histories
from interp.control.mix_doses import MixDose, find_mix_dose, goals_of
from interp.control.own_mix import Calibration, calibrate
from interp.control.user_doses import UserDoses, find_user_doses
from interp.steering.feature_names import feature_or_concept
from interp.study.study_parts import StudyParts
from recmodels.errors import InputError, quote


def dose_of(study: StudyParts, goal: Goal, users: Any, cost: str | None) -> Dose:
    """See `Study.dose`, of one concept."""
    return find_dose(replace(_search(study, goal), cost=cost), *_found_and_measured_on(study, users))


def mix_dose_of(study: StudyParts, goals: Mapping[str, Any], k: int, users: Any) -> MixDose:
    """See `Study.dose`, of several concepts."""
    wanted = goals_of({_concept(study, name): goal for name, goal in goals.items()}, k)
    steers = {goal.target: least_collateral_of(study, goal.target) for goal in wanted}
    popularity, on = study.items["popularity"], _found_and_measured_on(study, users)
    return find_mix_dose(study.recommender, wanted, steers, study.concepts, popularity, *on)


def user_doses_of(study: StudyParts, goal: Goal, users: Any, cost: str | None) -> UserDoses:
    """See `Study.user_doses`."""
    return find_user_doses(replace(_search(study, goal), cost=cost), study.users() if users is None else users)


def calibration_of(study: StudyParts, users: Any, by: float, k: int) -> Calibration:
    """See `Study.calibrate`."""
    names = study.table("least_collateral")["concept"].unique() if study.has_concepts else ()
    steers = {name: least_collateral_of(study, name) for name in names}
    histories, popularity = study.users() if users is None else users, study.items["popularity"]
    return calibrate(study.recommender, steers, study.concepts, popularity, histories, by, k)


def least_collateral_of(study: StudyParts, concept: str | None = None, items: Any = None) -> LeastCollateral:
    """See `Study.least_collateral`."""
    if (concept is None) == (items is None):
        raise InputError("give a concept, such as Horror, or items=, a list of item ids")
    rec, site = study.recommender, study.site
    if concept is None:
        name, has = "items", set_of(rec, items)
        weights = learn_weights(rec, store_histories(study.activations("sae"), rec), site, {name: has})
    else:
        column = study.concepts.index(concept)
        name, weights = concept, study.table("least_collateral")
        has = study.concepts.labels(rec.recommender.vocabulary.ids)[:, column]
        if name not in set(weights["concept"]):
            raise InputError(f"{quote(name)} has no items or all of them: there is nothing to steer")
    own = weights[weights["concept"] == name].set_index("feature")["weight"]
    labels = {int(feature): study.names[feature].shown for feature in own.index}
    return LeastCollateral(name, own, has, site, study.sae.fingerprint, labels, concept is not None)


def _found_and_measured_on(study: StudyParts, users: Any) -> tuple[Any, Any]:
    """Users to find a dose on, and users for its receipt; None for the same."""
    return (users, None) if users is not None else (study.users("sae_validation"), study.users())


def _search(study: StudyParts, goal: Goal) -> Search:
    goal = replace(goal, target=_concept(study, goal.target))
    rec, popularity = study.recommender, study.items["popularity"]
    return Search.aligned(rec, study.site, study.concepts, popularity, goal, rec.meanings[study.site])


def _concept(study: StudyParts, name: str) -> str:
    if not isinstance(name, str):
        raise InputError(f"{quote(name)} is not the name of a concept: write goals as {{'Horror': 0.3}}")
    concept = feature_or_concept(name, study.concepts.names)
    if not isinstance(concept, str):
        raise InputError(f"{quote(name)} is a feature: a dose is found for a concept, such as Horror")
    return concept
