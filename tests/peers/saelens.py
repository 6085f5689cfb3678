"""Runs in SAELens's own environment: makes folders of it, or says what it makes of a folder.

    python tests/peers/saelens.py make FOLDER               # one folder for each architecture, with states and results
    python tests/peers/saelens.py encode STATES FOLDER …    # features and reconstructions of states, in each folder

What the tests of `make test` read was written by the first command: tests/interp/sae/recorded/saelens.
"""

import json
import sys
from pathlib import Path

import sae_lens
import torch
from safetensors.torch import load_file, save_file

D, F, K, N = 4, 6, 2, 5  # width, features, active ones, states
PLAIN = {
    "standard": (sae_lens.StandardSAE, sae_lens.StandardSAEConfig, {}),
    "standard_no_b_dec": (sae_lens.StandardSAE, sae_lens.StandardSAEConfig, {"apply_b_dec_to_input": False}),
    "gated": (sae_lens.GatedSAE, sae_lens.GatedSAEConfig, {}),
    "jumprelu": (sae_lens.JumpReLUSAE, sae_lens.JumpReLUSAEConfig, {}),
    "topk": (sae_lens.TopKSAE, sae_lens.TopKSAEConfig, {"k": K}),
    "topk_rescaled": (sae_lens.TopKSAE, sae_lens.TopKSAEConfig, {"k": K, "rescale_acts_by_decoder_norm": True}),
}
TRAINED = {
    "batchtopk": (sae_lens.BatchTopKTrainingSAE, sae_lens.BatchTopKTrainingSAEConfig, {"k": K}),
    "matryoshka_batchtopk": (
        sae_lens.MatryoshkaBatchTopKTrainingSAE,
        sae_lens.MatryoshkaBatchTopKTrainingSAEConfig,
        {"k": K, "matryoshka_widths": [2, F]},
    ),
}


def drawn(kind, config, settings, seed):
    """A dictionary with random weights, thresholds among them."""
    torch.manual_seed(seed)
    sae = kind(config(d_in=D, d_sae=F, **settings))
    with torch.no_grad():
        for parameter in sae.parameters():
            parameter.copy_(torch.randn_like(parameter))
        if hasattr(sae, "threshold"):
            sae.threshold.copy_(sae.threshold.abs())
        if hasattr(sae, "topk_threshold"):
            sae.topk_threshold.fill_(0.7)
    return sae


def results(sae, states):
    with torch.no_grad():
        features = sae.encode(states)
        return {"states": states, "features": features, "reconstructions": sae.decode(features)}


def make(folder):
    states = torch.randn(N, D, generator=torch.Generator().manual_seed(0))
    for seed, (name, parts) in enumerate((PLAIN | TRAINED).items()):
        sae, place = drawn(*parts, seed), folder / name
        sae.save_model(place)
        if name in TRAINED:  # what SAELens would use afterwards
            sae.save_inference_model(folder / "inference")
            sae = sae_lens.SAE.load_from_disk(folder / "inference")
            for path in (folder / "inference").iterdir():
                path.unlink()
            (folder / "inference").rmdir()
        save_file(results(sae, states), place / "results.safetensors")
    old_release(folder / "topk_before_6", states)


def old_release(place, states):
    """A folder as releases before 6 wrote it: top-k is an activation function of the standard architecture."""
    sae = drawn(*PLAIN["topk"], 9)
    sae.save_model(place)
    config = {
        "architecture": "standard",
        "d_in": D,
        "d_sae": F,
        "dtype": "torch.float32",
        "device": "cpu",
        "activation_fn_str": "topk",
        "activation_fn_kwargs": {"k": K},
        "apply_b_dec_to_input": True,
        "finetuning_scaling_factor": False,
        "normalize_activations": "none",
        "hook_name": "blocks.0.hook_resid_post",
        "model_name": "gpt2-small",
        "sae_lens_training_version": "5.0.0",
    }
    (place / "cfg.json").write_text(json.dumps(config))
    save_file(results(sae_lens.SAE.load_from_disk(place), states), place / "results.safetensors")


def encode(states, *folders):
    states = load_file(states)["states"]
    for folder in folders:
        save_file(results(sae_lens.SAE.load_from_disk(folder), states), folder / "results.safetensors")


if __name__ == "__main__":
    command, *words = sys.argv[1:]
    {"make": make, "encode": encode}[command](*map(Path, words))
