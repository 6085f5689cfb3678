"""One item of a study: `study.item("Alien")`. What lights up on it, what promotes it, and in whose lists it is."""

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import pandas as pd

from interp.study.item_names import item_of
from interp.study.later_tables import later_table
from interp.study.study_parts import StudyParts
from recmodels.errors import InputError, for_terminal
from recmodels.wording import signed

SHOWN = 6  # rows of each kind in a display


@dataclass(frozen=True)
class Item:
    """One item, drawn from a study's tables. Shows itself in Jupyter and in a terminal.

    Attributes:
        id: its id.
        study: the study that it belongs to.
    """

    id: Any
    study: StudyParts

    @property
    def title(self) -> str:
        """Its title."""
        return str(self.study.items.at[self.id, "title"])

    @property
    def concepts(self) -> list[str]:
        """Its concepts."""
        return list(self.study.items.at[self.id, "concepts"])

    @cached_property
    def profile(self) -> pd.Series:
        """steps, users, lists and place (table `item_profiles`), popularity, and how many items have more.

        more_lists counts the items that are in more lists, more_popular those with more training interactions.
        """
        table = later_table(self.study, "item_profiles").set_index("item")
        popularity = self.study.items["popularity"]
        row = table.loc[self.id]
        return pd.Series(
            {
                **row.to_dict(),
                "popularity": popularity[self.id],
                "more_lists": int((table["lists"] > row["lists"]).sum()),
                "more_popular": int((popularity > popularity[self.id]).sum()),
            },
            name=self.id,
        )

    @cached_property
    def features(self) -> pd.DataFrame:
        """The features that light up most on it: rank, feature, name, activation (mean at its steps), above.

        above is by how many standard deviations that is above the feature's mean over all steps.
        """
        return self._named("item_features")[["rank", "feature", "name", "activation", "above"]]

    @cached_property
    def effects(self) -> pd.DataFrame:
        """The features that raise and lower its score most: direction, rank, feature, name, effect.

        effect is the change of its score, relative to the mean item's, when the feature is turned up by its 99th
        percentile at the last step; a mean over test users.
        """
        return self._named("item_effects")[["direction", "rank", "feature", "name", "effect"]]

    @cached_property
    def neighbours(self) -> pd.DataFrame:
        """The items that light up the same features: rank, item, similarity (cosine), title, concepts."""
        rows = self._rows("item_neighbours").drop(columns="item").rename(columns={"neighbour": "item"})
        return self.study.titles(rows[["rank", "item", "similarity"]])

    def _rows(self, table: str) -> pd.DataFrame:
        rows = later_table(self.study, table)
        return rows[rows["item"] == self.id].reset_index(drop=True)

    def _named(self, table: str) -> pd.DataFrame:
        rows, names = self._rows(table), self.study.names
        return rows.assign(name=[names[feature].shown for feature in rows["feature"]])

    @property
    def sentence(self) -> str:
        """How often users took it, in how many lists it is, and how popular it is beside that."""
        row, n = self.profile, len(self.study.items)
        place = "" if not row["lists"] else f", at place {row['place']:.1f} on average"
        numbers = {key: f"{row[key]:,.0f}" for key in row.index.drop("place")}
        return (
            "In the lists of {lists} of the {users} test users who can get it{place}. Of {n:,} items, {more_lists} are "
            "in more lists, and {more_popular} are more popular (it has {popularity} training interactions). "
            "Activations are means over {steps} steps."
        ).format(n=n, place=place, **numbers)

    @for_terminal
    def __repr__(self) -> str:
        concepts = f" · {', '.join(self.concepts)}" if self.concepts else ""
        parts = [f"{self.title} (item {self.id}){concepts}", self.sentence]
        return "\n".join([*parts, *(f"  {name:<14}{text}" for name, text in self._lines)])

    def _repr_html_(self) -> str:
        concepts = "".join(f" <code>{escape(name)}</code>" for name in self.concepts)
        rows = "".join(f"<tr><th>{name}</th><td>{escape(text)}</td></tr>" for name, text in self._lines)
        return (
            f"<b>{escape(self.title)}</b> (item {escape(str(self.id))}){concepts}<p>{escape(self.sentence)}</p>"
            f"<table>{rows}</table>"
        )

    @property
    def _lines(self) -> list[tuple[str, str]]:
        features = self.features.head(SHOWN)
        near = self.neighbours.head(SHOWN)
        lines = [("lights up", _join(f"{row.feature} {row.name} {row.activation:.2g}" for row in _rows(features)))]
        for direction in ("promoted", "suppressed"):
            rows = self.effects[self.effects["direction"] == direction].head(SHOWN)
            lines.append(
                (
                    f"{direction} by",
                    _join(f"{row.feature} {row.name} {signed(row.effect, '+.2f')}" for row in _rows(rows)),
                )
            )
        lines.append(("nearest items", _join(f"{row.title} {signed(row.similarity, '.2f')}" for row in _rows(near))))
        return lines


def _rows(table: pd.DataFrame) -> Any:
    return table.itertuples(index=False)


def _join(texts: Any) -> str:
    return "; ".join(texts) or "none"


def item(study: StudyParts, name: Any) -> Item:
    """An item by its id, its title, or words that only one title has.

    Where several titles have the words, the one that is nothing but these and a year is meant: "Alien" is Alien (1979).

    Raises:
        InputError: no item is called this, or several are.
    """
    try:
        return Item(item_of(study, name), study)
    except InputError:
        if not isinstance(name, str):
            raise
        titles = study.items["title"].str.strip().str.replace(r"\s*\(\d{4}\)$", "", regex=True).str.casefold()
        bare = study.items.index[(titles == name.strip().casefold()).to_numpy()]
        if len(bare) != 1:
            raise
        return Item(bare[0], study)
