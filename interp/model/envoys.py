"""A recommender as nnsight envoys. The only file that touches nnsight's internals.

Axes: b users, s steps, d hidden size, f features, v items. Histories are left-padded, so step −1 is every
user's last one, whatever the padding: the one that is scored, and that a steer at "last" changes. For GPTRec it is the
history's last item; for BERT4Rec it is the [MASK] after it, which stands for the item to come.
"""

import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import CodeType
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from nnsight import NNsight, save
from nnsight.intervention.barrier import Barrier
from nnsight.intervention.envoy import Envoy
from nnsight.intervention.eproperty import eproperty
from nnsight.intervention.interleaver import Mediator
from nnsight.intervention.tracer import InterleavingTracer
from torch import Tensor

from interp.model.wrap_check import bare_pass, check_expected, check_faithful
from interp.sae.autoencoder import SparseAutoencoder
from interp.steering.ambient import AmbientSteer, Force, in_force
from interp.steering.edits import Steer
from interp.steering.parsing import USUAL, Meanings, is_usual, steer_of
from interp.steering.validation import check_dictionary, checked
from interp.steering.vocabulary import At, Reconstruct, Unit, Verb
from recmodels.errors import InputError, shown
from recmodels.ranking import rank
from recmodels.recommender import Recommender, recommendations
from recmodels.sequences import PAD, Histories, as_histories
from recmodels.steady import check_precision, steady


class _Rows(eproperty):
    """A module's output whose rows of one invoke, of several, can be a leaf of the graph that gradients flow through.

    nnsight gives a view of the whole batch, which asks for no gradient when the view does. Here the invoke gets rows
    of its own, which are put back into the batch when it moves on.
    """

    def __get__(self, envoy: Any, owner: Any = None) -> Any:
        if envoy is None:
            return self
        location = self._location(envoy)
        mediator = Mediator.current(location)
        if mediator.batch_group is None or not mediator.interleaver.batcher.batching:
            return Mediator.value(location)
        return super().__get__(envoy, owner)


class _Bound:
    """What cannot be copied or pickled, because what nnsight keeps of a module belongs to that one."""

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise InputError(
            "an envoy cannot be copied or pickled: keep rec.recommender and its dictionaries, and make another of them"
        )


class ModuleEnvoy(_Bound, Envoy):
    """Any other module of the network."""


class SiteEnvoy(_Bound, Envoy):
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
        found = self.root.saes.get(self.name)
        if found is None:
            raise InputError(f"no dictionary is attached at {self.name}: give one to the recommender with attach(sae)")
        return found

    @_Rows(description="hidden states")
    def output(self, hidden: Tensor) -> Tensor:
        """[b, s, d] hidden states here; writable."""
        return hidden.clone()

    @output.transform  # type: ignore[no-redef]
    def output(self, rows: Tensor, _: Tensor) -> Tensor:
        """These rows, edited in place or asked for a gradient, as they go back."""
        return rows

    @eproperty(key="output", description="SAE features; edits keep the reconstruction error")
    def features(self, hidden: Tensor) -> Tensor:
        """[b, s, f] features here. What is changed in them is written back; the error term is kept."""
        return self.sae.encode(hidden)

    @features.transform  # type: ignore[no-redef]
    def features(self, features: Tensor, hidden: Tensor) -> Tensor:
        """Hidden states in which these features, edited in place, have taken effect."""
        return hidden + self.sae.write(features - self.sae.encode(hidden))

    @features.postprocess  # type: ignore[no-redef]
    def features(self, features: Tensor) -> Tensor:
        """Hidden states in which these features, assigned, have taken effect."""
        hidden = Mediator.value(f"{self.path}.output")
        return hidden + self.sae.write(features - self.sae.encode(hidden))


class _Barrier(Barrier):
    """A meeting point at which edits made before it have taken effect."""

    def __call__(self) -> None:
        Mediator.current("barrier").flush()
        super().__call__()


class _Tracer(InterleavingTracer):
    """A trace that holds the recommender's lock and, in the tracing form of `steer`, applies it first."""

    def barrier(self, n: int) -> Barrier:
        """As nnsight's."""
        return _Barrier(n)

    def __init__(self, *args: Any, steer: Steer | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.steer = steer

    def execute(self, code: CodeType) -> None:
        envoy = self.envoy
        steer = Steer((), "") if self.steer is None else self.steer
        with envoy.lock, AmbientSteer(envoy.lock, steer, envoy, lambda: None), envoy._body():
            super().execute(code)


class RecommenderEnvoy(_Bound, NNsight):
    """A recommender whose activations, features and scores can be read and edited in tracing contexts.

        with rec.trace(histories):                        # item ids as you write them
            hidden = rec.blocks[0].output.save()          # [b, s, d]
            features = rec.blocks[0].features.save()      # [b, s, f]
            rec.blocks[0].features[:, -1, 412] = 2.0      # -1 is each user's last step
            scores = rec.scores.save()                    # [b, v]
        with rec.steer({412: 2.0}):                       # everything inside is steered
            lists = rec.recommend(histories, k=10)

    The sites are the same for every model, those of `recmodels.config.site_names`: `embedding`,
    `blocks[0].attention`, `blocks[0].mlp`, `blocks[0]`, …, `final`. Each has `output` and, once a dictionary is
    attached, `features`; a trace reads them in that order. A site hides a module of the network that has the same
    name: BERT's own attention, which ends after the residual sum, is `blocks[0].attention.parent.parent`.

    The last step is the one that is scored: GPTRec's is the history's last item, BERT4Rec's the [MASK] after it.

    Its weights are frozen: hidden states carry no gradient unless you ask with `requires_grad_()`, in a trace of one
    batch or in any invoke. Of several invokes that ask, all but the last backward pass need `retain_graph=True`.

    Forward passes are those of the evaluation mode in float32, without autocast, whatever the process is set to. Other
    calls through the envoy, and steers, are not for the body of a trace.

    Args:
        recommender: what to look into.
        *saes: dictionaries to attach, at most one per site.
        expected: scores that another program gave, to be compared: a mapping from histories (tuples of item ids) to
            scores by item id, or a table with a row per history and a column per item.

    Raises:
        InputError: the envoy does not reproduce the bare model or the expected scores, its weights changed, or a
            dictionary belongs elsewhere.
    """

    def __init__(
        self,
        recommender: Recommender,
        *saes: SparseAutoencoder,
        expected: Mapping[Any, Any] | pd.DataFrame | None = None,
    ) -> None:
        check_precision(recommender.model)
        self.recommender = recommender
        self.saes: dict[str, SparseAutoencoder] = {}
        self.meanings: dict[str, Meanings] = {}
        self.lock = threading.RLock()  # nnsight keeps the state of a run on the module
        self._bodies: list[int] = []  # threads in which the body of a trace runs
        model = recommender.model.requires_grad_(False)
        weights, bare = recommender.fingerprint, bare_pass(recommender)
        with warnings.catch_warnings():
            # BERT has modules called "output", which nnsight moves. Users find what they hold by the sites' names.
            warnings.filterwarnings("ignore", "Module '.*' has a submodule named 'output'", UserWarning)
            # nnsight takes the first key that a path ends with: the longest is the path itself.
            paths, sites = sorted((path for path, _ in model.named_modules() if path), key=len), model.sites.values()
            envoys = {path: SiteEnvoy if path in sites else ModuleEnvoy for path in reversed(paths)}
            super().__init__(model, envoys=envoys)
        self._name_sites()
        check_faithful(self, bare, weights)
        if expected is not None:
            check_expected(self, expected)
        for sae in saes:
            self.attach(sae)

    # Dictionaries

    def attach(self, sae: SparseAutoencoder, meanings: Meanings | None = None) -> "RecommenderEnvoy":
        """Give `features` a meaning at the dictionary's site, and return this envoy.

        Args:
            sae: the dictionary; it takes the place of one that is there.
            meanings: what concepts by name and units mean for its features; without them, steers name features by
                number and strengths in activation.

        Raises:
            InputError: the dictionary was trained on another recommender, or for a site that is not here, or the
                meanings are those of another dictionary.
        """
        if not isinstance(sae, SparseAutoencoder) or not isinstance(meanings, Meanings | None):
            wrong = meanings if isinstance(sae, SparseAutoencoder) else sae
            raise InputError(f"cannot attach {shown(wrong)}: give a SparseAutoencoder, and Meanings or None")
        sae.check_belongs(self.recommender.fingerprint)
        if meanings is not None:
            check_dictionary(meanings.dictionary, sae.fingerprint)
        site = self.site(sae.provenance.site).name
        self.saes[site] = sae.to(self.device)
        self.meanings.pop(site, None)
        if meanings is not None:
            self.meanings[site] = meanings
        return self

    def site(self, name: str) -> SiteEnvoy:
        """The envoy of a site by name, such as "blocks.0.mlp".

        Raises:
            InputError: there is no such site.
        """
        if not isinstance(name, str) or name not in self.recommender.model.sites:
            raise InputError(f"there is no site {shown(name)}: choose one of {', '.join(self.recommender.model.sites)}")
        return self.get(name)

    def only_site(self) -> str:
        """The name of the one site that has a dictionary.

        Raises:
            InputError: there is none, or more than one.
        """
        if len(self.saes) != 1:
            attached = ", ".join(sorted(self.saes)) or "none"
            raise InputError(f"dictionaries are attached at: {attached}; say which with site=")
        return next(iter(self.saes))

    # Reading

    @property
    def scores(self) -> Tensor:
        """[b, v] score of every item as the next one, in vocabulary order; writable inside a trace."""
        return self.scorer.output

    @scores.setter
    def scores(self, value: Tensor) -> None:
        self.scorer.output = value

    def trace(self, *args: Any, tracer_cls: Any = None, **kwargs: Any) -> Any:
        """Open a trace over histories: lists of item ids, a mapping, a table, `Histories` or tokens.

        Everything else is nnsight's `trace`.

        Raises:
            InputError: inside the body of another trace; or a history or token cannot be read.
        """
        self._refuse_inside()
        return super().trace(*args, tracer_cls=tracer_cls or _Tracer, **kwargs)

    @torch.no_grad()
    def hidden(self, histories: Histories, site: str) -> Tensor:
        """Hidden states [b, s, d] at a site, under the steers in force there and before; the forward pass stops there.

        For bulk work; a trace reads the same, and anything else.
        """
        envoy, order = self.site(site), list(self.recommender.model.sites)
        # A steer that waits for a later site must meet it.
        steered_later = any(order.index(force.steer.site) > order.index(envoy.name) for force in in_force(self.lock))
        with self.trace(histories) as tracer:
            hidden = save(envoy.output)
            if not steered_later:
                tracer.stop()
        return hidden

    def item_grid(self, given: Any) -> np.ndarray:
        """Item ids laid out as a trace of the same histories sees them: object [b, s].

        None where there is no item: at padding, and at BERT4Rec's [MASK], its last step.
        """
        tokens = self._tokens(given)
        ids = np.array([None, *self.recommender.vocabulary.ids.tolist()], dtype=object)
        return ids[torch.where(self._is_item(tokens), tokens, 0).numpy()]

    def item_steps(self, given: Any) -> Tensor:
        """Which steps of a trace of these histories hold an item: bool [b, s]."""
        return self._is_item(self._tokens(given))

    # Steering

    def steer(
        self,
        edits: Any,
        *histories: Any,
        op: Verb = "set",
        at: At | int = "last",
        unit: Unit = "activation",
        weight: float = 1.0,
        reconstruct: Reconstruct = "none",
        site: str | None = None,
    ) -> Any:
        """Steer everything inside a `with` block.

        Without histories this is the ambient form: every call through this envoy inside the block is
        steered, in this thread. With histories it opens a trace over them that is steered before its body
        reads anything.

        Args:
            edits: feature → value. A feature is its number, a `Feature` of a study, or the name of a concept, which
                means all its aligned features. A value is a number, a mapping from user to number (users it does not
                name are left alone) or, for "clamp", a pair (floor, cap). To "ablate": a list of features. Or a list
                of `Edit`s and `Push`es, or a `Steer`.
            *histories: what to trace, for the tracing form.
            op: "set" the activation, "add" to it, "scale" it, keep it above a "floor", below a "cap" or both
                ("clamp"), or "ablate" it.
            at: each user's "last" step (BERT4Rec's [MASK]), "all" steps, or chosen ones counted from the end:
                -1, or (-1, -2).
            unit: what values are multiples of: "activation", or each feature's own "std" or "p99" (99th percentile).
            weight: how far activations move: 1 all the way. With the values of `interp.control.profiles.profile`, 0.5
                blends users with others.
            reconstruct: "none" keeps the reconstruction error; "all" or "last" replaces the site's output
                by its reconstruction at those steps (the paper's way is "all").
            site: where; by default the one site with a dictionary.

        Raises:
            InputError: no such feature, concept, site or option, a value that is not finite, a contradiction, or
                features of another dictionary; inside the body of a trace; and at the end of the block, if all values
                were for other users, or all steps before the histories' first.
        """
        self._refuse_inside()
        how: dict[str, Any] = {"op": op, "at": at, "unit": unit, "weight": weight, "reconstruct": reconstruct}
        steer = self.steer_of(edits, site=site, **how)
        if histories:
            return self.trace(*histories, steer=steer, tracer_cls=_Tracer)
        return AmbientSteer(self.lock, steer, self, self._refuse_inside)

    def steer_of(self, edits: Any, *, site: str | None = None, **how: Any) -> Steer:
        """What `steer` with these arguments carries out: to be used again, or to be saved with `interp.save_steer`."""
        if isinstance(edits, Steer):
            if site is not None or not all(is_usual(word, how[word]) for word in USUAL if word in how):
                raise InputError("a Steer already says its op, at, reconstruct and site: give it alone")
            return checked(edits, self.site(edits.site).sae)
        name = self.only_site() if site is None else site
        sae = self.site(name).sae
        about: dict[str, Any] = {"meanings": self.meanings.get(name), "dictionary": sae.fingerprint}
        return checked(steer_of(edits, name, **about, **how), sae)

    @property
    def steered(self) -> bool:
        """Whether an ambient steer of this envoy is in force."""
        return bool(in_force(self.lock))

    # Ranked lists

    def score(self, histories: Histories) -> Tensor:
        """Scores of every item as each history's next one: [b, v], under the steers in force."""
        return self.trace(histories, trace=False).scores

    @steady()
    def rank(self, given: Any, k: int = 10) -> np.ndarray:
        """Item codes of each history's top k, its own items left out: int [b, k]."""
        histories = self.recommender.histories(given)
        self._check_named(given, len(histories))
        return rank(self.score, histories, k)

    @steady()
    def recommend(self, given: Any, k: int = 10) -> pd.DataFrame:
        """Each history's k best new items as a table user, rank, item, score, under the steers in force."""
        histories = self.recommender.histories(given)
        self._check_named(given, len(histories))
        return recommendations(self.score, histories, self.recommender.vocabulary, k)

    # nnsight's hooks

    def interleave(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a forward pass with the steers in force; nnsight's driver behind every trace."""
        check_precision(self.recommender.model)
        workers = [self._worker(force) for force in in_force(self.lock)]
        with self.lock, steady(self.recommender.model), self._body():
            steered = self._shallow_copy()
            steered._edits = [*self._edits, *workers]
            return NNsight.interleave(steered, fn, *args, **kwargs)

    def _batch_size(self, *inputs: Any, **kwargs: Any) -> int:
        return len(self._tokens(inputs[0])) if inputs else 0

    def _batch(self, invokes: list[tuple], fn: Any) -> tuple:
        parts = [self._tokens(inputs[0]) for inputs, _ in invokes]
        width = max(part.shape[1] for part in parts)
        return (torch.cat([F.pad(part, (width - part.shape[1], 0)) for part in parts]),), {}

    @steady()
    def _tokens(self, given: Any) -> Tensor:
        model, vocabulary = self.recommender.model, self.recommender.vocabulary
        if isinstance(given, Tensor):
            return model.checked_tokens(given)
        return model.inference_inputs(as_histories(given, vocabulary))

    def _users(self) -> pd.Index:
        """Labels of the users of the forward pass that is under way; tokens have none but their row's number."""
        labels = []
        for (given, *_), _ in self.interleaver.batcher.invokes:
            rows = isinstance(given, Tensor)
            users = pd.RangeIndex(len(given)) if rows else self.recommender.histories(given).users
            self._check_named(given, len(users))
            labels.append(users)
        return pd.Index([label for index in labels for label in index], tupleize_cols=False)

    def _is_item(self, tokens: Tensor) -> Tensor:
        return (tokens > PAD) & (tokens <= len(self.recommender.vocabulary))

    def _check_named(self, given: Any, n: int) -> None:
        """Refuse values by user for histories that name no users: row numbers may be users of the same number."""
        if not isinstance(given, list | tuple | np.ndarray | Tensor):
            return
        for force in in_force(self.lock):
            others = force.steer.users.difference(range(n))
            if others:
                raise InputError(
                    f"these {n} histories name no users and are known by their row, from 0, and this steer has a value "
                    f"for user {shown(next(iter(others)))}: give a mapping from user to history"
                )

    @contextmanager
    def _body(self) -> Iterator[None]:
        """Know that this thread is in the body of a trace, whose code runs in greenlets of the thread."""
        self._bodies.append(threading.get_ident())
        try:
            yield
        finally:
            self._bodies.pop()

    def _refuse_inside(self) -> None:
        if threading.get_ident() in self._bodies:
            raise InputError(
                "a trace of this recommender is open, and a steer or another call would have no effect in it or break "
                "it: put the steer around the trace, and call the recommender before or after it"
            )

    def _worker(self, force: Force) -> Mediator:
        steer: Steer = force.steer
        site: Any = self.site(steer.site)

        def intervene() -> None:
            hidden, users = site.output, self._users() if steer.by_user else None
            force.meet(users, hidden.shape[1])
            site.output = steer.apply(hidden, site.sae, users)

        # What nnsight makes of a trace body, without a body: the worker calls a function.
        return Mediator(_CALL, {}, {"intervene": intervene}, copy=True)

    def _name_sites(self) -> None:
        """Make each site an attribute by its name: `rec.embedding`, `rec.blocks[0].mlp`."""
        model = self.recommender.model
        # By module, not by path: nnsight has moved BERT's "output", and a name given here may hide a part of a path.
        envoys = {name: self.interleaver.envoys[id(model.get_submodule(path))] for name, path in model.sites.items()}
        self.blocks = envoys["blocks.0"].parent
        for name, envoy in envoys.items():
            *above, last = name.split(".")
            setattr(self.get(".".join(above)) if above else self, last, envoy)


_CALL = compile("intervene()", "<steer>", "exec")
