"""The settings of data, splits and training, apart from what they need to run: reading them is instant."""

from dataclasses import dataclass
from typing import Annotated, Literal

from recmodels.errors import InputError
from recmodels.settings import Between, Name, Settings, Words, reader

Seed = Annotated[int, Between(0, 2**32 - 1)]  # the range that numpy accepts
Share = Annotated[float, Between(0, 1, "neither")]
MOST_WEIGHTS = 4_000_000_000  # of a recommender's blocks: 16 GB


@dataclass(frozen=True)
class Separator(Words):
    """What splits cells: any text but a long blank."""

    def check(self, name: str, text: str) -> None:
        """Refuse an empty one."""
        if not text.strip() and text not in (" ", "\t"):
            raise InputError("the separator of multi-valued cells is empty: give a character, such as '|'")


@dataclass(frozen=True)
class TrainingConfig(Settings, prefix="training."):
    """How a recommender is fitted; the defaults are the paper's (docs/paper.md, 2)."""

    model: Annotated[Literal["gptrec", "bert4rec"] | str, Name()] = "gptrec"
    """Which recommender: gptrec reads a history forwards, bert4rec in both directions; or, from Python, one of your
    own by the name it is registered under (recmodels.recommender.register)."""
    max_history: Annotated[int, Between(1, 65_536)] = 64
    """How many of a history's last items the model reads."""
    hidden_size: Annotated[int, Between(1, 8_192)] = 64
    """Width of the residual stream."""
    num_hidden_layers: Annotated[int, Between(1, 128)] = 3
    """Transformer blocks."""
    num_attention_heads: Annotated[int, Between(1, 256)] = 2
    """Attention heads of each block."""
    dropout: Annotated[float, Between(0, 1, "left")] = 0.1
    """Dropout rate everywhere."""
    windows: Literal["last", "all"] = "last"
    """Training windows: "last" takes each user's last `max_history` items, "all" cuts the whole history."""
    learning_rate: Annotated[float, Between(1e-9, 1e30)] = 1e-3
    """Adam's learning rate, constant."""
    batch_size: Annotated[int, Between(1, 1_000_000)] = 128
    """Windows per step."""
    max_epochs: Annotated[int, Between(1, 1_000_000)] = 200
    """Passes over the windows, at most."""
    patience: Annotated[int, Between(1, 1_000_000)] = 10
    """Stop after this many epochs without a better NDCG@10 on the held-out users."""
    validation_items: Annotated[int, Between(1, 65_536)] = 10
    """How many last items of each held-out user are predicted, each from those before it. The paper predicts
    one, which is too noisy to stop by when there are only dozens of held-out users."""
    seed: Seed = 0
    """Seed of the initial weights, the order of batches and dropout."""
    loss: Literal["full", "sampled-softmax", "gbce"] | None = None
    """What training minimises: "full" is cross-entropy over all items, the default up to 100,000 of them;
    "sampled-softmax" is the same over sampled items, corrected for how often each is drawn, the default above; "gbce"
    is gSASRec's binary loss. On the command line also --loss."""
    negatives: Annotated[int, Between(1, 1_000_000)] = 1024
    """Items that a batch is compared with, for a loss that samples them."""
    proposal: Literal["popularity", "uniform"] = "popularity"
    """How sampled-softmax draws them: in proportion to how often each is to be predicted, plus one, or all alike. gbce
    always draws all alike."""
    calibration: Annotated[float, Between(0, 1)] = 0.75
    """gbce's t: 0 is SASRec's binary loss, 1 undoes the overconfidence that sampling brings."""

    def _check_together(self) -> None:
        if self.hidden_size % self.num_attention_heads:
            raise InputError(
                f"training.hidden_size {self.hidden_size} cannot be shared by {self.num_attention_heads} "
                f"attention heads: make it a multiple"
            )
        weights = 12 * self.num_hidden_layers * self.hidden_size**2
        if weights > MOST_WEIGHTS:
            raise InputError(
                f"{self.num_hidden_layers} blocks of width {self.hidden_size:,} have {weights:,} weights: "
                f"lower training.hidden_size or training.num_hidden_layers to have at most {MOST_WEIGHTS:,}"
            )


@dataclass(frozen=True)
class Columns(Settings, prefix="columns."):
    """What the columns of your tables are called."""

    user: str = "user"
    """Interactions: who."""
    item: str = "item"
    """Both tables: the id of the item."""
    time: str | None = "time"
    """Interactions: when; numbers that grow with time, or dates. None: the order of the rows serves as time."""
    title: str | None = "title"
    """Items: what people call them; the column of ids will do. None: the ids."""
    attribute: str | None = "genres"
    """Items: the attribute whose values are the concepts. None: there are no concepts."""
    separator: Annotated[str, Separator()] = "|"
    """What splits a text cell that holds several values of an attribute."""
    item_id: str | None = None
    """Items: the id, if this table calls it otherwise than `item`."""
    rating: str | None = None
    """Interactions: how much the user liked it, for `reading.min_rating`."""
    event: str | None = None
    """Interactions: what happened, such as click or buy, for `reading.events`."""
    steps: tuple[str, ...] = ()
    """Interactions: more columns of numbers, such as rating, for a recommender that reads them at each step."""

    @property
    def of_interactions(self) -> list[str]:
        """The columns of interactions that are read."""
        names = (self.user, self.item, self.time, self.rating, self.event, *self.steps)
        return [name for name in names if name is not None]


@dataclass(frozen=True)
class Reading(Settings, prefix="reading."):
    """How your own tables are read; what is not set is as each format has it."""

    separator: Annotated[str | None, Separator()] = None
    """What splits the cells of a row of text, one character; by default a comma in .csv, a tab in .tsv, blanks in .txt.
    A blank stands for any number of blanks."""
    names: tuple[str, ...] = ()
    """Interactions: the names of all columns in order, if the file has no row of names. A .txt file without one has
    user and item, unless this says otherwise."""
    item_names: tuple[str, ...] = ()
    """Items: the same."""
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    """Of text files."""
    time_format: str | None = None
    """How times are written, as in Python's strptime, such as "%m/%d/%Y %I:%M:%S %p"; by default numbers or dates in
    ISO format."""
    min_rating: Annotated[float | None, Between(-1e9, 1e9)] = None
    """Interactions with a lower rating are left out."""
    events: tuple[str, ...] = ()
    """Only interactions with one of these events count; by default all."""
    missing: tuple[str, ...] = ()
    """Values of attributes that mean there is none, such as "(no genres listed)"."""
    bad_items: Literal["refuse", "drop"] = "refuse"
    """What becomes of rows of the table of items without an id, with the id of a row above, or with more or fewer
    cells: they are refused, or left out."""
    unknown_items: Literal["refuse", "keep", "drop"] = "refuse"
    """What becomes of interactions whose item has no row in the table of items: they are refused, kept (with the id as
    title and without attributes), or left out."""


@dataclass(frozen=True)
class SplitConfig(Settings, prefix="split."):
    """How interactions are divided (`recmodels.splits`)."""

    test_share: Share = 0.1
    """Share of users, those who started last, that make up the test part."""
    recommender_share: Share = 0.6
    """Share of the remaining users that the recommender is fitted on; the others are for the SAE. It plays no part
    under leave-one-out."""
    validation_share: Share = 0.1
    """Share of the recommender's users, and of the SAE's, held out for choices made during fitting; under
    leave-one-out of the SAE's alone."""
    seed: Seed = 42
    """Seed of the draws of users."""
    kind: Literal["paper", "leave-one-out"] = "paper"
    """"paper": the recommender is trained on some users, the dictionary on others, and both are tested on the users who
    started last. "leave-one-out": the recommender is trained on all users but for their last two items, the last for
    testing and the one before it for validation; the dictionary's users are divided as before. On the command line also
    --split."""


def site_names(num_hidden_layers: int) -> list[str]:
    """The places where a recommender of this many blocks can be read and steered, in the order it runs through them.

    Each is the output of one module, [b, s, d]: "embedding", item vectors before positions are added; of every block
    "blocks.N.attention" and "blocks.N.mlp", what these two add to the residual stream, and "blocks.N", the stream
    after the block; "final", what the scores are computed from.
    """
    blocks = (f"blocks.{block}{part}" for block in range(num_hidden_layers) for part in (".attention", ".mlp", ""))
    return ["embedding", *blocks, "final"]


def check_share(name: str, share: float) -> None:
    """Refuse a share that is not between 0 and 1.

    Raises:
        InputError: `share` is not between 0 and 1, both excluded.
    """
    reader(Share)(name, share)
