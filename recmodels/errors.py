"""The one exception that both packages raise for input a person can correct."""


class InputError(ValueError):
    """Something the user gave is wrong; the message is one line that says what to do about it."""
