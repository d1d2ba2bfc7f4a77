"""Plain bodies that show at once what a saw will take, while a hand still places it."""

import numpy as np

from ...values import FloatArray, Mesh, Part, Plane
from .pieces import shares_of
from .ribbon import Blade
from .wedge import Hinge

_THIN_MM = 0.2  # a cut without thickness is drawn as thick as this
_ROOM = 1.08
_BOX = np.array(
    [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1),
     (2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3)]
)  # fmt: skip


def slab(part: Part, plane: Plane, kerf_mm: float, kerf_side: str) -> Part:
    """The slab along a plane that a saw takes, as large as the bone is there.

    part: the bone
    plane: LPS mm
    kerf_mm: thickness
    kerf_side: who loses it: "a", "b", or half from each with "both"
    """
    normal = np.asarray(plane.normal)
    first, second = _across(normal)
    into_a, into_b = shares_of(kerf_mm, kerf_side, "a", "b")
    low, high = part.bounds_lps
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * (high - low) + low
    near = corners - np.asarray(plane.point)
    spans = [(near @ axis).min() * _ROOM for axis in (first, second)]
    ends = [(near @ axis).max() * _ROOM for axis in (first, second)]
    thick = (-into_b, into_a) if kerf_mm > _THIN_MM else (-_THIN_MM / 2, _THIN_MM / 2)
    ranges = ((spans[0], ends[0]), (spans[1], ends[1]), thick)
    return _block(np.asarray(plane.point), np.stack([first, second, normal]), ranges, part)


def blade_part(blade: Blade) -> Part:
    """What a blade sweeps, to be looked at."""
    return Part(Mesh(blade.points.astype(np.float32), blade.triangles))


def wedge_parts(
    part: Part, hinge: Hinge, degrees: float, kerf_mm: float, owner: str, kind: str
) -> tuple[Part, ...]:
    """The saw cut from the cortex to the hinge; for a closing wedge both of them.

    part: the bone
    hinge: where it is sawn
    degrees: the angle of the wedge
    kerf_mm, owner: thickness of the saw, and who loses it ("fixed", "moved" or "both")
    kind: "opening" or "closing"
    """
    axis = np.cross(hinge.moving, hinge.outwards)
    half = _ROOM * hinge.lever_mm
    thick = max(kerf_mm, _THIN_MM)
    into_fixed, into_moved = (0.0, thick) if kind == "closing" else shares_of(thick, owner, "fixed", "moved")
    span = ((0.0, hinge.lever_mm * _ROOM), (-half, half))
    frame = np.stack([hinge.outwards, axis, hinge.moving])
    cuts = [_block(hinge.origin, frame, (*span, (-into_fixed, into_moved)), part)]
    if kind == "closing":
        turned = frame @ hinge.turn(degrees).rotation.T
        cuts.append(_block(hinge.origin, turned, (*span, (-thick, 0.0)), part))
    return tuple(cuts)


def _across(normal: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two unit vectors across a third, right-handed with it."""
    first = np.cross(np.eye(3)[int(np.argmin(np.abs(normal)))], normal)
    first /= np.linalg.norm(first)
    return first, np.cross(normal, first)


def _block(origin: FloatArray, axes: FloatArray, ranges: tuple[tuple[float, float], ...], part: Part) -> Part:
    corners = np.array([[x, y, z] for x in ranges[0] for y in ranges[1] for z in ranges[2]])
    mesh = Mesh((corners @ axes + origin).astype(np.float32), _BOX.astype(np.int32))
    return Part(mesh, frame_uid=part.frame_uid)
