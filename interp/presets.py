"""The ready-made configurations, by name: what `interp study NAME` runs."""

from dataclasses import replace

from interp.config import GridConfig, StudyConfig
from interp.sae_config import SAEConfig
from recmodels.config import TrainingConfig

# Each trainer's sparsity settings from dense to sparse, for activations of unit variance and 64 neurons.
TRADE_OFF = (
    "unsquared:0.05,0.1,0.2,0.3",
    "standard:0.5,1,2,4",
    "gated:0.05,0.1,0.2,0.4",
    "p_anneal:0.05,0.1,0.2,0.4",
    "top_k:8,16,32,64",
    "batch_top_k:8,16,32,64",
    "matryoshka:8,16,32,64",
    "jump_relu:8,16,32,64",
    "multi_scale:8,12,16,32",
)
L1 = (0.001, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0)  # paper Table 1
SIZES = (64, 128, 256, 512, 1024, 2048, 4096, 8192)  # paper Figure 3b
SITES = ("embedding", "blocks.0.attention", "blocks.0.mlp", "blocks.1", "blocks.2", "final")
FILM = ("decade", "year", "franchise")  # attributes from titles and years of films, without TMDB

# The paper's study: five runs of each point take hours on a CPU.
PAPER = StudyConfig(
    dataset="ml-20m",
    grid=GridConfig(l1=L1, n_features=SIZES, seeds=5, trade_off=TRADE_OFF, sites=SITES),
    steered=("Action", "Children", "Fantasy", "Sci-Fi", "Western"),
    other_attributes=FILM,
)
# One run of each point, on windows of whole histories: an hour.
ML_1M = replace(
    PAPER,
    dataset="ml-1m",
    training=TrainingConfig(windows="all", patience=6),
    sae=SAEConfig(n_features=512, batch_size=512, steps=4000),
    grid=replace(PAPER.grid, l1=(*L1[:3], 0.12, 0.15, *L1[3:]), seeds=1),
    steered=("Action", "Children's", "Fantasy", "Sci-Fi", "Western"),
    max_l0=100.0,
)
# Dictionaries of at most 2,048 features, trained for half as long, for data sets of a tenth of the size.
SMALL = replace(
    ML_1M,
    sae=replace(ML_1M.sae, steps=3000, sparsity_warmup_steps=1000),
    grid=replace(ML_1M.grid, l1=L1, n_features=SIZES[:6]),
    steered=(),
    max_l0=PAPER.max_l0,
)

PRESETS: dict[str, tuple[str, StudyConfig]] = {
    "ml-100k": (
        "MovieLens-100K, in minutes: 943 users, 1,682 films",
        StudyConfig(
            training=TrainingConfig(windows="all", patience=6),
            sae_windows="all",
            # Chosen on unseen items of the SAE part (benchmarks/studies/demo_settings.py): larger ones learn films.
            sae=SAEConfig(
                n_features=96, l1=0.2, steps=1000, batch_size=512, warmup_steps=200, sparsity_warmup_steps=300
            ),
            other_attributes=FILM,
        ),
    ),
    "ml-1m": ("MovieLens-1M: 6,040 users, 3,706 films", ML_1M),
    "ml-1m-bert4rec": (
        "the same with BERT4Rec",
        replace(
            ML_1M,
            training=replace(ML_1M.training, model="bert4rec", patience=10),
            grid=replace(ML_1M.grid, n_features=SIZES[:6]),
        ),
    ),
    "ml-latest-small": (
        "a small MovieLens release in the format of the large ones: 671 users, 9,125 films",
        replace(SMALL, dataset="ml-latest-small", steered=PAPER.steered),
    ),
    **{
        f"ml-{size}m": (f"MovieLens-{size}M, as in the paper: hours on a CPU", replace(PAPER, dataset=f"ml-{size}m"))
        for size in (10, 20, 25, 32)
    },
    "lastfm-2k": (
        "Last.fm: 1,892 users, 17,632 artists and the 20 most popular tags",
        replace(SMALL, dataset="lastfm-2k", most_frequent=20, other_attributes=()),
    ),
    "music4all": (
        "Music4All, as in the paper: hours on a CPU",
        replace(PAPER, dataset="music4all", most_frequent=20, steered=(), other_attributes=("language", "artist")),
    ),
    "recbole": (
        "RecBole's atomic files: give their folder with --data",
        replace(SMALL, dataset="recbole", grid=GridConfig(), other_attributes=()),
    ),
    "mind": (
        "MIND news: give the folder or archive of one part with --data",
        replace(SMALL, dataset="mind", grid=GridConfig(), other_attributes=()),
    ),
    "own": (
        "your own tables: --data INTERACTIONS, --items ITEMS if you can, --columns for what their columns are called",
        replace(SMALL, dataset="own", grid=GridConfig(), other_attributes=()),
    ),
    "planted": (
        "synthetic data with known concepts, to check the method itself",
        StudyConfig(
            dataset="planted",
            training=TrainingConfig(learning_rate=3e-3, validation_items=3, patience=5),
            sae=SAEConfig(n_features=256, steps=4000),
        ),
    ),
}


def presets() -> dict[str, tuple[str, StudyConfig]]:
    """The ready-made configurations, and one for each data set that a script or another package has registered.

    Raises:
        InputError: such a package cannot be imported.
    """
    from recmodels import datasets  # here, because it takes longer to import than `interp --help`

    usual = replace(SMALL, grid=GridConfig(), other_attributes=())
    more = {name: (f"your own data set {name}", replace(usual, dataset=name)) for name in datasets.names()}
    return PRESETS | {name: preset for name, preset in more.items() if name not in PRESETS}
