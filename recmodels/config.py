"""The settings of data, splits and training, apart from what they need to run: reading them is instant."""

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from typing import Any, Literal

from recmodels.errors import InputError


@dataclass(frozen=True)
class TrainingConfig:
    """How a recommender is fitted; the defaults are the paper's (docs/paper.md, 2)."""

    model: Literal["gptrec", "bert4rec"] | str = "gptrec"
    """Which recommender: gptrec reads a history forwards, bert4rec in both directions; or, from Python, one of your
    own by the name it is registered under (recmodels.recommender.register)."""
    max_history: int = 64
    """How many of a history's last items the model reads."""
    hidden_size: int = 64
    """Width of the residual stream."""
    num_hidden_layers: int = 3
    """Transformer blocks."""
    num_attention_heads: int = 2
    """Attention heads of each block."""
    dropout: float = 0.1
    """Dropout rate everywhere."""
    windows: Literal["last", "all"] = "last"
    """Training windows: "last" takes each user's last `max_history` items, "all" cuts the whole history."""
    learning_rate: float = 1e-3
    """Adam's learning rate, constant."""
    batch_size: int = 128
    """Windows per step."""
    max_epochs: int = 200
    """Passes over the windows, at most."""
    patience: int = 10
    """Stop after this many epochs without a better NDCG@10 on the held-out users."""
    validation_items: int = 10
    """How many last items of each held-out user are predicted, each from those before it. The paper predicts
    one, which is too noisy to stop by when there are only dozens of held-out users."""
    seed: int = 0
    """Seed of the initial weights, the order of batches and dropout."""

    def check(self) -> None:
        """Refuse settings that cannot work.

        Raises:
            InputError: a number is out of its range.
        """
        for name in (
            "max_history",
            "hidden_size",
            "num_hidden_layers",
            "num_attention_heads",
            "batch_size",
            "max_epochs",
            "patience",
            "validation_items",
        ):
            check_number(f"training.{name}", getattr(self, name), at_least=1)
        check_number("training.learning_rate", self.learning_rate, at_least=1e-9)
        check_number("training.dropout", self.dropout, at_least=0, below=1)
        if self.hidden_size % self.num_attention_heads:
            raise InputError(
                f"training.hidden_size {self.hidden_size} cannot be shared by {self.num_attention_heads} "
                f"attention heads: make it a multiple"
            )


@dataclass(frozen=True)
class Columns:
    """What the columns of your tables are called."""

    user: str = "user"
    """Interactions: who."""
    item: str = "item"
    """Both tables: the id of the item."""
    time: str = "time"
    """Interactions: when; numbers that grow with time, or dates."""
    title: str = "title"
    """Items: what people call them; the column of ids will do."""
    attribute: str = "genres"
    """Items: the attribute whose values are the concepts."""
    separator: str = "|"
    """What splits a text cell that holds several values of an attribute."""

    def check(self) -> None:
        """Refuse an empty separator.

        Raises:
            InputError: it is empty.
        """
        if not self.separator.strip() and self.separator not in (" ", "\t"):
            raise InputError("the separator of multi-valued cells is empty: give a character, such as '|'")


@dataclass(frozen=True)
class SplitConfig:
    """How `paper_split` divides users."""

    test_share: float = 0.1
    """Share of users, those who started last, that make up the test part."""
    recommender_share: float = 0.6
    """Share of the remaining users that the recommender is fitted on; the others are for the SAE."""
    validation_share: float = 0.1
    """Share of the recommender's users, and of the SAE's, held out for choices made during fitting."""
    seed: int = 42
    """Seed of the draws of users."""

    def check(self) -> None:
        """Refuse shares that leave a part empty.

        Raises:
            InputError: a share is not between 0 and 1.
        """
        for name in ("test_share", "recommender_share", "validation_share"):
            check_share(name, getattr(self, name))


def description(config: Any) -> Any:
    """A configuration, a dataclass, as JSON values with all its fields; what is none, as JSON values."""

    def plain(value: Any) -> Any:
        return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)

    return json.loads(json.dumps(config, default=plain))


def config_key(config: Any, described: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a configuration says beyond its defaults, as JSON values: equal for two that say the same.

    A field that is added to its class, with a default, changes the key of no configuration that is there already.

    Args:
        config: a dataclass; fields that are dataclasses themselves are shortened in the same way.
        described: a `description` of another configuration of its class, to be shortened in its place. It may lack
            fields, which are then at their defaults, as may one that an earlier release wrote.
    """
    described = description(config) if described is None else described
    key = {name: value for name, value in described.items() if name not in {f.name for f in fields(config)}}
    for field in fields(config):
        if field.name not in described:
            continue
        value, default = getattr(config, field.name), _default(field)
        short = described[field.name]
        if is_dataclass(value) and isinstance(short, Mapping):
            short = config_key(value, short)
        if short != (config_key(default) if is_dataclass(default) else description(default)):
            key[field.name] = short
    return key


def _default(field: Any) -> Any:
    """The default of a field of a dataclass; a field that has none gets an object that equals nothing."""
    return field.default_factory() if field.default_factory is not MISSING else field.default


def site_names(num_hidden_layers: int) -> list[str]:
    """The places where a recommender of this many blocks can be read and steered, in the order it runs through them.

    Each is the output of one module, [b, s, d]: "embedding", item vectors before positions are added; of every block
    "blocks.N.attention" and "blocks.N.mlp", what these two add to the residual stream, and "blocks.N", the stream
    after the block; "final", what the scores are computed from.
    """
    blocks = (f"blocks.{block}{part}" for block in range(num_hidden_layers) for part in (".attention", ".mlp", ""))
    return ["embedding", *blocks, "final"]


def check_number(name: str, value: float, at_least: float, below: float = math.inf) -> None:
    """Refuse a setting outside its range.

    Raises:
        InputError: `value` is not a number from `at_least` up to, but not including, `below`.
    """
    if not at_least <= value < below:
        limit = f"at least {at_least:g}" + (f" and below {below:g}" if below < math.inf else "")
        raise InputError(f"{name} is {value:g}: it must be {limit}")


def check_share(name: str, share: float) -> None:
    """Refuse a share that is nothing or everything.

    Raises:
        InputError: `share` is not between 0 and 1, both excluded.
    """
    if not 0 < share < 1:
        raise InputError(f"{name} is {share:g}: it must lie between 0 and 1, both excluded")
