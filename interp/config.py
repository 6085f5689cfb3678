"""The configuration from which a whole run follows; the ready-made ones are in `interp.presets`."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

from interp.sae_config import L1, Features, SAEConfig
from interp.sae_registry import sae_kind, sae_kinds
from recmodels.config import Columns, Reading, SplitConfig, TrainingConfig, site_names
from recmodels.errors import InputError
from recmodels.settings import Between, Name, Settings

MOST_WEIGHTS = 2**31  # of a dictionary: features times the width of what it reads, 8 GB
# Settings that are about `recommender`.
OF_RECOMMENDER = ("adapter", "item_ids", "atomic_files", "adapter_options", "expected", "seen_users")
Limit = Annotated[float, Between(0, 1e9)]
Value = Annotated[float, Between(-1e9, 1e9)]


@dataclass(frozen=True)
class GridConfig(Settings, prefix="grid."):
    """More dictionaries to train beside the one of `sae`, to compare settings; by default none."""

    l1: tuple[L1, ...] = ()
    """L1 weights (paper Table 1 and Figure 3a), for a trainer that has one."""
    n_features: tuple[Features, ...] = ()
    """Dictionary sizes (Figure 3b)."""
    seeds: Annotated[int, Between(1, 1000)] = 1
    """Runs of every point of these two grids; the paper has 5."""
    trade_off: tuple[str, ...] = ()
    """Trainers, each with the values of its sparsity setting (l1 or k), such as "top_k:8,16,32": what does sparsity
    cost?"""
    sites: tuple[str, ...] = ()
    """Other places in the recommender to read (section 5: "other layers lead to similar results")."""


@dataclass(frozen=True)
class StudyConfig(Settings):
    """Everything that decides a run's numbers. The same configuration on the same machine gives the same ones."""

    dataset: Annotated[str, Name()] = "ml-100k"
    """Which data: ml-100k, ml-1m, ml-10m, ml-20m, ml-25m, ml-32m, ml-latest-small, lastfm-2k, music4all, recbole, mind,
    planted, own (with `data` and, if there is one, `items`), or one that is registered (docs/plugins/dataset.md)."""
    data: Path | None = None
    """A folder or archive with your copy of the data; without it the data set is downloaded and cached. Together
    with another name in `dataset`, your own table of interactions (.csv, .tsv, .txt, .jsonl or .parquet)."""
    items: Path | None = None
    """Your own table of items, if there is one, whose interactions `data` holds; `dataset` is a name of your choice."""
    columns: Columns = field(default_factory=Columns)
    """What the columns of your own tables are called."""
    reading: Reading = field(default_factory=Reading)
    """How your own tables are read."""
    tmdb: Path | None = None
    """A folder with TMDB's movies_metadata.csv and credits.csv: adds languages, actors, directors, companies and
    countries to films whose data set has a links.csv, or which `links` names."""
    links: Path | None = None
    """A links.csv of another release of MovieLens, for `tmdb` and data that have none, such as ml-1m: a film has the
    same number in all releases but ml-100k."""
    out: Path | None = None
    """Where the run is written; by default artifacts/<dataset>, or artifacts/<dataset>-bert4rec."""
    processes: Annotated[int, Between(1, 1024)] = 1
    """How many processes of this machine train dictionaries at once; they share its cores. Numbers stay the same."""
    share_batches: bool = False
    """Whether ranks that torchrun started train the recommender and each dictionary together, each on its share of
    every batch; else one rank trains the recommender, and each its dictionaries. For large models, on several machines
    or GPUs: docs/how-to/several-processes.md says when it pays. Weights then differ by rounding, and a recommender's by
    what is drawn (dropout, hidden items). jump_relu and multi_scale cannot be shared."""
    recommender: Path | None = None
    """A recommender that is trained already, in place of `training`: a checkpoint of another program (with `adapter`),
    or a folder that this program wrote. Nothing is trained but dictionaries."""
    adapter: Annotated[str, Name()] | None = None
    """Which program wrote the checkpoint, such as recbole or rectools; or one that `interp --import FILE` registers."""
    item_ids: Path | None = None
    """The checkpoint's item ids in the order of its scores, where it lacks them: .json, .npy, or an id a line."""
    atomic_files: Path | None = None
    """The folder of RecBole's atomic files that the checkpoint was trained on, from which its item ids follow."""
    adapter_options: tuple[str, ...] = ()
    """What else the adapter asks for, such as heads=2."""
    expected: Path | None = None
    """Scores that the other program gave (.json), to check that this one gives the same. Without them the study is
    unverified, and says so."""
    seen_users: str | None = None
    """Which users of the data `recommender` was trained on: all (or not known), none, or a file of their ids. Test
    users are drawn from the others. By default all, unless the checkpoint tells."""
    repeats: Literal["all", "first", "last"] = "all"
    """Of a user's repeated interactions with one item, keep all, the first or the last."""
    k_core: Annotated[int, Between(1, 1_000_000)] = 1
    """Leave out users and items with fewer interactions than this, until all have as many."""
    keep_seen: bool = False
    """Whether lists may repeat the items of a history, as where people buy the same things again: in training, in every
    list, and in everything that is measured on lists."""
    attribute: str | None = None
    """Attribute whose values are the concepts: a column of the item table, decade, franchise, translated, or
    title:WORDS; by default the data set's own (genres, tags)."""
    most_frequent: Annotated[int, Between(1, 1_000_000)] | None = None
    """Keep only so many concepts, those of the most items; the paper takes 20 genres of Music4All."""
    min_support: Annotated[int, Between(1, 1_000_000_000)] = 5
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
    dictionary: Path | None = None
    """A folder of SAELens or dictionary_learning with a dictionary for `site`, which is then read and not trained; what
    else `sae`, `grid` and `baselines` would train is left out."""
    normalise: Literal["none", "estimate"] = "none"
    """What happens to activations before `dictionary` reads them: nothing, or "estimate", for one that was trained on
    activations whose mean was subtracted and which were divided by their standard deviation: those of the SAE part."""
    grid: GridConfig = field(default_factory=GridConfig)
    """Which more dictionaries are trained."""
    baselines: Literal["all", "quick", "none"] = "all"
    """What features are compared with, beside neurons: "quick" has random directions, a random dictionary, PCA and ICA;
    "all" also trains dictionaries of the untrained recommender and of the item embeddings."""
    max_l0: Limit = 110.0
    """Of the dictionaries at `site` with the trainer of `sae`, the study takes the best aligned one with at most this
    many active features per step, measured on held-out users of the SAE part."""
    sparse_l0: Limit = 16.0
    """The same limit for the dictionary that the report names as the best of the very sparse ones, of all trainers."""
    steered: tuple[str, ...] = ()
    """Concepts whose top features are steered; empty takes the five best aligned."""
    values: tuple[Value, ...] = tuple(float(value) for value in range(-10, 11))
    """Activations that a steered feature is set to."""

    @property
    def folder(self) -> Path:
        """Where the run is written."""
        model = self.training.model
        if self.recommender is not None:
            model = self.adapter or "recommender"
        return self.out or Path("artifacts") / f"{self.dataset}{'' if model == 'gptrec' else f'-{model}'}"

    def _check_together(self) -> None:
        if self.items is not None and self.data is None:
            raise InputError("items is set without data: give your table of interactions with --data FILE")
        if self.normalise != "none" and self.dictionary is None:
            raise InputError("normalise is set without dictionary, which it is for: name a folder with --dictionary")
        if self.dictionary is None and not sae_kind(self.sae.trainer).trained:
            raise InputError(
                f"sae.trainer is {self.sae.trainer!r}, which is not trained: name a folder with --dictionary"
            )
        if self.links is not None and self.tmdb is None:
            raise InputError("links is set without tmdb: give the folder of TMDB's tables with --tmdb FOLDER")
        if len(self.values) < 2:
            raise InputError("values must be at least two different finite numbers to steer with")
        for setting in OF_RECOMMENDER:
            if getattr(self, setting) and self.recommender is None:
                raise InputError(f"{setting} is set without recommender: give the checkpoint with --recommender PATH")
        for configs in self.dictionaries().values():
            for sae in configs:
                sae.check()
        if self.recommender is None:
            self.check_sites(site_names(self.training.num_hidden_layers), self.training.hidden_size)

    def check_sites(self, sites: Sequence[str], width: int) -> None:
        """Refuse sites that a recommender lacks, and dictionaries that are too large for its width.

        Raises:
            InputError: there is one.
        """
        for setting, site in (("site", self.site), *(("grid.sites", site) for site in self.grid.sites)):
            if site not in sites:
                raise InputError(f"{setting} names {site!r}, which this model lacks: choose one of {', '.join(sites)}")
        largest = max(sae.n_features for configs in self.dictionaries().values() for sae in configs)
        if largest * width > MOST_WEIGHTS:
            raise InputError(
                f"a dictionary of {largest:,} features of width {width:,} is too large: lower n_features to have at "
                f"most {MOST_WEIGHTS:,} weights"
            )

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
        # By name, because a setting that the trainer does not use does not give another dictionary.
        unique: dict[str, SAEConfig] = {}
        for sae in here:
            unique.setdefault(sae.name, sae)
        return {self.site: list(unique.values()), **elsewhere}


def _trade_off(text: str) -> tuple[str, list[float]]:
    """Trainer and values of a text such as "top_k:8,16"."""
    name, _, values = text.partition(":")
    if name not in sae_kinds():
        raise InputError(f"grid.trade_off has the unknown trainer {name!r}: choose one of {', '.join(sae_kinds())}")
    try:
        return name, [float(value) for value in values.split(",")]
    except ValueError:
        raise InputError(f"grid.trade_off has {text!r}: write a trainer and values, such as top_k:8,16") from None
