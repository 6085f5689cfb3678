"""What is known of a recommender that another program trained."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from recmodels.errors import InputError
from recmodels.json_files import check_record, read_json
from recmodels.wording import counted

TYPES = {"adapter": str, "source": str, "verified": int, "difference": float}


@dataclass(frozen=True)
class Coverage:
    """What the scores cover that a recommender's were compared with.

    Attributes:
        shortest: items of the shortest history.
        longest: items of the longest.
        lengths: how many different lengths the histories have.
        scores: how many scores.
        items: how many different items have one.
        n_items: how many items the recommender scores.
    """

    shortest: int
    longest: int
    lengths: int
    scores: int
    items: int
    n_items: int

    @classmethod
    def of(cls, record: Any) -> "Coverage | None":
        """From JSON values; None for None, as there is for what was verified before this was kept.

        Raises:
            InputError: they are others.
        """
        if record is None:
            return None
        check_record(record, dict.fromkeys(NAMES, int), "what was verified", "delete the folder and run its step again")
        return cls(**{name: record[name] for name in NAMES})

    def __str__(self) -> str:
        """Such as "of 3–50 items (5 lengths), 8,410 scores of 1,682 of 1,682 items"."""
        span = f"{self.shortest:,}" if self.lengths == 1 else f"{self.shortest:,}–{self.longest:,}"
        lengths = f" ({self.lengths} lengths)" if self.lengths > 1 else ""
        return f"of {span} items{lengths}, {self.scores:,} scores of {self.items:,} of {self.n_items:,} items"


NAMES = tuple(field.name for field in fields(Coverage))


@dataclass(frozen=True)
class Origin:
    """Where a recommender comes from, and what was measured of it.

    Attributes:
        adapter: the adapter's name, or that of its class.
        source: what it was read from; "" where nobody said.
        causal: whether no step sees later ones; None where it cannot be measured, as there are no steps.
        verified: on how many histories its scores were compared with those of the program that trained it; 0 for none.
        difference: the largest difference there.
        coverage: what those scores cover.
    """

    adapter: str
    source: str = ""
    causal: bool | None = None
    verified: int = 0
    difference: float = 0.0
    coverage: Coverage | None = None

    @property
    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def read(cls, path: Path, advice: str) -> "Origin":
        """From the JSON file of a recommender's folder.

        Raises:
            InputError: the file is damaged.
        """
        record = read_json(path, advice)
        check_record(record, TYPES, path, advice)
        if not isinstance(record.get("causal"), bool | None) or set(record) - {*TYPES, "causal", "coverage"}:
            raise InputError(f"{path} is damaged: {advice}")
        return cls(**{**record, "coverage": Coverage.of(record.get("coverage"))})

    def __str__(self) -> str:
        """Such as "rectools, causal, verified on 20 histories of 3–50 items …, largest difference 2e-06"."""
        steps = {True: ["causal"], False: ["steps see later ones"], None: []}[self.causal]
        scores = verification(self.verified, self.coverage, self.difference) if self.verified else "unverified"
        return ", ".join([self.adapter, *steps, scores])


def verification(verified: int, coverage: Coverage | None, difference: float) -> str:
    """What was compared, such as "verified on 8 histories of 3–50 items …, largest difference 2e-06"."""
    histories = counted(verified, "history", "histories")
    about = "" if coverage is None else f" {coverage}"
    return f"verified on {histories}{about}, largest difference {difference:.1g}"
