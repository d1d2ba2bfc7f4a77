"""The verbs that ask an installed segmenter: `segmenters` lists them, `segment-with` runs one."""

import shutil
import signal
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs

from ..acts import intake
from ..acts.segmenters import Order, Segmenter, catalogue, ordered
from ..acts.segmenting import NOT_STATED, segmented, version_of
from ..errors import Usage
from ..ops import OPERATIONS
from ..session import Session
from ..shipped import resource_folder
from ..values import Volume, figures
from .verbs import opened
from .words import say

FOLDER = "segmenters"


def add_options(command: ArgumentParser) -> None:
    """The words of `segment-with`."""
    command.add_argument("segmenter", metavar="name", help="see: surgiplan segmenters")
    command.add_argument("case", type=Path)
    command.add_argument("--volume", required=True, metavar="STEP", help="the scan")
    command.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE", help="an option of the segmenter"
    )
    command.add_argument(
        "--keep", action="append", default=[], metavar="LABEL", help="keep this label; else all that it finds"
    )
    command.add_argument("--minutes", type=float, help="how long it may take")
    command.add_argument("--yes", action="store_true", help="run it; without, it is only told what would run")
    command.add_argument(
        "--accept-licence", action="store_true", help="you have read the separate licence and may use it"
    )


def described() -> dict[str, Segmenter]:
    """The segmenters that come described with the program, and those of the user, which go first."""
    return catalogue((resource_folder(FOLDER), platformdirs.user_data_path("surgiplan", False) / FOLDER))


def segmenters(arguments: Namespace) -> int:
    """List the segmenters that are described, and whether their program is on this computer."""
    rows = [
        {
            "name": one.name,
            "title": one.title,
            "installed": shutil.which(one.command[0]) is not None,
            "options": {name: list(option.choices) for name, option in one.options.items()},
            "licence": one.licence,
            "separate_licences": dict(one.separate_licences),
        }
        for one in described().values()
    ]
    lines = [
        f"{row['name']:<18}{'' if row['installed'] else 'not '}installed   {row['title']}: {row['licence']}"
        for row in rows
    ]
    say(arguments, rows, "\n".join(lines))
    return 0


def segment_with(arguments: Namespace) -> int:
    """Run a segmenter on a scan of a case and keep what it finds as masks; never without a yes."""
    order = _order(arguments)
    if arguments.minutes is not None and not arguments.minutes > 0:
        raise Usage("--minutes is above 0")
    with _ended_politely(), opened(arguments.case) as session:
        volume = session.value(arguments.volume)
        if not isinstance(volume, Volume):
            raise Usage(f"{arguments.volume} is no scan: --volume names the scan to segment")
        version = version_of(order) if shutil.which(order.segmenter.command[0]) else NOT_STATED
        told = _told(order, arguments.volume, version)
        _require_consent(arguments, order, told)
        if not arguments.json:
            print("\n".join(_lines(told)), flush=True)
        names = _kept(arguments, session, volume, order, version)
        numbers = {name: figures(session.value(name)) for name in names}
    say(
        arguments,
        told | {"names": names, "figures": numbers},
        f"{', '.join(names)} from {told['model']}, version {version}. A machine made them: check them",
    )
    return 0


@contextmanager
def _ended_politely() -> Iterator[None]:
    """Let a SIGTERM do what Ctrl+C does: neither the segmenter nor the copy of the scan stays behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _order(arguments: Namespace) -> Order:
    known = described()
    if arguments.segmenter not in known:
        raise Usage(f"there is no segmenter {arguments.segmenter!r}; described are: {', '.join(known)}")
    chosen = dict[str, str]()
    for text in arguments.option:
        name, equals, value = text.partition("=")
        if not equals or name in chosen:
            raise Usage(f"--option {text}: it is KEY=VALUE, each key once")
        chosen[name] = value
    return ordered(known[arguments.segmenter], chosen)


def _told(order: Order, scan: str, version: str) -> dict[str, Any]:
    """What will run, on what, and under which licences."""
    places = {"scan": "SCAN", "labels": "LABELS", "scan_folder": "FOLDER", "labels_folder": "FOLDER2"}
    return {
        "segmenter": order.segmenter.title,
        "model": order.model,
        "version": version,
        "command": order.words(places),
        "scan": scan,
        "licence": order.segmenter.licence,
        "separate_licences": list(order.separate_licences),
    }


def _lines(told: Mapping[str, Any]) -> list[str]:
    return [
        f"runs:     {' '.join(told['command'])}",
        f"on:       a temporary copy of {told['scan']}, without anything of the patient",
        f"model:    {told['model']}, version {told['version']}",
        f"licence:  {told['licence']}",
        *(f"besides:  {text}" for text in told["separate_licences"]),
    ]


def _require_consent(arguments: Namespace, order: Order, told: Mapping[str, Any]) -> None:
    lacking = [] if arguments.yes else ["--yes"]
    if order.separate_licences and not arguments.accept_licence:
        lacking.append("--accept-licence")
    if lacking:
        say(arguments, told, "\n".join(_lines(told)))
        raise Usage(f"nothing has run; to let it run add {' '.join(lacking)}")


def _kept(arguments: Namespace, session: Session, volume: Volume, order: Order, version: str) -> list[str]:
    """Keep the masks in the case, all or none; gives the names of their steps."""
    seconds = None if arguments.minutes is None else 60 * arguments.minutes
    found = segmented(
        volume,
        order,
        arguments.keep,
        scan=arguments.volume,
        version=version,
        seconds=seconds,
    )
    before = len(session.committed.steps)
    with session.case.atomically():
        plan = session.committed
        for one in found:
            plan = intake.keep(session.case, OPERATIONS, plan, one)
        names = [step.name for step in plan.steps[before:]]
        session.commit(plan, f"{order.segmenter.title}: {', '.join(names)}"[:200])
    return names
