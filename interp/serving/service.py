"""The service: an exported recommender, its dictionaries, and the steers that were saved with it.

Axes: b users, s steps, d hidden size, v items.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor

from interp.serving.dictionary_tensors import DictionaryTensors
from interp.serving.item_ids import ItemIds
from interp.serving.program import Change, Program, load_program
from interp.serving.tensor_steer import TensorSteer
from interp.steering.edits import Steer
from interp.steering.serialization import load_steer
from recmodels import artifacts
from recmodels.best_items import best_items, check_length
from recmodels.errors import InputError, quote
from recmodels.json_files import check_record, read_json, read_record
from recmodels.paths import as_path
from recmodels.steady import steady

KIND = artifacts.Kind("service", ("service.json", "items.json", "recommender.pt2"))
BATCH = 256  # users of one forward pass
ABOUT = {
    "torch": str,
    "recommender": str,
    "max_history": int,
    "suffix": list,
    "full_width": bool,
    "keep_seen": bool,
    "sites": list,
    "steers": list,
}
SITE = {"site": str, "dictionary": str, "strongest": int}


class Place(NamedTuple):
    """One place of a ranked list.

    Attributes:
        item: your id.
        score: what the recommender gives it, under the user's steers.
    """

    item: Any
    score: float


class Service:
    """Scores and lists of many users at once, each under their own steers. It may be used by several threads.

    Attributes:
        items: the items, and how histories of them are read.
        program: the recommender.
        dictionaries: site → its dictionary.
        keep_seen: whether lists may have the items of a history.
        steers: name → steer, in the order of the folder; `add` adds one.
    """

    def __init__(
        self,
        items: ItemIds,
        program: Program,
        dictionaries: Mapping[str, DictionaryTensors],
        keep_seen: bool = False,
    ) -> None:
        self.items, self.program, self.dictionaries, self.keep_seen = items, program, dict(dictionaries), keep_seen
        self.steers: dict[str, TensorSteer] = {}

    def add(self, name: str, steer: Steer) -> None:
        """Make a steer known under a name; it replaces one that has the name.

        Raises:
            InputError: it is for another dictionary or site, or cannot be carried out.
        """
        self.steers = {**self.steers, name: self._compiled(steer)}

    def recommend(
        self,
        histories: Any,
        k: int = 10,
        steers: Any = (),
        *,
        skip_unknown: bool = False,
    ) -> dict[Any, list[Place]]:
        """Each user's k best items, best first: of those that the history lacks, or of all if `keep_seen`.

        Args:
            histories: user → list of item ids, oldest first; or a list of such lists, whose users are 0, 1, ….
            k: list length; a list is shorter where fewer items are left.
            steers: names of steers (or `Steer`s), which apply one after another; for all users, or as a mapping from
                user to such a list. A steer leaves users alone for whom it has no value.
            skip_unknown: leave out items that the recommender does not know, instead of an error.

        Raises:
            InputError: a history or a steer cannot be read, or a score is not finite.
        """
        k = check_length(k)
        lists: dict[Any, list[Place]] = {}
        for users, rows, scores in self._batches(histories, steers, skip_unknown):
            if not self.keep_seen:
                seen = torch.tensor([[n, code] for n, row in enumerate(rows) for code in row])
                scores[seen[:, 0], seen[:, 1]] = -torch.inf
            best, values = best_items(scores, k)
            for user, line, numbers in zip(users, best.tolist(), values.tolist(), strict=True):
                pairs = zip(line, numbers, strict=True)
                lists[user] = [Place(self.items.ids[code], score) for code, score in pairs if code >= 0]
        return lists

    def score(self, histories: Any, steers: Any = (), *, skip_unknown: bool = False) -> Tensor:
        """Scores of every item as each user's next one: float [b, v], columns as `items.ids`; see `recommend`."""
        return torch.cat([scores for *_, scores in self._batches(histories, steers, skip_unknown)])

    @steady()
    @torch.no_grad()
    def inputs(self, histories: Any, steers: Any = (), *, skip_unknown: bool = False) -> dict[str, Tensor]:
        """What the programs `steered.pt2` and `steered.onnx` read, in which the steers of the folder are a part.

        Returns:
            tokens int64 [b, s], and values float32 [b, c]: a column for each edit of each steer, NaN for none.

        Raises:
            InputError: as `recommend`; or a steer is not one of the folder by its name, or they stand in another order.
        """
        users, codes = self._read(histories, skip_unknown)
        chosen = self._chosen(users, steers, named=isinstance(histories, Mapping))
        columns = []
        for steer in self.steers.values():
            on = torch.tensor([steer in own for own in chosen])[:, None]
            columns.append(torch.where(on, steer.values(users), torch.nan))
        if any(list(own) != [steer for steer in self.steers.values() if steer in own] for own in chosen):
            raise InputError(
                f"an exported program has the steers {', '.join(self.steers)}, each once, and applies them in this "
                f"order: name them so"
            )
        values = torch.cat(columns, dim=1) if columns else torch.zeros(len(users), 0)
        return {"tokens": self.items.tokens(codes), "values": values}

    def _read(self, histories: Any, skip_unknown: bool) -> tuple[list[Any], list[list[int]]]:
        if isinstance(histories, Mapping):
            users, rows = list(histories), list(histories.values())
        elif isinstance(histories, str | bytes) or not isinstance(histories, Sequence):
            raise InputError(f"cannot read histories from {quote(histories)}: give a mapping from user to item ids")
        else:
            users, rows = list(range(len(histories))), list(histories)
        if not users:
            raise InputError("no histories given: give at least one user's list of item ids")
        return users, [self.items.codes(user, row, skip_unknown) for user, row in zip(users, rows, strict=True)]

    def _batches(
        self, histories: Any, steers: Any, skip_unknown: bool
    ) -> Iterator[tuple[list[Any], list[list[int]], Tensor]]:
        """Users, their codes and their scores, a batch at a time."""
        users, codes = self._read(histories, skip_unknown)
        chosen = self._chosen(users, steers, named=isinstance(histories, Mapping))
        for start in range(0, len(users), BATCH):
            part = slice(start, start + BATCH)
            yield users[part], codes[part], self._scored(users[part], codes[part], chosen[part])

    @steady()
    @torch.no_grad()
    def _scored(self, users: list[Any], codes: list[list[int]], chosen: list[tuple[TensorSteer, ...]]) -> Tensor:
        """[b, v] scores of one batch."""
        return self.program(self.items.tokens(codes), self._changes(users, chosen))

    def _chosen(self, users: list[Any], steers: Any, named: bool) -> list[tuple[TensorSteer, ...]]:
        """The steers that change something for each user, in order."""
        if isinstance(steers, Mapping):
            strangers = list(steers.keys() - set(users))
            if strangers:
                raise InputError(f"there are steers for user {quote(strangers[0])}, who has no history here: add one")
        compiled: dict[int, TensorSteer] = {}  # a steer that many users share is read once
        by_user = steers if isinstance(steers, Mapping) else None
        everyone = [] if by_user is not None else self._named(steers, compiled)
        own = {user: everyone if by_user is None else self._named(by_user.get(user, ()), compiled) for user in users}
        if not named and any(steer.steer.by_user for those in own.values() for steer in those):
            raise InputError("these histories name no users, and a steer has values by user: give a mapping by user")
        return [tuple(steer for steer in own[user] if steer.knows(user)) for user in users]

    def _named(self, steers: Any, compiled: dict[int, TensorSteer]) -> list[TensorSteer]:
        steers = [steers] if isinstance(steers, str | Steer) else steers
        if not isinstance(steers, Iterable):
            raise InputError(f"cannot read steers from {quote(steers)}: give a list of their names")
        chosen = []
        for steer in steers:
            if isinstance(steer, Steer):
                if id(steer) not in compiled:
                    compiled[id(steer)] = self._compiled(steer)
                chosen.append(compiled[id(steer)])
            else:
                chosen.append(self._find(steer))
        return chosen

    def _find(self, name: Any) -> TensorSteer:
        steer = self.steers.get(name) if isinstance(name, str) else None
        if steer is None:
            known = ", ".join(self.steers) or "none"
            raise InputError(f"there is no steer {quote(name)}: the steers of this service are {known}")
        return steer

    def _compiled(self, steer: Steer) -> TensorSteer:
        if steer.empty:  # at any site
            dictionary = next(iter(self.dictionaries.values()))
            return TensorSteer(steer, dictionary)
        if steer.site not in self.dictionaries:
            sites = ", ".join(self.dictionaries)
            raise InputError(f"this steer is for site {quote(steer.site)}: this service has a dictionary at {sites}")
        return TensorSteer(steer, self.dictionaries[steer.site])

    def _changes(self, users: list[Any], chosen: list[tuple[TensorSteer, ...]]) -> dict[str, Change]:
        """What happens at each site: users with the same steers are changed together, the others left alone."""
        groups: dict[tuple[TensorSteer, ...], list[int]] = defaultdict(list)
        for row, own in enumerate(chosen):
            groups[own].append(row)
        sites: dict[str, list[tuple[Tensor | None, list[tuple[TensorSteer, Tensor]]]]] = defaultdict(list)
        for own, rows in groups.items():
            index = None if len(rows) == len(users) else torch.tensor(rows)
            for site in self.dictionaries:
                here = [
                    (steer, steer.values([users[row] for row in rows])) for steer in own if steer.steer.site == site
                ]
                if here:
                    sites[site].append((index, here))
        return {site: Steered(parts) for site, parts in sites.items()}


class Steered:
    """The change at one site: groups of rows (None for all), each with its steers and their values."""

    def __init__(self, groups: list[tuple[Tensor | None, list[tuple[TensorSteer, Tensor]]]]) -> None:
        self.groups = groups

    def __call__(self, hidden: Tensor) -> Tensor:
        """[b, s, d] to the same; the input is left alone."""
        output = hidden.clone()
        for rows, steers in self.groups:
            part = output if rows is None else output[rows]
            for steer, values in steers:
                steps = slice(None) if steer.reach is None else slice(-steer.reach, None)
                part[:, steps] = steer(part[:, steps], values)
            if rows is not None:
                output[rows] = part
        return output


def load(folder: Path | str) -> Service:
    """Open the folder that `interp.export_service` wrote, after checking every file.

    Loading a program of torch may run code that it holds: only load folders that you exported yourself.

    Raises:
        InputError: the folder is missing, unfinished or altered, or of another version of torch that this one cannot
            read.
    """
    folder = as_path(folder)
    files = artifacts.verify(folder, KIND)["files"]
    advice = "export the study again"
    about = read_record(folder / "service.json", ABOUT, advice)
    ids = read_json(folder / "items.json", advice, 2**30)
    dictionaries = {}
    for entry in about["sites"]:
        check_record(entry, SITE, folder / "service.json", advice)
        tensors = load_file(_part(folder, f"dictionaries/{entry['site']}.safetensors", files))
        dictionaries[entry["site"]] = DictionaryTensors(
            fingerprint=entry["dictionary"], strongest=entry["strongest"], **tensors
        )
    items = ItemIds(ids, about["max_history"], tuple(about["suffix"]), about["full_width"])
    program = load_program(folder / "recommender.pt2", list(dictionaries))
    service = Service(items, program, dictionaries, about["keep_seen"])
    for name in about["steers"]:
        service.add(name, load_steer(_part(folder, f"steers/{name}.json", files)))
    return service


def _part(folder: Path, name: str, files: Mapping[str, Any]) -> Path:
    """A file of the folder, after a check that its manifest lists it."""
    if name not in files:
        raise InputError(f"{folder} lacks {quote(name)}, which service.json names: export the study again")
    return folder / name
