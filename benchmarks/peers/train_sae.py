"""Trains top-k dictionaries with another library, on the batches and from the weights of a file.

    python train_sae.py LIBRARY INPUTS COUNT

INPUTS (npz) has batches [s, b, d], encoder [f, d], decoder [f, d] with unit rows, k, lr and steps. Each time it is
asked, COUNT dictionaries start from these weights and take s steps. It answers with the share of the last batch's
variance that they explain, and how far its reconstruction of the first batch by the first weights is from the file's.
"""

import sys

import numpy as np
import torch
from serve import serve  # first: it redirects what libraries print

torch.set_num_threads(1)
library, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with np.load(path) as file:
    inputs = {name: torch.from_numpy(file[name]) if file[name].ndim else file[name].item() for name in file.files}
batches, encoder, decoder, k = (inputs[name] for name in ("batches", "encoder", "decoder", "k"))
steps, width, features = len(batches), batches.shape[-1], len(encoder)


def explained(reconstruct):
    """Share of the last batch's variance that a dictionary explains."""
    with torch.no_grad():
        x = batches[-1]
        return float(1 - (x - reconstruct(x)).square().sum() / (x - x.mean(0)).square().sum())


def first(reconstruct):
    """The largest difference from the reconstruction by the first weights that the file has."""
    with torch.no_grad():
        return float((reconstruct(batches[0]) - inputs["reconstruction"]).abs().max())


def dictionary_learning():
    """Its `trainSAE`, which starts from the seed that our weights are of."""
    import tempfile
    from pathlib import Path

    from dictionary_learning.trainers.top_k import AutoEncoderTopK, TopKTrainer
    from dictionary_learning.training import trainSAE

    def config():
        names = {"layer": 0, "lm_name": "none", "device": "cpu", "seed": inputs["seed"], "warmup_steps": 0}
        sizes = {"steps": inputs["steps"], "activation_dim": width, "dict_size": features, "k": k, "lr": inputs["lr"]}
        return {"trainer": TopKTrainer, **names, **sizes}

    def work():
        with tempfile.TemporaryDirectory() as folder:
            trainSAE(list(batches), [config() for _ in range(count)], steps, save_dir=folder, device="cpu")
            state = torch.load(Path(folder) / "trainer_0" / "ae.pt", weights_only=True)

        def check():
            ae = AutoEncoderTopK(width, features, k)
            ae.load_state_dict(state)
            start = TopKTrainer(**{name: value for name, value in config().items() if name != "trainer"}).ae
            return {"explained": explained(ae), "apart": first(start)}

        return check

    return work


def saelens():
    """The public step of its `SAETrainer`."""
    from sae_lens import TopKTrainingSAE, TopKTrainingSAEConfig
    from sae_lens.config import SAETrainerConfig
    from sae_lens.training.sae_trainer import SAETrainer

    def trainer():
        settings = TopKTrainingSAEConfig(
            d_in=width, d_sae=features, k=k, apply_b_dec_to_input=True, rescale_acts_by_decoder_norm=False
        )
        sae = TopKTrainingSAE(settings)
        with torch.no_grad():
            sae.W_enc.copy_(encoder.T)
            sae.W_dec.copy_(decoder)
            sae.b_enc.zero_()
            sae.b_dec.zero_()
        size = batches.shape[1]
        config = SAETrainerConfig(total_training_samples=inputs["steps"] * size, train_batch_size_samples=size)
        config.lr = config.lr_end = inputs["lr"]
        return SAETrainer(config, sae, iter(()))

    def work():
        trainers = [trainer() for _ in range(count)]
        for batch in batches:
            for each in trainers:
                each.step(batch)
                each.n_training_steps += 1
        return lambda: {"explained": explained(trainers[0].sae.eval()), "apart": first(trainer().sae.eval())}

    return work


def sparsify():
    """The step of its `Trainer.fit`, which itself reads activations only from a language model."""
    from sparsify import SparseCoder, SparseCoderConfig

    def coder():
        result = SparseCoder(width, SparseCoderConfig(num_latents=features, k=k))
        with torch.no_grad():
            result.encoder.weight.copy_(encoder)
            result.W_dec.copy_(decoder)
        return result

    def work():
        coders = [coder() for _ in range(count)]
        optimizers = [torch.optim.Adam(each.parameters(), lr=inputs["lr"]) for each in coders]
        for batch in batches:
            for each, optimizer in zip(coders, optimizers, strict=True):
                each.set_decoder_norm_to_unit_norm()
                each(batch).fvu.backward()
                each.remove_gradient_parallel_to_decoder_directions()
                optimizer.step()
                optimizer.zero_grad()
        return lambda: {
            "explained": explained(lambda x: coders[0](x).sae_out),
            "apart": first(lambda x: coder()(x).sae_out),
        }

    return work


if __name__ == "__main__":
    serve({"dictionary_learning": dictionary_learning, "saelens": saelens, "sparsify": sparsify}[library]())
