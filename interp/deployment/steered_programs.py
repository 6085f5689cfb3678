"""Recommender and steers as one program, for runtimes other than `interp.serving`: torch.export and ONNX.

`steered.json` says what each column of values means: the steer, and the place of the edit in its file or "reconstruct".

Axes: b users, s steps, v items, c columns: one for each edit of each steer.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from interp.deployment.onnx_graph import check_onnx, onnx_graph, run_onnx
from interp.deployment.recommender_program import EXAMPLE, Change, changing, exported
from interp.serving.service import Service
from interp.serving.tensor_steer import TensorSteer
from recmodels.errors import InputError, quote
from recmodels.files import write_json
from recmodels.model import SequentialRecommender
from recmodels.steady import steady

Format = Literal["pt2", "onnx"]
TOLERANCE = 1e-5  # of scores, beside the largest


class WithSteers(nn.Module):
    """Scores [b, v] of tokens int64 [b, s] and values float32 [b, c], where NaN means that an edit is not made."""

    def __init__(self, model: SequentialRecommender, steers: Mapping[str, TensorSteer]) -> None:
        super().__init__()
        self.model, self.steers = model, list(steers.values())

    def forward(self, tokens: Tensor, values: Tensor) -> Tensor:
        """Steers apply in their order."""
        parts = values.split([len(steer.columns) for steer in self.steers], dim=1)
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


def check_formats(formats: Collection[str], steers: Collection[str]) -> None:
    """Refuse a format that is not known, needs packages that are not installed, or would hold no steer.

    Raises:
        InputError: so it is.
    """
    if not set(formats) <= set(get_args(Format)):
        raise InputError(f"formats is {quote(formats)}: choose among {', '.join(get_args(Format))}")
    if formats and not steers:
        raise InputError("formats are for programs that hold steers: give these, too")
    if "onnx" in formats:
        check_onnx()


def write_steered(
    folder: Path, model: SequentialRecommender, service: Service, histories: Any, formats: tuple[Format, ...]
) -> None:
    """Write `steered.pt2` and `steered.onnx`, and what their columns mean.

    Args:
        folder: where.
        model: the recommender.
        service: the same with its steers, for a comparison.
        histories: user → item ids, for the comparison.
        formats: which of the two.

    Raises:
        InputError: the recommender cannot be exported, or a program scores differently.
    """
    columns = [{"steer": name, "edit": edit} for name, steer in service.steers.items() for edit in steer.columns]
    module, values = WithSteers(model, service.steers), torch.zeros(EXAMPLE[0], len(columns))
    program = exported(model, module, values, full_width=service.items.full_width)
    inputs, expected = service.inputs(histories, list(service.steers)), service.score(histories, list(service.steers))
    scores: dict[str, Tensor] = {}
    if "pt2" in formats:
        torch.export.save(program, folder / "steered.pt2")
        with steady(), torch.no_grad():
            scores["steered.pt2"] = program.module()(inputs["tokens"], inputs["values"])
    if "onnx" in formats:
        graph = onnx_graph(model, program, ["tokens", "values"], ["scores"])
        (folder / "steered.onnx").write_bytes(graph)
        (scores["steered.onnx"],) = run_onnx(graph, inputs)
    for name, result in scores.items():
        error = float((result - expected).abs().max() / expected.abs().max().clamp_min(1e-12))
        if not error <= TOLERANCE:
            raise InputError(f"{name} scores differently than the service, by {error:.1g} of the largest score")
    write_json(folder / "steered.json", {"columns": columns})
