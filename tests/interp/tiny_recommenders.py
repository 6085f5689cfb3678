"""Recommenders and dictionaries with random weights, made in milliseconds: what is compared here needs no training."""

import pandas as pd
import torch

from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import Provenance, SparseAutoencoder
from interp.sae.trainers import build_dictionary
from interp.sae_config import SAEConfig
from interp.steering.edits import Push
from recmodels.bert4rec import BERT4Rec, BERT4RecConfig
from recmodels.gptrec import GPTRec, GPTRecConfig
from recmodels.recommender import Recommender
from recmodels.vocabulary import Vocabulary

IDS = [f"film {number}" for number in range(40)]
SIZE = {"n_items": 40, "max_history": 8, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
HISTORIES = {
    "ann": IDS[:3],
    "bob": IDS[5:6],
    "cyd": IDS[3:20],  # longer than the model reads
    7: IDS[20:28],
    "dee": IDS[30:32],
}


def tiny(kind: str) -> Recommender:
    """A GPTRec or BERT4Rec whose hidden states have entries of about 1."""
    torch.manual_seed(0)
    model = GPTRec(GPTRecConfig(**SIZE)) if kind == "gptrec" else BERT4Rec(BERT4RecConfig(**SIZE))
    with torch.no_grad():
        model.get_input_embeddings().weight *= 40
    return Recommender(model, Vocabulary(pd.Index(IDS, name="item")))


def random_sae(
    kind: str, recommender: str, site: str = "blocks.0", f: int = 40, d: int = SIZE["hidden_size"]
) -> SparseAutoencoder:
    """A dictionary of a kind with random weights, about half of whose features are active."""
    config = SAEConfig(trainer=kind, n_features=f, k=5)
    dictionary, generator = build_dictionary(config, d), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in dictionary.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.4)
            if name == "threshold":
                tensor.abs_()
    return SparseAutoencoder(dictionary, 0.2, 1.3, config, Provenance(recommender, site, "none"))


def tiny_envoy(kind: str, trainer: str = "unsquared", sites: tuple[str, ...] = ("blocks.0",)) -> RecommenderEnvoy:
    """One of the recommenders with a dictionary at each site."""
    recommender = tiny(kind)
    return RecommenderEnvoy(recommender, *[random_sae(trainer, recommender.fingerprint, site) for site in sites])


def every_steer(rec: RecommenderEnvoy, site: str = "blocks.0") -> dict:
    """A steer of each op, at, reconstruct and form of value."""
    direction = torch.linspace(-1, 1, SIZE["hidden_size"])
    edits = {
        "set": ({3: 2.0, 9: -1.0}, {}),
        "add": ({3: 1.5}, {"op": "add"}),
        "scale": ({3: 3.0, 5: 0.0, 6: -2.0, 7: 2.0}, {"op": "scale"}),
        "floor": ({n: 0.7 for n in range(20)}, {"op": "floor", "at": "all"}),
        "cap": ({n: 0.3 for n in range(20)}, {"op": "cap", "at": (-1, -3)}),
        "clamp": ({n: (0.2, 0.5) for n in range(10)}, {"op": "clamp", "at": "all"}),
        "ablate": (list(range(12)), {"op": "ablate"}),
        "weight": ({3: 2.0, 4: -2.0}, {"weight": 0.3, "at": (-2,)}),
        "by_user": ({3: {"ann": 2.0, 7: -1.0}, 4: {"cyd": 1.0}}, {}),
        "by_user_all": ({3: {"ann": 2.0, "cyd": 4.0}, 5: 1.0}, {"at": "all", "op": "add"}),
        "reconstruct": ({3: 2.0}, {"reconstruct": "all"}),
        "reconstruct_last": ({3: {"bob": 2.0}}, {"reconstruct": "last", "at": "all"}),
        "reconstruct_only": ({}, {"reconstruct": "all"}),
        "far": ({3: 2.0}, {"at": (-6,)}),
    }
    steers = {name: rec.steer_of(what, site=site, **how) for name, (what, how) in edits.items()}
    several = [*steers["scale"].edits, *steers["floor"].edits[2:4], *steers["by_user_all"].edits]
    steers["mixed"] = rec.steer_of(several, site=site)
    steers["push"] = rec.steer_of([Push(direction, 1.5), Push(direction.flip(0), -1.0, "all")], site=site)
    steers["edit_and_push"] = rec.steer_of([*steers["add"].edits, Push(direction, 0.5, (-1, -2))], site=site)
    return steers
