"""The configuration from which a whole run follows; the ready-made ones are in `interp.presets`."""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from interp.sae_registry import sae_kind, sae_kinds
from recmodels.config import Columns, SplitConfig, TrainingConfig, check_number, site_names
from recmodels.errors import InputError

# Settings of a kind's own: its dataclass; on the command line, texts.
if TYPE_CHECKING:
    Settings: TypeAlias = Any
else:
    Settings = tuple[str, ...]


@dataclass(frozen=True)
class SAEConfig:
    """How one sparse autoencoder is trained; the defaults are the paper's (docs/paper.md, 4)."""

    trainer: str = "unsquared"
    """How: "unsquared" is the loss of the paper's runs, ‖x − x̂‖₂ + λ‖h‖₁, "standard" has the square, as printed;
    gated, p_anneal, top_k, batch_top_k, matryoshka and jump_relu are those of dictionary_learning
    (interp/sae/kinds); or one that is registered (docs/plugins/dictionary.md)."""
    n_features: int = 2048
    """Size of the dictionary."""
    l1: float = 0.1
    """Weight λ of the penalty of unsquared, standard, gated and p_anneal; its scale differs between them."""
    k: int = 16
    """Active features per activation that top_k, batch_top_k, matryoshka and jump_relu aim at."""
    learning_rate: float = 1e-3
    """Adam's learning rate after warm-up."""
    steps: int = 6000
    """Optimiser steps."""
    batch_size: int = 1024
    """Activations per step, drawn with replacement."""
    warmup_steps: int = 1000
    """Steps over which the learning rate rises."""
    sparsity_warmup_steps: int = 2000
    """Steps over which the penalty rises."""
    seed: int = 0
    """Seed of the initial weights and of the draws."""

    settings: Settings = ()
    """Settings that this kind of dictionary alone has, such as "target=8"; in Python, its dataclass of them."""

    def __post_init__(self) -> None:
        if self.settings not in ((), [], None):
            object.__setattr__(self, "settings", sae_kind(self.trainer).read_settings(self.settings))
        else:
            object.__setattr__(self, "settings", ())

    def complete(self) -> "SAEConfig":
        """The same with the settings of its kind's own, if it has any, as their dataclass.

        Raises:
            InputError: an unknown trainer.
        """
        settings = sae_kind(self.trainer).settings
        return self if settings is None or self.settings != () else replace(self, settings=settings())

    @property
    def name(self) -> str:
        """What such a dictionary is called, "top_k-1024-k-16" for example; a seed is named if it is not 0."""
        seed = f"-seed-{self.seed}" if self.seed else ""
        return f"{self.trainer}-{self.n_features}-{sae_kind(self.trainer).sparsity}-{self.sparsity:.9g}{seed}"

    @property
    def sparsity(self) -> float:
        """The setting that decides how sparse its dictionaries are: `l1`, `k` or one of `settings`."""
        return getattr(self._with_sparsity, sae_kind(self.trainer).sparsity)

    @property
    def _with_sparsity(self) -> Any:
        return self if sae_kind(self.trainer).sparsity in ("l1", "k") else self.complete().settings

    def with_sparsity(self, value: float) -> "SAEConfig":
        """The same with another `l1` or `k`, or whichever setting the trainer goes by.

        Raises:
            InputError: an unknown trainer, or a part of a number where a whole one is needed, such as for k.
        """
        kind, owner = sae_kind(self.trainer), self._with_sparsity
        if isinstance(getattr(type(owner)(), kind.sparsity), int):
            if value % 1:
                raise InputError(f"sae.{kind.sparsity} is {value:g}: {self.trainer} takes a whole number of features")
            value = int(value)
        changed = replace(owner, **{kind.sparsity: value})
        return changed if owner is self else replace(self, settings=changed)

    def with_trainer(self, trainer: str) -> "SAEConfig":
        """The same of another kind, whose own settings are at their defaults."""
        return self if trainer == self.trainer else replace(self, trainer=trainer, settings=())

    @property
    def warmup(self) -> int:
        """Steps until the learning rate and the penalty, if this trainer has one, stop rising."""
        penalty = self.sparsity_warmup_steps if sae_kind(self.trainer).penalty else 0
        return max(self.warmup_steps, penalty)

    def check(self) -> None:
        """Refuse settings that cannot work.

        Raises:
            InputError: an unknown trainer, a number out of its range, or a warm-up as long as the training.
        """
        kind = sae_kind(self.trainer)
        check_number("sae.n_features", self.n_features, at_least=kind.min_features)
        check_number("sae.batch_size", self.batch_size, at_least=2)
        check_number("sae.learning_rate", self.learning_rate, at_least=1e-9)
        for name in ("l1", "warmup_steps", "sparsity_warmup_steps", "seed"):
            check_number(f"sae.{name}", getattr(self, name), at_least=0)
        if kind.sparsity == "k":
            check_number("sae.k", self.k, at_least=1, below=self.n_features + 1)
        if hasattr(settings := self.complete().settings, "check"):
            settings.check()
        if self.steps <= self.warmup:
            raise InputError(
                f"sae.steps is {self.steps}, but its warm-up alone takes {self.warmup}: "
                f"lower sae.warmup_steps and sae.sparsity_warmup_steps, or train for longer"
            )


@dataclass(frozen=True)
class GridConfig:
    """The dictionaries that are trained beside the one of `sae`, to compare settings; all empty for none."""

    l1: tuple[float, ...] = ()
    """L1 weights (paper Table 1 and Figure 3a), for a trainer that has one."""
    n_features: tuple[int, ...] = ()
    """Dictionary sizes (Figure 3b)."""
    seeds: int = 1
    """Runs of every point of these two grids; the paper has 5."""
    trade_off: tuple[str, ...] = ()
    """Trainers, each with the values of its sparsity setting (l1 or k), such as "top_k:8,16,32": what does sparsity
    cost?"""
    sites: tuple[str, ...] = ()
    """Other places in the recommender to read (section 5: "other layers lead to similar results")."""


@dataclass(frozen=True)
class StudyConfig:
    """Everything that decides a run's numbers. The same configuration on the same machine gives the same ones."""

    dataset: str = "ml-100k"
    """Which data: ml-100k, ml-1m, ml-10m, ml-20m, ml-25m, ml-32m, ml-latest-small, lastfm-2k, music4all, recbole,
    planted, own (with `data` and `items`), or one that is registered (docs/plugins/dataset.md)."""
    data: Path | None = None
    """A folder or archive with your copy of the data; without it the data set is downloaded and cached. Together
    with `items`, your own table of interactions (.csv, .tsv or .parquet)."""
    items: Path | None = None
    """Your own table of items, whose interactions `data` holds; `dataset` is then a name of your choice."""
    columns: Columns = field(default_factory=Columns)
    """What the columns of your own tables are called."""
    tmdb: Path | None = None
    """A folder with TMDB's movies_metadata.csv and credits.csv: adds languages, actors, directors, companies and
    countries to films whose data set has a links.csv."""
    out: Path | None = None
    """Where the run is written; by default artifacts/<dataset>, or artifacts/<dataset>-bert4rec."""
    repeats: Literal["all", "first", "last"] = "all"
    """Of a user's repeated interactions with one item, keep all, the first or the last."""
    attribute: str | None = None
    """Attribute whose values are the concepts: a column of the item table, decade, franchise, translated, or
    title:WORDS; by default the data set's own (genres, tags)."""
    most_frequent: int | None = None
    """Keep only so many concepts, those of the most items; the paper takes 20 genres of Music4All."""
    min_support: int = 5
    """Concepts of fewer items than this are left out."""
    other_attributes: tuple[str, ...] = ()
    """More attributes to compare features with, the 20 most frequent values of each (paper Appendix C)."""
    split: SplitConfig = field(default_factory=SplitConfig)
    """Who trains the recommender, who trains the dictionary, who tests both."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """How the recommender is fitted."""
    site: str = "blocks.0"
    """Where the dictionary reads the recommender."""
    sae_windows: Literal["last", "all"] = "last"
    """Which steps of the SAE part train dictionaries: each user's "last" ones, as in the paper, or "all"."""
    sae: SAEConfig = field(default_factory=SAEConfig)
    """How dictionaries are trained."""
    grid: GridConfig = field(default_factory=GridConfig)
    """Which more dictionaries are trained."""
    max_l0: float = 110.0
    """Of the dictionaries at `site` that have the trainer of `sae`, take the best aligned with at most this many
    active features per step, measured on held-out users of the SAE part."""
    sparse_l0: float = 16.0
    """The same limit for the dictionary that the report names as the best of the very sparse ones, of all trainers."""
    steered: tuple[str, ...] = ()
    """Concepts whose top features are steered; empty takes the five best aligned."""
    values: tuple[float, ...] = tuple(float(value) for value in range(-10, 11))
    """Activations that a steered feature is set to."""

    @property
    def folder(self) -> Path:
        """Where the run is written."""
        model = "" if self.training.model == "gptrec" else f"-{self.training.model}"
        return self.out or Path("artifacts") / f"{self.dataset}{model}"

    def check(self) -> None:
        """Refuse settings that cannot work, before any work is done.

        Raises:
            InputError: a number is out of its range, or there is no such site or trainer.
        """
        self.split.check()
        self.columns.check()
        self.training.check()
        if self.items is not None and self.data is None:
            raise InputError("items is given without data: give your table of interactions with --data FILE")
        check_number("grid.seeds", self.grid.seeds, at_least=1)
        check_number("min_support", self.min_support, at_least=1)
        if self.most_frequent is not None:
            check_number("most_frequent", self.most_frequent, at_least=1)
        if len(set(self.values)) < 2 or not all(math.isfinite(value) for value in self.values):
            raise InputError("values must be at least two different finite numbers to steer with")
        sites = site_names(self.training.num_hidden_layers)
        for site in (self.site, *self.grid.sites):
            if site not in sites:
                raise InputError(f"there is no site {site!r}: choose one of {', '.join(sites)}")
        for configs in self.dictionaries().values():
            for sae in configs:
                sae.check()

    def dictionaries(self) -> dict[str, list[SAEConfig]]:
        """All dictionaries of the study, by site; the one of `sae` comes first."""
        grid = self.grid
        here = [self.sae]
        for seed in range(self.sae.seed, self.sae.seed + grid.seeds):
            if sae_kind(self.sae.trainer).sparsity == "l1":
                here += [replace(self.sae, l1=l1, seed=seed) for l1 in grid.l1]
            here += [replace(self.sae, n_features=n_features, seed=seed) for n_features in grid.n_features]
        for trainer, values in map(_trade_off, grid.trade_off):
            here += [self.sae.with_trainer(trainer).with_sparsity(value) for value in values]
        elsewhere = {site: [self.sae] for site in grid.sites if site != self.site}
        # By name, as settings that a trainer does not use make no other dictionary.
        unique: dict[str, SAEConfig] = {}
        for sae in here:
            unique.setdefault(sae.name, sae)
        return {self.site: list(unique.values()), **elsewhere}


def _trade_off(text: str) -> tuple[str, list[float]]:
    """Trainer and values of a text such as "top_k:8,16"."""
    name, _, values = text.partition(":")
    if name not in sae_kinds():
        raise InputError(f"grid.trade_off names no trainer: {name!r}; choose one of {', '.join(sae_kinds())}")
    try:
        return name, [float(value) for value in values.split(",")]
    except ValueError:
        raise InputError(f"grid.trade_off has {text!r}: write a trainer and values, such as top_k:8,16") from None
