"""The envoys of modules and sites: what can be read and written at a place in the network.

Axes: b users, s steps, d hidden size, f features.
"""

from typing import Any, NoReturn

from nnsight.intervention.envoy import Envoy
from nnsight.intervention.eproperty import eproperty
from nnsight.intervention.interleaver import Mediator
from torch import Tensor

from interp.sae.autoencoder import SparseAutoencoder
from recmodels.errors import InputError


class Rows(eproperty):
    """A module's output of which each invoke gets its own rows, so that these can be a leaf of the gradient's graph.

    nnsight gives a view of the whole batch, and the batch does not require a gradient when the view does. Here the
    invoke gets a copy of its rows, which is written back into the batch afterwards.
    """

    def __get__(self, envoy: Any, owner: Any = None) -> Any:
        if envoy is None:
            return self
        location = self._location(envoy)
        mediator = Mediator.current(location)
        if mediator.batch_group is None or not mediator.interleaver.batcher.batching:
            return Mediator.value(location)
        return super().__get__(envoy, owner)


class NotPicklable:
    """An envoy cannot be copied or pickled, because nnsight's state belongs to one module."""

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise InputError(
            "an envoy cannot be copied or pickled: keep rec.recommender and its dictionaries, and make another of them"
        )


class ModuleEnvoy(NotPicklable, Envoy):
    """Any other module of the network."""


class SiteEnvoy(NotPicklable, Envoy):
    """A place in the network where a dictionary can be attached, such as `rec.blocks[0].mlp`."""

    @property
    def name(self) -> str:
        """What the site is called, such as "blocks.0.mlp"."""
        path = self.path.removeprefix("model.")
        return next(name for name, at in self.root.recommender.model.sites.items() if at == path)

    @property
    def sae(self) -> SparseAutoencoder:
        """The dictionary attached here.

        Raises:
            InputError: there is none.
        """
        sae = self.root.saes.get(self.name)
        if sae is None:
            raise InputError(f"no dictionary is attached at {self.name}: give one to the recommender with attach(sae)")
        return sae

    @Rows(description="hidden states")
    def output(self, hidden: Tensor) -> Tensor:
        """[b, s, d] hidden states here; writable."""
        return hidden.clone()

    @output.transform  # type: ignore[no-redef]
    def output(self, rows: Tensor, _: Tensor) -> Tensor:
        """The rows that are written back, edited in place or with a gradient."""
        return rows

    @eproperty(key="output", description="SAE features; edits keep the reconstruction error")
    def features(self, hidden: Tensor) -> Tensor:
        """[b, s, f] features here. Changes are written back; the reconstruction error is kept."""
        return self.sae.encode(hidden)

    @features.transform  # type: ignore[no-redef]
    def features(self, features: Tensor, hidden: Tensor) -> Tensor:
        """Hidden states after these features were edited in place."""
        return hidden + self.sae.write(features - self.sae.encode(hidden))

    @features.postprocess  # type: ignore[no-redef]
    def features(self, features: Tensor) -> Tensor:
        """Hidden states after these features were assigned."""
        hidden = Mediator.value(f"{self.path}.output")
        return hidden + self.sae.write(features - self.sae.encode(hidden))
