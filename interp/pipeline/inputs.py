"""What analyses can ask for by name, and the key of each: what it follows from."""

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
from interp.model.envoys import RecommenderEnvoy
from interp.pipeline.grid import Saes, Stores
from interp.sae.autoencoder import SparseAutoencoder
from interp.store.analysis import table_of
from interp.store.registry import owner
from interp.store.table_files import TableReader
from recmodels import artifacts
from recmodels.config_keys import config_key
from recmodels.errors import InputError
from recmodels.sequences import Histories, histories_of

TABLES = "tables"  # the folder of tables in a study's folder


@dataclass(frozen=True)
class Input:
    """Something that analyses can ask for.

    Attributes:
        key: what it follows from, as JSON values.
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
        evaluations: a row on every dictionary.
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
        self.keys: dict[str, Any] = {}  # of the analyses that are done
        self.tables = TableReader(self.folder / TABLES, rec.recommender.fingerprint)

    @property
    def folder(self) -> Path:
        """The study's folder."""
        return self.config.folder

    def __getitem__(self, name: str) -> Any:
        """What a parameter of this name is given.

        Raises:
            InputError: there is no such input or table.
        """
        table = table_of(name)
        return self._input(name).make() if table is None else self.tables(table)

    def key(self, name: str) -> Any:
        """What the same follows from.

        Raises:
            InputError: there is no such input, or the table is not computed yet.
        """
        table = table_of(name)
        return self._input(name).key if table is None else self.keys[owner(table).name]

    @cached_property
    def sae(self) -> SparseAutoencoder:
        """The dictionary that is chosen among all, attached to the recommender."""
        every = [sae for some in self.saes.values() for sae in some.values()]
        chosen = every[self.tables("dictionaries")["chosen"].to_numpy().argmax()]
        self.rec.attach(chosen)
        return chosen

    def _input(self, name: str) -> Input:
        if name not in INPUTS:
            raise InputError(
                f"there is no input {name!r}: choose of {', '.join(INPUTS)}, or a table's name with _table"
            )
        return INPUTS[name](self)

    def histories(self, part: str) -> Histories:
        """The histories of a part of the users."""
        return histories_of(getattr(self.data.split, part), self.rec.recommender.vocabulary)

    def features(self, part: str) -> Input:
        """What the chosen dictionary makes of a part."""
        store, sae = self.stores[self.config.site][part], self.sae
        folder = self.folder / "features" / self.config.site / sae.config.name / part
        return Input([store.fingerprint, sae.fingerprint], lambda: feature_matrix(store, sae, folder))

    def store(self, part: str) -> Input:
        """Activations of a part at the study's site."""
        store = self.stores[self.config.site][part]
        return Input(store.fingerprint, lambda: store)


def _plain(value: Any) -> Input:
    return Input(value, lambda: value)


# What each is, is said in docs/how-to/own-analysis.md.
INPUTS: dict[str, Callable[[Inputs], Input]] = {
    "rec": lambda all: Input(all.rec.recommender.fingerprint, lambda: all.rec),
    "sae": lambda all: Input(all.sae.fingerprint, lambda: all.sae),
    "site": lambda all: _plain(all.config.site),
    "concepts": lambda all: Input(all.data.concepts.fingerprint, lambda: all.data.concepts),
    "attribute": lambda all: _plain(all.data.attribute),
    "other_concepts": lambda all: Input(
        {name: concepts.fingerprint for name, concepts in all.data.other_concepts.items()},
        lambda: all.data.other_concepts,
    ),
    "catalogue": lambda all: Input(all.data.dataset.fingerprint, lambda: all.data.dataset.items),
    "training_interactions": lambda all: Input(
        [all.data.dataset.fingerprint, config_key(all.config.split), all.config.repeats],
        lambda: all.data.split.recommender,
    ),
    "train_store": lambda all: all.store("sae"),
    "validation_store": lambda all: all.store("sae_validation"),
    "test_store": lambda all: all.store("test"),
    "test_stores": lambda all: Input(
        {site: parts["test"].fingerprint for site, parts in all.stores.items()},
        lambda: {site: parts["test"] for site, parts in all.stores.items()},
    ),
    "train_features": lambda all: all.features("sae"),
    "validation_features": lambda all: all.features("sae_validation"),
    "test_features": lambda all: all.features("test"),
    "validation_users": lambda all: _users(all, "sae_validation"),
    "test_users": lambda all: _users(all, "test"),
    "evaluations": lambda all: Input(
        [
            [site, sae.fingerprint, all.stores[site]["sae_validation"].fingerprint]
            for site, saes in all.saes.items()
            for sae in saes.values()
        ],
        lambda: all.evaluations,
    ),
    "steered": lambda all: _plain(list(all.config.steered)),
    "values": lambda all: _plain(list(all.config.values)),
    "sae_config": lambda all: Input(config_key(all.config.sae.complete()), lambda: all.config.sae),
    "own_metrics": lambda all: _plain(own_metrics()),
    "max_l0": lambda all: _plain(all.config.max_l0),
    "sparse_l0": lambda all: _plain(all.config.sparse_l0),
}


def _users(all: Inputs, part: str) -> Input:
    histories = all.histories(part)
    return Input(histories.fingerprint, lambda: histories)


def table_key(key: Mapping[str, Any]) -> str:
    """The key of an analysis, as what other analyses know of its tables."""
    return artifacts.json_sha256(key)
