from dataclasses import replace

import numpy as np
import pytest
import torch

from interp.sae.kinds.multi_scale import MultiScaleSettings
from interp.sae.multi_scale_trainer import scale_sizes, whitening
from interp.sae.trainers import build_trainer
from interp.sae_config import SAEConfig
from recmodels.errors import InputError

CONFIG = SAEConfig(
    trainer="multi_scale", n_features=84, k=3, steps=400, batch_size=256, learning_rate=5e-3, warmup_steps=40
)


@pytest.fixture(scope="module")
def nested():
    """Rows of one of 4 broad concepts and one of 24 narrow ones inside it, each with a direction: x and both labels."""
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(32, 32)))[0]
    narrow = rng.integers(24, size=8000)
    broad = narrow % 4
    x = directions[broad] + 0.7 * directions[4 + narrow] + 0.02 * rng.normal(size=(8000, 32))
    x = torch.from_numpy((x - x.mean()) / x.std()).float()
    return x, np.eye(4, dtype=bool)[broad], np.eye(24, dtype=bool)[narrow]


def trained(config, x):
    trainer = build_trainer(config, x.shape[1])
    rng = np.random.default_rng(0)
    for step in range(config.steps):
        trainer.update(step, x[rng.integers(len(x), size=config.batch_size)])
    return trainer.ae


def top(features, labels):
    """The largest correlation of any feature with each label."""
    n = labels.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(np.corrcoef(labels.T.astype(float), features.T)[:n, n:]).max(axis=1)


@pytest.fixture(scope="module")
def of_scales(nested):
    return trained(CONFIG, nested[0])


def test_broad_and_narrow_concepts_are_learnt_at_once(nested, of_scales):
    x, broad, narrow = nested
    features = of_scales.encode(x).detach()
    assert 2.8 <= (features > 0).sum(dim=1).float().mean() <= 3.2
    assert top(features.numpy(), broad).min() > 0.9
    assert top(features.numpy(), narrow).min() > 0.9
    # A single large dictionary splits the broad ones.
    alone = replace(CONFIG, settings=MultiScaleSettings(scales=1))
    assert top(trained(alone, x).encode(x).detach().numpy(), broad).mean() < top(features.numpy(), broad).mean() - 0.1


def test_the_decoder_of_all_scales_is_least_squares(nested, of_scales):
    x, ae = nested[0], of_scales
    features = ae.encode(x).detach()
    left = (x - ae.decode(features)).square().sum()
    ones = torch.cat([features, torch.ones(len(x), 1)], dim=1)
    best = (x - ones @ torch.linalg.lstsq(ones.double(), x.double(), driver="gelsd").solution.float()).square().sum()
    assert best <= left < 1.1 * best + 1e-3 * x.square().sum()
    torch.testing.assert_close(ae.decoder.weight.norm(dim=0), torch.ones(84), rtol=0, atol=1e-4)


def test_the_sizes_of_the_scales():
    assert scale_sizes(84, 3, 4) == [4, 16, 64]
    assert scale_sizes(100, 2, 1) == [50, 50]
    assert scale_sizes(32, 1, 4) == [32]
    assert sum(scale_sizes(1000, 5, 2.5)) == 1000


def test_whitening_brings_variances_together():
    scale = np.array([4.0, 1.0, 0.25])
    x = np.random.default_rng(0).normal(size=(200_000, 3)) * scale + 5
    for power in (0, 0.5, 1):
        center, whiten = whitening(x, power)
        variance = ((x - center) @ whiten).var(axis=0)
        np.testing.assert_allclose(variance.sum(), (scale**2).sum(), rtol=0.01)
        np.testing.assert_allclose(variance / variance[0], scale ** (2 - 2 * power) / 4 ** (2 - 2 * power), rtol=0.03)


@pytest.mark.parametrize(
    "settings",
    [{"scales": 0}, {"scales": 9}, {"ratio": 0.5}, {"whitening": 1.1}, {"whitening": -0.1}, {"item_part": 2.0}],
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(InputError, match=r"sae\.settings"):
        replace(CONFIG, settings=MultiScaleSettings(**settings)).check()


def test_the_item_part_is_what_scales_reconstruct():
    """Rows of one item differ by noise: features vary less within items if the mean of the item is the target."""
    rng = np.random.default_rng(0)
    item = rng.integers(40, size=6000)
    means = rng.normal(size=(40, 16))
    x = torch.from_numpy(means[item] + rng.normal(size=(6000, 16))).float()
    of_items = torch.from_numpy(means[item]).float()
    within = []
    for share in (0.0, 1.0):
        config = replace(CONFIG, n_features=42, k=3, settings=MultiScaleSettings(item_part=share))
        trainer, draw = build_trainer(config, 16), np.random.default_rng(1)
        for step in range(config.steps):
            rows = draw.integers(len(x), size=config.batch_size)
            trainer.update(step, x[rows], of_items[rows])
        features = trainer.ae.encode(x).detach().numpy()
        variance = np.array([features[item == code].var(axis=0) for code in range(40)]).mean(axis=0)
        within.append(variance.sum() / features.var(axis=0).sum())
    assert within[1] < 0.95 * within[0]
