"""Runs in dictionary_learning's own environment: says what `load_dictionary` makes of folders.

    python tests/peers/dictionary_learning_folders.py encode STATES FOLDER …

Each folder gets a file results.safetensors with features and reconstructions of the states.
"""

import sys
from pathlib import Path

import torch
from dictionary_learning.utils import load_dictionary
from safetensors.torch import load_file, save_file


def encode(states, *folders):
    states = load_file(states)["states"]
    for folder in folders:
        dictionary, _ = load_dictionary(str(folder), "cpu")
        with torch.no_grad():
            features = dictionary.encode(states)
            results = {"features": features, "reconstructions": dictionary.decode(features)}
        save_file({name: tensor.contiguous() for name, tensor in results.items()}, folder / "results.safetensors")


if __name__ == "__main__":
    command, *words = sys.argv[1:]
    {"encode": encode}[command](*map(Path, words))
