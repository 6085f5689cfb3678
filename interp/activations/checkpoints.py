"""Checkpoints of dictionaries that are being trained: all that changes, so that a resumed training ends the same."""

import hashlib
import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from recmodels import folders

log = logging.getLogger(__name__)


def save(trainers: dict[str, Any], path: Path, step: int) -> None:
    """Write the state of trainers, by name, after a number of steps."""
    tensors = {
        f"{name}/{key}": tensor.detach().cpu().contiguous()
        for name, trainer in trainers.items()
        for key, tensor in _tensors(trainer).items()
    }
    numbers = {name: _numbers(trainer) for name, trainer in trainers.items()}
    about = {"step": json.dumps(step), "numbers": json.dumps(numbers)}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    save_file(tensors, partial, metadata=about | {"sha256": _checksum(tensors, about)})
    partial.replace(path)


def resume(trainers: dict[str, Any], path: Path) -> int:
    """`restore`, or step 0 if there is no checkpoint or it is damaged; the log then says so in one line."""
    folders.refuse_link(path)
    if not path.exists():
        return 0
    try:
        return restore(trainers, path)
    except (OSError, SafetensorError, ValueError, TypeError, KeyError) as damage:
        log.warning("%s is damaged (%s): the training begins again", path, damage)
        path.unlink()
        return 0


def restore(trainers: dict[str, Any], path: Path) -> int:
    """Load a checkpoint into fresh trainers and return the step to resume at."""
    with safe_open(path, "pt") as file:
        about = file.metadata() or {}
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    if about.get("sha256") != _checksum(tensors, about):
        raise ValueError("its checksum differs")
    # The checkpoint is valid from here on: trainers are restored completely, or not at all.
    step, numbers = json.loads(about["step"]), json.loads(about["numbers"])
    state: dict[str, dict[str, dict[str, torch.Tensor]]] = {}
    for key, tensor in tensors.items():
        name, kind, rest = key.rsplit("/", 2)
        state.setdefault(name, {}).setdefault(kind, {})[rest] = tensor
    for name, trainer in trainers.items():
        trainer.ae.load_state_dict(state[name]["ae"])
        vars(trainer).update(numbers[name])
        vars(trainer).update({key: tensor.to(_device(trainer)) for key, tensor in state[name].get("own", {}).items()})
        slots: dict[int, dict[str, torch.Tensor]] = {}
        for key, tensor in state[name].get("adam", {}).items():
            index, slot = key.split(".")
            slots.setdefault(int(index), {})[slot] = tensor
        if hasattr(trainer, "optimizer"):
            groups = trainer.optimizer.state_dict()["param_groups"]
            trainer.optimizer.load_state_dict({"state": slots, "param_groups": groups})
        with warnings.catch_warnings():
            # torch wants optimizer.step() before scheduler.step(); here the steps were taken earlier.
            warnings.simplefilter("ignore")
            for _ in range(step if hasattr(trainer, "scheduler") else 0):
                trainer.scheduler.step()
    return step


def _tensors(trainer: Any) -> dict[str, torch.Tensor]:
    """Every tensor that a trainer changes while it trains, as references to its own."""
    state = {f"ae/{name}": tensor for name, tensor in trainer.ae.state_dict().items()}
    state |= {f"own/{name}": value for name, value in vars(trainer).items() if isinstance(value, torch.Tensor)}
    optimizer = getattr(trainer, "optimizer", None)  # a trainer from another package may have none
    for index, slots in optimizer.state_dict()["state"].items() if optimizer else ():
        state |= {f"adam/{index}.{name}": tensor for name, tensor in slots.items()}
    return state


def _numbers(trainer: Any) -> dict[str, Any]:
    """Everything else that it may change: counters, and the coefficients of p_anneal with their history."""
    plain = (int, float, list, type(None))
    return {name: value for name, value in vars(trainer).items() if isinstance(value, plain)}


def _checksum(tensors: dict[str, torch.Tensor], about: Mapping[str, str]) -> str:
    """SHA-256 of all that a checkpoint holds."""
    digest = hashlib.sha256(json.dumps([about["step"], about["numbers"]]).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _device(trainer: Any) -> torch.device:
    return next(trainer.ae.parameters()).device
