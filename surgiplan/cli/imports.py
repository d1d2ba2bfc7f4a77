"""The verb that brings scans, label maps and shapes into a case."""

import sys
from argparse import Namespace
from typing import Any

from ..acts import intake
from ..errors import Usage
from ..ops import OPERATIONS
from ..session import Session
from ..values import Volume, figures
from . import privacy
from .verbs import opened
from .words import say


def import_(arguments: Namespace) -> int:
    """Bring a series, a volume, a label map or a mesh into a case."""
    found = privacy.as_asked(_loaded(arguments), arguments)
    with opened(arguments.case, create=not arguments.on) as session:
        if arguments.on:
            found = intake.put_on(found, _scan(session, arguments.on).grid)
        with session.case.atomically():
            name, side = arguments.name, arguments.side
            plan = intake.keep_all(session.case, OPERATIONS, session.plan, found, name, side)
            names = [step.name for step in plan.steps[-len(found) :]]
            session.commit(plan, f"import {', '.join(names)}"[:200])
    warnings = list(dict.fromkeys(text for one in found for text in one.warnings))
    told: dict[str, Any] = {"name": names[0], "case": str(arguments.case), "warnings": warnings}
    told["figures"] = figures(found[0].value)
    if len(found) > 1:
        told |= {"names": names, "figures": {n: figures(f.value) for n, f in zip(names, found, strict=True)}}
    for warning in warnings:
        print(f"surgiplan: note: {warning}", file=sys.stderr)
    what = "the scan" if arguments.deidentify else arguments.path.name
    say(arguments, told, f"{what} is in {arguments.case.name} as {', '.join(names)}")
    return 0


def _loaded(arguments: Namespace) -> tuple[intake.Loaded, ...]:
    """What an import brings: one scan or shape, or the masks of a label map."""
    kind = intake.kind_of(arguments.path)
    labels = arguments.labels or kind == "segments"
    given = {"--series": arguments.series, "--modality": arguments.modality, "--unit": arguments.unit}
    meant = {
        "--series": kind == "dicom",
        "--modality": kind == "volume" and not labels,
        "--unit": kind == "mesh",
    }
    for word, text in given.items():
        if text and not meant[word]:
            raise Usage(f"{word} does not go with {arguments.path.name}")
    if arguments.on and not labels:
        raise Usage("--on goes with a label map: add --labels")
    if not labels:
        path, modality, unit = arguments.path, arguments.modality, arguments.unit
        return (intake.load(path, arguments.series, accept=arguments.accept, modality=modality, unit=unit),)
    if kind not in ("segments", "volume"):
        raise Usage(f"--labels does not go with {arguments.path.name}")
    found = intake.load_segments(arguments.path)
    if arguments.name and len(found) > 1:
        raise Usage(f"--name is for one step, and there are {len(found)} labels: they keep their names")
    return found


def _scan(session: Session, name: str) -> Volume:
    value = session.value(name)
    if not isinstance(value, Volume):
        raise Usage(f"{name} is no scan: --on names the scan on whose voxels the label map lies")
    return value
