"""What a study has by name: its tables and its dictionaries, each read when it is asked for."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from html import escape
from typing import Any, TypeVar

import pandas as pd

from interp.sae.autoencoder import SparseAutoencoder
from interp.sae_registry import sae_kind
from interp.study.study_parts import StudyParts
from recmodels.errors import InputError, for_terminal, quote
from recmodels.wording import signed

Part = TypeVar("Part")
TEMPORARY = (".partial", ".old")


class Named(Mapping[str, Part]):
    """Parts of a study by name. It shows their names, with a line about each."""

    def __init__(self, study: StudyParts) -> None:
        self.study = study

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def get(self, name: Any, default: Any = None) -> Any:
        """The part of this name, or `default`."""
        return self[name] if name in self else default  # noqa: SIM401 - an unknown name is no KeyError here

    def lines(self) -> list[tuple[str, str]]:
        """Each name, with a line about it."""
        raise NotImplementedError

    @for_terminal
    def __repr__(self) -> str:
        rows = self.lines()
        width = max((len(name) for name, _ in rows), default=0)
        return "\n".join(f"{name:<{width}}  {about}".rstrip() for name, about in rows)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th><td style='text-align:left'>{escape(about)}</td></tr>"
            for name, about in self.lines()
        )
        return f"<table>{rows}</table>"


class StudyTables(Named[pd.DataFrame]):
    """The tables of a study by name: `study.tables["features"]`."""

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.lines())

    def __getitem__(self, name: str) -> pd.DataFrame:
        """A table, as `study.table`.

        Raises:
            InputError: there is no such table.
        """
        return self.study.table(name)

    def lines(self) -> list[tuple[str, str]]:
        """Names in the order of work, and what the rows of each are."""
        tables = [table for analysis in self.study.analyses for table in analysis.tables]
        return [(table.name, table.about) for table in tables if not self.study.left_out(table.name)]


class Dictionaries(Named[SparseAutoencoder]):
    """The dictionaries of a run by "site/name": `study.dictionaries["blocks.0/top_k-512-k-16"]`."""

    def __iter__(self) -> Iterator[str]:
        folders = sorted(self.study.folder.glob("dictionaries/*/*/manifest.json"))
        return (
            f"{path.parent.parent.name}/{path.parent.name}" for path in folders if path.parent.suffix not in TEMPORARY
        )

    def __getitem__(self, name: str) -> SparseAutoencoder:
        """A dictionary by "site/name", or by its name alone at the study's site.

        Raises:
            InputError: there is none, or it is damaged.
        """
        if name not in self and f"{self.study.site}/{name}" not in self:
            raise InputError(f"there is no dictionary {quote(name)}: choose one of {', '.join(self)}")
        site, _, own = name.rpartition("/")
        return self.study.dictionary(own, site or None)

    def lines(self) -> list[tuple[str, str]]:
        """Names, and what the run measured of each: size, active features, explained variance."""
        about: dict[str, str] = {}
        with suppress(InputError):  # of a bundle, which may have fewer tables
            for row in self.study.table("dictionaries").to_dict("records"):
                text = f"{row['n_features']} features, {row['l0']:.1f} active at a step, "
                text += f"{signed(row['explained_variance'], '.1%')} of the variance explained"
                seed = f"-seed-{row['seed']}" if row["seed"] else ""
                setting = f"{sae_kind(row['trainer']).sparsity}-{row['sparsity']:.9g}"
                name = f"{row['site']}/{row['trainer']}-{row['n_features']}-{setting}{seed}"
                about[name] = text + (", chosen" if row["chosen"] else "")
        return [(name, about.get(name, "")) for name in self]
