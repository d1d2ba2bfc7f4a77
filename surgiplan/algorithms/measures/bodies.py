"""Volume, area, sections and contact of bodies."""

import numpy as np

from ...errors import StepFailed
from ...progress import Report, silent
from ...values import FloatArray, Measurement, Mesh, Part, Plane
from ..gap import gap_map
from ..spread import areas

_FLAT_MM = 1e-9  # a point of the body this near to a plane counts as in front of it


def volume(part: Part) -> Measurement:
    """Measure the volume a part encloses.

    part: a watertight part; where it was made from a scan the expected error is that of a surface which lies
        off all round by its mean distance from the grey edge
    Raises StepFailed when the surface is not closed or inside out, since it then encloses no volume.
    """
    require_volume(part.mesh)
    definition = "volume enclosed by the triangles (divergence theorem); holes inside are taken off"
    off = _off(part)
    error = None if off is None else off * part.mesh.area_mm2
    return Measurement(part.mesh.volume_mm3, "mm3", definition, (), part.frame_uid, error, id="volume")


def require_volume(mesh: Mesh) -> None:
    """Make sure that a surface encloses a volume; StepFailed, telling why not and what to do, else."""
    if not mesh.watertight:
        raise StepFailed(
            f"There is no volume to measure: the surface has {mesh.open_edges} open or badly joined "
            "edges. Close it first: make the surface again, or use a mesh without holes."
        )
    if mesh.volume_mm3 <= 0:
        raise StepFailed(
            f"There is no volume to measure: the surface is inside out ({mesh.volume_mm3:.3f} mm³). "
            "Use a mesh that faces outwards."
        )


def area(part: Part) -> Measurement:
    """Measure the area of the surface of a part.

    part: any part; the surfaces of holes inside count too
    """
    definition = "sum of the areas of all triangles, inner surfaces included"
    return Measurement(part.mesh.area_mm2, "mm2", definition, frame_uid=part.frame_uid, id="area")


def _off(part: Part) -> float | None:
    """How far the surface lies from the grey edge on average, mm; None when it was not made from a scan."""
    return None if part.deviation is None else part.deviation.edge_mean_mm


def section(part: Part, plane: Plane) -> tuple[float, float, FloatArray]:
    """Cut a body with a plane, without changing it.

    part: a closed part
    plane: LPS mm
    Returns the area of the cut in mm² (holes are taken off), the length of its outline in mm, and (n, 2, 3)
    the pieces of that outline, LPS mm.
    Raises StepFailed when the surface is not closed, or the plane misses it (with the distance).
    """
    require_volume(part.mesh)
    corners = part.points_lps[part.mesh.triangles]
    height = plane.distance(part.points_lps)
    if height.min() > 0 or height.max() < 0:
        raise StepFailed(
            f"The plane misses the body by {np.abs(height).min():.2f} mm: move it, or choose another body."
        )
    pieces = _crossed(corners, height[part.mesh.triangles], plane)
    arms = pieces - np.asarray(plane.point)
    twice = np.einsum("ni,i->n", np.cross(arms[:, 0], arms[:, 1]), np.asarray(plane.normal)).sum()
    length = np.linalg.norm(pieces[:, 1] - pieces[:, 0], axis=1).sum()
    return abs(float(twice)) / 2, float(length), pieces


def _crossed(corners: FloatArray, height: FloatArray, plane: Plane) -> FloatArray:
    """(n, 2, 3) where triangles pass through a plane, each piece with the body on its left."""
    front = height > -_FLAT_MM
    crossed = (front.sum(axis=1) % 3) != 0
    corners, height, front = corners[crossed], height[crossed], front[crossed]
    lonely = np.where(front.sum(axis=1) == 1, front.argmax(axis=1), (~front).argmax(axis=1))
    rows = np.arange(len(corners))
    ends = []
    for step in (1, 2):
        other = (lonely + step) % 3
        top, low = height[rows, lonely], height[rows, other]
        share = top / np.where(top == low, 1, top - low)
        ends.append(corners[rows, lonely] + share[:, None] * (corners[rows, other] - corners[rows, lonely]))
    pieces = np.stack(ends, axis=1)
    outwards = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    along = np.cross(np.asarray(plane.normal), outwards)
    against = np.einsum("ni,ni->n", pieces[:, 1] - pieces[:, 0], along) < 0
    pieces[against] = pieces[against][:, ::-1]
    return pieces


def section_area(part: Part, plane: Plane) -> Measurement:
    """Measure the area in which a plane cuts a body.

    part: a closed part
    plane: LPS mm
    """
    found, length, pieces = section(part, plane)
    off = _off(part)
    return _of_section(
        found,
        "mm2",
        "section-area",
        "area in which the plane cuts the body, all pieces together, holes taken off",
        part,
        pieces,
        None if off is None else off * length,
    )


def section_perimeter(part: Part, plane: Plane) -> Measurement:
    """Measure the outline in which a plane cuts a body.

    part: a closed part
    plane: LPS mm
    """
    _, length, pieces = section(part, plane)
    words = "length of the outline in which the plane cuts the body, all pieces and holes together"
    return _of_section(length, "mm", "section-perimeter", words, part, pieces, None)


def _of_section(
    value: float,
    unit: str,
    name: str,
    words: str,
    part: Part,
    pieces: FloatArray,
    error: float | None,
) -> Measurement:
    lines = tuple(tuple((float(x), float(y), float(z)) for x, y, z in piece) for piece in pieces)
    return Measurement(value, unit, words, (), part.frame_uid, error, id=name, lines_lps=lines)


def volume_behind(part: Part, plane: Plane) -> float:
    """Volume in mm³ of what of a closed body lies on the side of a plane away from its normal.

    part: a closed part
    plane: LPS mm
    Exact: each triangle, cut off at the plane, and a point of the plane span a pyramid; the cut itself spans
    none.
    """
    corners = part.points_lps[part.mesh.triangles] - np.asarray(plane.point)
    height = corners @ np.asarray(plane.normal)
    return float((np.linalg.det(corners) * _share_behind(height)).sum()) / 6


def contact_area(part: Part, other: Part, gap_mm: float, report: Report = silent) -> Measurement:
    """Measure the area of a body that lies within a gap of another.

    part: the body whose area is counted
    other: the body it touches
    gap_mm: up to this distance counts as contact; digging in does too
    report: told the progress; may raise Cancelled
    Raises Mismatch for two patient spaces.
    """
    beyond = gap_map(part, other, gap_mm, report=report).gap_mm.astype(np.float64) - gap_mm
    corners = part.mesh.points.astype(np.float64)[part.mesh.triangles]
    value = float((areas(corners) * _share_behind(beyond[part.mesh.triangles])).sum())
    words = f"area of the first body within {gap_mm:g} mm of the second, or inside it"
    return Measurement(value, "mm2", words, (), part.frame_uid or other.frame_uid, id="contact-area")


def _share_behind(height: FloatArray) -> FloatArray:
    """(m,) the share of each triangle on which a number, linear between its corners (m, 3), is 0 or less."""
    behind = height <= 0
    count = behind.sum(axis=1)
    odd = np.where(count == 1, behind.argmax(axis=1), (~behind).argmax(axis=1))
    rows = np.arange(len(height))
    tip = np.ones(len(height))
    for step in (1, 2):
        top, low = height[rows, odd], height[rows, (odd + step) % 3]
        tip *= top / np.where(top == low, 1.0, top - low)
    share: FloatArray = np.select([count == 0, count == 1, count == 2], [0.0, tip, 1 - tip], 1.0)
    return share
