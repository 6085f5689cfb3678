"""A finished run: the recommender with its dictionary attached, the features, and every table."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interp.sae.autoencoder import SparseAutoencoder
from interp.store.study_folder import check_finished, read_study_record
from interp.study.bundle import write_bundle
from interp.study.feature import Features
from interp.study.glance import as_html, as_text
from interp.study.named import Dictionaries, StudyTables
from interp.study.other_dictionary import at_site, with_dictionary
from interp.study.recommendations import Recommendations
from interp.study.sources import study_source
from interp.study.study_figures import StudyFigures
from interp.study.study_questions import StudyQuestions
from recmodels.errors import for_terminal
from recmodels.recommender import Recommender

if TYPE_CHECKING:
    from interp.deployment.steered_programs import Format
    from interp.study.widget import EqualizerWidget


@dataclass(frozen=True, repr=False)
class Study(StudyQuestions):
    """Everything that one run produced, and what can be asked of it. Shows itself in Jupyter.

    Attributes:
        folder: the run's folder; copies and pickles of a study keep this path, and read its parts anew.
        record: the content of its config.json.
        other: a dictionary in place of the one that the run chose (`at`, `with_dictionary`); None for that.
    """

    @cached_property
    def features(self) -> Features:
        """The dictionary's features: `study.features[412]`, `study.features["Sci-Fi"]`."""
        return Features(self)

    @cached_property
    def figures(self) -> StudyFigures:
        """The study's plotly figures: `study.figures.map()`."""
        return StudyFigures(self.features)

    @property
    def tables(self) -> StudyTables:
        """Its tables by name; each is read when it is asked for. It shows what each of them holds."""
        return StudyTables(self)

    @property
    def dictionaries(self) -> Dictionaries:
        """All dictionaries of the run, by "site/name"; each is read when it is asked for. It shows what they are."""
        return Dictionaries(self)

    def recommend(self, histories: Any, k: int = 10) -> Recommendations:
        """Each history's k best items, new ones unless `keep_seen`, under the steers in force.

        Args:
            histories: in any form, such as `study.user(874)` or lists of item ids.
            k: list length.

        Returns:
            user, rank, item, score, title, concepts.

        In a terminal it shows itself as one list per user; whatever pandas makes of it is a plain DataFrame.

        Raises:
            InputError: a history cannot be read.
        """
        return Recommendations(self.titles(self.recommender.recommend(histories, k)))

    def equalizer(self, k: int = 10) -> "EqualizerWidget":
        """Sliders for concepts and features, and one history's list before and after, as a Jupyter widget.

        Raises:
            InputError: anywidget is not installed, or k is not a positive integer.
        """
        from interp.study.widget import equalizer  # an optional dependency

        return equalizer(self, k)

    def at(self, site: str) -> "Study":
        """The same study at another site of the run, such as `study.at("blocks.1")`, with the dictionary trained there.

        Recommender, split and activations are those of the run; what depends on the dictionary is computed when it is
        first asked for, and kept (`interp.study.computed_tables`).

        Raises:
            InputError: the run trained no dictionary there.
        """
        return at_site(self, site)

    def with_dictionary(self, dictionary: SparseAutoencoder | Path | str) -> "Study":
        """The same study with another dictionary of the same recommender, at whatever site that reads.

            study.with_dictionary("blocks.0/top_k-32-k-16")    # one of study.dictionaries
            study.with_dictionary(interp.train(store, configs, folder)["wide"])

        Args:
            dictionary: a `SparseAutoencoder`, the folder of one, or its name in `study.dictionaries`.

        Raises:
            InputError: there is no such dictionary, or it is one of another recommender.
        """
        return with_dictionary(self, dictionary)

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
    check_finished(path)
    study = Study(path, read_study_record(path))
    if recommender is not None:
        study.use(recommender)
    return study
