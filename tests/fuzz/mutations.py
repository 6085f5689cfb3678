"""Damage: bytes, lines, cells and JSON of a valid file, changed in ways that mishaps and strangers change them."""

import json

from hypothesis import strategies as st

SNIPPETS = [b"\0", b'"', b"'", b",", b"\t", b"|", b"::", b";", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xff", b"\r", b"\n"]
SNIPPETS += [
    b"\x85",
    "\u2028".encode(),
    b"\x1b[31m",
    b" ",
    b"  ",
    b"\\",
    b"#",
    b"[",
    b"]",
    b"{",
    b"}",
    b"=1+1",
    b"\x1a",
]
CELLS = [b"", b" ", b"99999999999999999999", b"1e309", b"-1", b"-9223372036854775809", b"nan", b"NA", b"None", b"007"]
CELLS += [b"1_000", "１２".encode(), "²".encode(), b"0x10", b"True", b"1.0", b"1.5", b"+5", b"2020-13-45", b"12:00"]
CELLS += [b"2020-01-01T00:00:00+05:00", b"0001-01-01", b"9999-12-31", b"x" * 5_000, b"['a', 'b']", b"inf", b"1,5"]
SEPARATORS = [b",", b"\t", b"|", b"::", b" ", b"\n"]

WHOLE_JSON = [
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"1" * 5_000,
    b'{"a": 1e999}',
    b"NaN",
    b"null",
    b'"x"',
    b"[]",
    b"{}",
    b"7",
]


@st.composite
def damaged(draw, content: bytes, most: int = 3) -> bytes:
    """The bytes after one change or a few."""
    for _ in range(draw(st.integers(1, most))):
        content = draw(st.sampled_from(CHANGES))(draw, content)
    return content


@st.composite
def odd_json(draw, value, leaves, most: int = 3):
    """A JSON value after one change or a few of its parts."""
    value = json.loads(json.dumps(value))
    for _ in range(draw(st.integers(1, most))):
        value = _changed(draw, value, leaves)
    return value


def _place(draw, content):
    return draw(st.integers(0, len(content)))


def _flip(draw, content):
    if not content:
        return content
    place = draw(st.integers(0, len(content) - 1))
    return content[:place] + bytes([content[place] ^ (1 << draw(st.integers(0, 7)))]) + content[place + 1 :]


def _cut(draw, content):
    return content[: _place(draw, content)]


def _insert(draw, content):
    place, snippet = _place(draw, content), draw(st.sampled_from([*SNIPPETS, *CELLS]) | st.binary(max_size=4))
    return content[:place] + snippet + content[place:]


def _remove(draw, content):
    start, end = sorted((_place(draw, content), _place(draw, content)))
    return content[:start] + content[end:]


def _repeat(draw, content):
    start, end = sorted((_place(draw, content), _place(draw, content)))
    return content[:end] + content[start:end] + content[end:]


def _cell(draw, content):
    separator = draw(st.sampled_from(SEPARATORS))
    parts = content.split(separator)
    parts[draw(st.integers(0, len(parts) - 1))] = draw(st.sampled_from(CELLS))
    return separator.join(parts)


def _lines(draw, content):
    lines = content.splitlines(keepends=True)
    if not lines:
        return content
    place, kind = (
        draw(st.integers(0, len(lines) - 1)),
        draw(st.sampled_from(["drop", "twice", "swap", "blank", "first"])),
    )
    if kind == "drop":
        del lines[place]
    elif kind == "swap":
        other = draw(st.integers(0, len(lines) - 1))
        lines[place], lines[other] = lines[other], lines[place]
    else:
        where = 0 if kind == "first" else place
        lines.insert(where, b"\n" if kind == "blank" else lines[place])
    return b"".join(lines)


def _whole(draw, content):
    """Another line end, encoding or start for the whole file."""
    makers = [
        lambda: content.replace(b"\r\n", b"\n").replace(b"\n", b"\r"),
        lambda: content.replace(b"\n", b"\r\n"),
        lambda: content.replace(b"\n", b"\r", 1),
        lambda: b"\xef\xbb\xbf" + content,
        lambda: content.decode("latin-1").encode("utf-16"),
        lambda: content.decode("latin-1").encode("utf-8"),
        lambda: b"",
        lambda: b"\n" * 5,
        lambda: content * 2,
        lambda: content.rstrip(b"\n"),
        lambda: content.replace(b"\n", b""),
        lambda: content.replace(b",", b";"),
        lambda: content.partition(b"\n")[0] + b"\n",
        lambda: content.partition(b"\n")[2],
    ]
    return draw(st.sampled_from(makers))()


CHANGES = [_flip, _cut, _insert, _remove, _repeat, _cell, _cell, _cell, _lines, _whole]


def _changed(draw, value, leaves):
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(value)))
        kind = draw(st.sampled_from(["inside", "inside", "inside", "drop", "rename", "more"]))
        if kind == "inside":
            return value | {key: _changed(draw, value[key], leaves)}
        rest = {name: part for name, part in value.items() if name != key}
        if kind == "drop":
            return rest
        return {**rest, "other": value[key]} if kind == "rename" else value | {"more": draw(leaves)}
    if isinstance(value, list) and value and draw(st.integers(0, 5)):
        place = draw(st.integers(0, len(value) - 1))
        kind = draw(st.sampled_from(["inside", "inside", "drop", "twice"]))
        if kind == "inside":
            return [*value[:place], _changed(draw, value[place], leaves), *value[place + 1 :]]
        return value[:place] + value[place + 1 :] if kind == "drop" else value[: place + 1] + value[place:]
    return [value] if draw(st.integers(0, 9)) == 0 else draw(leaves)
