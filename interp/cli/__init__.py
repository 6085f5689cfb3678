"""The command `interp`."""

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any

import tyro
from tyro.extras import subcommand_type_from_defaults

from interp.cli import (  # noqa: F401 - all but commands add commands
    bundle_command,
    commands,
    dictionary_command,
    notes_command,
    retraining_commands,
    scorecard_command,
    service_command,
)
from interp.cli.extensions import import_first
from interp.cli.words import full_flags, registry, wrapped_help
from interp.config import StudyConfig
from interp.presets import PRESETS, presets
from recmodels.console import abandon_stdout, tolerate_encodings
from recmodels.errors import InputError, one_line
from recmodels.ranks import OtherRankError


def offer(choices: Mapping[str, tuple[str, StudyConfig]]) -> None:
    """Make every preset a subcommand of `interp study` whose settings can all be changed by flags."""
    preset: Any = subcommand_type_from_defaults(
        {name: config for name, (_, config) in choices.items()},
        {name: text for name, (text, _) in choices.items()},
    )
    commands.study.__annotations__["config"] = Annotated[preset, tyro.conf.arg(name="")]


def main() -> None:
    """Entry point of the console script; a mistake is answered in one line, with exit status 2."""
    tolerate_encodings()
    try:
        try:
            arguments = import_first(sys.argv[1:])
            if arguments == ["--version"]:
                print(f"interp {import_module('interp').__version__}")
                return
            offer(presets() if arguments[:1] == ["study"] else PRESETS)
            with registry, wrapped_help(arguments):
                commands.app.cli(
                    prog="interp",
                    description="See what a sequential recommender has learnt, and turn it up or down.\n\n"
                    "`interp --import FILE …` imports a .py file or module first, so that what it registers is known.",
                    args=full_flags(arguments) if arguments[:1] == ["study"] else arguments,
                    config=(tyro.conf.FlagCreatePairsOff,),
                )
        finally:
            sys.stdout.flush()  # a closed pipe shows here, not as Python ends
    except BrokenPipeError:
        abandon_stdout()
        sys.exit(141)  # what a shell says of a command whose reader has gone
    except OtherRankError:  # which says why
        abandon_stdout()
        sys.exit(2)
    except (InputError, ImportError, OSError) as error:
        message = str(error)
        if isinstance(error, OSError) and error.strerror:
            message = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        print(f"interp: {one_line(message)}", file=sys.stderr)
        abandon_stdout()
        sys.exit(2)
    except KeyboardInterrupt:
        print("interp: interrupted; the same command goes on where it stopped", file=sys.stderr)
        sys.exit(130)
