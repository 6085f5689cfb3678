"""Where a study's recommender comes from, and what is known of it: whom it has seen, and whether its scores are right.

A study's config.json has these under "recommender" where the recommender was not trained by the study.
"""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from interp.plots.names import MODELS
from recmodels.adapters.origin import Coverage, Origin, verification
from recmodels.recommender import Recommender
from recmodels.seen_users import SeenUsers

UNVERIFIED = "unverified"


@dataclass(frozen=True)
class Provenance:
    """A recommender's origin.

    Attributes:
        kind: "gptrec", or the adapter's name.
        title: what pages call it, such as "RecTools SASRec".
        max_history: how many of a history's last items it reads.
        is_given: whether it was trained elsewhere.
        adapter: whether an adapter reads it, so that its scores need a check against those of the other program.
        source: the checkpoint it was read from; "" where it came as an object.
        verified: on how many histories its scores were compared; 0 for none.
        difference: the largest difference there.
        coverage: what those scores cover.
        causal: whether no step sees later ones; None where it was not measured.
        seen: which users of the data it was trained on: "all" (or not known), "none", "some", or "leave-one-out" for
            all but their last two items.
        n_seen: how many those of "some" are.
    """

    kind: str
    title: str
    max_history: int
    is_given: bool = True
    adapter: bool = False
    source: str = ""
    verified: int = 0
    difference: float = 0.0
    coverage: Coverage | None = None
    causal: bool | None = None
    seen: str = "none"
    n_seen: int = 0

    @classmethod
    def of(cls, recommender: Recommender, seen: SeenUsers) -> "Provenance":
        """That of a recommender that a study was given."""
        adapter = getattr(recommender.model, "adapter", None)
        kind = recommender.model.config.model_type if adapter is None else adapter.name or type(adapter).__name__
        origin = recommender.origin or Origin(kind)
        title = MODELS.get(kind, kind) if adapter is None else adapter.title or type(adapter).__name__
        return cls(
            kind,
            title,
            recommender.model.config.max_history,
            adapter=adapter is not None,
            source=origin.source,
            verified=origin.verified,
            difference=origin.difference,
            coverage=origin.coverage,
            causal=origin.causal,
            seen=seen.which,
            n_seen=len(seen.users),
        )

    @classmethod
    def read(cls, record: dict[str, Any]) -> "Provenance":
        """That of a study, from the content of its config.json."""
        stored = record.get("recommender")
        if isinstance(stored, dict):
            known = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
            return cls(**{**known, "coverage": Coverage.of(stored.get("coverage"))})
        training = record["config"]["training"]
        kind = training["model"]
        seen = "leave-one-out" if record["config"]["split"].get("kind") == "leave-one-out" else "none"
        return cls(kind, MODELS.get(kind, kind), training["max_history"], is_given=False, seen=seen)

    @property
    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @property
    def is_unverified(self) -> bool:
        """Whether nobody has compared its scores with those of the program that trained it."""
        return self.adapter and not self.verified

    @property
    def notes(self) -> list[str]:
        """What a reader must know, a sentence each; most often none where the study trained it."""
        if not self.is_given:
            return [self._seen] if self.seen == "leave-one-out" else []
        return [*([self._scores] if self.adapter else []), self._origin, self._seen]

    @property
    def _origin(self) -> str:
        source = f", from {Path(self.source).name}" if self.source else ""
        causal = {
            True: " Measured: no step sees later ones.",
            False: " Measured: steps see later ones.",
            None: "",
        }[self.causal]
        return f"The recommender was trained elsewhere ({self.title}{source}); nothing of it was trained here.{causal}"

    @property
    def _scores(self) -> str:
        if self.verified:
            verified = verification(self.verified, self.coverage, self.difference)
            return f"Scores {verified}, by the original program's own prediction."
        return (
            f"{UNVERIFIED.capitalize()}: no scores of the original program were given, so the weights or the item ids "
            f"may be read wrongly. Give them with --expected FILE, or expected= in Python."
        )

    @property
    def _seen(self) -> str:
        if self.seen == "some":
            return f"The recommender was trained on {self.n_seen:,} of the users; none of them is a test user."
        if self.seen == "none":
            return "The recommender was trained on none of these users (seen_users=none)."
        if self.seen == "leave-one-out":
            return (
                "The recommender was trained on all users, the test users among them, but on nobody's last two items "
                "(leave-one-out): its NDCG is of items that it was not trained on, for users whom it knows."
            )
        return (
            "The recommender may have been trained on the test users too (seen_users=all): its NDCG may be that of "
            "items it was trained on. Name the users it has seen (--seen-users FILE): then test users are drawn from "
            "the others."
        )

    @property
    def test_users(self) -> str:
        """What a sentence says of the test users: "on users it never saw"."""
        if self.seen == "leave-one-out":
            return "last items that training left out, of users it knows"
        return "users it may have seen in training" if self.saw_test_users else "users it never saw"

    @property
    def saw_test_users(self) -> bool:
        """Whether the test users may be among those it was trained on, their last items included."""
        return self.seen == "all"

    @property
    def who_saw(self) -> str:
        """The same for the recommender and the dictionary, after "test users, "."""
        if self.seen == "leave-one-out":
            return "whom the dictionary has not seen in training; the recommender has, but for their last two items"
        if self.saw_test_users:
            return "whom the dictionary has not seen in training; the recommender may have"
        return "whom neither the recommender nor the dictionary has seen in training"
