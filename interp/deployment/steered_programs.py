"""Recommender and steers as one program, for runtimes other than `interp.serving`: torch.export and ONNX.

Axes: b users, s steps, v items, c columns: one for each edit of each steer.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from interp.deployment.recommender_program import EXAMPLE, Change, changing, exported
from interp.optional import needing
from interp.serving.tensor_steer import TensorSteer
from recmodels.model import SequentialRecommender
from recmodels.steady import steady

Format = Literal["pt2", "onnx"]
OPSET = 20


class WithSteers(nn.Module):
    """Scores [b, v] of tokens int64 [b, s] and values float32 [b, c], where NaN means that an edit is not made."""

    def __init__(self, model: SequentialRecommender, steers: Mapping[str, TensorSteer]) -> None:
        super().__init__()
        self.model, self.steers = model, nn.ModuleList(steers.values())
        self.sizes = [len(steer.columns) for steer in steers.values()]

    def forward(self, tokens: Tensor, values: Tensor) -> Tensor:
        """Steers apply in their order."""
        parts = values.split(self.sizes, dim=1)
        changes = {
            site: self._change([(s, v) for s, v in zip(self.steers, parts, strict=True) if s.steer.site == site])
            for site in {steer.steer.site for steer in self.steers}
        }
        with changing(self.model, changes):
            return self.model(tokens).scores

    def _change(self, steers: list[tuple[Any, Tensor]]) -> Change:
        def change(hidden: Tensor) -> Tensor:
            for steer, values in steers:
                if steer.reach == 1:
                    last = torch.arange(hidden.shape[1])[:, None] == hidden.shape[1] - 1
                    hidden = torch.where(last, steer(hidden[:, -1:], values), hidden)
                else:  # how many steps there are is not known here
                    hidden = steer(hidden, values)
            return hidden

        return change


def columns_of(steers: Mapping[str, TensorSteer]) -> list[dict[str, Any]]:
    """What each column of values means: the steer, and the place of the edit in its file or "reconstruct"."""
    return [{"steer": name, "edit": edit} for name, steer in steers.items() for edit in steer.columns]


def write_steered(
    folder: Path, model: SequentialRecommender, steers: Mapping[str, TensorSteer], formats: tuple[Format, ...]
) -> None:
    """Write `steered.pt2` and `steered.onnx`.

    Raises:
        InputError: the recommender cannot be exported, or onnx is not installed.
    """
    program = exported(model, WithSteers(model, steers), _values(steers))
    if "pt2" in formats:
        torch.export.save(program, folder / "steered.pt2")
    if "onnx" in formats:
        _write_onnx(folder / "steered.onnx", model, program)


def _values(steers: Mapping[str, TensorSteer]) -> Tensor:
    return torch.zeros(EXAMPLE[0], sum(len(steer.columns) for steer in steers.values()))


def _write_onnx(path: Path, model: SequentialRecommender, program: ExportedProgram) -> None:
    with needing("onnx", "onnxscript"), steady(model), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import onnx
        import onnxscript  # noqa: F401 - torch needs it, and says so at length

        onnx_program = torch.onnx.export(
            program,
            input_names=["tokens", "values"],
            output_names=["scores"],
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
            external_data=False,
        )
    onnx.save_model(onnx_program.model_proto, path)
