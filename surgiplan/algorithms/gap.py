"""How well two surfaces fit: a map of the gap between them, and its figures."""

import math

import numpy as np

from ..errors import StepFailed
from ..progress import Report, silent
from ..values import BoolArray, GapMap, Part, given_away
from .distance import SignedDistance
from .space import require_one_frame
from .spread import area_of_points, percentile


def gap_map(
    body: Part,
    against: Part,
    contact_mm: float,
    region: BoolArray | None = None,
    report: Report = silent,
    *,
    within_mm: float = 0.0,
) -> GapMap:
    """Measure the gap between a body and another, such as a limb and its socket, over the whole surface.

    The gap of a point is its signed distance to the other surface: positive outside of it, negative where
    the point digs into it. The other body need not be closed; near its surface the side counts to which
    its triangles face. A point that comes out on the far side of a thin wall counts as outside again.
    Each point stands for a third of the area of the triangles round it.

    body: the part that carries the map
    against: the part it is compared with, in the same patient space
    contact_mm: a gap up to this counts as contact, and so does digging in
    region: (n,) bool, the points of the body that count in the figures; None for all
    report: told the progress; may raise Cancelled
    within_mm: points farther than this from the other surface are left out of the figures, such as the
        limb above the trim line of a socket; they stay in the map. 0 for no limit
    Raises StepFailed when no point is left to count, Mismatch for two patient spaces.
    """
    require_one_frame(body, against)
    if not (math.isfinite(contact_mm) and contact_mm >= 0 and math.isfinite(within_mm) and within_mm >= 0):
        raise StepFailed(
            f"The contact ({contact_mm:g} mm) and the limit ({within_mm:g} mm) of a fit must be 0 mm or more."
        )
    if not len(body.mesh.triangles):
        raise StepFailed("The body that shall carry the map is empty: choose another one.")
    to_other = against.pose.inverse.after(body.pose)
    gap = SignedDistance(against.mesh).at(to_other.apply(body.mesh.points), report)
    area = area_of_points(body.mesh)
    counted = area > 0
    if region is not None:
        counted &= np.asarray(region, np.bool_)
    if within_mm:
        counted &= np.abs(gap) <= within_mm
    if not counted.any():
        nearest = float(np.abs(gap).min())
        raise StepFailed(
            f"No point of the body is left to compare: the nearest lies {nearest:.3f} mm from the other "
            "surface. Raise the limit, choose a larger region, or bring the bodies together."
        )
    gap_counted, area_counted = gap[counted], area[counted]
    whole = area_counted.sum()
    return GapMap(
        part=body,
        gap_mm=given_away(gap.astype(np.float32)),
        contact_mm=contact_mm,
        mean_mm=float(gap_counted @ area_counted / whole),
        p95_mm=percentile(np.abs(gap_counted), area_counted / whole, 0.95),
        max_mm=float(np.abs(gap_counted).max()),
        contact_share=float(area_counted[gap_counted <= contact_mm].sum() / whole),
    )
