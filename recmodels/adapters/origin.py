"""What is known of a recommender that another program trained."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recmodels.errors import InputError
from recmodels.json_files import check_record, read_json

TYPES = {"adapter": str, "source": str, "verified": int, "difference": float}


@dataclass(frozen=True)
class Origin:
    """Where a recommender comes from, and what was measured of it.

    Attributes:
        adapter: the adapter's name, or that of its class.
        source: what it was read from; "" where nobody said.
        causal: whether no step sees later ones; None where it cannot be measured, as there are no steps.
        verified: on how many histories its scores were compared with those of the program that trained it; 0 for none.
        difference: the largest difference there.
    """

    adapter: str
    source: str = ""
    causal: bool | None = None
    verified: int = 0
    difference: float = 0.0

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
        if not isinstance(record.get("causal"), bool | None) or set(record) - {*TYPES, "causal"}:
            raise InputError(f"{path} is damaged: {advice}")
        return cls(**record)

    def __str__(self) -> str:
        """Such as "rectools, causal, verified on 20 histories (largest difference 2e-06)"."""
        steps = {True: ["causal"], False: ["steps see later ones"], None: []}[self.causal]
        histories = "1 history" if self.verified == 1 else f"{self.verified:,} histories"
        scores = (
            f"verified on {histories} (largest difference {self.difference:.1g})" if self.verified else "unverified"
        )
        return ", ".join([self.adapter, *steps, scores])
