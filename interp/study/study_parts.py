"""What a finished run wrote: recommender, dictionary, tables and users. Each is read when it is first needed."""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import FeatureMatrix, feature_matrix
from interp.concepts import Concepts, concepts_of
from interp.features.grades import FeatureName, names_of
from interp.features.labels import UNLABELLED
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import SparseAutoencoder
from interp.steering.parsing import DICTIONARY, Meanings
from interp.store.analysis import Analysis
from interp.store.registry import analyses, owner
from interp.store.table_files import TableReader
from interp.study.bundle_record import bundle_record, check_in_bundle
from interp.study.computed_tables import ComputedTables, activations_at
from interp.study.given_recommender import fitting
from interp.study.remarks import Remarks
from interp.study.study_record import StudyRecord
from interp.study.users import by_id
from recmodels.errors import InputError, check_kind, quote
from recmodels.recommender import Recommender
from recmodels.sequences import Histories, histories_of

LONGEST = 200  # characters of a name
OWN = "_recommender"  # of a study that was opened with its recommender


@dataclass(frozen=True, repr=False)
class StudyParts(StudyRecord):
    """What one run has written, read when it is first asked for."""

    _names: tuple[Any, dict[int, FeatureName]] | None = None  # and the stamp of the notes that they were read with

    @cached_property
    def sae(self) -> SparseAutoencoder:
        """The chosen dictionary, or the one that `at` or `with_dictionary` was given."""
        return self.dictionary(self.record["dictionary"]) if self.other is None else self.other

    def dictionary(self, name: str, site: str | None = None) -> SparseAutoencoder:
        """Any dictionary of the study; their names are in the folder `dictionaries/<site>`.

        Args:
            name: such as "top_k-512-k-16".
            site: where it was trained; by default the study's site.

        Raises:
            InputError: there is no such dictionary, or it is damaged.
        """
        where = self.site if site is None else _name(site, "site")
        folder = self.folder / "dictionaries" / where / _name(name, "dictionary")
        if not folder.exists():
            check_in_bundle(self.folder, dictionary=f"{where}/{name}")
        return SparseAutoencoder.load(folder)

    def activations(self, part: str = "test") -> ActivationStore:
        """Hidden states at the study's site, and which user, item and step each row is: what tables are computed from.

        Args:
            part: "test", or "sae" for what the dictionary was trained on, or "sae_validation".

        Raises:
            InputError: there is no such part, or its store is damaged.
        """
        _name(part, "part")
        check_in_bundle(self.folder, activations=True)
        return activations_at(self, part)

    def feature_matrix(self, part: str = "test") -> FeatureMatrix:
        """What the dictionary makes of a part: sparse [n, f], one row for each of `activations(part)`.

        Raises:
            InputError: there is no such part, or its stored matrix is damaged.
        """
        return feature_matrix(self.activations(part), self.sae, self.of_dictionary / part)

    @property
    def of_dictionary(self) -> Path:
        """The folder for what is computed of its dictionary when it is first asked for."""
        name = self.sae.config.name
        if self.other is not None:  # whose name the run may have as well
            name = f"{name}-{self.sae.fingerprint[:8]}"
        return self.folder / "features" / self.site / name

    @cached_property
    def recommender(self) -> RecommenderEnvoy:
        """The recommender as envoys, with the dictionary attached; steers may name concepts, and units of features."""
        meanings = Meanings.of_tables(self.table("features"), self.table("concepts"), self.sae.fingerprint)
        return RecommenderEnvoy(self.bare_recommender).attach(self.sae, meanings)

    @cached_property
    def bare_recommender(self) -> Recommender:
        """The recommender without a dictionary."""
        return self.load_recommender()

    def load_recommender(self) -> Recommender:
        """The recommender without a dictionary, read anew, or the one that `use` was given.

        Raises:
            InputError: it is damaged, or was given to the run from Python and cannot be made again.
        """
        own: Recommender | None = self.__dict__.get(OWN)
        if own is not None:
            return own
        try:
            return Recommender.load(self.folder / "recommender")
        except InputError as error:
            if not self.provenance.adapter:
                raise
            raise InputError(
                f"{error}; or open the study with the recommender that it was given: "
                f"interp.open({str(self.folder)!r}, recommender=…)"
            ) from None

    def use(self, recommender: Recommender) -> None:
        """Take a recommender in place of the one in the folder.

        Raises:
            InputError: the study is about another one.
        """
        items = pd.Index(self.table("items")["item"])
        own = fitting(recommender, self.record["fingerprints"]["recommender"], items)
        if own is None:
            raise InputError(f"{self.folder} is a study of another recommender: its weights or items differ")
        self.__dict__[OWN] = own

    @cached_property
    def items(self) -> pd.DataFrame:
        """title, concepts and popularity of every item that the recommender knows, indexed by item id."""
        return self.table("items").set_index("item")

    @cached_property
    def concepts(self) -> Concepts:
        """Which of these items has which of the study's concepts."""
        return concepts_of(self.items, "concepts") if self.has_concepts else Concepts.none(self.items.index)

    def users(self, part: str = "test") -> Histories:
        """The histories of users that the recommender never saw, or, where it was trained elsewhere, may have.

        Args:
            part: "test", or "sae_validation" for those held out of the SAE part, on which settings are chosen.

        Raises:
            InputError: there is no such part.
        """
        table = self.table("users")
        rows = table[table["part"] == _name(part, "part")]
        if rows.empty:
            raise InputError(f"there is no part {quote(part)}: choose one of {', '.join(table['part'].unique())}")
        return histories_of(rows, self.bare_recommender.vocabulary, is_ordered=True)

    def user(self, *ids: Any) -> Histories:
        """The history of a user by id, or of several: it goes wherever a history goes.

            study.recommend(study.user(874))
            study.why(study.user(874), 50)

        A whole history, with the last item, as those of `users`; both parts are looked through.

        Raises:
            InputError: the study has no history of this user.
        """
        return by_id(self.table("users"), ids, self.bare_recommender.vocabulary)

    def table(self, name: str) -> pd.DataFrame:
        """A table by name, such as "concepts" or "steering"; read and checked once. To change its values, `copy()` it.

        A table with a column `feature` knows its dictionary: a column of it steers no other one.

        Raises:
            InputError: there is no such table.
        """
        maker = owner(_name(name, "table"))
        if maker.name not in {analysis.name for analysis in self.analyses}:
            raise InputError(f"{self.name} has no concepts, so it has no table {name!r}: give its items an attribute")
        check_in_bundle(self.folder, table=name)
        table = self._tables(name)
        if "feature" in table:
            with suppress(InputError):  # a table can be read without the dictionary
                table.attrs[DICTIONARY] = self.sae.fingerprint
        return table

    @cached_property
    def analyses(self) -> list[Analysis]:
        """The analyses that it has, with what their tables can say of it."""
        return analyses(self.has_concepts)

    @cached_property
    def _tables(self) -> TableReader | ComputedTables:
        tables = TableReader(self.folder / "tables", self.record["fingerprints"]["recommender"])
        return tables if self.other is None else ComputedTables(self, tables)

    def left_out(self, table: str) -> bool:
        """Whether the study was opened from a bundle without this table, because it names users."""
        record = bundle_record(self.folder)
        return record is not None and table in record.tables_left_out

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

    @cached_property
    def labels(self) -> pd.Series:
        """What every feature is called: its label, or "unlabelled" where none holds on unseen users and items."""
        table = self.table("labels").set_index("feature").sort_index()
        return table["label"].where(table["labelled"], UNLABELLED)

    @cached_property
    def measured_names(self) -> dict[int, FeatureName]:
        """What each feature is called by its evidence, and how good that is (`interp.features.grades`)."""
        evidence = self.table("feature_evidence") if self.has_concepts else None
        return names_of(self.table("labels"), self.table("features"), evidence)

    @property
    def names(self) -> dict[int, FeatureName]:
        """What every view calls each feature: its measured name, beside it the one that a person gave (`remarks`)."""
        stamp, known = self.remarks.stamp, self._names
        if known is None or known[0] != stamp:
            given = {} if self.remarks.problem else self.remarks.given
            measured = self.measured_names
            called = {
                feature: replace(measured[feature], given=name.text, by=name.by) for feature, name in given.items()
            }
            known = stamp, measured | called
            vars(self)["_names"] = known  # as cached_property does, in a frozen class
        return known[1]

    @property
    def remarks(self) -> Remarks:
        """What people wrote about its features: names of their own, votes, comments (`interp notes`)."""
        return Remarks(self)

    @property
    def notes(self) -> list[str]:
        """What a reader must know of its recommender, data and lists: a plain line each, most often none."""
        return [*super().notes, *self.remarks.problem]

    def titles(self, recommendations: pd.DataFrame) -> pd.DataFrame:
        """A table with an `item` column, with each item's title and concepts beside it.

        Raises:
            InputError: there is no such column.
        """
        if not isinstance(recommendations, pd.DataFrame) or "item" not in recommendations:
            raise InputError("the table has no column item: give what `recommend` returns")
        try:
            return recommendations.join(self.items[["title", "concepts"]], on="item")
        except (ValueError, TypeError):
            raise InputError("the column item holds no item ids: give what `recommend` returns") from None


def check_is_study(study: Any) -> None:
    """Refuse what is no study, such as its recommender or its folder.

    Raises:
        InputError: it is none.
    """
    check_kind("the study", study, StudyParts, "what interp.open(FOLDER) returns")


def _name(name: Any, kind: str) -> str:
    """The name of a part of a study, after a check that it is not a path.

    Raises:
        InputError: it is not text, or it is a path.
    """
    if not isinstance(name, str) or not name:
        raise InputError(f"there is no {kind} {quote(name)}: give its name")
    if kind != "concept" and (Path(name).name != name or "\0" in name or len(name) > LONGEST):
        raise InputError(f"there is no {kind} {quote(name)}: give its name, not a path")
    return name
