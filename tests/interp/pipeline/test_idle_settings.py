from dataclasses import replace

import pytest

from interp.config import GridConfig, StudyConfig
from interp.pipeline.idle_settings import idle_notes
from interp.presets import PRESETS
from interp.sae_config import SAEConfig
from recmodels.config import Columns, SplitConfig, TrainingConfig
from recmodels.losses import MOST_ITEMS

FEW = 1000  # items


@pytest.mark.parametrize("name", PRESETS)
def test_a_ready_made_study_has_none(name):
    assert idle_notes(PRESETS[name][1], FEW) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"training": TrainingConfig(negatives=5)}, ["training.negatives plays no part here: the loss is full."]),
        ({"training": TrainingConfig(loss="gbce", negatives=5)}, []),
        (
            {"training": TrainingConfig(loss="gbce", proposal="uniform")},
            ["training.proposal plays no part here: the loss is gbce."],
        ),
        (
            {"sae": SAEConfig(trainer="top_k", l1=0.7), "grid": GridConfig(l1=(0.3, 0.4))},
            ["sae.l1, grid.l1 play no part here: top_k has the setting k."],
        ),
        (
            {"sae": SAEConfig(trainer="top_k", sparsity_warmup_steps=7), "grid": GridConfig(trade_off=("gated:1",))},
            [],  # gated reads it
        ),
        (
            {"grid": GridConfig(seeds=3)},
            ["grid.seeds plays no part here: there is no grid.l1 or grid.n_features to repeat."],
        ),
        (
            {"columns": Columns(user="who")},
            ["columns.user plays no part here: ml-100k is no table of your own."],
        ),
        (
            {"split": SplitConfig(kind="leave-one-out", recommender_share=0.5)},
            ["split.recommender_share plays no part here: under leave-one-out all users train the recommender."],
        ),
        (
            {"dictionary": "folder", "sae": SAEConfig(steps=7), "max_l0": 3.0},
            ["sae.steps, max_l0 play no part here: the dictionary is imported, so that none is trained."],
        ),
        (
            {"share_batches": True},
            ["share_batches plays no part here: there is one rank, as torchrun did not start several."],
        ),
        (
            {"recommender": "folder", "training": TrainingConfig(loss="gbce", negatives=5)},
            ["training.loss, training.negatives play no part here: the recommender is trained already."],
        ),
    ],
)
def test_settings_that_play_no_part_are_told(changes, says):
    assert idle_notes(replace(StudyConfig(), **changes), FEW) == says


def test_the_size_of_the_catalogue_decides_which_loss_reads_a_setting():
    config = StudyConfig(training=TrainingConfig(negatives=5))
    assert [len(idle_notes(config, n_items)) for n_items in (MOST_ITEMS, MOST_ITEMS + 1)] == [1, 0]


def test_what_is_given_in_python_leaves_settings_without_a_part():
    config = StudyConfig(training=TrainingConfig(patience=3), columns=Columns(user="who"), data="folder")
    assert idle_notes(config, FEW) == []
    assert idle_notes(config, FEW, has_recommender=True, has_data=True) == [
        "training.patience plays no part here: the recommender is trained already.",
        "columns.user plays no part here: the data were given in Python.",
    ]


def test_shared_batches_play_a_part_where_ranks_train_the_recommender_or_can_share_a_dictionary(launch):
    asked = replace(StudyConfig(), share_batches=True)
    alone = replace(asked, sae=SAEConfig(trainer="jump_relu"))
    configs = [asked, replace(asked, recommender="folder"), alone, replace(alone, recommender="folder")]
    says = "share_batches plays no part here: jump_relu is trained by one rank."
    assert launch(lambda rank: [idle_notes(config, FEW) for config in configs], 2) == [[[], [], [], [says]]] * 2
