"""Surfaces from and to files: read without repair, written whole and checked by reading back."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import BadInput, CaseError
from ...progress import Report, part_of, silent
from ...values import Mesh, Part
from .. import quarantine
from ..files import write_whole
from .content import Content
from .glb import glb_bytes, is_glb, read_glb
from .obj import is_obj, obj_bytes, read_obj
from .ply import is_ply, ply_bytes, read_ply
from .step import is_step, read_step
from .stl import is_stl, read_stl, stl_bytes
from .threemf import is_threemf, read_threemf, threemf_bytes

MAX_BYTES = 2 << 30
FARTHEST_MM = 1e6
LIKELY_MM = (1.0, 3000.0)
UNIT_IN_DOUBT = "check whether its unit is the millimetre"
REMARKS = ("SPACE=LPS", "UNIT=mm", "Research use, not a medical device")
_SPACE = re.compile(r"\bSPACE\s*=\s*(RAS|LPS)\b", re.IGNORECASE)
_UNIT = re.compile(r"\bUNIT\s*=\s*([A-Za-z]+)", re.IGNORECASE)

_READERS: Mapping[str, tuple[Callable[[bytes], bool], Callable[[bytes], Content]]] = {
    "STL": (is_stl, read_stl),
    "PLY": (is_ply, read_ply),
    "3MF": (is_threemf, read_threemf),
    "GLB": (is_glb, read_glb),
    "STEP": (is_step, read_step),
    "OBJ": (is_obj, read_obj),
}
_WRITERS: Mapping[str, Callable[[Mesh, Sequence[str]], bytes]] = {
    "STL": stl_bytes,
    "PLY": ply_bytes,
    "OBJ": obj_bytes,
    "3MF": threemf_bytes,
    "GLB": glb_bytes,
}
_OTHER_NAMES = {"STP": "STEP"}
_APART = ("3MF", "STEP")  # parsed by more than a few lines of ours
_BYTES_A_SECOND, _MEMORY = 1 << 18, 4 << 30  # what the child may take for a file beyond its usual time
READ_SUFFIXES = tuple(f".{kind.lower()}" for kind in (*_READERS, *_OTHER_NAMES))
WRITE_SUFFIXES = tuple(f".{kind.lower()}" for kind in _WRITERS)
UNITS_MM: Mapping[str, float] = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "inch": 25.4}


@dataclass(frozen=True)
class MeshNotes:
    """What is to be known of a mesh file; nothing of it was repaired.

    kind: "STL", "PLY", "OBJ", "3MF", "GLB" or "STEP"
    merged_points: points that lay exactly on another one and became one with it
    dropped_triangles: triangles without area that were left out (the surface is as closed without them)
    flat_triangles: triangles without area that are still in it
    open_edges: edges without exactly one triangle on each side; 0 when the surface is closed
    flipped: whether the file was in RAS, so that the first two axes were turned round
    inside_out: whether a closed surface has its triangles facing inwards
    extent_mm: largest extent along an axis, if its unit is the millimetre
    unit: the unit the file states, "" when it states none and its numbers were taken as mm
    unit_mm: how many mm the unit has
    told: what its reader has to say
    """

    kind: str
    merged_points: int = 0
    dropped_triangles: int = 0
    flat_triangles: int = 0
    open_edges: int = 0
    flipped: bool = False
    inside_out: bool = False
    extent_mm: float = 0.0
    unit: str = ""
    unit_mm: float = 1.0
    told: tuple[str, ...] = ()

    @property
    def likely(self) -> bool:
        """Whether a thing of this size is planned with, so that its unit will be right."""
        return LIKELY_MM[0] <= self.extent_mm <= LIKELY_MM[1]

    def sentences(self) -> list[str]:
        """What the planner should read, most important first."""
        told = list(self.told)
        if not self.likely:
            told.append(f"it is {self.extent_mm:.4g} mm large: {UNIT_IN_DOUBT}")
        if self.flipped:
            told.append("the file is in RAS: its first two axes were turned to LPS")
        if self.open_edges:
            told.append(f"the surface is not closed: {self.open_edges} open or doubled edges")
        if self.inside_out:
            told.append("its triangles face inwards")
        if self.flat_triangles:
            told.append(f"{self.flat_triangles} triangles without area are in it")
        if self.dropped_triangles:
            told.append(f"{self.dropped_triangles} triangles without area were left out")
        if self.merged_points and self.kind != "STL":  # in STL every point is written anew
            told.append(f"{self.merged_points} points that lay exactly on others were merged")
        return told


def read_mesh(path: Path, report: Report = silent) -> tuple[Mesh, MeshNotes]:
    """Read a surface from an STL, PLY, OBJ, 3MF, GLB or STEP file, in millimetres.

    path: what it is called and what it holds must agree
    report: told how far it is
    Gives the mesh in LPS mm (a stated unit, the axes of glTF and a header with SPACE=RAS are honoured;
    else the numbers are taken as they stand) and what is to be known of it. Nothing is repaired.
    Raises BadInput when it is damaged, empty, holds no numbers, or is of another kind.
    """
    report(0.0, f"reading {path.name}")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path.name} is larger than {MAX_BYTES >> 30} GiB")
        data = path.read_bytes()
    except OSError as problem:
        raise BadInput(f"{path} cannot be read: {problem.strerror}") from None
    try:
        kind = _kind(path.suffix, data)
        if kind in _APART:
            seconds = quarantine.SECONDS + len(data) / _BYTES_A_SECOND
            told = part_of(report, 0.0, 0.5)
            content = quarantine.run(
                _parsed, kind, data, name="", report=told, seconds=seconds, memory=_MEMORY
            )
        else:
            content = _parsed(kind, data)
        report(0.5, f"judging {path.name}")
        with np.errstate(invalid="ignore", over="ignore"):
            found = _judged(kind, content)
    except BadInput as problem:
        raise BadInput(f"{path.name}: {problem}") from None
    report(1.0, f"{path.name} is read")
    return found


def write_mesh(part: Part, path: Path, *, notes: Mapping[str, str] = {}) -> None:
    """Write a shape, placed in the patient, as LPS millimetres; the suffix names the format.

    part: the shape; its pose is worked into the points
    path: .stl, .ply, .obj, .3mf or .glb; replaced when it exists
    notes: said in the file (in STL as far as its 80 characters reach, the first ones first)
    The file is read back and compared before it gets its name: a failed write leaves nothing.
    Raises BadInput when there is no shape or no such format, CaseError when the disk does not take it
    or the file read back is not the shape.
    """
    kind = path.suffix[1:].upper()
    if kind not in _WRITERS:
        raise BadInput(
            f"a shape is written as {_listed(WRITE_SUFFIXES)}, not {path.suffix or 'without a suffix'}"
        )
    mesh = part.placed()
    if not len(mesh.triangles):
        raise BadInput(f"{path.name} was not written: the shape is empty")
    remarks = [*REMARKS, *(f"{key}={value}" for key, value in notes.items())]
    data = _WRITERS[kind](mesh, [" ".join(remark.split()) for remark in remarks])
    write_whole(path, data, lambda written: _require_same(mesh, written, path.name))


def _require_same(mesh: Mesh, written: Path, name: str) -> None:
    """Raise CaseError unless the file holds this surface: box, area, closedness, volume."""
    try:
        again, _ = read_mesh(written)
    except BadInput as problem:
        raise CaseError(f"{name} was not written, it cannot be read back: {problem}") from problem
    moved = float(np.abs(again.bounds - mesh.bounds).max())
    area = abs(again.area_mm2 - mesh.area_mm2) / max(mesh.area_mm2, 1e-9)
    volume = abs(again.volume_mm3 - mesh.volume_mm3) / max(abs(mesh.volume_mm3), 1e-9)
    if moved > 1e-3 or area > 1e-4 or (mesh.watertight and again.watertight and volume > 1e-4):
        raise CaseError(f"{name} was not written: read back it is another shape ({moved:.4f} mm off)")
    if mesh.watertight and not again.watertight:
        raise CaseError(
            f"{name} was not written: read back it has {again.open_edges} open edges, since points of it"
            " coincide; write it as .ply, or make the surface anew"
        )


def _parsed(kind: str, data: bytes, report: Report = silent) -> Content:
    """What a file of this kind holds; the quarantined child does it for some."""
    with np.errstate(invalid="ignore", over="ignore"):  # such numbers are refused with a sentence
        return _READERS[kind][1](data)


def _kind(suffix: str, data: bytes) -> str:
    """What a file is, by its name and its content."""
    named = suffix[1:].upper()
    named = _OTHER_NAMES.get(named, named)
    if named not in _READERS:
        raise BadInput(f"{suffix or 'a file without a suffix'} is not read; {_listed(READ_SUFFIXES)} are")
    if not data.strip(b"\0 \r\n\t"):
        raise BadInput("the file is empty")
    held = next((kind for kind, (looks, _) in _READERS.items() if looks(data)), named)
    if held != named:
        raise BadInput(f"it is called {suffix} but holds {held}: rename it")
    return named


def _listed(suffixes: Sequence[str]) -> str:
    return f"{', '.join(suffixes[:-1])} and {suffixes[-1]}"


def _judged(kind: str, content: Content) -> tuple[Mesh, MeshNotes]:
    points, triangles = content.points, content.triangles
    if not len(triangles):
        raise BadInput("it holds no triangles")
    if triangles.min() < 0 or triangles.max() >= len(points):
        raise BadInput(f"a triangle names a point that does not exist ({len(points)} do)")
    if not np.isfinite(points).all():
        raise BadInput("a coordinate is not a finite number")
    if np.abs(points).max() > FARTHEST_MM:
        raise BadInput(f"a coordinate of {np.abs(points).max():.3g} mm cannot be right: it is damaged")
    flipped = _in_ras(content.header)
    given = Mesh((points * (-1, -1, 1) if flipped else points).astype(np.float32), triangles.astype(np.int32))
    merged = _joined(given) if kind == "STL" or given.open_edges else given
    if kind != "STL" and merged.open_edges:  # points apart on purpose, or it does not help
        merged = given
    mesh, flat = _without_flat(merged)
    return mesh, MeshNotes(
        kind=kind,
        merged_points=len(given.points) - len(merged.points),
        dropped_triangles=len(merged.triangles) - len(mesh.triangles),
        flat_triangles=flat - (len(merged.triangles) - len(mesh.triangles)),
        open_edges=mesh.open_edges,
        flipped=flipped,
        inside_out=mesh.watertight and mesh.volume_mm3 < 0,
        extent_mm=float(np.ptp(mesh.bounds, axis=0).max()),
        unit=content.unit,
        unit_mm=content.unit_mm,
        told=content.told,
    )


def _in_ras(header: str) -> bool:
    unit = _UNIT.search(header)
    if unit and unit[1].lower() not in ("mm", "millimeter", "millimetre"):
        raise BadInput(f"its unit is stated to be {unit[1]}: convert it to millimetres")
    space = _SPACE.search(header)
    return space is not None and space[1].upper() == "RAS"


def _joined(mesh: Mesh) -> Mesh:
    """The mesh with points at exactly one place made one (a negative zero is a zero)."""
    points = mesh.points + np.float32(0)
    order = np.lexsort(points.T)
    ranked = points[order]
    starts = np.concatenate([[True], (ranked[1:] != ranked[:-1]).any(axis=1)])
    place = np.empty(len(points), np.int32)
    place[order] = np.cumsum(starts) - 1
    return Mesh(ranked[starts], place[mesh.triangles])


def _without_flat(mesh: Mesh) -> tuple[Mesh, int]:
    """The mesh without triangles that have no area, if that opens no edge; and how many such there are."""
    corners = mesh.points.astype(np.float64)[mesh.triangles]
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    twice = np.linalg.norm(np.cross(a, b), axis=1)
    longest = np.maximum((a * a).sum(axis=1), (b * b).sum(axis=1))
    flat = twice <= 1e-12 * longest
    count = int(np.count_nonzero(flat))
    if not count or count == len(flat):
        return mesh, count
    without = Mesh(mesh.points, mesh.triangles[~flat])
    return (without if without.open_edges <= mesh.open_edges else mesh), count
