"""transformers' Trainer on windows of histories, as this package sets it up."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from transformers import EarlyStoppingCallback, PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer import DEFAULT_PROGRESS_CALLBACK
from transformers.utils import logging as transformers_logging

from recmodels.checkpoints import SealCheckpoints
from recmodels.config import TrainingConfig
from recmodels.devices import usual_device
from recmodels.progress import tqdm
from recmodels.ranking import list_metrics
from recmodels.recommender import Recommender
from recmodels.sequences import Histories

LENGTH = 10  # of the lists that a training is validated by


class RecommenderTrainer(Trainer):
    """transformers' Trainer on windows of histories, validated by NDCG@10 of held-out users."""

    arguments: type[TrainingArguments] = TrainingArguments

    def __init__(
        self,
        recommender: Recommender,
        windows: Histories,
        validation: Histories,
        config: TrainingConfig,
        checkpoints: Path,
    ) -> None:
        self.windows, self.held_out, self.recommender, self.config = windows, validation, recommender, config
        super().__init__(
            recommender.model,
            self.arguments(
                output_dir=str(checkpoints),
                per_device_train_batch_size=config.batch_size,
                num_train_epochs=config.max_epochs,
                learning_rate=config.learning_rate,
                lr_scheduler_type="constant",
                weight_decay=0.0,
                max_grad_norm=0.0,
                eval_strategy="epoch",
                save_strategy="epoch",
                logging_strategy="no",
                load_best_model_at_end=True,
                # Otherwise patience would start anew with every resumption.
                restore_callback_states_from_checkpoint=True,
                metric_for_best_model="ndcg@10",
                greater_is_better=True,
                seed=config.seed,
                remove_unused_columns=False,
                dataloader_pin_memory=False,
                report_to=[],
                use_cpu=usual_device() == "cpu",
            ),
            train_dataset=range(len(windows)),
            eval_dataset=range(len(validation)),
            data_collator=self.batch,
            callbacks=[EarlyStoppingCallback(config.patience), SealCheckpoints(), _Progress(config)],
        )
        self.remove_callback(DEFAULT_PROGRESS_CALLBACK)  # which is another one in Jupyter
        self.remove_callback(PrinterCallback)

    def batch(self, rows: Sequence[int]) -> dict[str, Tensor]:
        """What `training_step` gets of these windows."""
        return self.recommender.model.training_batch(self.windows.select(np.array(rows)))

    def lists(self, histories: Histories) -> np.ndarray:
        """The recommender's list for each history: int [user, LENGTH]."""
        return self.recommender.rank(histories, LENGTH)

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """NDCG@10 and the other ranking metrics on the held-out users."""
        self.recommender.model.eval()
        inputs, truth = self.held_out.split_last()
        values = list_metrics(self.lists(inputs), truth, np.arange(len(self.recommender.vocabulary)))
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in values.items()}
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


class _Progress(TrainerCallback):
    """One bar over steps that shows the validation metric.

    Its end is where early stopping would end if no epoch were better than the best so far, so it moves away as the
    metric rises.
    """

    FORMAT = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"

    def __init__(self, config: TrainingConfig) -> None:
        self.config, self.best_epoch, self.steps = config, 0, 1
        self.bar = tqdm(desc=f"training {config.model}", bar_format=self.FORMAT)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.steps = max(1, state.max_steps // self.config.max_epochs)  # of an epoch
        self.best_epoch = (state.best_global_step or 0) // self.steps
        self.bar.initial = self.bar.n = state.global_step
        self._aim(state.global_step // self.steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar.update(state.global_step - self.bar.n)

    def on_evaluate(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        ndcg, epoch = more["metrics"]["eval_ndcg@10"], state.global_step // self.steps
        if state.best_metric is None or ndcg > state.best_metric:
            self.best_epoch = epoch
        self.bar.set_postfix_str(f"NDCG {ndcg:.3f}, best {max(ndcg, state.best_metric or 0):.3f}", refresh=False)
        self._aim(epoch)

    def _aim(self, done: int) -> None:
        """Where the bar ends, after so many epochs."""
        last = min(self.config.max_epochs, self.best_epoch + self.config.patience)
        self.bar.total = last * self.steps
        least = "" if last == self.config.max_epochs else "≥ "
        self.bar.set_description_str(f"epoch {min(done + 1, last)} of {least}{last}")

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar.close()


@contextmanager
def only_errors() -> Iterator[None]:
    """Silence warnings of transformers about file times, which do not matter here."""
    before = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(before)
