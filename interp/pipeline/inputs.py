"""The inputs that analyses ask for by the names of their parameters, each with its key: what it is computed from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from interp.activations.feature_matrix import feature_matrix
from interp.concepts.study_data import StudyData
from interp.config import StudyConfig
from interp.control.user_metrics import own_metrics
from interp.features.candidates import Candidates
from interp.features.steered_sample import steered_sample
from interp.model.envoys import RecommenderEnvoy
from interp.pipeline.grid import Saes, Stores
from interp.pipeline.trained_baselines import baselines, train_baselines
from interp.sae.autoencoder import SparseAutoencoder
from interp.store.analysis import Analysis, table_of
from interp.store.keys import analysis_key
from interp.store.registry import owner
from interp.store.table_files import TableReader
from recmodels import artifacts
from recmodels.config_keys import config_key
from recmodels.errors import InputError
from recmodels.recommender import lists_key
from recmodels.sequences import Histories, histories_of

TABLES = "tables"  # the folder of tables in a study's folder


@dataclass(frozen=True)
class Input:
    """A value for an analysis, made only when it is needed.

    Attributes:
        key: what it is computed from, as JSON values.
        make: gives it.
    """

    key: Any
    make: Callable[[], Any]


class Inputs:
    """Everything that the analyses of a study can ask for by the names of their parameters.

    Args:
        config: the configuration.
        data: the data, read as it says.
        rec: the recommender.
        stores: activations by site and part.
        saes: dictionaries by site and name.
        evaluations: one row for each dictionary.
    """

    def __init__(
        self,
        config: StudyConfig,
        data: StudyData,
        rec: RecommenderEnvoy,
        stores: Mapping[str, Stores],
        saes: Saes,
        evaluations: list[pd.DataFrame],
    ) -> None:
        self.config = config
        self.data = data
        self.rec = rec
        self.stores = stores
        self.saes = saes
        self.evaluations = evaluations
        self.keys: dict[str, str] = {}  # of analyses, once they are asked for
        self.tables = TableReader(self.folder / TABLES, rec.recommender.fingerprint)

    @property
    def folder(self) -> Path:
        """The study's folder."""
        return self.config.folder

    def __getitem__(self, name: str) -> Any:
        """The value of a parameter of this name.

        Raises:
            InputError: there is no such input or table.
        """
        table = table_of(name)
        return self._input(name).make() if table is None else self.tables(table)

    def key(self, name: str) -> Any:
        """What this value is computed from, as JSON values.

        Raises:
            InputError: there is no such input.
        """
        table = table_of(name)
        if table is None:
            return self._input(name).key
        analysis = owner(table)
        if analysis.name not in self.keys:
            self.keys[analysis.name] = table_key(self.analysis_key(analysis))
        return self.keys[analysis.name]

    def analysis_key(self, analysis: Analysis) -> dict[str, Any]:
        """What the tables of an analysis follow from, as JSON values."""
        key = analysis_key(analysis, {name: self.key(name) for name in analysis.needs})
        return key | lists_key(self.rec.keep_seen)

    @cached_property
    def sae(self) -> SparseAutoencoder:
        """The dictionary that the study chose, attached to the recommender."""
        candidates = [sae for by_name in self.saes.values() for sae in by_name.values()]
        sae = candidates[self.tables("dictionaries")["chosen"].to_numpy().argmax()]
        self.rec.attach(sae)
        return sae

    def _input(self, name: str) -> Input:
        if name not in INPUTS:
            raise InputError(
                f"there is no input {name!r}: choose one of {', '.join(INPUTS)}, or a table's name with _table"
            )
        return INPUTS[name].read(self)

    def histories(self, *parts: str) -> Histories:
        """The histories of parts of the users."""
        rows = pd.concat([getattr(self.data.split, part) for part in parts], ignore_index=True)
        return histories_of(rows, self.rec.recommender.vocabulary)

    def features(self, part: str) -> Input:
        """Feature activations of a part: sparse float32 [step, feature]."""
        store, sae = self.stores[self.config.site][part], self.sae
        folder = self.folder / "features" / self.config.site / sae.config.name / part
        return Input([store.fingerprint, sae.fingerprint], lambda: feature_matrix(store, sae, folder))

    def train_baselines(self) -> None:
        """Train the baselines that are dictionaries (`interp.pipeline.trained_baselines.train_baselines`)."""
        train_baselines(self.config, self.data, self.rec, self.stores[self.config.site], self.sae)

    def baselines(self) -> Input:
        """Candidates that compete with features: list of `Candidates`."""
        config, stores, sae = self.config, self.stores[self.config.site], self.sae
        key = {
            "which": config.baselines,
            "dictionary": sae.fingerprint,
            "stores": {part: store.fingerprint for part, store in stores.items()},
            "training": config_key(config.training) if self.data.recommender is None else None,
            "seed": config.sae.seed,
        }

        def make() -> list[Candidates]:
            l0 = self.features("sae").make().nnz / len(stores["sae"])
            return baselines(config, self.data, self.rec, stores, sae, l0)

        return Input(key, make)

    def store(self, part: str) -> Input:
        """Activations of a part at the study's site."""
        store = self.stores[self.config.site][part]
        return Input(store.fingerprint, lambda: store)


@dataclass(frozen=True)
class InputSource:
    """An input's description, and where its value comes from.

    Attributes:
        about: what the input is, in a line.
        read: gives it for one study.
    """

    about: str
    read: Callable[[Inputs], Input]


def _of_data(fingerprint: str, config: StudyConfig) -> list[Any]:
    """The key of the interactions of a part."""
    core = [{"k_core": config.k_core}] if config.k_core > 1 else []
    return [fingerprint, config_key(config.split), config.repeats, *core]


def _plain(value: Any) -> Input:
    return Input(value, lambda: value)


# Each input that analyses can ask for; docs/how-to/own-analysis.md prints the texts.
INPUTS: dict[str, InputSource] = {
    "rec": InputSource(
        "the recommender as a `RecommenderEnvoy`, with the chosen dictionary attached",
        lambda inputs: Input(inputs.rec.recommender.fingerprint, lambda: inputs.rec),
    ),
    "sae": InputSource(
        "the chosen dictionary, a `SparseAutoencoder`", lambda inputs: Input(inputs.sae.fingerprint, lambda: inputs.sae)
    ),
    "site": InputSource(
        "where the dictionary reads the recommender, such as `blocks.0`", lambda inputs: _plain(inputs.config.site)
    ),
    "concepts": InputSource(
        "the study's concepts, a `Concepts`: which item has which",
        lambda inputs: Input(inputs.data.concepts.fingerprint, lambda: inputs.data.concepts),
    ),
    "attribute": InputSource(
        "the name of the attribute whose values they are, such as `genres`",
        lambda inputs: _plain(inputs.data.attribute),
    ),
    "other_concepts": InputSource(
        "the same for each of `other_attributes`: attribute → `Concepts`",
        lambda inputs: Input(
            {name: concepts.fingerprint for name, concepts in inputs.data.other_concepts.items()},
            lambda: inputs.data.other_concepts,
        ),
    ),
    "catalogue": InputSource(
        "the item table of the data set, indexed by item id",
        lambda inputs: Input(inputs.data.dataset.fingerprint, lambda: inputs.data.dataset.items),
    ),
    "training_interactions": InputSource(
        "the interactions that the recommender was trained on; where it was trained elsewhere, those of the SAE part "
        "without each user's last: user, item, time",
        lambda inputs: Input(
            [
                *_of_data(inputs.data.dataset.fingerprint, inputs.config),
                *(() if inputs.data.seen is None else inputs.data.seen.key),
            ],
            lambda: inputs.data.split.recommender,
        ),
    ),
    "train_store": InputSource(
        "activations at the site, of the users who trained the dictionary: an `ActivationStore`",
        lambda inputs: inputs.store("sae"),
    ),
    "validation_store": InputSource("the same of the validation users", lambda inputs: inputs.store("sae_validation")),
    "test_store": InputSource("the same of the test users", lambda inputs: inputs.store("test")),
    "test_stores": InputSource(
        "the same at every site of the study: site → `ActivationStore`",
        lambda inputs: Input(
            {site: parts["test"].fingerprint for site, parts in inputs.stores.items()},
            lambda: {site: parts["test"] for site, parts in inputs.stores.items()},
        ),
    ),
    "train_features": InputSource(
        "what the dictionary makes of `train_store`: sparse float32 [step, feature]",
        lambda inputs: inputs.features("sae"),
    ),
    "validation_features": InputSource(
        "the same of `validation_store`", lambda inputs: inputs.features("sae_validation")
    ),
    "test_features": InputSource("the same of `test_store`", lambda inputs: inputs.features("test")),
    "baselines": InputSource(
        "candidates beside the features, such as random directions and ICA: list of `Candidates`",
        lambda inputs: inputs.baselines(),
    ),
    "validation_users": InputSource(
        "histories of the validation users, a `Histories`", lambda inputs: _users(inputs, "sae_validation")
    ),
    "sae_users": InputSource(
        "the same of all users of the SAE part, the validation users among them",
        lambda inputs: _users(inputs, "sae", "sae_validation"),
    ),
    "split_kind": InputSource(
        'how interactions are divided: "paper" or "leave-one-out"',
        lambda inputs: Input(inputs.config.split.kind, lambda: inputs.config.split.kind),
    ),
    "test_users": InputSource("histories of the test users", lambda inputs: _users(inputs, "test")),
    "steered_users": InputSource(
        "the test users whom steering is measured on: all, or a sample where the catalogue is large",
        lambda inputs: _steered(inputs, "test"),
    ),
    "steered_validation_users": InputSource(
        "the same of the validation users", lambda inputs: _steered(inputs, "sae_validation")
    ),
    "evaluations": InputSource(
        "a row on every dictionary of the study: list of frames",
        lambda inputs: Input(
            [
                [site, sae.fingerprint, inputs.stores[site]["sae_validation"].fingerprint]
                for site, saes in inputs.saes.items()
                for sae in saes.values()
            ],
            lambda: inputs.evaluations,
        ),
    ),
    "steered": InputSource(
        "the concepts that the configuration says to steer; empty for the best aligned ones",
        lambda inputs: _plain(list(inputs.config.steered)),
    ),
    "values": InputSource(
        "the activations that steered features are set to", lambda inputs: _plain(list(inputs.config.values))
    ),
    "sae_config": InputSource(
        "the `SAEConfig` of the study",
        lambda inputs: Input(config_key(inputs.config.sae.complete()), lambda: inputs.config.sae),
    ),
    "own_metrics": InputSource(
        "metrics that were added by `register_metric`: name → version", lambda inputs: _plain(own_metrics())
    ),
    "max_l0": InputSource(
        "active features per step, at most, of the dictionary that is chosen",
        lambda inputs: _plain(inputs.config.max_l0),
    ),
    "sparse_l0": InputSource("the same for the best very sparse one", lambda inputs: _plain(inputs.config.sparse_l0)),
}


def _users(inputs: Inputs, *parts: str) -> Input:
    histories = inputs.histories(*parts)
    return Input(histories.fingerprint, lambda: histories)


def _steered(inputs: Inputs, part: str) -> Input:
    histories = steered_sample(inputs.histories(part), len(inputs.rec.recommender.vocabulary))
    return Input(histories.fingerprint, lambda: histories)


def table_key(key: Mapping[str, Any]) -> str:
    """The key that stands for an analysis's tables in the keys of other analyses."""
    return artifacts.json_sha256(key)
