"""What shows itself in a terminal writes out whatever a title, a concept or an id would do there."""

from dataclasses import replace

import pytest

from interp.config import StudyConfig
from interp.pages.summary import summary
from interp.pipeline.run import run
from interp.sae_config import SAEConfig
from interp.study.equalizer import equalize
from recmodels.config import TrainingConfig
from recmodels.datasets.planted import PlantedConfig, load

CONFIG = StudyConfig(
    training=TrainingConfig(max_history=8, hidden_size=8, num_hidden_layers=1, windows="all", max_epochs=1),
    sae=SAEConfig(n_features=16, steps=40, batch_size=64, warmup_steps=5, sparsity_warmup_steps=5),
    min_support=2,
    values=(-1.0, 1.0),
)
ACTS = "\x1b[2J\x07\u202e\x9b"  # clears a screen, rings, turns the writing round


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of seconds, all of whose titles and concepts would act on a terminal."""
    world = load(PlantedConfig(users=120, items=40, concepts=4, mean_length=10))
    items = world.items.assign(
        title=[f"{ACTS}{title}" for title in world.items["title"]],
        concepts=[tuple(f"{ACTS}{name}" for name in names) for names in world.items["concepts"]],
    )
    return run(replace(CONFIG, out=tmp_path_factory.mktemp("acts") / "study"), replace(world, items=items))


def _concept(study):
    return study.table("concepts")["concept"].iloc[0]


SHOW = {
    "study": lambda study: study,
    "features": lambda study: study.features,
    "feature": lambda study: study.features[_concept(study)],
    "lists": lambda study: study.recommend([[3, 5, 7], [1, 2]]),
    "receipt": lambda study: study.receipt({_concept(study): 1.0}),
    "dose": lambda study: study.dose(_concept(study), 0.5),
    "doses of users": lambda study: study.user_doses(_concept(study), 0.5),
    "calibration": lambda study: study.calibrate([[3, 5, 7], [1, 2]]),
    "why": lambda study: study.why([3, 5, 7], 1),
    "equalized": lambda study: equalize(study, [3, 5, 7], {_concept(study): 1.0}),
    "steer": lambda study: study.recommender.steer_of({_concept(study): 1.0}),
}


@pytest.mark.parametrize("name", SHOW)
def test_text_of_the_data_does_not_act(study, name):
    shown = SHOW[name](study)
    for text in (repr(shown), str(shown)):
        assert text.replace("\n", "").isprintable()


def test_the_summary_does_not_act(study):
    text = summary(study)
    assert r"\x1b[2J" in text
    assert text.replace("\n", "").isprintable()
