"""Import: a scan, a label map or a shape comes into a case, with its identity and its origin."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ..casefile import CaseFile
from ..errors import BadInput, Usage
from ..formats import dicom, meshes, volumes
from ..formats.dicom.plausible import hounsfield_doubts
from ..formats.volumes.lattice import moved_to
from ..plan.plan import Operations, Plan, Step
from ..progress import Report, silent
from ..values import NO_LABEL, Grid, Label, Mask, Mesh, Part, Volume, encode

MESH_SUFFIXES = frozenset(meshes.READ_SUFFIXES)
OPEN_SUFFIXES = (".dcm", ".zip", *volumes.READ_SUFFIXES, *meshes.READ_SUFFIXES)
MODALITIES = ("CT", "MR")
SIDES = {"R": "RIGHT", "L": "LEFT", "": "side not set"}


@dataclass(frozen=True)
class Loaded:
    """What was read from outside and is not in a case yet.

    value: the scan or the shape
    about: where it came from and how it was read, kept in the case beside it
    patient: identity as the files state it; empty for a mesh
    warnings: what the planner should know before using it
    name: proposed for its step; "" for one made from the kind
    unit_mm: how many mm the unit has in which a shape was read
    files: names of the files it was read from; they are shown and not kept
    label: how a segment is called, its colour and code
    """

    value: Volume | Mask | Part
    about: dict[str, Any]
    patient: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    name: str = ""
    unit_mm: float = 1.0
    files: tuple[str, ...] = ()
    label: Label = NO_LABEL


def kind_of(path: Path) -> Literal["mesh", "volume", "segments", "dicom"]:
    """What will be looked for at a path, by its name."""
    if path.suffix.lower() in MESH_SUFFIXES:
        return "mesh"
    suffix = volumes.suffix_of(path)
    return "segments" if suffix == volumes.SEGMENTS else "volume" if suffix else "dicom"


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


def load(
    path: Path,
    series_uid: str = "",
    report: Report = silent,
    accept: Collection[str] = (),
    *,
    modality: str = "",
    unit: str = "",
) -> Loaded:
    """Read a DICOM folder, file or zip, a volume file, or a mesh file.

    path: what to read; never changed
    series_uid: which DICOM series; the largest usable one when empty
    accept: what a person accepts of a DICOM series (words of dicom.CHOICES)
    modality: "CT" or "MR" of a volume file, which seldom says so
    unit: of a mesh file; needed when its size is not likely without
    Raises BadInput with the reason when it cannot be used as it is.
    """
    if not path.exists():
        raise BadInput(f"{path} does not exist: check the path")
    kind = kind_of(path)
    if kind == "mesh":
        return in_unit(load_mesh(path, report), unit)
    if kind != "dicom":
        return load_volume(path, modality, report)
    found = dicom.scan(path, lambda f, t: report(0.5 * f, t))
    return load_series(choose(found, series_uid, accept), lambda f, t: report(0.5 + 0.5 * f, t))


def load_series(series: dicom.Series, report: Report = silent) -> Loaded:
    """Read one series that a scan has found usable, or that was accepted."""
    read = dicom.read(series, report)
    one = series.slices[0].header
    warnings = (*series.warnings, *hounsfield_doubts(read.volume, one.sop_class, one.model))
    about = {
        "origin": "DICOM",
        "series_uid": series.uid,
        "modality": series.modality,
        "files": len(series.files),
        "files_digest": read.files_digest,
        "warnings": list(warnings),
    }
    if series.accepted:
        about["accepted"] = dict(series.accepted)
    files = tuple(dict.fromkeys(member.name for member in series.files))
    return Loaded(read.volume, about, asdict(series.identity), warnings, files=files)


def load_mesh(path: Path, report: Report = silent) -> Loaded:
    """Read one mesh file; it has no frame of reference and no patient of its own."""
    mesh, notes = meshes.read_mesh(path, report)
    told = notes.sentences()
    about = {"origin": notes.kind, "unit": notes.unit or "not stated", "warnings": told}
    return Loaded(Part(mesh), about, {}, tuple(told), unit_mm=notes.unit_mm)


def in_unit(loaded: Loaded, unit: str = "") -> Loaded:
    """The shape with the numbers of its file taken in a unit.

    unit: "mm", "cm", "m" or "inch"; "" for what the file states, else mm
    Raises BadInput that tells the size in each unit, when none is given and the size is not likely.
    """
    assert isinstance(loaded.value, Part)
    mesh = loaded.value.mesh
    size = mesh.bounds[1] - mesh.bounds[0]
    if not unit:
        if meshes.LIKELY_MM[0] <= size.max() <= meshes.LIKELY_MM[1]:
            return loaded
        raise BadInput(
            f"the shape would be {_size(size)} large, so its unit is in doubt. Say which it is: "
            + "; ".join(
                f"--unit {u} for {_size(size * f / loaded.unit_mm)}" for u, f in meshes.UNITS_MM.items()
            )
        )
    if unit not in meshes.UNITS_MM:
        raise Usage(f"the unit is {', '.join(meshes.UNITS_MM)}, not {unit!r}")
    factor = meshes.UNITS_MM[unit] / loaded.unit_mm
    scaled = mesh if factor == 1 else Mesh(mesh.points * factor, mesh.triangles)
    about = loaded.about | {"unit": unit}
    told = tuple(text for text in loaded.warnings if meshes.UNIT_IN_DOUBT not in text)
    return replace(loaded, value=Part(scaled), about=about, warnings=told, unit_mm=meshes.UNITS_MM[unit])


def _size(extent_mm: Any) -> str:
    return " x ".join(f"{length:.4g}" for length in extent_mm) + " mm"


def load_volume(path: Path, modality: str = "", report: Report = silent) -> Loaded:
    """Read one volume file; it has no patient of its own, and seldom says what its numbers are.

    modality: "CT" or "MR" as the person states it
    """
    if modality not in ("", *MODALITIES):
        raise Usage(f"the modality is {' or '.join(MODALITIES)}, not {modality!r}")
    volume, told = volumes.read_volume(path, modality, report)
    about = {"origin": _origin(path), "modality": volume.modality or "not stated", "warnings": told}
    return Loaded(volume, about, {}, tuple(told))


def load_segments(path: Path, report: Report = silent) -> tuple[Loaded, ...]:
    """Read the segments of a .seg.nrrd file, or every label of a label map, as one mask each."""
    if not path.exists():
        raise BadInput(f"{path} does not exist: check the path")
    masks, told, labels = volumes.read_labels(path, report)
    about = {"origin": _origin(path), "warnings": told}
    return tuple(
        Loaded(mask, about, {}, tuple(told), name, label=labels[name]) for name, mask in masks.items()
    )


def put_on(segments: Sequence[Loaded], grid: Grid) -> tuple[Loaded, ...]:
    """Masks put on the voxels of a scan, so that they can be used with it.

    Raises BadInput when they do not lie on those voxels.
    """
    made = []
    for one in segments:
        if not isinstance(one.value, Mask):
            raise Usage("only a label map is put on a scan")
        made.append(replace(one, value=moved_to(one.value, grid)))
    return tuple(made)


def _origin(path: Path) -> str:
    return volumes.suffix_of(path)[1:].upper()


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
    case.require_unlocked()
    _require_same_patient(case, loaded)
    digest = case.put_blob(encode(loaded.value))
    case.put_fact(f"source:{digest}", loaded.about | {"patient": loaded.patient})
    if loaded.patient and not case.fact("patient"):
        case.put_fact("patient", loaded.patient)
    if side:
        case.put_fact("side", side)
    kind = {Volume: "volume", Mask: "mask", Part: "part"}[type(loaded.value)]
    stated = {key: value for key, value in loaded.about.items() if key != "warnings"}
    case.journal("import", digest=digest, kind=kind, **stated)
    step = name or _free_name(plan, loaded)
    made = plan.add(step, operations["source"](digest=digest, kind=kind))  # type: ignore[call-arg]
    return made if loaded.label == NO_LABEL else made.annotate(step, label=loaded.label)


def keep_all(
    case: CaseFile,
    operations: Operations,
    plan: Plan,
    found: Sequence[Loaded],
    name: str = "",
    side: str = "",
) -> Plan:
    """Store several things that were loaded together; the plan has a new `source` step for each."""
    for one in found:
        plan = keep(case, operations, plan, one, name, side)
    return plan


def origin(case: CaseFile, step: Step) -> dict[str, Any]:
    """What the case remembers of an imported step; empty for any other step.

    Gives "study_date", such as "2024-01-31" ("" when it is not known), "warnings", a list, and "accepted",
    a list of what was wrong with it and accepted.
    """
    digest = getattr(step.operation, "digest", "")
    found = case.fact(f"source:{digest}") if step.operation.spec.name == "source" else None
    if not isinstance(found, dict):
        return {}
    date = str((found.get("patient") or {}).get("study_date", ""))
    return {
        "study_date": day_words(date),
        "warnings": list(map(str, found.get("warnings") or ())),
        "accepted": list(map(str, (found.get("accepted") or {}).values())),
    }


def day_words(date: str) -> str:
    """A DICOM date such as "20240131" as "2024-01-31"; "" for what is no date: it could say anything."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 and date.isdigit() else ""


def _free_name(plan: Plan, loaded: Loaded) -> str:
    stem = loaded.name or (loaded.value.modality.lower() if isinstance(loaded.value, Volume) else "shape")
    stem = stem if stem[:1].isalpha() else "scan"
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
