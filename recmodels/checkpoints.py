"""Checkpoints of a training, sealed with checksums; a checkpoint that is not whole is ignored."""

import logging
import re
from pathlib import Path
from typing import Any

from transformers import TrainerCallback
from transformers.trainer import TRAINER_STATE_NAME

from recmodels import artifacts, ranks
from recmodels.errors import InputError
from recmodels.folders import refuse_link, remove
from recmodels.json_files import check_record, read_json

KIND = artifacts.Kind(
    "checkpoint", ("model.safetensors", "optimizer.pt", "rng_state.pth", "scheduler.pt", TRAINER_STATE_NAME)
)
NAME = re.compile(r"checkpoint-(\d+)")
log = logging.getLogger(__name__)


def checkpoints_folder(folder: Path) -> Path:
    """Where the training of the recommender in `folder` keeps its checkpoints."""
    return folder.with_name(f"{folder.name}.checkpoints")


class SealCheckpoints(TrainerCallback):
    """Seals each new checkpoint, and then deletes the older ones except the best."""

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Seal the checkpoint of this step; ranks that train together wait for the first, which does."""
        with ranks.first_before_others():
            if ranks.is_first():
                self._seal(Path(args.output_dir), state)

    def _seal(self, folder: Path, state: Any) -> None:
        newest = folder / f"checkpoint-{state.global_step}"
        artifacts.seal(newest, KIND, {"step": state.global_step})
        best = Path(state.best_model_checkpoint or newest).name
        for checkpoint in _steps(folder).values():
            if checkpoint.name not in (newest.name, best):
                _discard(checkpoint)


def last_checkpoint(folder: Path) -> Path | None:
    """The latest checkpoint from which a training can resume with the result of an uninterrupted one.

    It is whole, and so is the checkpoint that it names as the best. Later checkpoints are deleted; the log names each
    damaged one in one line.

    Raises:
        InputError: a checkpoint is a link.
    """
    best = {path: name for path in _steps(folder).values() if (name := _best(path)) is not None}
    for path in reversed(list(_steps(folder).values())):
        if path in best and folder / best[path] in best:
            _state_here(path)
            return path
        _discard(path)
    return None


def _steps(folder: Path) -> dict[int, Path]:
    """The checkpoints by step, in order."""
    checkpoints = {int(name[1]): path for path in folder.iterdir() if (name := NAME.fullmatch(path.name))}
    return dict(sorted(checkpoints.items()))


def _best(checkpoint: Path) -> str | None:
    """Name of the checkpoint that was the best when this one was written; None if this one is not whole."""
    refuse_link(checkpoint)
    try:
        sealed = artifacts.verify(checkpoint, KIND)["inputs"]
        state = _state(checkpoint)
        if not sealed == {"step": state["global_step"]} == {"step": int(checkpoint.name.split("-")[1])}:
            raise InputError(f"{checkpoint} is of another step")
    except InputError as damage:
        if (checkpoint / artifacts.MANIFEST).exists():
            log.warning("%s; the training goes on without this checkpoint", str(damage).split(": delete")[0])
        else:
            log.warning("%s is not whole; the training goes on without this checkpoint", checkpoint)
        return None
    return Path(state["best_model_checkpoint"] or checkpoint).name


def _state(checkpoint: Path) -> dict[str, Any]:
    path, advice = checkpoint / TRAINER_STATE_NAME, "delete it"
    state = read_json(path, advice)
    check_record(state, {"global_step": int}, path, advice)
    if not isinstance(state.get("best_model_checkpoint"), str | None):
        raise InputError(f"{path} is damaged: {advice}")
    return state


def _state_here(checkpoint: Path) -> None:
    """Write the present path of the best checkpoint: the run may have moved, or started in another directory."""
    state = _state(checkpoint)
    if not state["best_model_checkpoint"]:
        return
    here = str(checkpoint.parent / Path(state["best_model_checkpoint"]).name)
    if state["best_model_checkpoint"] != here:
        artifacts.write_json(checkpoint / TRAINER_STATE_NAME, state | {"best_model_checkpoint": here})
        artifacts.seal(checkpoint, KIND, {"step": state["global_step"]})


def _discard(checkpoint: Path) -> None:
    """Delete a checkpoint, sealed or not: its parent folder carries our mark."""
    remove(checkpoint, str(KIND), within=True)
