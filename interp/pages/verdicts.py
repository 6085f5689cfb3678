"""The claims of all analyses, tested on a study's tables: which hold, which fail, and which were not measured."""

from collections.abc import Callable
from typing import Any

from interp.paper import SECTIONS
from interp.sae_config import SAEConfig
from interp.store.analysis import parameters, table_of
from interp.store.claim import Claim
from interp.study.study import Study

SETTINGS: dict[str, Callable[[Study], Any]] = {
    "attribute": lambda study: study.attribute,
    "sae_config": lambda study: SAEConfig(**study.config["sae"]),
    "saw_test_users": lambda study: study.provenance.saw_test_users,
    "sparse_l0": lambda study: study.config["sparse_l0"],
}


def verdicts(study: Study) -> list[Claim]:
    """All claims in the paper's order, then those that go beyond it.

    Raises:
        InputError: a table is missing, unfinished or was altered.
    """
    claims = [_judge(claim, study) for analysis in study.analyses for claim in analysis.claims]
    order = {section: place for place, section in enumerate(SECTIONS)}
    return sorted(claims, key=lambda claim: order.get(claim.section, len(order)))


def _judge(claim: Callable[..., Claim], study: Study) -> Claim:
    needs = parameters(claim)
    return claim(**{name: study.table(table) if (table := table_of(name)) else _setting(study, name) for name in needs})


def _setting(study: Study, name: str) -> Any:
    """A setting that a claim needs."""
    return SETTINGS[name](study)
