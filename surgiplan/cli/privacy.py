"""The verb `deidentify`, and the options that it shares with `import`."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from ..acts import deidentify as act
from ..acts.intake import Loaded
from ..errors import Usage
from ..formats.privacy.pseudonyms import Options
from .words import say

_ALONE = ("descriptors", "uids", "characteristics")


def add_options(parser: ArgumentParser) -> None:
    """Add what may stay when an identity is taken away."""
    parser.add_argument(
        "--dates",
        choices=("remove", "shift", "keep"),
        help="remove them (the default), shift all by one number of days, or keep them",
    )
    parser.add_argument(
        "--clean-descriptors",
        dest="descriptors",
        action="store_true",
        help="keep of descriptions the words that name nobody",
    )
    parser.add_argument("--retain-uids", dest="uids", action="store_true", help="keep the UIDs")
    parser.add_argument(
        "--retain-characteristics",
        dest="characteristics",
        action="store_true",
        help="keep sex, age, size and weight of the patient",
    )
    parser.add_argument(
        "--key", type=Path, help="a secret file that keeps pseudonyms the same over several runs"
    )


def options_of(arguments: Namespace) -> Options:
    """The options in the words of a command line."""
    return Options(
        dates=arguments.dates or "remove",
        burned_in=getattr(arguments, "burned_in", False),
        **{name: getattr(arguments, name) for name in _ALONE},
    )


def as_asked(found: tuple[Loaded, ...], arguments: Namespace) -> tuple[Loaded, ...]:
    """What was loaded, without an identity when the command line says so."""
    if arguments.deidentify:
        secret = _secret(arguments)
        return tuple(act.without_identity(one, options_of(arguments), secret) for one in found)
    if arguments.dates or arguments.key or any(getattr(arguments, name) for name in _ALONE):
        raise Usage("options of de-identification were given: say --deidentify too")
    return found


def deidentify(arguments: Namespace) -> int:
    """Copy DICOM files without an identity, and tell what was changed and what was not done."""
    told = act.deidentify(arguments.path, arguments.out, options_of(arguments), _secret(arguments))
    say(arguments, told, _text(told))
    return 0


def _secret(arguments: Namespace) -> bytes:
    return act.read_secret(arguments.key) if arguments.key else b""


def _text(told: dict[str, Any]) -> str:
    lines = [
        f"{told['files_written']} files written: {told['patients']} patients, {told['series']} series",
        f"by {told['table']}: {', '.join(told['profile'])}",
        *(f"left out: {count} files: {reason}" for reason, count in told["left_out_because"].items()),
    ]
    for element, actions in told["changes"].items():
        done = ", ".join(f"{action} {count}" for action, count in actions.items())
        lines.append(f"  {element:<50} {done}")
    return "\n".join([*lines, *(f"not done: {what}" for what in told["not_done"])])
