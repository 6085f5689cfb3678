"""Numbers in sentences: with their noun, and with their interval."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, which is in the plural unless there is one: "1 user", "1,234 users", "2 histories".

    Args:
        number: how many.
        noun: in the singular, such as "user" or "user is".
        plural: unless it is the noun with an s, such as "histories" or "users are".
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def with_interval(value: float, low: float, high: float, form: str) -> str:
    """A number and its bounds, with minus signs: "+0.010 [−0.002, +0.021]"; the number alone where it has no interval.

    Args:
        value, low, high: the bounds are NaN where there is no interval, as for a single user.
        form: how each is written, such as "+.3f".
    """
    interval = f" [{low:{form}}, {high:{form}}]" if low == low else ""
    return f"{value:{form}}{interval}".replace("-", "−")
