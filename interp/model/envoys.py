"""A recommender as nnsight envoys. Only this room touches nnsight's internals.

Axes: b users, s steps, d hidden size, f features, v items. Histories are left-padded, so step −1 is every user's last
step. It is the step that is scored, and that a steer at "last" changes. For GPTRec it is the history's last item; for
BERT4Rec it is the [MASK] after it, which stands for the next item.
"""

import threading
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from nnsight import save
from torch import Tensor

from interp.model.passes import SteeredPasses
from interp.model.site_envoys import ModuleEnvoy, NotPicklable, SiteEnvoy
from interp.model.trace_inputs import TraceInputs
from interp.model.tracing import Tracer
from interp.model.wrap_check import bare_pass, check_faithful
from interp.sae.autoencoder import SparseAutoencoder
from interp.steering.ambient import AmbientSteer, in_force
from interp.steering.edits import Steer
from interp.steering.parsing import USUAL, Meanings, is_usual, steer_of
from interp.steering.validation import check_dictionary, check_not_empty, check_steer
from interp.steering.vocabulary import At, Reconstruct, Unit, Verb
from recmodels.adapters.verification import verified
from recmodels.errors import InputError, check_kind, quote
from recmodels.item_blocks import in_blocks, rank_in_blocks
from recmodels.ranking import rank, users_at_once
from recmodels.recommender import Recommender, recommendations
from recmodels.sequences import Histories
from recmodels.steady import check_precision, steady


class RecommenderEnvoy(NotPicklable, TraceInputs, SteeredPasses):
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
    batch or in any invoke. If several invokes ask, all but the last backward pass need `retain_graph=True`.

    Forward passes always run in evaluation mode and float32, without autocast. The body of a trace must not call the
    envoy or steer.

    Args:
        recommender: the recommender to read and steer.
        *saes: dictionaries to attach, at most one per site.
        expected: scores from another program to compare with: a mapping from histories (tuples of item ids) to scores
            by item id, a table with a row per history and a column per item, or a file
            (`recmodels.adapters.expected`).

    Raises:
        InputError: the envoy does not reproduce the bare model or the expected scores, its weights changed, or a
            dictionary belongs elsewhere.
    """

    def __init__(
        self,
        recommender: Recommender,
        *saes: SparseAutoencoder,
        expected: Any = None,
    ) -> None:
        check_kind("the recommender", recommender, Recommender, "a bare one, such as study.bare_recommender")
        check_precision(recommender.model)
        self.recommender = recommender
        self.saes: dict[str, SparseAutoencoder] = {}
        self.meanings: dict[str, Meanings] = {}
        self.lock = threading.RLock()  # nnsight keeps the state of a run on the module
        self._bodies = []
        model = recommender.model.requires_grad_(False)
        weights, bare = recommender.fingerprint, bare_pass(recommender)
        with warnings.catch_warnings():
            # BERT has modules called "output", which nnsight renames. Users reach them by the names of sites.
            warnings.filterwarnings("ignore", "Module '.*' has a submodule named 'output'", UserWarning)
            # nnsight takes the first key that a path ends with, so the longest keys come first.
            paths, sites = sorted((path for path, _ in model.named_modules() if path), key=len), model.sites.values()
            envoys = {path: SiteEnvoy if path in sites else ModuleEnvoy for path in reversed(paths)}
            super().__init__(model, envoys=envoys)
        self._name_sites()
        check_faithful(self, bare, weights)
        if expected is not None:
            self.recommender = verified(recommender, expected, self.score)
        for sae in saes:
            self.attach(sae)

    # Dictionaries

    def attach(self, sae: SparseAutoencoder, meanings: Meanings | None = None) -> "RecommenderEnvoy":
        """Attach a dictionary at its site, so that the site has `features`, and return this envoy.

        Args:
            sae: the dictionary; it replaces a dictionary that is already there.
            meanings: the names of concepts and the units of its features; without them, steers name features by number
                and give values in activation.

        Raises:
            InputError: the dictionary was trained on another recommender, its site does not exist here, or the meanings
                are those of another dictionary.
        """
        if not isinstance(sae, SparseAutoencoder) or not isinstance(meanings, Meanings | None):
            wrong = meanings if isinstance(sae, SparseAutoencoder) else sae
            raise InputError(f"cannot attach {quote(wrong)}: give a SparseAutoencoder, and Meanings or None")
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
            raise InputError(f"there is no site {quote(name)}: choose one of {', '.join(self.recommender.model.sites)}")
        return self.get(name)

    def only_site(self) -> str:
        """The name of the one site that has a dictionary.

        Raises:
            InputError: there is none, or more than one.
        """
        if len(self.saes) != 1:
            names = ", ".join(sorted(self.saes)) or "none"
            raise InputError(f"dictionaries are attached at: {names}; say which with site=")
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
        return super().trace(*args, tracer_cls=tracer_cls or Tracer, **kwargs)

    def hidden(self, histories: Histories, site: str) -> Tensor:
        """Hidden states [b, s, d] at a site under the steers in force; the forward pass stops there.

        A fast way for many histories; a trace reads the same.
        """
        return self.hidden_states(histories, [site])[site]

    @torch.no_grad()
    def hidden_states(self, histories: Histories, sites: Sequence[str]) -> dict[str, Tensor]:
        """`hidden` of several sites in one forward pass, which stops at the last of them."""
        order = list(self.recommender.model.sites)
        envoys = sorted({self.site(name) for name in sites}, key=lambda envoy: order.index(envoy.name))
        last = order.index(envoys[-1].name)
        # A steer that waits for a later site must meet it.
        steered_later = any(order.index(force.steer.site) > last for force in in_force(self.lock))
        with self.trace(histories) as tracer:
            # Copies, because a later module may change an output in place.
            states = save([envoy.output.clone() for envoy in envoys[:-1]] + [envoys[-1].output])
            if not steered_later:
                tracer.stop()
        return {envoy.name: hidden for envoy, hidden in zip(envoys, states, strict=True)}

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
                name are left alone) or, for "clamp", a pair (floor, cap). At least one feature is named, unless
                `reconstruct` changes something; `rec.steer_of({})` is the steer of nothing. To "ablate": a list of
                features. Or a list of `Edit`s and `Push`es, or a `Steer`.
            *histories: what to trace, for the tracing form.
            op: "set" the activation, "add" to it, "scale" it, keep it above a "floor", below a "cap" or both
                ("clamp"), or "ablate" it.
            at: each user's "last" step (BERT4Rec's [MASK]), "all" steps, or chosen ones counted from the end:
                -1, or (-1, -2).
            unit: the unit of values: "activation", or each feature's own "std" or "p99" (99th percentile).
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
        options: dict[str, Any] = {"op": op, "at": at, "unit": unit, "weight": weight, "reconstruct": reconstruct}
        steer = self.steer_of(edits, site=site, **options)
        check_not_empty(edits, steer)
        if histories:
            return self.trace(*histories, steer=steer, tracer_cls=Tracer)
        return AmbientSteer(self.lock, steer, self, self._refuse_inside)

    def steer_of(self, edits: Any, *, site: str | None = None, **options: Any) -> Steer:
        """The `Steer` for these arguments of `steer`, to use again or to save with `interp.save_steer`."""
        unknown = ", ".join(sorted(options.keys() - USUAL))
        if unknown:
            raise InputError(f"a steer has no option {unknown}: choose among {', '.join(USUAL)} and site")
        if isinstance(edits, Steer):
            if site is not None or not all(is_usual(word, options[word]) for word in USUAL if word in options):
                raise InputError("a Steer already says its op, at, reconstruct and site: give it alone")
            return check_steer(edits, self.site(edits.site).sae)
        name = self.only_site() if site is None else site
        sae = self.site(name).sae
        about: dict[str, Any] = {"meanings": self.meanings.get(name), "dictionary": sae.fingerprint}
        return check_steer(steer_of(edits, name, **about, **options), sae)

    @property
    def steered(self) -> bool:
        """Whether an ambient steer of this envoy is in force."""
        return bool(in_force(self.lock))

    # Ranked lists

    @property
    def keep_seen(self) -> bool:
        """Whether lists may repeat the items of a history (`recmodels.recommender.Recommender`)."""
        return self.recommender.keep_seen

    def score(self, histories: Histories) -> Tensor:
        """Scores of every item as each history's next one: [b, v], under the steers in force."""
        return self.trace(histories, trace=False).scores

    @steady()
    def rank(self, histories: Any, k: int = 10) -> np.ndarray:
        """Item codes of each history's top k, its own items left out unless `keep_seen`: int [b, k]."""
        rows = self.recommender.histories(histories)
        self._check_named(histories, len(rows))
        model = self.recommender.model
        if in_blocks(model):
            return rank_in_blocks(model, lambda some: self.hidden(some, "final")[:, -1], rows, k, self.keep_seen)
        return rank(self.score, rows, k, users_at_once(len(self.recommender.vocabulary)), self.keep_seen)

    @steady()
    def recommend(self, histories: Any, k: int = 10) -> pd.DataFrame:
        """Each history's k best items (new ones unless `keep_seen`) under the steers: user, rank, item, score."""
        rows = self.recommender.histories(histories)
        self._check_named(histories, len(rows))
        return recommendations(self.score, rows, self.recommender.vocabulary, k, self.keep_seen)

    def _name_sites(self) -> None:
        """Make each site an attribute by its name: `rec.embedding`, `rec.blocks[0].mlp`."""
        model = self.recommender.model
        # By module, not by path: nnsight renames BERT's "output", and a name from here may hide a part of a path.
        envoys = {name: self.interleaver.envoys[id(model.get_submodule(path))] for name, path in model.sites.items()}
        if "blocks.0" in envoys:
            self.blocks = envoys["blocks.0"].parent
        for name, envoy in envoys.items():
            *above, last = name.split(".")
            setattr(self.get(".".join(above)) if above else self, last, envoy)


def check_envoy(rec: Any) -> None:
    """Refuse what is no recommender with envoys, such as a study or a bare recommender.

    Raises:
        InputError: it is none.
    """
    check_kind("the recommender", rec, RecommenderEnvoy, "study.recommender, or interp.RecommenderEnvoy(recommender)")
