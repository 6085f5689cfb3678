"""What a study's config.json says of it: data, recommender, site, notes."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from interp.sae.autoencoder import SparseAutoencoder
from interp.study.provenance import UNVERIFIED, Provenance
from recmodels.paths import as_path


@dataclass(frozen=True, repr=False)
class StudyRecord:
    """What is known of a study before any part of it is read.

    Attributes:
        folder: the run's folder; copies and pickles of a study keep this path, and read its parts anew.
        record: the content of its config.json.
        other: a dictionary in place of the one that the run chose (`Study.at`, `Study.with_dictionary`); None for that.
    """

    folder: Path
    record: dict[str, Any]
    other: SparseAutoencoder | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", as_path(self.folder))

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "record": self.record, "other": self.other}

    @property
    def name(self) -> str:
        """The data set's name."""
        return self.record["config"]["dataset"]

    @property
    def config(self) -> dict[str, Any]:
        """The configuration, as JSON values."""
        return self.record["config"]

    @property
    def model(self) -> str:
        """The recommender's kind, such as "gptrec", or the name of its adapter."""
        return self.provenance.kind

    @property
    def title(self) -> str:
        """Model and data set, such as "GPTRec on ml-1m", and whether the model's scores are unverified."""
        mark = f" ({UNVERIFIED})" if self.provenance.is_unverified else ""
        return f"{self.provenance.title} on {self.name}{mark}"

    @cached_property
    def provenance(self) -> Provenance:
        """Where the recommender comes from, and what is known of it."""
        return Provenance.read(self.record)

    @property
    def attribute(self) -> str:
        """The attribute whose values are the concepts, such as "genres"; empty if there are none."""
        return self.record["attribute"]

    @property
    def has_concepts(self) -> bool:
        """Whether its items have an attribute; without one, features are known by items alone."""
        return bool(self.attribute)

    @property
    def notes(self) -> list[str]:
        """What a reader must know of its recommender, data and lists: a plain line each, most often none."""
        return [*self.provenance.notes, *self.record.get("notes", [])]

    @property
    def keep_seen(self) -> bool:
        """Whether lists may repeat the items of a history."""
        return self.config.get("keep_seen", False)

    @property
    def site(self) -> str:
        """Where the dictionary reads the recommender, such as "blocks.0"."""
        return self.record["config"]["site"] if self.other is None else self.other.provenance.site
