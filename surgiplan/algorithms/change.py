"""What every reworked surface must keep, and how far it lies from the one it came from."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import Change, FloatArray, Mesh, Part
from .crossing import crossings
from .distance import SignedDistance
from .filters import run_apart
from .spread import cover, percentile

_STEP_MM = 0.25  # between the places that are looked at on large triangles
_MOST = 100_000  # places on one surface


def reworked(part: Part, mesh: Mesh, done: Sequence[str] = (), report: Report = silent) -> Part:
    """Give a part a new surface, once that is known to be a clean solid, with its change.

    part: the shape before
    mesh: its new surface, in the same coordinates
    done: what was done, in words
    report: told the progress; may raise Cancelled
    Raises StepFailed when the new surface is open, faces inwards or runs through itself.
    """
    require_clean(mesh, part_of(report, 0.0, 0.4))
    change = change_of(part.mesh, mesh, done, part_of(report, 0.4, 1.0))
    return replace(part, mesh=mesh, deviation=None, change=change)


def require_closed(part: Part) -> None:
    """Make sure that a shape can be reworked; StepFailed unless it is closed and faces outwards."""
    mesh = part.mesh
    if not mesh.watertight or mesh.volume_mm3 <= 0:
        raise StepFailed(
            f"The shape is no closed body: {mesh.open_edges} open edges, {mesh.volume_mm3:.1f} mm³ enclosed. "
            "Repair it first."
        )


def require_clean(mesh: Mesh, report: Report = silent) -> None:
    """Make sure that a surface is closed, faces outwards and does not run through itself.

    mesh: the surface
    report: told the progress; may raise Cancelled
    Raises StepFailed when it does not.
    """
    text = "Checking that the surface is closed"
    if not run_apart(lambda: mesh.watertight and mesh.volume_mm3 > 0, part_of(report, 0.0, 0.1), text):
        raise StepFailed(
            f"The new surface is open: {mesh.open_edges} open edges, {mesh.volume_mm3:.1f} mm³ enclosed. "
            "Repair the shape before this step, or ask less of this one."
        )
    crossing = crossings(mesh, part_of(report, 0.1, 1.0))
    if len(crossing):
        x, y, z = mesh.points[mesh.triangles[crossing[0, 0]]].mean(axis=0)
        raise StepFailed(
            f"The new surface runs through itself in {len(crossing)} places, such as "
            f"({x:.1f}, {y:.1f}, {z:.1f}) mm. Repair the shape before this step, or ask less of this one."
        )


def change_of(before: Mesh, after: Mesh, done: Sequence[str] = (), report: Report = silent) -> Change:
    """Measure how far a surface lies from the one it came from, both ways and from surface to surface.

    before, after: in the same coordinates
    done: what was done, in words
    report: told the progress; may raise Cancelled
    """
    forth, share = _distances(after, before, part_of(report, 0.0, 0.5))
    back, back_share = _distances(before, after, part_of(report, 0.5, 1.0))
    ways = [(np.abs(forth), share), (np.abs(back), back_share)]
    closed = run_apart(lambda: before.watertight, part_of(report, 1.0, 1.0), "Comparing the volumes")
    volume = before.volume_mm3 if closed else 0.0
    return Change(
        mean_mm=round(max(float(mm[: len(of)] @ of) for mm, of in ways), 4),
        p95_mm=round(max(percentile(mm[: len(of)], of, 0.95) for mm, of in ways), 4),
        max_mm=round(max(float(mm.max()) for mm, _ in ways), 4),
        shift_mm=round(float(forth[: len(share)] @ share), 4),
        volume_percent=round(100 * (after.volume_mm3 / volume - 1), 4) if volume > 0 else None,
        done=tuple(done),
    )


def farthest(one: Mesh, other: Mesh, most: int = _MOST, report: Report = silent) -> float:
    """The largest distance between two surfaces, either way, at places all over them and at all corners.

    one, other: in the same coordinates
    most: how many places on large triangles, at most
    report: told the progress; may raise Cancelled
    """
    ways = (one, other, part_of(report, 0.0, 0.5)), (other, one, part_of(report, 0.5, 1.0))
    return max(float(np.abs(_distances(a, b, told, most)[0]).max()) for a, b, told in ways)


def places_on(mesh: Mesh, most: int = _MOST) -> tuple[FloatArray, FloatArray]:
    """Places all over a surface, then all its corners; and the share of the area that each of the former has.

    mesh: the surface
    most: how many places on large triangles, at most
    """
    places, share = cover(mesh.points.astype(np.float64)[mesh.triangles], _STEP_MM, most)
    return np.concatenate([places, mesh.points]), share


def _distances(mesh: Mesh, other: Mesh, report: Report, most: int = _MOST) -> tuple[FloatArray, FloatArray]:
    """Signed distances from places on a surface and from its corners; the share of area of each place."""
    text = "Measuring distances"
    places, share = run_apart(lambda: places_on(mesh, most), part_of(report, 0.0, 0.1), text)
    surface = run_apart(lambda: SignedDistance(other), part_of(report, 0.1, 0.2), text)
    return surface.at(places, part_of(report, 0.2, 1.0)), share
