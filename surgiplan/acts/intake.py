"""Import: a DICOM series or a mesh file comes into a case, with its identity and its origin."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import BadInput, Usage
from ..formats import dicom, meshes
from ..formats.plausible import hounsfield_doubts
from ..plan.casefile import CaseFile
from ..plan.plan import Operations, Plan
from ..progress import Report, silent
from ..values import Part, Volume, encode

MESH_SUFFIXES = frozenset({".stl", ".ply", ".obj"})
SIDES = {"R": "RIGHT", "L": "LEFT", "": "side not set"}


@dataclass(frozen=True)
class Loaded:
    """What was read from outside and is not in a case yet.

    value: the scan or the shape
    about: where it came from and how it was read, kept in the case beside it
    patient: identity as the files state it; empty for a mesh
    warnings: what the planner should know before using it
    """

    value: Volume | Part
    about: dict[str, Any]
    patient: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def choose(found: dicom.Scan, series_uid: str = "", accept: Collection[str] = ()) -> dicom.Series:
    """The series of this UID (or its beginning), or the largest usable one.

    accept: what a person accepts (words of dicom.CHOICES), so that more series are usable
    Raises BadInput when there is none, or when the chosen one is not usable, with the reason.
    """
    if not found.series:
        raise BadInput(f"no DICOM series was found ({found.skipped} other files): choose another folder")
    fitting = list(found.series)
    if series_uid:
        fitting = [s for s in found.series if s.uid == series_uid] or [
            s for s in found.series if s.uid.startswith(series_uid)
        ]
        if not fitting:
            raise BadInput(f"there is no series {series_uid}; run: surgiplan series PATH")
    usable = [
        dicom.accepted(s, accept) for s in fitting if s.usable or (s.choices and set(s.choices) <= {*accept})
    ]
    if not usable and series_uid:
        raise BadInput(f"this series cannot be used: {fitting[0].reason}{_offer(fitting[:1])}")
    if not usable:
        reasons = "; ".join(dict.fromkeys(s.reason for s in fitting))
        raise BadInput(f"none of the {len(fitting)} series can be used: {reasons}{_offer(fitting)}")
    return max(usable, key=lambda s: s.shape_kji[0] * s.shape_kji[1] * s.shape_kji[2])


def _offer(refused: Collection[dicom.Series]) -> str:
    words = dict.fromkeys(word for series in refused for word in series.choices)
    return f" (or accept what is wrong with it: {', '.join(words)})" if words else ""


def load(path: Path, series_uid: str = "", report: Report = silent, accept: Collection[str] = ()) -> Loaded:
    """Read a DICOM folder, file or zip, or a mesh file.

    path: what to read; never changed
    series_uid: which series; the largest usable one when empty
    accept: what a person accepts (words of dicom.CHOICES)
    Raises BadInput with the reason when it cannot be used as it is.
    """
    if not path.exists():
        raise BadInput(f"{path} does not exist: check the path")
    if path.suffix.lower() in MESH_SUFFIXES:
        return load_mesh(path, report)
    found = dicom.scan(path, lambda f, t: report(0.5 * f, t))
    return load_series(choose(found, series_uid, accept), lambda f, t: report(0.5 + 0.5 * f, t))


def load_series(series: dicom.Series, report: Report = silent) -> Loaded:
    """Read one series that a scan has found usable, or that was accepted."""
    volume = dicom.read_series(series, report)
    one = series.slices[0].header
    warnings = (*series.warnings, *hounsfield_doubts(volume, one.sop_class, one.model))
    about = {
        "origin": "DICOM",
        "series_uid": series.uid,
        "modality": series.modality,
        "files": len(series.files),
        "files_digest": dicom.source_digest(series),
        "warnings": list(warnings),
    }
    if series.accepted:
        about["accepted"] = dict(series.accepted)
    return Loaded(volume, about, asdict(series.identity), warnings)


def load_mesh(path: Path, report: Report = silent) -> Loaded:
    """Read one mesh file; it has no frame of reference and no patient of its own."""
    mesh, notes = meshes.read_mesh(path, report)
    told = notes.sentences()
    return Loaded(Part(mesh), {"origin": path.suffix[1:].upper(), "warnings": told}, {}, tuple(told))


def keep(
    case: CaseFile, operations: Operations, plan: Plan, loaded: Loaded, name: str = "", side: str = ""
) -> Plan:
    """Store what was loaded and give the plan with its new `source` step, for the caller to commit.

    name: of the step; made from the kind when empty
    side: planned side, "R" or "L"; "" leaves what the case has
    Raises BadInput when the case already belongs to another patient.
    """
    if side not in SIDES:
        raise Usage(f"the side is R or L, not {side!r}")
    _require_same_patient(case, loaded)
    digest = case.put_blob(encode(loaded.value))
    case.put_fact(f"source:{digest}", loaded.about | {"patient": loaded.patient})
    if loaded.patient and not case.fact("patient"):
        case.put_fact("patient", loaded.patient)
    if side:
        case.put_fact("side", side)
    kind = "volume" if isinstance(loaded.value, Volume) else "part"
    stated = {key: value for key, value in loaded.about.items() if key != "warnings"}
    case.journal("import", digest=digest, kind=kind, **stated)
    step = name or _free_name(plan, loaded)
    return plan.add(step, operations["source"](digest=digest, kind=kind))  # type: ignore[call-arg]


def _free_name(plan: Plan, loaded: Loaded) -> str:
    stem = loaded.value.modality.lower() if isinstance(loaded.value, Volume) else "shape"
    stem = stem if stem.isalpha() else "scan"
    names = [stem, *(f"{stem}{n}" for n in range(2, len(plan.steps) + 3))]
    return next(name for name in names if name not in plan.names)


def _require_same_patient(case: CaseFile, loaded: Loaded) -> None:
    known = case.fact("patient")
    if not isinstance(known, dict) or not loaded.patient:
        return
    for key in ("patient_id", "patient_name", "birth_date"):
        ours, theirs = str(known.get(key, "")), loaded.patient.get(key, "")
        if ours and theirs and ours != theirs:
            raise BadInput(
                f"this series is of another patient than the case ({key.replace('_', ' ')} differs):"
                " make a case of its own for it"
            )
