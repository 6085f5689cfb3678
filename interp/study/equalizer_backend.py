"""The equalizer's Python side: what its component asks for, as JSON, over the local server or a Jupyter widget.

The component, its two backends (this one, and the dashboard's own engine) and the form of all answers are described in
`interp/pages/assets/README.md`.
"""

import logging
import re
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch

from interp.features.attributions import Place, relative_scores, strongest
from interp.features.grades import CORRELATES
from interp.study.beside_popular import beside_popular
from interp.study.equalizer import (
    STEP,
    EqualizerResult,
    equalize,
    feature_choices,
    ranked,
    steer_of,
)
from interp.study.equalizer_door import REACH, Message, Settings, Sizes, read
from interp.study.headline import weak_concepts
from interp.study.study_steering import StudySteering
from recmodels.errors import InputError, one_line
from recmodels.ranking import check_length
from recmodels.sequences import Histories
from recmodels.steady import steady

SHOWN = 6  # features of an explanation
LINKS = 12  # steps of theirs
LIT = 5  # features of a step
THROUGH = 2  # history items of a reason
STYLE = re.compile(" style='[^']*'")  # the page's policy forbids styles of elements
FAULTS = 20  # kinds of unexpected errors that are logged, each once

log = logging.getLogger(__name__)


class EqualizerBackend:
    """Answers the equalizer's component. Safe to call from many threads: the recommender works for one at a time.

    Args:
        study: a finished study.
        k: list length.

    Raises:
        InputError: k is not a positive integer.
    """

    def __init__(self, study: StudySteering, k: int = 10) -> None:
        self.study, self.k, self.rec = study, check_length(k), study.recommender
        self._vocabulary = self.rec.recommender.vocabulary
        self.users = None if study.left_out("users") else study.users()
        self._concepts: list[str] = sorted(study.table("concepts")["concept"])
        self._features = feature_choices(study)
        self._position = {feature: place for place, feature in enumerate(self._features)}
        self._has = _matrix(study, self._vocabulary.ids, self._concepts)
        users = 0 if self.users is None else len(self.users)
        self._sizes = Sizes(len(self._vocabulary), len(self._concepts), len(self._features), users)
        self._faults: set[str] = set()

    def answer(self, message: Any) -> dict[str, Any]:
        """`{"result": …}` for a message (`interp.study.equalizer_door`), or `{"error": one line}`; it never raises."""
        try:
            request = read(message, self._sizes)
            with self.rec.lock, steady():
                return {"result": getattr(self, f"_{request.method}")(request)}
        except InputError as error:
            return {"error": str(error)}
        except Exception as error:  # in this package: one line in the log for each kind
            kind = f"{type(error).__name__}: {one_line(str(error))[:200]}"
            if kind not in self._faults and len(self._faults) < FAULTS:
                self._faults.add(kind)
                log.error("the equalizer failed: %s", kind)
            return {"error": f"this cannot be computed ({type(error).__name__}): please report it"}

    @cached_property
    def about(self) -> dict[str, Any]:
        """What the component must know before it asks: items, concepts, features, users, and what the study lacks."""
        study, beside, weak = self.study, beside_popular(self.study), weak_concepts(self.study)
        table = study.table("features").set_index("feature")
        names, lengths = ([], []) if self.users is None else (self.users.users.tolist(), self.users.lengths.tolist())
        ids = self._vocabulary.ids.tolist()
        places = {name: place for place, name in enumerate(self._concepts)}
        return {
            "title": study.title,
            "k": self.k,
            "keep_seen": self.rec.keep_seen,
            "reach": REACH,
            "step": STEP,
            "max_history": self.rec.recommender.model.config.max_history,
            "items": {
                "id": [item if isinstance(item, int | str) else str(item) for item in ids],
                "title": study.items["title"].reindex(self._vocabulary.ids).astype(str).tolist(),
                "concepts": [np.flatnonzero(row).tolist() for row in self._has],
            },
            "concepts": [{"name": name, "weak": name in weak} for name in self._concepts],
            "features": [
                {
                    "index": feature,
                    "name": study.names[feature].shown,
                    "grade": study.names[feature].grade,
                    "alive": True,
                    "max": float(table.at[feature, "max"]),
                    "concept": places.get(study.names[feature].text.removeprefix(CORRELATES)),
                }
                for feature in self._features
            ],
            "users": [{"name": str(user), "n": n} for user, n in zip(names, lengths, strict=True)],
            "notes": study.notes,
            "warning": beside.warning if beside is not None and beside.warning else None,
        }

    def _about(self, _message: Message) -> dict[str, Any]:
        return self.about

    def _user(self, message: Message) -> dict[str, Any]:
        assert self.users is not None  # or there would be no such place
        return {"history": self.users[message.place].tolist()}

    def _run(self, message: Message) -> dict[str, Any]:
        histories = self._histories(message)
        result = equalize(self.study, histories, self._sliders(message.settings), self.k, message.reasons)
        boosted = self._boosted(histories, message.boosts) if message.boosts else None
        lists: dict[str, list[dict[str, Any]] | None] = {
            "before": self._rows(result.before, "leaves"),
            "after": self._rows(result.after, "enters"),
            "boosted": None if boosted is None else self._rows(boosted, "enters"),
        }
        return {
            **lists,
            "shares": {name: None if rows is None else self._shares(rows) for name, rows in lists.items()},
            "reasons": self._reasons(histories, result) if message.reasons else {},
            "python": result.python,
            "json": result.json,
        }

    def _lights(self, message: Message) -> list[dict[str, Any]]:
        activations, places = self._activations(self._histories(message))
        rows: list[dict[str, Any]] = [{"item": item, "features": []} for item in message.history]
        values, order = activations.topk(min(LIT, activations.shape[1]), dim=1)
        for place, *step in zip(places, order.tolist(), values.tolist(), strict=True):
            rows[place]["features"] = [
                [self._position[feature], value]
                for feature, value in zip(*step, strict=True)
                if value > 0 and feature in self._position
            ]
        return rows

    def _explain(self, message: Message) -> dict[str, Any]:
        histories, steer = self._histories(message), steer_of(self.study, self._sliders(message.settings))
        item = self._vocabulary.ids[[message.place]].tolist()[0]
        with self.rec.steer(steer):
            place = Place.of(self.rec, histories, item, self.study.site)
        features, _, averages = strongest(place, SHOWN)
        own = averages * self._unsteered(place, features)
        of_sliders = (averages - own).sum(dim=0).tolist()
        kept = [(n, feature) for n, feature in enumerate(features) if feature in self._position]
        places, steps = self._places(histories)
        links = [
            {"step": at, "feature": self._position[feature], "part": float(own[step, n])}
            for n, feature in kept
            for at, step in zip(places, steps, strict=True)
            if own[step, n] != 0
        ]
        parts = averages.sum(dim=0)
        with torch.no_grad():
            total = relative_scores(place.scores(place.hidden[None]), place.code)
        return {
            "total": float(total),
            "explained": float(sum(parts[n] for n, _ in kept)),
            "links": sorted(links, key=lambda link: -abs(link["part"]))[:LINKS],
            "sliders": [
                {"feature": self._position[feature], "part": of_sliders[n]} for n, feature in kept if of_sliders[n] != 0
            ],
            "features": [{"feature": self._position[feature], "part": float(parts[n])} for n, feature in kept],
        }

    @torch.no_grad()
    def _unsteered(self, place: Place, features: list[int]) -> torch.Tensor:
        """What features are without the steer, by what they are under it: [s, n]; 0 where they are off under it."""
        plain = place.sae.encode(self.rec.hidden(place.history, place.site)[0])[:, features]
        steered = place.features[:, features]
        return torch.where(steered == 0, 0, plain / steered)

    def _measure(self, message: Message) -> dict[str, Any]:
        if not message.settings:
            raise InputError("every slider is at 0, so there is nothing to measure: move one first")
        steer = steer_of(self.study, self._sliders(message.settings))
        html = self.study.receipt(steer, k=self.k)._repr_html_()
        return {"html": STYLE.sub("", html)}

    def _histories(self, message: Message) -> Histories:
        return self.rec.recommender.histories(self._vocabulary.decode(np.array(message.history)).tolist())

    def _sliders(self, settings: Settings) -> dict[str | int, float]:
        names: dict[str, list[Any]] = {"concept": self._concepts, "feature": self._features}
        return {names[kind][index]: value for kind, index, value in settings}

    def _rows(self, rows: pd.DataFrame, move: str) -> list[dict[str, Any]]:
        """A list as the component reads it."""
        codes = self._vocabulary.encode(rows["item"]).tolist()
        columns = (rows[name].tolist() for name in ("score", "rank", "other_rank", "moved"))
        return [
            {"item": code, "score": score, "rank": rank, "other": other, "move": move if is_move else None}
            for code, score, rank, other, is_move in zip(codes, *columns, strict=True)
        ]

    def _shares(self, rows: list[dict[str, Any]]) -> list[float]:
        """The share of a list's items that have each concept."""
        return self._has[[row["item"] for row in rows]].mean(axis=0).tolist() if rows else [0.0] * len(self._concepts)

    def _boosted(self, histories: Histories, boosts: tuple[tuple[int, float], ...]) -> pd.DataFrame:
        """The list re-ranked: what `interp.control.baselines.boosted` does, for several concepts."""
        scores = self.rec.score(histories)
        concepts, values = zip(*boosts, strict=True)
        has = torch.from_numpy(self._has[:, list(concepts)]).to(scores)
        boosted = scores + scores.std(dim=1, keepdim=True) * (has @ scores.new_tensor(values))
        return ranked(self.study, histories, boosted, scores, self.k)

    def _reasons(self, histories: Histories, result: EqualizerResult) -> dict[int, Any]:
        """Why items enter and leave, and the items of the history at which these features are lit."""
        activations, places = self._activations(histories)
        own, reasons = histories.codes.tolist(), dict[int, Any]()
        for item, rows in result.reasons.groupby("item", sort=False):
            features = []
            for feature, change in zip(rows["feature"].tolist(), rows["change"].tolist(), strict=True):
                lit = activations[:, feature]
                order = [place for place in lit.argsort(descending=True).tolist() if lit[place] > 0]
                items = list(dict.fromkeys(own[places[place]] for place in order))[:THROUGH]
                features.append({"feature": self._position[feature], "change": change, "items": items})
            code = int(self._vocabulary.encode([item])[0])
            reasons[code] = {"total": float(rows["total"].iloc[0]), "features": features}
        return reasons

    @torch.no_grad()
    def _activations(self, histories: Histories) -> tuple[torch.Tensor, list[int]]:
        """Unsteered activations [n, f] at the n last items of one history, and the places of these in it."""
        places, steps = self._places(histories)
        hidden = self.rec.hidden(histories, self.study.site)[0]
        return self.rec.site(self.study.site).sae.encode(hidden[steps]).cpu(), places

    def _places(self, histories: Histories) -> tuple[list[int], list[int]]:
        """The places in one history of the items that the recommender reads, and the steps that hold them."""
        steps = self.rec.item_steps(histories)[0].nonzero()[:, 0].tolist()
        return list(range(len(histories.codes) - len(steps), len(histories.codes))), steps


def _matrix(study: StudySteering, items: pd.Index, concepts: list[str]) -> np.ndarray:
    """Which items have which concepts: bool [item, concept]."""
    if not concepts:
        return np.zeros((len(items), 0), dtype=bool)
    order = study.concepts.items.get_indexer(items)
    columns = [study.concepts.index(name) for name in concepts]
    return study.concepts.matrix[order][:, columns] & (order >= 0)[:, None]
