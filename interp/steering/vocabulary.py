"""The words of steers: operations, steps, units, reconstruction."""

from typing import Literal

Op = Literal["set", "add", "scale", "floor", "cap"]
Verb = Literal["set", "add", "scale", "floor", "cap", "clamp", "ablate"]
At = Literal["last", "all"] | tuple[int, ...]
Unit = Literal["activation", "std", "p99"]
Reconstruct = Literal["none", "last", "all"]
