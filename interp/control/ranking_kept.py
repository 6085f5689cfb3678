"""How much of the recommender's ranking is left when a site's output is replaced by a dictionary's reconstruction."""

from dataclasses import dataclass

import numpy as np
import torch

from interp.control.sweeps import user_overlap
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Reconstruct, Steer
from recmodels.metrics import ndcg
from recmodels.progress import tqdm
from recmodels.ranking import top_k
from recmodels.sequences import Histories

_USERS = 128  # per pass


@dataclass(frozen=True)
class RankingKept:
    """What replacing the layer leaves of the ranking.

    Attributes:
        ndcg: NDCG@k of the held-out items with the layer replaced.
        overlap: mean share of each user's list that stays in it.
        kl: mean over users of the Kullback-Leibler divergence, in nats, of the softmax of all items' scores from that
            of the recommender itself (SAEBench's core metrics have it of the next token).
    """

    ndcg: float
    overlap: float
    kl: float


def ranking_kept(
    rec: RecommenderEnvoy, histories: Histories, site: str, where: Reconstruct = "all", k: int = 10
) -> RankingKept:
    """Compare lists and scores with those of the recommender as it is.

    Args:
        rec: the recommender, with a dictionary at the site.
        histories: the last item of each is held out.
        site: where.
        where: "all" replaces the layer at all steps, "last" at the last one, "none" nowhere.
        k: list length.
    """
    inputs, truth = histories.split_last()
    lists, overlap, divergence = [], 0.0, 0.0
    for batch in tqdm(list(inputs.batches(_USERS)), desc=f"replacing the layer, {where}"):
        before = rec.score(batch)
        with rec.steer(Steer((), site, reconstruct=where)):
            after = rec.score(batch)
        lists.append(top_k(after, batch, k, rec.keep_seen)[0])
        overlap += float(user_overlap(top_k(before, batch, k, rec.keep_seen)[0], lists[-1]).sum())
        divergence += float(kl_divergence(before, after).sum())
    return RankingKept(ndcg(np.concatenate(lists), truth), overlap / len(inputs), divergence / len(inputs))


def kl_divergence(before: torch.Tensor, after: torch.Tensor) -> np.ndarray:
    """KL(softmax(before) ‖ softmax(after)) of each row of scores [user, item], in nats: float64 [user]."""
    p, q = (torch.log_softmax(scores.double(), dim=1) for scores in (before, after))
    return (p.exp() * (p - q)).sum(dim=1).cpu().numpy()
