"""What a reader of a study must know of its data and its lists, in plain lines that all pages show."""

from interp.study.study_parts import StudyParts

AGAIN = "--keep-seen"


def notes(study: StudyParts) -> list[str]:
    """What the data lack, and what lists leave out: a sentence each, most often none.

    Raises:
        InputError: the table of users is missing or was altered.
    """
    return [*study.record.get("lacks", []), *_repeats(study)]


def _repeats(study: StudyParts) -> list[str]:
    """Whether lists may repeat the items of a history, and for how many users this matters."""
    rows = study.table("users").query("part == 'test'")
    is_last = ~rows.duplicated("user", keep="last")
    again, n = int((is_last & rows.duplicated(["user", "item"])).sum()), int(is_last.sum())
    whose = f"for {again:,} of {n:,} test users the held-out item is one of their history"
    if study.keep_seen:
        return [f"Lists may repeat the items of a history (keep_seen): {whose}."]
    if not again:
        return []
    return [f"Lists leave out the items of a history: {whose}, so no list can hit it. {AGAIN} lets lists repeat items."]
