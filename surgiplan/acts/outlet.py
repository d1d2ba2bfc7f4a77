"""Export: an up-to-date result leaves the case as a file, checked by reading it back."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from .. import SAFETY_LINE, __version__
from ..casefile import CaseFile
from ..errors import BadInput, StepFailed
from ..formats import meshes, volumes
from ..formats.files import write_whole
from ..plan.plan import Key
from ..values import NO_LABEL, Label, Mask, Part, Value, Volume, figures
from .approval import approval_words, as_approved

FIGURES = ".json"


def suffixes(value: Value) -> tuple[str, ...]:
    """The suffixes of the files that a value can be written to, the usual one first."""
    match value:
        case Part():
            return (*meshes.WRITE_SUFFIXES, FIGURES)
        case Mask():
            return (*volumes.MASK_SUFFIXES, FIGURES)
        case Volume():
            return (*volumes.VOLUME_SUFFIXES, FIGURES)
        case _:
            return (FIGURES,)


def export(
    case: CaseFile, name: str, key: Key, value: Value, path: Path, label: Label = NO_LABEL
) -> dict[str, Any]:
    """Write a shape, a mask or a scan in a format of its kind, or the figures of any result as JSON.

    name: "step" or "step.output", for the header of the file and the journal
    key: recipe key of the step, so that the file can be traced to the plan that made it
    value: its up-to-date value
    label: title, colour and code of a segment, which a .seg.nrrd carries
    Gives what was written: file, bytes, sha256 and figures. Raises BadInput when the value cannot be
    a file of this kind, StepFailed when the plan is approved and this is not the approved result,
    CaseError when the disk does not take it; then no half file is left.
    """
    if as_approved(case, name, value) is False:
        raise StepFailed(
            f"{name}: this is not the result that was approved (another version of a library, or a fault): "
            "see what differs with: surgiplan verify CASE"
        )
    side = str(case.fact("side") or "")
    notes = {"step": name, "recipe": key, "software": f"surgiplan {__version__}", "use": SAFETY_LINE}
    notes["approval"] = approval_words(case, named=False)
    if side:
        notes["side"] = {"R": "RIGHT", "L": "LEFT"}[side]
    if path.suffix.lower() == FIGURES:
        content = {"name": name, "notes": notes, "figures": figures(value)}
        write_whole(path, json.dumps(content, indent=1).encode())
    elif isinstance(value, Part):
        meshes.write_mesh(value, path, notes=notes)
    elif isinstance(value, Volume | Mask):
        volumes.write_volume(value, path, notes=notes, label=label)
    else:
        raise BadInput(f"{name} is a {type(value).__name__}, not a shape: export it as .json")
    told: dict[str, Any] = {
        "name": name,
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": sha256(path.read_bytes()).hexdigest(),
        "figures": figures(value),
    }
    if not case.read_only:
        kept = {k: v for k, v in told.items() if k != "figures"}
        case.journal("export", **kept, recipe=key, approval=notes["approval"])
    return told
