import pickle

import numpy as np

from recmodels.errors import LONGEST_MESSAGE, InputError, one_line, printable, quote


def test_a_message_is_one_line_of_printable_characters():
    error = InputError("item 'a\nb' is \x1b[31mred\x07, \udc80 and \u202e:\r\n give another")
    assert str(error) == r"item 'a b' is \x1b[31mred\x07, \udc80 and \u202e: give another"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_letters_of_any_script_stay():
    assert one_line("Amélie 天空の城 ½") == "Amélie 天空の城 ½"


def test_a_long_value_is_cut():
    assert quote("x" * 100) == "'" + "x" * 58 + "…"
    assert quote([1, 2]) == "[1, 2]"


def test_a_number_of_numpy_is_quoted_as_a_number():
    assert [quote(np.int64(7)), quote(np.float32(0.5)), quote(7)] == ["7", "0.5", "7"]


def test_a_value_that_cannot_show_itself_is_named_by_its_type():
    class Broken:
        def __repr__(self):
            raise RuntimeError

    assert quote(Broken()) == "a Broken"


def test_text_for_a_terminal_keeps_its_lines_only():
    assert printable("a  b\n\x1b[2J\rc\u202e\x9b\x07 é 🎬") == "a  b\n\\x1b[2J\\rc\\u202e\\x9b\\x07 é 🎬"


def test_a_long_message_keeps_its_beginning_and_its_advice():
    error = InputError(f"the cell {'x' * 10_000} is no number: correct it there")
    assert len(str(error)) == LONGEST_MESSAGE
    assert str(error).startswith("the cell xxx")
    assert str(error).endswith("xxx is no number: correct it there")
