"""Where models run: on a GPU if there is one, unless the environment variable INTERP_DEVICE says cpu."""

import os

import torch
from torch import nn

from recmodels.errors import InputError, quote

VARIABLE = "INTERP_DEVICE"


def usual_device() -> str:
    """Where models are trained, and where those of this package run: "cuda" or "cpu".

    Of several GPUs, each rank has its own (`recmodels.rank_group`).

    Raises:
        InputError: INTERP_DEVICE is something else, or is cuda where there is none.
    """
    has_gpu, name = torch.cuda.is_available(), os.environ.get(VARIABLE, "")
    if name not in ("", "cpu", "cuda"):
        raise InputError(f"{VARIABLE} is {quote(name)}: write cpu or cuda, or leave it out")
    if name == "cuda" and not has_gpu:
        raise InputError(f"{VARIABLE} is cuda, but torch sees no GPU: leave it out, or install torch for your GPU")
    return name or ("cuda" if has_gpu else "cpu")


def to_usual_device(model: nn.Module) -> None:
    """Move a model to where models run."""
    model.to(usual_device())
