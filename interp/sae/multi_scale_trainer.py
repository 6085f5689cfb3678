"""Dictionaries of several sizes side by side, each very sparse, on half-whitened activations; one decoder for all.

One size finds concepts of one breadth: a small dictionary those that many items have, a large one those of few items,
whose broad concepts it splits. So each scale reconstructs the activations by itself, from k/scales features of a row
(BatchTopK: Bussmann et al., arXiv 2412.06410), and none can leave to another what it would not learn alone, as nested
dictionaries do (matryoshka). Features of all scales are then decoded together, by least squares. Whitening gives
directions of small variance, in which concepts lie too, a part in the loss, and keeps features alive.

Axes: n rows, d hidden size, f features.
"""

import numpy as np
import torch
from torch import Tensor, nn

from interp.sae_config import SAEConfig

RIDGE = 1e-3  # of the decoder, in units of its features' mean square
SMALLEST = 1e-4  # share of the largest variance, below which a direction is not amplified further


class MultiScaleSAE(nn.Module):
    """Rectified features above the threshold of their scale, and an affine decoder."""

    center: Tensor
    whiten: Tensor
    threshold: Tensor

    def __init__(self, activation_dim: int, dict_size: int) -> None:
        super().__init__()
        self.activation_dim, self.dict_size = activation_dim, dict_size
        self.encoder, self.decoder = nn.Linear(activation_dim, dict_size), nn.Linear(dict_size, activation_dim)
        with torch.no_grad():
            self.decoder.weight /= self.decoder.weight.norm(dim=0).clamp_min(1e-8)
            self.encoder.weight.copy_(self.decoder.weight.T)
            self.encoder.bias.zero_()
            self.decoder.bias.zero_()
        self.register_buffer("center", torch.zeros(activation_dim))
        self.register_buffer("whiten", torch.eye(activation_dim))
        self.register_buffer("threshold", torch.zeros(dict_size))

    def encode(self, x: Tensor) -> Tensor:
        """[..., d] to [..., f]."""
        features = torch.relu(self.encoder((x - self.center) @ self.whiten))
        return features * (features > self.threshold)

    def decode(self, features: Tensor) -> Tensor:
        """[..., f] to [..., d]."""
        return self.decoder(features)


def scale_sizes(n_features: int, scales: int, ratio: float) -> list[int]:
    """Features of each scale, the smallest first; the largest takes what rounding leaves."""
    shares = ratio ** np.arange(scales)
    sizes = [max(1, int(n_features * share / shares.sum())) for share in shares[:-1]]
    return [*sizes, n_features - sum(sizes)]


def whitening(x: np.ndarray, power: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean [d] and symmetric map [d, d] after which the covariance of rows [n, d] is its own power 1 − `power`.

    The covariance is shrunk (Ledoit and Wolf 2004), since one batch tells it; entries keep their mean variance.
    """
    from sklearn.covariance import ledoit_wolf  # here, as a study opens without scikit-learn

    covariance = ledoit_wolf(x)[0]
    values, vectors = np.linalg.eigh(covariance)
    floor = values.max() * SMALLEST
    scale = np.maximum(values, floor if floor > 0 else 1.0) ** (-power / 2)
    kept = (scale**2 * values).sum()
    scale *= np.sqrt(values.sum() / kept) if kept > 0 else 1.0
    return x.mean(axis=0), vectors * scale @ vectors.T


class MultiScaleTrainer:
    """Trains all scales at once. The first batch gives the whitening, the last tenth of the steps the decoder."""

    reads_item_means = True

    def __init__(self, config: SAEConfig, activation_dim: int, device: str) -> None:
        self.config, self.settings, self.device = config, config.settings, device
        self.ae = MultiScaleSAE(activation_dim, config.n_features).to(device)
        self.sizes = scale_sizes(config.n_features, self.settings.scales, self.settings.ratio)
        self.optimizer = torch.optim.Adam(self.ae.parameters(), lr=config.learning_rate)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self._rate)
        f = config.n_features + 1  # the last is the constant of the decoder
        self.gram, self.cross = torch.zeros(f, f, device=device), torch.zeros(f, activation_dim, device=device)

    def _rate(self, step: int) -> float:
        """Of the learning rate: up over the warm-up, down over the last fifth."""
        steps, rise = self.config.steps, self.config.warmup_steps
        return min(1.0, (step + 1) / (rise + 1), max(0.0, (steps - step) / (0.2 * steps)))

    def update(self, step: int, x: Tensor, item_means: Tensor | None = None) -> float:
        """One step on rows [n, d], of which the mean activations of their items are also told; returns the loss."""
        ae, steps = self.ae, self.config.steps
        if step == 0:
            center, whiten = whitening(x.double().cpu().numpy(), self.settings.whitening)
            ae.center.copy_(torch.from_numpy(center))
            ae.whiten.copy_(torch.from_numpy(whiten))
        z = (x - ae.center) @ ae.whiten
        target = z if item_means is None else (x.lerp(item_means, self.settings.item_part) - ae.center) @ ae.whiten
        features = torch.relu(ae.encoder(z))
        loss, k, start = x.new_zeros(()), self.config.k / self.settings.scales, 0
        for size in self.sizes:
            part = slice(start, start := start + size)
            values = features[:, part]
            strongest = min(values.numel(), max(1, round(k * len(x))))
            least = values.detach().flatten().topk(strongest, sorted=False).values.min()
            reconstruction = (values * (values >= least)) @ ae.decoder.weight.T[part] + ae.decoder.bias
            loss = loss + (target - reconstruction).square().sum(dim=1).mean()
            self._follow(part, least, step)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.scheduler.step()
        with torch.no_grad():
            ae.decoder.weight /= ae.decoder.weight.norm(dim=0).clamp_min(1e-8)
            if step >= steps - max(1, steps // 10):
                h = torch.cat([ae.encode(x), x.new_ones(len(x), 1)], dim=1)
                self.gram += h.T @ h
                self.cross += h.T @ x
            if step == steps - 1:
                self._decode_together()
        return float(loss.detach())

    def _follow(self, part: slice, least: Tensor, step: int) -> None:
        """Move the threshold of a scale towards the least value that the batch kept."""
        late = step > self.config.steps // 2
        keep = max(0.0, 1 - 10 / self.config.steps) if late else 0.0
        self.ae.threshold[part] = keep * self.ae.threshold[part] + (1 - keep) * least

    def _decode_together(self) -> None:
        """Least squares for the decoder of all scales; features are then rescaled to directions of length 1."""
        ae, gram = self.ae, self.gram.double().cpu()
        diagonal = gram.diagonal()[:-1]
        gram[:-1, :-1] += RIDGE * max(float(diagonal.mean()), 1e-12) * torch.eye(len(diagonal), dtype=torch.float64)
        weights = torch.linalg.lstsq(gram, self.cross.double().cpu()).solution.float().to(self.device)
        length = weights[:-1].norm(dim=1)
        # A feature that was never active keeps the direction of its scale.
        active = length > 1e-6
        length = torch.where(active, length, 1.0)
        ae.decoder.weight.copy_(torch.where(active[:, None], weights[:-1] / length[:, None], ae.decoder.weight.T).T)
        ae.decoder.bias.copy_(weights[-1])
        ae.encoder.weight.mul_(length[:, None])
        ae.encoder.bias.mul_(length)
        ae.threshold.mul_(length)
