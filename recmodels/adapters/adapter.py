"""The one object that tells how a trained module of another program reads histories and scores items.

Axes: b histories, s steps, w steps of the module, d width, v items.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn

from recmodels.adapters.batch import Batch, Side
from recmodels.config import site_names
from recmodels.errors import InputError, quote
from recmodels.sequences import Histories


class Adapter:
    """How one trained module reads histories and gives scores. Subclass it; `run` and `weights` are all it must have.

        class MySASRec(Adapter):
            sites = {"embedding": "item_emb", "blocks.*": "forward_layers.*"}

            def run(self, batch):
                return self.module.log2feats(batch.tokens())        # [b, w, d]

            def weights(self):
                return self.module.item_emb.weight[1:]              # [v, d]

        recommender = recmodels.adapters.wrap(MySASRec(module, n_items=len(ids), max_history=50), ids)

    Attributes:
        module: the trained network.
        n_items: v, how many items it scores.
        max_history: how many of a history's last items it reads.
        settings: what `build` needs to make the same network again, as JSON values.
    """

    name: ClassVar[str] = ""
    """Under which name it is registered (`recmodels.adapters.register_adapter`)."""
    title: str = ""
    """What pages call the recommender, such as "RecTools SASRec"; by default the name of the class."""
    sites: Mapping[str, str] = {}
    """Site name → path of a module inside `module`, with * for the number of the block: "embedding", "blocks.*",
    "blocks.*.attention", "blocks.*.mlp". The output of each is [b, w, d], or a tuple that begins with it; widths may
    differ. The site "final" is what `run` returns, and needs no path."""
    side: Side = "left"
    """On which side the module's padding is."""
    full_width: bool = False
    """Whether the module always reads `max_history` steps, because its padding is not masked and it was trained so."""
    mask_step: bool = False
    """Whether a [MASK] follows the history and is what gets scored, as in BERT4Rec."""
    columns: tuple[str, ...] = ()
    """Further columns of a table of histories that it reads at each step, such as ("time", "rating"): numbers, as the
    table has them; `batch.extra("time")` gives them to `run`. What belongs to an item is looked up in `run`."""
    by_user: bool = False
    """Whether it scores by user, as a factorisation does: `wrap` gets its users, and `batch.users` are their rows."""
    has_steps: bool = True
    """Whether it has a hidden state at each step. A model without steps, such as matrix factorisation or two towers,
    has one for each history: `run` and the sites give [b, d]."""
    users: Sequence[Any] | None = None
    """Ids of the users that it was trained on, where its files tell; in the order of its rows, if it scores by user."""
    sequence_first: tuple[str, ...] = ()
    """Sites whose module gives [w, b, d] instead of [b, w, d], by their names in `sites`."""

    def __init__(self, module: nn.Module, n_items: int, max_history: int, settings: dict[str, Any] | None = None):
        self.module = module
        self.n_items = n_items
        self.max_history = max_history
        self.settings = settings or {}

    def run(self, batch: Batch) -> Tensor:
        """Hidden states from which items are scored: [b, w, d], w as in `batch.tokens()`."""
        raise NotImplementedError

    def weights(self) -> Tensor:
        """The weights of each item's score: [v, d], in the order of the item ids.

        Beside a `score` of your own it may be left out; or it says how scores change with a small change of the state.
        """
        raise NotImplementedError

    def bias(self) -> Tensor | None:
        """What is added to each item's score: [v], or None."""
        return None

    def embeddings(self) -> Tensor:
        """The input vector of each item: [v, d of the embedding]; by default `weights`, as in a tied model."""
        return self.weights()

    def score(self, hidden: Tensor) -> Tensor:
        """[..., d] hidden states of `run` to [..., v] scores; by default linear, with `weights` and `bias`."""
        return F.linear(hidden, self.weights(), self.bias())

    def scores(self, batch: Batch) -> Tensor | None:
        """The module's own scores of every item after each history, where it gives them: [b, v] or None.

        They are compared with `score` of the last step when the module is wrapped, and used for nothing else.
        """
        return None

    @property
    def linear(self) -> bool:
        """Whether scores are linear in the hidden state at "final", with `weights` and `bias`."""
        return type(self).score is Adapter.score

    def extras(self, histories: Histories) -> Mapping[str, np.ndarray]:
        """The values of `columns`: name → one number per entry of `histories.codes`.

        Override it for columns that histories may lack, such as typed ones.

        Raises:
            InputError: the histories lack a column.
        """
        absent = ", ".join(name for name in self.columns if name not in histories.extras)
        if absent:
            raise InputError(
                f"this recommender reads the {absent} of each step: give a table with this column, in a study of your "
                f"own data with --columns.steps"
            )
        return {name: histories.extras[name] for name in self.columns}

    def example(self, name: str, n: int) -> np.ndarray:
        """Any n values of a column that the module can read, to measure it with: [n].

        By default, times that grow by a day, or 1 to 5 for another column.
        """
        return 86_400.0 * np.arange(1, n + 1) if "time" in name else 1.0 + np.arange(n) % 5

    @classmethod
    def build(cls, settings: dict[str, Any]) -> Self:
        """The adapter of a new network of these settings, with weights of any value; a saved study is opened so.

        Raises:
            InputError: this adapter was only made in Python.
        """
        raise InputError(
            f"{cls.__name__} cannot be opened from a folder: give it a `build(settings)` that makes its module, and "
            f"register it with recmodels.adapters.register_adapter"
        )

    @classmethod
    def read(cls, path: Path, *_: Any, **options: Any) -> tuple[Self, Sequence[Any]]:
        """The adapter of a checkpoint, and its item ids in the order of its scores (`recmodels.adapters.foreign`).

        It sets `users` where the files tell them. What else it needs are parameters by keyword; their names and types
        become options of the command line:

            def read(cls, path, *, item_ids: Path, heads: int = 1):

        Raises:
            InputError: this adapter reads no checkpoints, or this is none of its.
        """
        raise InputError(f"{cls.__name__} reads no checkpoints: wrap the module in Python with recmodels.adapters.wrap")

    def blocks(self) -> int:
        """How many blocks the module has at the site "blocks.*"."""
        paths = {name for name, _ in self.module.named_modules()}
        pattern = self.sites.get("blocks.*")
        if pattern is None:
            return sum(re.fullmatch(r"blocks\.\d+", name) is not None for name in self.sites)
        n = 0
        while pattern.replace("*", str(n)) in paths:
            n += 1
        return n

    def site_paths(self) -> dict[str, str]:
        """Site name → path of the module, for every block.

        Raises:
            InputError: the module has nothing at a path, or a name is that of no site.
        """
        paths: dict[str, str] = {}
        modules = {name for name, _ in self.module.named_modules()}
        for name, path in self.sites.items():
            numbers = range(self.blocks()) if "*" in name else (0,)
            paths |= {name.replace("*", str(n)): path.replace("*", str(n)) for n in numbers}
        absent = next((name for name, path in paths.items() if path not in modules), None)
        if absent is not None or ("blocks.*" in self.sites and not self.blocks()):
            name, path = (absent, paths[absent]) if absent else ("blocks.*", self.sites["blocks.*"])
            raise InputError(f"site {name} of {type(self).__name__} names {path!r}, which the module lacks: correct it")
        known = site_names(self.blocks())
        strange = next((name for name in self.sites if name.replace("*", "0") not in known), None)
        if strange is not None:
            raise InputError(
                f"{type(self).__name__} names {quote(strange)}, which is no site: name embedding, blocks.0, blocks.1 "
                f"and so on without a gap (or blocks.*), .attention and .mlp of these, or final"
            )
        return paths
