"""Does a dictionary gain from a loss that also keeps the recommender's ranking, or from reading several blocks at once?

    python benchmarks/studies/ranking_loss.py STUDY

trains BatchTopK dictionaries of the same size and sparsity on a finished study of GPTRec: as they are; with the
Kullback-Leibler divergence of the scores that follow from the reconstruction added to the loss, end to end through the
layers after the site (in the way of Braun et al., arXiv 2405.12241); and on the outputs of all blocks, concatenated. It
prints the mean over concepts of the largest correlation, also by chance and on unseen items, and what replacing the
first block's output leaves of the ranking, on users held out of the SAE part and on the test users. Weights are to be
chosen by the former.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
import torch
import tyro
from demo_settings import scores
from dictionary_learning.trainers.batch_top_k import BatchTopKTrainer
from scipy import sparse
from torch import Tensor
from torch.nn.functional import kl_div, log_softmax
from tqdm.auto import tqdm

import interp
from interp.control.ranking_kept import kl_divergence
from interp.control.sweeps import user_overlap
from interp.sae.kinds.arguments import shared, top_k
from interp.sae_config import SAEConfig
from interp.study.study import Study
from recmodels.console import say
from recmodels.metrics import ndcg
from recmodels.model import SequentialRecommender
from recmodels.ranking import top_k as top_items
from recmodels.sequences import Histories

STEPS = 16  # of each window, whose scores are compared
PARTS = {"sae_validation": "held out", "test": "test"}


@dataclass(frozen=True)
class Trial:
    """What is trained."""

    study: tyro.conf.Positional[str]
    """A finished study of GPTRec, whose recommender and activations are taken."""
    weights: tuple[float, ...] = (0.0, 10.0, 100.0)
    """Of the divergence in the loss; 0 is the dictionary as it is."""
    seeds: int = 2
    """Dictionaries of each kind."""
    n_features: int = 512
    """Size."""
    k: int = 16
    """Active features."""
    steps: int = 1200
    """Optimiser steps."""
    windows: int = 8
    """Windows of a batch."""


@dataclass(frozen=True)
class Windows:
    """Stretches of histories as the model read them.

    Attributes:
        tokens: int64 [w, s], left-padded.
        items: item of each real step.
    """

    tokens: Tensor
    items: np.ndarray

    @classmethod
    def of(cls, study: Study, part: str, full: bool) -> "Windows":
        """Those of a part's activations; `full` leaves out those with padding."""
        rows, vocabulary = study.activations(part).rows, study.bare_recommender.vocabulary
        codes, steps = vocabulary.encode(rows["item"]), rows["step"].to_numpy()
        users = pd.factorize(rows["user"])[0]
        starts = np.flatnonzero(np.r_[True, (np.diff(users) != 0) | (np.diff(steps) < 0)])
        ends = np.r_[starts[1:], len(codes)]
        longest = study.bare_recommender.model.config.max_history
        kept = (ends - starts == longest) | (not full)
        histories = Histories.from_ranges(pd.RangeIndex(kept.sum()), codes, starts[kept], ends[kept])
        return cls(histories.tokens(longest), vocabulary.ids.to_numpy()[histories.codes])

    @property
    def real(self) -> Tensor:
        """Which steps are no padding: bool [w, s]."""
        return self.tokens > 0


@torch.no_grad()
def hidden_states(model: SequentialRecommender, tokens: Tensor, sites: list[str]) -> Tensor:
    """The outputs of sites beside each other: [w, s, sites × d]."""
    found: dict[str, Tensor] = {}
    modules = {site: model.get_submodule(model.sites[site]) for site in sites}
    hooks = [
        module.register_forward_hook(lambda _module, _inputs, output, site=site: found.__setitem__(site, output))
        for site, module in modules.items()
    ]
    parts = []
    for batch in tokens.split(256):
        model.encode(batch)
        parts.append(torch.cat([found[site] for site in sites], dim=-1))
    for hook in hooks:
        hook.remove()
    return torch.cat(parts)


class RankingTrainer(BatchTopKTrainer):
    """BatchTopK, with the divergence of the scores that follow from the reconstruction of block 0.

    `update` is given all steps of some windows, [w × s, d], and `tokens` are theirs.
    """

    tokens: Tensor

    def __init__(self, model: SequentialRecommender, weight: float, scale: tuple[Tensor, Tensor], **arguments) -> None:
        super().__init__(**arguments)
        self.model, self.weight, self.scale = model, weight, scale

    def loss(self, x: Tensor, step: int | None = None, logging: bool = False) -> Tensor:
        """The loss of dictionary_learning, and the divergence."""
        own = super().loss(x, step)
        if not self.weight:
            return own
        rebuilt = self.ae.decode(self.ae.encode(x, use_threshold=False))
        with torch.no_grad():
            before = self._scores(x)
        after = self._scores(rebuilt)
        return own + self.weight * kl_div(after, before, log_target=True, reduction="sum") / after[..., 0].numel()

    def _scores(self, x: Tensor) -> Tensor:
        mean, std = self.scale
        hidden = (x * std + mean).view(*self.tokens.shape, -1)
        return log_softmax(self.model.score_hidden(self.model.encode_after(0, self.tokens, hidden)[:, -STEPS:]), dim=-1)


def train(trial: Trial, study: Study, sites: list[str], weight: float, seed: int) -> tuple[torch.nn.Module, tuple]:
    """A dictionary, and the mean and standard deviation of what it reads."""
    model, windows = study.bare_recommender.model, Windows.of(study, "sae", full=True)
    states = hidden_states(model, windows.tokens, sites)
    mean, std = states.mean(dim=(0, 1)), states.std(dim=(0, 1))
    config = SAEConfig(
        trainer="batch_top_k",
        n_features=trial.n_features,
        k=trial.k,
        steps=trial.steps,
        warmup_steps=min(100, trial.steps // 4),
        seed=seed,
    )
    arguments = shared(config, states.shape[-1], "cpu") | top_k(config)
    trainer = RankingTrainer(model, weight, (mean, std), **arguments)
    for step in tqdm(range(trial.steps), desc=f"{len(sites)} sites, weight {weight:g}, seed {seed}", leave=False):
        rows = np.random.default_rng([seed, step]).integers(len(states), size=trial.windows)
        trainer.tokens = windows.tokens[rows]
        trainer.update(step, ((states[rows] - mean) / std).flatten(0, 1))
    return trainer.ae, (mean, std)


@torch.no_grad()
def measures(study: Study, part: str, sites: list[str], ae: torch.nn.Module, scale: tuple) -> dict[str, float]:
    """Alignment on a part, and what the reconstruction of block 0 leaves of the ranking of its users."""
    model, windows, (mean, std) = study.bare_recommender.model, Windows.of(study, part, full=False), scale
    states = (hidden_states(model, windows.tokens, sites)[windows.real] - mean) / std
    features = sparse.vstack([sparse.csr_array(ae.encode(batch).numpy()) for batch in states.split(4096)]).tocsc()
    aligned = scores(features, windows.items, study.concepts)
    inputs, truth = study.users(part).split_last()
    lists, overlap, divergence, residual, width = [], 0.0, 0.0, 0.0, model.width("blocks.0")
    for batch in inputs.batches(128):
        tokens = model.inference_inputs(batch)
        hidden = hidden_states(model, tokens, sites)
        rebuilt = ae.decode(ae.encode(((hidden - mean) / std).flatten(0, 1))).view(hidden.shape) * std + mean
        after = model.score_hidden(model.encode_after(0, tokens, rebuilt[..., :width])[:, -1])
        before = model.score_hidden(model.encode(tokens)[:, -1])
        lists.append(top_items(after, batch, 10)[0])
        overlap += float(user_overlap(top_items(before, batch, 10)[0], lists[-1]).sum())
        divergence += float(kl_divergence(before, after).sum())
    residual = ((ae.decode(ae.encode(states)) - states)[:, :width] ** 2).sum() / (states[:, :width] ** 2).sum()
    return aligned | {
        "variance": 1 - float(residual),
        "NDCG@10": ndcg(np.concatenate(lists), truth),
        "top 10 kept": overlap / len(inputs),
        "KL": divergence / len(inputs),
    }


def main(trial: Trial) -> None:
    """Print a table of all dictionaries on both parts."""
    study = interp.open(trial.study)
    blocks = [site for site in study.bare_recommender.model.sites if site.count(".") == 1]
    kinds = [(f"weight {weight:g}", ["blocks.0"], weight) for weight in trial.weights] + [("all blocks", blocks, 0.0)]
    rows = []
    for (name, sites, weight), seed in product(kinds, range(trial.seeds)):
        ae, scale = train(trial, study, sites, weight, seed)
        for part, said in PARTS.items():
            rows.append({"part": said, "kind": name, "seed": seed, **measures(study, part, sites, ae, scale)})
        say(pd.DataFrame(rows[-2:]).round(4).to_string(header=len(rows) == 2, index=False))
    say(pd.DataFrame(rows).groupby(["part", "kind"], sort=False).mean().drop(columns="seed").round(3).to_string())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(tyro.cli(Trial))
