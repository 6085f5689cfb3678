"""A finished run: the recommender with its dictionary attached, the features, and every table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from interp.card import as_html, as_text
from interp.concepts import Concepts, concepts_of
from interp.control.doses import Dose, find_dose
from interp.control.entering import Entry, to_enter
from interp.control.ladder import Goal, Search
from interp.control.receipts import Receipt, steering_receipt
from interp.control.user_doses import UserDoses, find_user_doses
from interp.dictionaries.activations import ActivationStore
from interp.dictionaries.sae import SparseAutoencoder
from interp.envoys import RecommenderEnvoy
from interp.feature import Features
from interp.gallery import Gallery
from interp.meaning.why import Explanation, why
from interp.recommended import Recommended
from interp.steers.names import feature_or_concept
from interp.steers.wording import DICTIONARY, Meanings
from interp.study_folder import RECORD, read_study_record
from interp.tables import read_table
from recmodels.errors import InputError, for_terminal, shown
from recmodels.paths import as_path
from recmodels.recommender import Recommender
from recmodels.sequences import Histories, histories_of

if TYPE_CHECKING:
    from ipywidgets import VBox

LONGEST = 200  # characters of a name


@dataclass(frozen=True, repr=False)
class Study:
    """Everything that one run produced. Parts are read when they are first asked for. Shows itself in Jupyter.

    Attributes:
        folder: the run's folder; copies and pickles of a study keep this path, and read its parts anew.
        record: the content of its config.json.
    """

    folder: Path
    record: dict[str, Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", as_path(self.folder))

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "record": self.record}

    @property
    def name(self) -> str:
        """The data set's name."""
        return self.record["config"]["dataset"]

    @property
    def site(self) -> str:
        """Where the dictionary reads the recommender, such as "blocks.0"."""
        return self.record["config"]["site"]

    @cached_property
    def sae(self) -> SparseAutoencoder:
        """The chosen dictionary."""
        return self.dictionary(self.record["dictionary"])

    def dictionary(self, name: str, site: str | None = None) -> SparseAutoencoder:
        """Any dictionary of the study; their names are in the folder `dictionaries/<site>`.

        Args:
            name: such as "top_k-512-k-16".
            site: where it was trained; by default the study's site.

        Raises:
            InputError: there is no such dictionary, or it is damaged.
        """
        where = self.site if site is None else _name(site, "site")
        return SparseAutoencoder.load(self.folder / "dictionaries" / where / _name(name, "dictionary"))

    def activations(self, part: str = "test") -> ActivationStore:
        """Hidden states at the study's site, and which user, item and step each row is: what tables are computed from.

        Args:
            part: "test", or "sae" for what the dictionary was trained on, or "sae_validation".

        Raises:
            InputError: there is no such part, or its store is damaged.
        """
        return ActivationStore.load(self.folder / "activations" / self.site / _name(part, "part"))

    @cached_property
    def recommender(self) -> RecommenderEnvoy:
        """The recommender as envoys, with the dictionary attached; steers may name concepts, and units of features."""
        meanings = Meanings.of_tables(self.table("features"), self.table("concepts"), self.sae.fingerprint)
        return RecommenderEnvoy(Recommender.load(self.folder / "recommender")).attach(self.sae, meanings)

    @cached_property
    def items(self) -> pd.DataFrame:
        """title, concepts and popularity of every item that the recommender knows, indexed by item id."""
        return self.table("items").set_index("item")

    @cached_property
    def concepts(self) -> Concepts:
        """Which of these items has which of the study's concepts."""
        return concepts_of(self.items, "concepts")

    def users(self, part: str = "test") -> Histories:
        """The histories of users that the recommender never saw.

        Args:
            part: "test", or "sae_validation" for those held out of the SAE part, on which settings are chosen.

        Raises:
            InputError: there is no such part.
        """
        table = self.table("users")
        rows = table[table["part"] == _name(part, "part")]
        if rows.empty:
            raise InputError(f"there is no part {shown(part)}: choose one of {', '.join(table['part'].unique())}")
        return histories_of(rows.assign(time=0), self.recommender.recommender.vocabulary)

    def receipt(self, edits: Any, users: Any = None, k: int = 10, **how: Any) -> Receipt:
        """What a steer changes in the lists of many users, with intervals over users (`interp.control.receipts`).

        Args:
            edits: a `Steer`, or what `RecommenderEnvoy.steer` makes one from, such as {"Sci-Fi": 1.0}.
            users: histories in any form, the last item of each held out; by default the test users.
            k: list length.
            **how: op, at, unit, weight and reconstruct, as in `RecommenderEnvoy.steer`.

        Raises:
            InputError: the steer cannot be carried out, or a history cannot be read.
        """
        steer = self.recommender.steer_of(edits, **how)
        histories = self.users() if users is None else users
        popularity = self.items["popularity"]
        return steering_receipt(
            self.recommender, histories, steer, self.concepts, popularity, k, targets=steer.concepts
        )

    def dose(self, concept: str, share: float, *, at_most: bool = False, k: int = 10, users: Any = None) -> Dose:
        """How far a concept's aligned features must be turned for it to have a share of the lists.

        Args:
            concept: what is asked for; `concept:12` where a feature could be meant.
            share: the mean share of the list that it is to have, such as 0.4.
            at_most: ask for at most this share.
            k: list length.
            users: histories in any form to find the dose on, and to make its receipt on. By default it is found on
                users held out of the SAE part, and its receipt made on the test users.

        Raises:
            InputError: an unknown concept, or a share that is none.
        """
        search = self._search(Goal(concept, share, at_most, k))
        if users is None:
            return find_dose(search, self.users("sae_validation"), self.users())
        return find_dose(search, users)

    def user_doses(
        self, concept: str, share: float, *, at_most: bool = False, k: int = 10, users: Any = None
    ) -> UserDoses:
        """The same for each user's own list (`interp.control.user_doses`).

        Args:
            concept, share, at_most, k: as in `dose`, of each user's list.
            users: histories in any form; by default the test users. Held-out items play no part.

        Raises:
            InputError: an unknown concept, a share that is none, or a user with two histories.
        """
        return find_user_doses(self._search(Goal(concept, share, at_most, k)), self.users() if users is None else users)

    def _search(self, goal: Goal) -> Search:
        concept = feature_or_concept(goal.target, self.concepts.names)
        if not isinstance(concept, str):
            raise InputError(f"{shown(goal.target)} is a feature: a dose is found for a concept, such as Horror")
        goal = replace(goal, target=concept)
        rec, popularity = self.recommender, self.items["popularity"]
        return Search.aligned(rec, self.site, self.concepts, popularity, goal, rec.meanings[self.site])

    @cached_property
    def features(self) -> Features:
        """The dictionary's features: `study.features[412]`, `study.features["Sci-Fi"]`."""
        return Features(self)

    @cached_property
    def figures(self) -> Gallery:
        """The study's plotly figures: `study.figures.map()`."""
        return Gallery(self)

    def table(self, name: str) -> pd.DataFrame:
        """A table by name, such as "concepts" or "steering"; `interp.tables` lists them.

        Raises:
            InputError: there is no such table.
        """
        recommender = self.record["fingerprints"]["recommender"]
        return read_table(self.folder / "tables", _name(name, "table"), recommender)

    def profile(self, concept: str) -> pd.Series:
        """A concept's profile by feature: `rec.steer(2 * study.profile("Horror"), op="add")`.

        How much more active features are with the concept than without it, in units in which what they write together
        has length 1 among normalised activations (`interp.control.profiles.concept_profiles`). It remembers the
        dictionary, and steers no other one.

        Raises:
            InputError: there is no such concept.
        """
        table = self.table("profiles")
        self.concepts.index(_name(concept, "concept"))
        weights = table[table["concept"] == concept].set_index("feature")["weight"]
        weights.attrs[DICTIONARY] = self.sae.fingerprint
        return weights

    def titles(self, recommendations: pd.DataFrame) -> pd.DataFrame:
        """A table with an `item` column, with each item's title and concepts beside it.

        Raises:
            InputError: there is no such column.
        """
        if not isinstance(recommendations, pd.DataFrame) or "item" not in recommendations:
            raise InputError("the table has no column item: give what `recommend` returns")
        return recommendations.join(self.items[["title", "concepts"]], on="item")

    def recommend(self, histories: Any, k: int = 10) -> Recommended:
        """Each history's k best new items, under the steers in force: user, rank, item, score, title, concepts.

        In a terminal it shows itself as one list per user; whatever pandas makes of it is a plain DataFrame.

        Raises:
            InputError: a history cannot be read.
        """
        return Recommended(self.titles(self.recommender.recommend(histories, k)))

    def equalizer(self, k: int = 10) -> "VBox":
        """Sliders for concepts and features, and one history's list before and after, as a Jupyter widget.

        Raises:
            InputError: ipywidgets is not installed, or k is no list length.
        """
        from interp.live.widget import equalizer  # an optional dependency

        return equalizer(self, k)

    def why(self, history: Any, item: Any, top: int = 10) -> Explanation:
        """Why an item has its place in one history's list: the features behind its score (`interp.meaning.why.why`).

        Args:
            history: one history, such as a list of item ids.
            item: any item that the recommender knows.
            top: how many features are ablated and reported.

        Raises:
            InputError: not one history, or an unknown item.
        """
        return why(self.recommender, history, item, top, self.site)

    def to_enter(self, history: Any, item: Any, k: int = 10, candidates: Sequence[Any] = ()) -> Entry:
        """What would have to change for an item to enter one history's list (`interp.control.entering.to_enter`).

        Args:
            history: one history, such as a list of item ids.
            item: any item that the recommender knows and the history lacks.
            k: length of the list.
            candidates: items to try at the end of the history.

        Returns:
            Ways into the list; one unit of a feature is its 99th percentile.

        Raises:
            InputError: not one history, an unknown item, or one that the history has.
        """
        units = self.features.table["p99"]
        return to_enter(self.recommender, history, item, k, units, candidates=candidates, site=self.site)

    @for_terminal
    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)


def open(folder: Path | str) -> Study:
    """Open the folder that a run wrote.

    Raises:
        InputError: there is no finished run in it.
    """
    path = as_path(folder)
    if not (path / RECORD).is_file():
        raise InputError(f"{path} holds no finished study: run `interp study` with --out {path} first")
    return Study(path, read_study_record(path))


def _name(name: Any, what: str) -> str:
    """The name of a part of a study, which is no path.

    Raises:
        InputError: it is no text, or leads elsewhere.
    """
    if not isinstance(name, str) or not name:
        raise InputError(f"there is no {what} {shown(name)}: give its name")
    if what != "concept" and (Path(name).name != name or "\0" in name or len(name) > LONGEST):
        raise InputError(f"there is no {what} {shown(name)}: give its name, not a path")
    return name
