"""A recommender that has learnt nothing, where its initial weights are not known: its weights, shuffled."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from recmodels.recommender import Recommender


@contextmanager
def shuffled(recommender: Recommender, seed: int = 0) -> Iterator[Recommender]:
    """While the body runs, the recommender with the entries of each parameter shuffled; then its weights are back.

    Every tensor keeps its values, thus its mean and scale, and loses what it knows. Heap et al. (2025, arXiv
    2501.17727) redraw weights of trained transformers with their mean and variance for the same purpose. The
    recommender itself must not be used meanwhile, as it is the same module.
    """
    generator = torch.Generator().manual_seed(seed)
    tensors = [parameter.data for _, parameter in sorted(recommender.model.named_parameters())]
    before = [tensor.clone() for tensor in tensors]
    try:
        for tensor in tensors:
            order = torch.randperm(tensor.numel(), generator=generator).to(tensor.device)
            tensor.copy_(tensor.flatten()[order].view_as(tensor))
        yield Recommender(recommender.model, recommender.vocabulary)
    finally:
        for tensor, values in zip(tensors, before, strict=True):
            tensor.copy_(values)
