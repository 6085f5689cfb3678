"""A trained recommender: a model together with the vocabulary that turns item ids into what it reads."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch
from transformers.utils import logging as transformers_logging

from recmodels import artifacts
from recmodels.adapters.adapted import AdaptedConfig, AdaptedRecommender
from recmodels.adapters.origin import Origin
from recmodels.adapters.registry import check_known
from recmodels.adapters.sample import check_sample, write_sample
from recmodels.bert4rec import BERT4Rec
from recmodels.devices import to_usual_device
from recmodels.errors import InputError, quote
from recmodels.gptrec import GPTRec
from recmodels.item_blocks import in_blocks, rank_in_blocks
from recmodels.json_files import of_type, read_json, read_record
from recmodels.loading import load_model
from recmodels.model import SequentialRecommender
from recmodels.model_parts import RecommenderConfig
from recmodels.model_registry import MODELS
from recmodels.paths import as_path
from recmodels.ranking import Score, check_length, rank, top_k, users_at_once
from recmodels.sequences import Histories, as_histories
from recmodels.steady import check_precision, steady
from recmodels.vocabulary import Vocabulary
from recmodels.wording import counted

for _kind, _model in (("gptrec", GPTRec), ("bert4rec", BERT4Rec)):
    MODELS.add(_kind, _model, __name__)
OURS = MODELS.ours
KIND = artifacts.Kind("recommender", ("config.json", "model.safetensors", "vocabulary.json"))
USERS = "users.json"  # of a recommender that scores by user
ORIGIN = "origin.json"  # of a recommender that another program trained
KEEP_SEEN = "keep_seen"
VOCABULARY_BYTES = 2**30  # of ids that are read, at most

Model = TypeVar("Model", bound=type[SequentialRecommender])


def register(model: Model) -> Model:
    """Register your own recommender under its `config_class.model_type`, so that it can be trained, loaded and read.

    Use it as a decorator of the class, in a module that is imported before such a recommender is loaded, or that an
    installed package names as an entry point in the group `recmodels.recommenders` (docs/how-to/own-recommender.md).
    A second class under the same name replaces the first.

    Raises:
        InputError: its configuration has no name of its own, or it does not say where its blocks are.
    """
    kind = getattr(model.config_class, "model_type", "")
    if not issubclass(model.config_class, RecommenderConfig) or not kind or kind in OURS:
        raise InputError(
            f"{model.__name__} needs a config_class of its own: a subclass of RecommenderConfig whose model_type is "
            f"not {kind!r}"
        )
    if "blocks.*" not in getattr(model, "site_paths", {}):
        raise InputError(f'{model.__name__} does not say where its blocks are: give site_paths a path for "blocks.*"')
    MODELS.add(kind, model, model.__module__)
    return model


def model_class(kind: str) -> type[SequentialRecommender]:
    """The class of a kind of recommender, such as "gptrec".

    Raises:
        InputError: no such kind is known.
    """
    return MODELS.find(kind)


@dataclass(frozen=True)
class Recommender:
    """A sequential recommender that speaks the user's own item ids.

    Attributes:
        model: the network, in evaluation mode.
        vocabulary: its items.
        keep_seen: whether its lists, and whatever is measured on them, may repeat the items of a history, as where
            people buy the same things again.
        origin: what is known of one that another program trained; None for one that was trained here.
    """

    model: SequentialRecommender
    vocabulary: Vocabulary
    keep_seen: bool = False
    origin: Origin | None = None

    def __post_init__(self) -> None:
        if self.model.config.n_items != len(self.vocabulary):
            raise InputError(
                f"the model scores {self.model.config.n_items} items, the vocabulary has "
                f"{len(self.vocabulary)}: they belong to different runs"
            )
        self.model.eval()

    def __repr__(self) -> str:
        config = self.model.config
        what = config.model_type if self.origin is None else str(self.origin)
        return (
            f"<Recommender of {counted(config.n_items, 'item')}, reads the last {config.max_history} of a history; "
            f"{what}; sites {', '.join(self.model.sites)}>"
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the weights and the vocabulary; dictionaries record it."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.model.state_dict().items()):
            digest.update(f"{name} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        digest.update(json.dumps(self.vocabulary.ids.tolist()).encode())
        if self.vocabulary.users is not None:
            digest.update(json.dumps(self.vocabulary.users.tolist()).encode())
        return digest.hexdigest()

    def histories(self, histories: Any) -> Histories:
        """`recmodels.sequences.as_histories` with this recommender's vocabulary."""
        return as_histories(histories, self.vocabulary)

    @torch.no_grad()
    def score(self, histories: Histories) -> torch.Tensor:
        """Scores of every item as each history's next one: float [user, item], columns in code order."""
        check_precision(self.model)
        with steady(self.model):
            inputs = self.model.inference_inputs(histories).to(self.model.device)
            return self.model(inputs).scores

    def rank(self, histories: Any, k: int = 10) -> np.ndarray:
        """Item codes of each history's top k, its own items left out unless `keep_seen`: int [user, k]."""
        rows = self.histories(histories)
        if in_blocks(self.model):
            return rank_in_blocks(self.model, self._final, rows, k, self.keep_seen)
        return rank(self.score, rows, k, users_at_once(len(self.vocabulary)), self.keep_seen)

    def _final(self, histories: Histories) -> torch.Tensor:
        """What the scorer reads of each history: [user, d]."""
        with steady(self.model):
            return self.model.encode(self.model.inference_inputs(histories).to(self.model.device))[:, -1]

    def recommend(self, histories: Any, k: int = 10) -> pd.DataFrame:
        """Each history's k best items: of those that it does not have yet, or of all if `keep_seen`.

        Args:
            histories: anything `as_histories` reads.
            k: list length.

        Returns:
            Columns user, rank (from 1), item (your id), score; best first.
        """
        return recommendations(self.score, self.histories(histories), self.vocabulary, k, self.keep_seen)

    def save(self, folder: Path | str, inputs: dict[str, Any] | None = None) -> None:
        """Write weights (safetensors), configuration and vocabulary (JSON) as one verified folder."""
        folder = as_path(folder)
        transformers_logging.disable_progress_bar()
        artifacts.discard_partial(folder, KIND)
        with artifacts.writing(folder, KIND, {**(inputs or {}), **lists_key(self.keep_seen)}) as partial:
            self.model.save_pretrained(partial)
            artifacts.write_json(partial / "vocabulary.json", self.vocabulary.ids.tolist())
            if self.vocabulary.users is not None:
                artifacts.write_json(partial / USERS, self.vocabulary.users.tolist())
            if self.origin is not None:
                artifacts.write_json(partial / ORIGIN, self.origin.record)
                write_sample(self, partial)

    @classmethod
    @steady()
    def load(cls, folder: Path | str) -> "Recommender":
        """Read what `save` wrote, after checking every file; onto a GPU if there is one, but for adapted modules.

        Raises:
            InputError: the folder is missing, unfinished or altered; or its model has an unknown type or does not match
                its config.json (`recmodels.loading`).
        """
        folder = as_path(folder)
        transformers_logging.disable_progress_bar()
        keep_seen = artifacts.verify(folder, KIND)["inputs"].get(KEEP_SEEN, False) is True
        advice = f"delete {folder} and run its step again"
        record = read_record(folder / "config.json", {"model_type": str}, advice)
        kind = record["model_type"]
        if kind == AdaptedConfig.model_type:
            check_known(record.get("adapter"))
        model = AdaptedRecommender if kind == AdaptedConfig.model_type else model_class(kind)
        ids = _read_ids(folder / "vocabulary.json", "item", advice)
        users = _read_ids(folder / USERS, "user", advice) if (folder / USERS).exists() else None
        origin = Origin.read(folder / ORIGIN, advice) if (folder / ORIGIN).exists() else None
        network = load_model(folder, model, advice)
        if kind != AdaptedConfig.model_type:  # a module of other code may name devices itself
            to_usual_device(network)
        recommender = cls(network, Vocabulary(ids, network.columns, users), keep_seen, origin)
        check_sample(recommender, folder)
        return recommender


def lists_key(keep_seen: bool) -> dict[str, bool]:
    """What the key of anything that is measured on lists says of `keep_seen`; nothing where it is off, as it was."""
    return {KEEP_SEEN: True} if keep_seen else {}


def _read_ids(path: Path, name: str, advice: str) -> pd.Index:
    """The ids of items or users: text or numbers, each once.

    Raises:
        InputError: the file is damaged.
    """
    ids = read_json(path, advice, VOCABULARY_BYTES)
    if not isinstance(ids, list) or not all(of_type(item, str) or of_type(item, float) for item in ids):
        raise InputError(f"{path} is not a list of {name} ids: {advice}")
    index = pd.Index(ids, name=name)
    if not index.is_unique:
        raise InputError(f"{path} has the {name} {quote(index[index.duplicated()].tolist()[0])} twice: {advice}")
    return index


def recommendations(
    score: Score, histories: Histories, vocabulary: Vocabulary, k: int, keep_seen: bool = False
) -> pd.DataFrame:
    """Top-k lists of any scorer as a table of item ids; see `Recommender.recommend`."""
    parts, k = [], min(check_length(k), len(vocabulary))
    for batch in histories.batches(users_at_once(len(vocabulary))):
        codes, scores = top_k(score(batch), batch, k, keep_seen)
        in_list = codes >= 0
        parts.append(
            pd.DataFrame(
                {
                    "user": batch.users.repeat(in_list.sum(axis=1)),
                    "rank": (in_list.cumsum(axis=1))[in_list],
                    "item": vocabulary.decode(codes[in_list]),
                    "score": scores[in_list],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
