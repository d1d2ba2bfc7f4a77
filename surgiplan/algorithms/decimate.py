"""Fewer triangles, no farther from the surface than a bound that is checked."""

import fast_simplification
import numpy as np

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import Mesh, Part, given_away
from .change import farthest, require_clean, require_closed, reworked

_TRIES = 7
_AIM = (
    0.9  # share of the bound that is aimed at: between the places looked at the surfaces may be farther apart
)
_FEWEST = 64  # triangles


def decimate(part: Part, within_mm: float, report: Report = silent) -> Part:
    """Take away as many triangles as can go while both surfaces stay near each other.

    Edges are collapsed by quadric error (Garland and Heckbert 1997; fast-simplification). The distance is
    measured both ways, at all corners and at places all over both surfaces, and the search for the fewest
    triangles keeps it below nine tenths of the bound; a result that is open or runs through itself does not
    count.

    part: the shape
    within_mm: the bound, mm
    report: told the progress; may raise Cancelled
    Raises StepFailed when the shape is not closed, or no triangle can go.
    """
    require_closed(part)
    if not within_mm > 0:
        raise StepFailed("Fewer triangles need room to move: give a distance above 0 mm.")
    many = len(part.mesh.triangles)
    low, high, best = min(_FEWEST / many, 1.0), 1.0, None
    for n in range(_TRIES):
        share = float(np.sqrt(low * high))
        told = part_of(report, 0.7 * n / _TRIES, 0.7 * (n + 1) / _TRIES)
        found = _collapsed(part.mesh, max(int(share * many), 4))
        if _holds(part.mesh, found, _AIM * within_mm, told) and len(found.triangles) < many:
            high, best = share, found
        else:
            low = share
    if best is None:
        raise StepFailed(
            f"No triangle can go within {within_mm:g} mm of the surface. Give a larger distance, "
            "or repair the shape first if it runs through itself."
        )
    told_done = f"{many} triangles made {len(best.triangles)}, allowed {within_mm:g} mm"
    made = reworked(part, best, [told_done], part_of(report, 0.7, 1.0))
    assert made.change is not None
    if made.change.max_mm > within_mm:
        raise StepFailed(
            f"The surface would move by {made.change.max_mm:.3f} mm where {within_mm:g} mm are allowed. "
            "Give a larger distance."
        )
    return made


def _collapsed(mesh: Mesh, count: int) -> Mesh:
    """About so many triangles, collapsed round the middle of the shape for the sake of rounding."""
    middle = mesh.bounds.mean(axis=0)
    points, triangles = fast_simplification.simplify(
        mesh.points - middle, mesh.triangles.copy(), target_count=count, agg=5
    )
    return Mesh(
        given_away((np.asarray(points) + middle).astype(np.float32)),
        given_away(np.asarray(triangles).astype(np.int32)),
    )


def _holds(before: Mesh, after: Mesh, within_mm: float, report: Report) -> bool:
    """Whether the collapsed surface is a clean solid within the bound."""
    if not after.watertight or farthest(before, after, report=report) > within_mm:
        return False
    try:
        require_clean(after)
    except StepFailed:
        return False
    return True
