"""A finished run: the recommender with its dictionary attached, the features, and every table."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import FeatureMatrix, feature_matrix
from interp.concepts import Concepts, concepts_of
from interp.control.dose_search import Goal, Search
from interp.control.doses import Dose, find_dose
from interp.control.list_entry import Entry, to_enter
from interp.control.receipts import Receipt, steering_receipt
from interp.control.user_doses import UserDoses, find_user_doses
from interp.features.explanations import Explanation, why
from interp.model.envoys import RecommenderEnvoy
from interp.plots.names import MODELS
from interp.sae.autoencoder import SparseAutoencoder
from interp.steering.parsing import Meanings
from interp.store.table_files import TableReader
from interp.study.feature import Features
from interp.study.glance import as_html, as_text
from interp.study.recommendations import Recommended
from interp.study.study_figures import Gallery
from recmodels.errors import InputError
from recmodels.recommender import Recommender
from recmodels.sequences import Histories, histories_of

if TYPE_CHECKING:
    from ipywidgets import VBox


@dataclass(frozen=True, repr=False)
class Study:
    """Everything that one run produced. Parts are read when they are first asked for. Shows itself in Jupyter.

    Attributes:
        folder: the run's folder.
        record: the content of its config.json.
    """

    folder: Path
    record: dict[str, Any]

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
        """The recommender's kind, such as "gptrec"."""
        return self.config["training"]["model"]

    @property
    def title(self) -> str:
        """Model and data set, such as "GPTRec on ml-1m"."""
        return f"{MODELS.get(self.model, self.model)} on {self.name}"

    @property
    def attribute(self) -> str:
        """The attribute whose values are the concepts, such as "genres"."""
        return self.record["attribute"]

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
        return SparseAutoencoder.load(self.folder / "dictionaries" / (site or self.site) / name)

    def activations(self, part: str = "test") -> ActivationStore:
        """Hidden states at the study's site, and which user, item and step each row is: what tables are computed from.

        Args:
            part: "test", or "sae" for what the dictionary was trained on, or "sae_validation".

        Raises:
            InputError: there is no such part, or its store is damaged.
        """
        return ActivationStore.load(self.folder / "activations" / self.site / part)

    def feature_matrix(self, part: str = "test") -> FeatureMatrix:
        """What the dictionary makes of a part: sparse [n, f], one row for each of `activations(part)`.

        Raises:
            InputError: there is no such part, or what is kept of it is damaged.
        """
        folder = self.folder / "features" / self.site / self.sae.config.name / part
        return feature_matrix(self.activations(part), self.sae, folder)

    @cached_property
    def recommender(self) -> RecommenderEnvoy:
        """The recommender as envoys, with the dictionary attached; steers may name concepts, and units of features."""
        meanings = Meanings.of_tables(self.table("features"), self.table("concepts"))
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
        rows = table[table["part"] == part]
        if rows.empty:
            raise InputError(f"there is no part {part!r}: choose one of {', '.join(table['part'].unique())}")
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

    def dose(
        self,
        concept: str,
        share: float,
        *,
        at_most: bool = False,
        k: int = 10,
        users: Any = None,
        cost: str | None = None,
    ) -> Dose:
        """How far a concept's aligned features must be turned for it to have a share of the lists.

        Args:
            concept: what is asked for.
            share: the mean share of the list that it is to have, such as 0.4.
            at_most: ask for at most this share.
            k: list length.
            users: histories in any form to find the dose on, and to make its receipt on. By default it is found on
                users held out of the SAE part, and its receipt made on the test users.
            cost: of the steers that reach the share, the one with the highest mean of this metric is taken: one of your
                own (`interp.register_metric`), "overlap", or by default "ndcg".

        Raises:
            InputError: an unknown concept or metric, or a share that is none.
        """
        search = replace(self._search(Goal(concept, share, at_most, k)), cost=cost)
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
        """A table by name, such as "concepts" or "steering"; read and checked once. To change its values, `copy()` it.

        Raises:
            InputError: there is no such table.
        """
        return self._tables(name)

    @cached_property
    def _tables(self) -> TableReader:
        return TableReader(self.folder / "tables", self.record["fingerprints"]["recommender"])

    def profile(self, concept: str) -> pd.Series:
        """A concept's profile by feature: `rec.steer(2 * study.profile("Horror"), op="add")`.

        How much more active features are with the concept than without it, in units in which what they write together
        has length 1 among normalised activations (`interp.control.profiles.concept_profiles`).

        Raises:
            InputError: there is no such concept.
        """
        table = self.table("profiles")
        self.concepts.index(concept)
        return table[table["concept"] == concept].set_index("feature")["weight"]

    def titles(self, recommendations: pd.DataFrame) -> pd.DataFrame:
        """A table with an `item` column, with each item's title and concepts beside it.

        Raises:
            InputError: there is no such column.
        """
        if "item" not in recommendations:
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
        from interp.study.widget import equalizer  # an optional dependency

        return equalizer(self, k)

    def why(self, history: Any, item: Any, top: int = 10) -> Explanation:
        """Why an item has its place in one history's list: the features behind its score (`interp.features`).

        Args:
            history: one history, such as a list of item ids.
            item: any item that the recommender knows.
            top: how many features are ablated and reported.

        Raises:
            InputError: not one history, or an unknown item.
        """
        return why(self.recommender, history, item, top, self.site)

    def to_enter(self, history: Any, item: Any, k: int = 10, candidates: Sequence[Any] = ()) -> Entry:
        """What would have to change for an item to enter one history's list (`interp.control.list_entry.to_enter`).

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

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)


def open(folder: Path | str) -> Study:
    """Open the folder that a run wrote.

    Raises:
        InputError: there is no finished run in it.
    """
    path = Path(folder) / "config.json"
    if not path.is_file():
        raise InputError(f"{folder} holds no finished study: run `interp study` with --out {folder} first")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        record["config"]["dataset"], record["dictionary"], record["fingerprints"]["recommender"]
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} is damaged: run the study again, which skips what is already there") from None
    return Study(Path(folder), record)
