"""How an adapted recommender goes on from the output of a block.

Axes: b histories, s steps, d width, e values.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, partial
from threading import get_ident
from typing import Any

import torch
from torch import Tensor, nn

from recmodels.adapters.adapted_tokens import AdaptedTokens
from recmodels.adapters.shortcut import LOCK, Axes, axes_of, outputs_of, replaced, rows_of
from recmodels.adapters.taps import written
from recmodels.steady import steady
from recmodels.tolerance import is_close

REPEATS = 3  # of each example history


class AdaptedBlocks(AdaptedTokens):
    """The part of an adapted recommender that goes on from the output of a block.

    The blocks up to it run once for each history, where it was measured that the module then gives what a whole pass
    gives; elsewhere every pass is whole.
    """

    module: nn.Module
    _kept: tuple[dict[str, Any], Tensor] | None = None  # what blocks gave that need not run again, and for which rows

    def scored_after(self, block: int, input_ids: Tensor, hidden: Tensor, last: Tensor) -> Tensor:
        """What the scorer reads for many values of the last step's hidden state; see the base class."""
        with self._keeping(block, input_ids, len(hidden) * last.shape[1]):
            return super().scored_after(block, input_ids, hidden, last)

    def encode_after(self, block: int, input_ids: Tensor, hidden: Tensor) -> Tensor:
        """What `encode` gives if a block's output is `hidden` [b, s, d]; no trace reads or writes on the way."""
        with self._keeping(block, input_ids, len(input_ids)):
            if self._kept is None:
                return self._encode_from(block, input_ids, hidden, {})
            outputs, rows = self._kept
            rows, axes = rows.repeat_interleave(len(input_ids) // len(rows)), self._axes_before[block]
            selected = {name: rows_of(output, axes[name], rows) for name, output in outputs.items()}
            return self._encode_from(block, input_ids, hidden, selected)

    @contextmanager
    def _keeping(self, block: int, input_ids: Tensor, n: int) -> Iterator[None]:
        """Keep what the blocks up to this one give for these histories, if it saves work in passes of n rows."""
        with LOCK:
            tokens, rows = input_ids.unique(dim=0, return_inverse=True)
            if self._kept is not None or 2 * len(tokens) > n or block not in self._axes_before:
                yield
                return
            self._kept = outputs_of(self._block_modules(block), partial(self.encode, tokens)), rows
            try:
                yield
            finally:
                self._kept = None

    def _encode_from(self, block: int, input_ids: Tensor, hidden: Tensor, outputs: Mapping[str, Any]) -> Tensor:
        """`encode_after`, in which blocks give these outputs instead of running."""
        batch, modules, name = self.batch(input_ids), self._block_modules(block), f"blocks.{block}"
        thread, first = get_ident(), self._is_sequence_first(name)
        hook = modules[name].register_forward_hook(
            lambda _module, _inputs, output: written(output, batch, hidden, first) if get_ident() == thread else None
        )
        try:
            with replaced(modules, outputs):
                return batch.steps(self.adapter.run(batch))
        finally:
            hook.remove()

    @cached_property
    @steady()
    @torch.no_grad()
    def _axes_before(self) -> dict[int, Axes]:
        """The blocks from whose output the module can go on, and the axes of what the blocks up to each give.

        Measured with two histories, each several times, and other hidden states.
        """
        most, n = self.config.max_history, self.adapter.blocks()
        tokens = self.inference_inputs(self.example_histories([min(2, most), min(4, most)])).to(self.device)
        rows = torch.arange(2, device=tokens.device).repeat_interleave(REPEATS)
        modules = self._block_modules(n - 1)
        few, many = (outputs_of(modules, partial(self.encode, some)) for some in (tokens, tokens[rows]))
        axes: dict[str, Any] = {name: axes_of(few[name], many[name], len(tokens), rows) for name in few}
        measured: dict[int, Axes] = {}
        for block in range(n):
            names = [f"blocks.{number}" for number in range(block + 1)]
            if any(axes[name] is None for name in names):
                break
            shape = (len(rows), self.step_tokens(tokens).shape[1], self.width(names[-1]))
            hidden = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(tokens.device)
            whole = self._encode_from(block, tokens[rows], hidden, {})
            outputs = {name: rows_of(few[name], axes[name], rows) for name in names}
            self.encode(tokens)  # as before a use: what blocks leave elsewhere is of these rows
            try:
                short = self._encode_from(block, tokens[rows], hidden, outputs)
            except Exception:  # of the module's own code, which may fail in any way where a block did not run
                continue
            if is_close(short, whole).all():
                measured[block] = {name: axes[name] for name in names}
        return measured

    def _block_modules(self, last: int) -> dict[str, nn.Module]:
        """The modules of the blocks up to this one, by site."""
        paths = self.adapter.site_paths()
        return {name: self.module.get_submodule(paths[name]) for name in (f"blocks.{n}" for n in range(last + 1))}

    def _is_sequence_first(self, name: str) -> bool:
        kind = ".".join("*" if part.isdigit() else part for part in name.split("."))
        return not {kind, name}.isdisjoint(self.adapter.sequence_first)
