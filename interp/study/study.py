"""A finished run: the recommender with its dictionary attached, the features, and every table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from interp.control.dose_search import Goal, Search
from interp.control.doses import Dose, find_dose
from interp.control.least_collateral import LeastCollateral, learn_weights, set_of, store_histories
from interp.control.list_entry import Entry, to_enter
from interp.control.mix_doses import MixDose, find_mix_dose, goals_of
from interp.control.user_doses import UserDoses, find_user_doses
from interp.features.explanations import Explanation, why
from interp.steering.feature_names import feature_or_concept
from interp.store.study_folder import RECORD, read_study_record
from interp.study.bundle import write_bundle
from interp.study.drift import Drift, drift
from interp.study.feature import Features
from interp.study.glance import as_html, as_text
from interp.study.recommendations import Recommendations
from interp.study.sources import study_source
from interp.study.study_figures import StudyFigures
from interp.study.study_parts import StudyParts
from recmodels.errors import InputError, for_terminal, quote
from recmodels.recommender import Recommender

if TYPE_CHECKING:
    from ipywidgets import VBox

    from interp.deployment.steered_programs import Format

LONGEST = 200  # characters of a name


@dataclass(frozen=True, repr=False)
class Study(StudyParts):
    """Everything that one run produced, and what can be asked of it. Shows itself in Jupyter.

    Attributes:
        folder: the run's folder; copies and pickles of a study keep this path, and read its parts anew.
        record: the content of its config.json.
    """

    @overload
    def dose(
        self,
        concept: str,
        share: float,
        *,
        at_most: bool = False,
        k: int = 10,
        users: Any = None,
        cost: str | None = None,
    ) -> Dose: ...

    @overload
    def dose(self, concept: Mapping[str, Any], *, k: int = 10, users: Any = None) -> MixDose: ...

    def dose(
        self,
        concept: Any,
        share: Any = None,
        *,
        at_most: bool = False,
        k: int = 10,
        users: Any = None,
        cost: str | None = None,
    ) -> Dose | MixDose:
        """How far features must be turned for a concept, or several, to have a share of the lists.

            study.dose("Horror", 0.3)
            study.dose({"Horror": 0.3, "Drama": interp.at_most(0.2)})

        One concept is turned by its aligned features, several by their least-collateral steers together
        (`interp.control.mix_doses`).

        Args:
            concept: what is asked for; `concept:12` where a feature could be meant. Or a mapping from concept to share,
                or to `at_most(share)`.
            share: the mean share of the list that it is to have, such as 0.4; for one concept.
            at_most: ask for at most this share; for one concept.
            k: list length.
            users: histories in any form to find the dose on, and to make its receipt on. By default it is found on
                users held out of the SAE part, and its receipt made on the test users.
            cost: of the steers that reach the share, the one with the highest mean of this metric is taken: one of your
                own (`interp.register_metric`), "overlap", or by default "ndcg"; for one concept.

        Raises:
            InputError: an unknown concept or metric, or a share that is not valid.
        """
        found_on, receipt_on = (users, None) if users is not None else (self.users("sae_validation"), self.users())
        if isinstance(concept, Mapping):
            if share is not None or at_most or cost is not None:
                raise InputError("share, at_most and cost are for one concept: with several, write each goal's own")
            goals = goals_of({self._concept(name): goal for name, goal in concept.items()}, k)
            steers = {goal.target: self.least_collateral(goal.target) for goal in goals}
            popularity = self.items["popularity"]
            return find_mix_dose(self.recommender, goals, steers, self.concepts, popularity, found_on, receipt_on)
        search = replace(self._search(Goal(concept, share, at_most, k)), cost=cost)
        return find_dose(search, found_on, receipt_on)

    def user_doses(
        self,
        concept: str,
        share: float,
        *,
        at_most: bool = False,
        k: int = 10,
        users: Any = None,
        cost: str | None = None,
    ) -> UserDoses:
        """The same for each user's own list (`interp.control.user_doses`).

        Args:
            concept, share, at_most, k: as in `dose`, of each user's list.
            users: histories in any form; by default the test users. Held-out items are not used.
            cost: of the lists that reach the share, the one with the largest value of this metric is taken: one of your
                own that needs no held-out item, or by default "overlap".

        Raises:
            InputError: an unknown concept or metric, a share that is not valid, or a user with two histories.
        """
        search = replace(self._search(Goal(concept, share, at_most, k)), cost=cost)
        return find_user_doses(search, self.users() if users is None else users)

    def least_collateral(self, concept: str | None = None, *, items: Any = None) -> LeastCollateral:
        """At most 20 features that move a concept's items, or any items, and leave other scores alone.

            steer = study.least_collateral("Horror")           # shows the features with their labels
            with study.recommender.steer(steer.steer(1.0)):     # all users alike
                ...
            study.receipt(steer.for_users(study.recommender, histories, share=0.4), histories)

        Weights are learnt on users of the SAE part (`interp.control.least_collateral`), for a concept while the study
        is made, for other items when this is called, which takes seconds.

        Args:
            concept: its name.
            items: item ids of a set, in place of a concept.

        Raises:
            InputError: neither or both are given, an unknown concept or item, or a concept that all items have.
        """
        if (concept is None) == (items is None):
            raise InputError("give a concept, such as Horror, or items=, a list of item ids")
        rec, site = self.recommender, self.site
        if concept is None:
            name, has = "items", set_of(rec, items)
            weights = learn_weights(rec, store_histories(self.activations("sae"), rec), site, {name: has})
        else:
            column = self.concepts.index(concept)
            name, weights = concept, self.table("least_collateral")
            has = self.concepts.labels(rec.recommender.vocabulary.ids)[:, column]
            if name not in set(weights["concept"]):
                raise InputError(f"{quote(name)} has no items or all of them: there is nothing to steer")
        own = weights[weights["concept"] == name].set_index("feature")["weight"]
        labels = {int(feature): self.names[feature].text for feature in own.index}
        return LeastCollateral(name, own, has, site, self.sae.fingerprint, labels, concept is not None)

    def _search(self, goal: Goal) -> Search:
        goal = replace(goal, target=self._concept(goal.target))
        rec, popularity = self.recommender, self.items["popularity"]
        return Search.aligned(rec, self.site, self.concepts, popularity, goal, rec.meanings[self.site])

    def _concept(self, name: str) -> str:
        if not isinstance(name, str):
            raise InputError(f"{quote(name)} is not the name of a concept: write goals as {{'Horror': 0.3}}")
        concept = feature_or_concept(name, self.concepts.names)
        if not isinstance(concept, str):
            raise InputError(f"{quote(name)} is a feature: a dose is found for a concept, such as Horror")
        return concept

    @cached_property
    def features(self) -> Features:
        """The dictionary's features: `study.features[412]`, `study.features["Sci-Fi"]`."""
        return Features(self)

    @cached_property
    def figures(self) -> StudyFigures:
        """The study's plotly figures: `study.figures.map()`."""
        return StudyFigures(self.features)

    def recommend(self, histories: Any, k: int = 10) -> Recommendations:
        """Each history's k best items, new ones unless `keep_seen`, under the steers in force.

        Returns:
            user, rank, item, score, title, concepts.

        In a terminal it shows itself as one list per user; whatever pandas makes of it is a plain DataFrame.

        Raises:
            InputError: a history cannot be read.
        """
        return Recommendations(self.titles(self.recommender.recommend(histories, k)))

    def equalizer(self, k: int = 10) -> "VBox":
        """Sliders for concepts and features, and one history's list before and after, as a Jupyter widget.

        Raises:
            InputError: ipywidgets is not installed, or k is not a positive integer.
        """
        from interp.study.widget import equalizer  # an optional dependency

        return equalizer(self, k)

    def bundle(
        self,
        to: Path | str,
        *,
        with_users: bool = False,
        with_activations: bool = False,
        licence: str | None = None,
        cite: str | None = None,
    ) -> Path:
        """Write the study for others: recommender, dictionary, tables and a card, README.md, that model hubs read.

            study.bundle("ml-100k.zip", licence="cc-by-4.0")    # interp.open("ml-100k.zip") opens it elsewhere

        Args:
            to: an archive, if the name ends in .zip; otherwise a folder, which can be put on a hub as it is.
            with_users: also the tables and pages that name users; by default nothing in it does.
            with_activations: also activations and feature matrices, whose rows name users.
            licence: the licence that you give it, as hubs name it, such as "mit".
            cite: how it is to be cited, beside the paper and the data.

        Returns:
            The archive or folder.

        Raises:
            InputError: a part of the study is damaged, the place holds something else, or activations without users.
        """
        return write_bundle(
            self, to, with_users=with_users, with_activations=with_activations, licence=licence, cite=cite
        )

    def export_service(
        self, to: Path | str, steers: Mapping[str, Any] | None = None, *, formats: "tuple[Format, ...]" = ()
    ) -> Path:
        """Write a folder that `interp.serving.load` opens, without nnsight, transformers or pandas.

        Args:
            to: the folder; an earlier export in it is replaced.
            steers: name → steer, such as `study.dose("Horror", 0.3).steer` or a file of `interp.save_steer`.
            formats: "pt2" and "onnx": write recommender and steers as one program too (`interp.export_service`).

        Raises:
            InputError: the recommender or a steer cannot be exported, or the folder holds something else.
        """
        from interp.deployment.service_export import export_service  # which loads more of torch

        return export_service(self.recommender, to, steers, histories=self.users(), formats=formats)

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
            item: any item that the recommender knows and, unless `keep_seen`, the history lacks.
            k: length of the list.
            candidates: items to try at the end of the history.

        Returns:
            Ways into the list; one unit of a feature is its 99th percentile.

        Raises:
            InputError: not one history, an unknown item, or one that the history has.
        """
        units = self.features.table["p99"]
        return to_enter(self.recommender, history, item, k, units, candidates=candidates, site=self.site)

    def drift(self, before: Any, after: Any) -> Drift:
        """Which features rise or fade between two periods of histories, under the same recommender.

            study.drift(spring, summer)         # tables of interactions, or histories in any other form

        Rates are shares of steps on which a feature is active; their intervals come from resampling users, and the
        p-values are corrected for the number of features (`interp.features.activity_rates`). Each history is
        read from its first item of the period. Take users that the recommender was not trained on, in both alike.

        Args:
            before: the histories of the earlier period.
            after: those of the later one; a user may be in both.

        Raises:
            InputError: a history cannot be read, or a period has fewer than two users.
        """
        return drift(self, before, after)

    @for_terminal
    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)


def open(folder: Path | str, recommender: Recommender | None = None) -> Study:
    """Open the folder that a run wrote, or a bundle of it (`Study.bundle`).

        interp.open("artifacts/ml-100k")
        interp.open("ml-100k.zip")
        interp.open("hf://OWNER/NAME")

    Args:
        folder: a folder; an archive, which is unpacked into the cache; or a place on a model hub, which is downloaded
            there with huggingface_hub.
        recommender: the one that the run was given, where the folder alone cannot make it again: its adapter was only
            made in Python, or is not registered.

    Raises:
        InputError: there is no finished run in it, or it is about another recommender; it cannot be reached; or an
            archive is damaged or not to be trusted.
    """
    path = study_source(folder)
    if not (path / RECORD).is_file():
        raise InputError(f"{path} holds no finished study: run `interp study` with --out {path} first")
    study = Study(path, read_study_record(path))
    if recommender is not None:
        study.use(recommender)
    return study
