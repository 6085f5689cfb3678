"""A claim about a study, and its verdict."""

from collections.abc import Iterable
from dataclasses import dataclass

BEYOND = "beyond"  # the section of claims that are this project's own
EVIDENCE = "evidence"  # the section of claims on unseen items and users, which come first


@dataclass(frozen=True)
class Claim:
    """One statement, and what a study's tables say about it.

    Attributes:
        section: of the paper, such as "7.1.2", `EVIDENCE` or `BEYOND`.
        statement: what is claimed, in one sentence.
        criterion: when it counts as holding.
        measured: what the study found, with its numbers; or why it did not look.
        holds: None if the study did not measure it, or cannot tell.
        tables: names of the tables that the numbers come from.
        unclear: whether it was measured, but the interval allows both.
    """

    section: str
    statement: str
    criterion: str
    measured: str
    holds: bool | None
    tables: tuple[str, ...]
    unclear: bool = False

    @property
    def from_paper(self) -> bool:
        """Whether the paper claims it."""
        return self.section not in (BEYOND, EVIDENCE)


def tally(claims: Iterable[Claim]) -> str:
    """How many of the paper's claims hold, of those that were measured."""
    verdicts = [claim.holds for claim in claims if claim.from_paper]
    measured = len(verdicts) - verdicts.count(None)
    rest = f" ({verdicts.count(None)} not measured)" if None in verdicts else ""
    return f"{verdicts.count(True)} of {measured} of the paper's claims hold{rest}"


NO_HITS = "The recommender finds no test user's item, so that there is nothing to lose."


def drop(before: float, after: float) -> float:
    """The share of a metric that is lost; NaN if the metric was 0."""
    return (before - after) / before if before else float("nan")
