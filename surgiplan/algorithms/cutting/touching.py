"""What a saw or drill touches on its way besides what it should cut."""

from typing import Any

import numpy as np

from ...errors import StepFailed
from ...progress import Report, silent
from ...values import Collision, FloatArray, Mesh, Part
from ..clearance import collide
from ..solid import boolean
from ..space import require_one_frame
from .bore import tool_body
from .path import blade_body
from .pieces import joined
from .ribbon import ribbon

TOUCH_MM = 0.02  # what is touched less deep than this is the wall of the tool's own cut
_HANDLE_MM = 60.0
_OVERLAP_MM = 0.01
_SWELL_MM = 0.005  # well above a float32 step, well below a touch


def swept_saw(
    path: FloatArray,
    into: FloatArray,
    thick_mm: float,
    depth_mm: float,
    spread_mm: float,
    stroke_mm: float,
    length_mm: float,
    handle_mm: float,
    centre: FloatArray,
) -> Any:
    """The body that a saw blade and its handle sweep, as a manifold3d body with its origin at `centre`.

    path: (n, 3) LPS mm, where the saw is led along the bone
    into: (3,) unit vector along the blade, into the bone
    thick_mm: of the blade
    depth_mm: how deep it goes below the path
    spread_mm: how far the blade reaches beyond both ends of the path: half its width and half its swing
    stroke_mm: how far it reaches beyond its depth
    length_mm: from the teeth to the handle
    handle_mm: thickness of the handle
    centre: (3,) LPS mm
    """
    blade = _led(path, into, thick_mm, spread_mm, (length_mm - depth_mm, depth_mm + stroke_mm), centre)
    high = length_mm - depth_mm - stroke_mm  # how far above the path the handle ends at its lowest
    handle = _led(path, into, handle_mm, spread_mm, (high + _HANDLE_MM, _OVERLAP_MM - high), centre)
    return joined([blade, handle])


def swept_drill(
    points: FloatArray,
    diameter_mm: float,
    tip_deg: float,
    length_mm: float,
    chuck_mm: float,
    centre: FloatArray,
) -> Any:
    """The body that a drill and its chuck sweep, as a manifold3d body with its origin at `centre`.

    points: (2, 3) LPS mm, where it enters and where its tip ends
    diameter_mm, tip_deg: of the drill
    length_mm: from the tip to the chuck
    chuck_mm: diameter of the chuck or of a thicker shank
    centre: (3,) LPS mm
    """
    way = points[1] - points[0]
    axis = way / max(float(np.linalg.norm(way)), 1e-9)
    chuck = points[1] - axis * length_mm
    drill = tool_body("drill", [chuck, points[1]], diameter_mm, tip_deg, 0.0, centre)
    end = chuck + axis * _OVERLAP_MM
    return joined([drill, tool_body("drill", [chuck - axis * _HANDLE_MM, end], chuck_mm, 180.0, 0.0, centre)])


def touched(tool: Part, body: Part, spared: Part | None, report: Report = silent) -> Collision:
    """How deep a swept tool goes into a body beyond what it should cut, or how far it stays away.

    tool: the swept body
    body: bone, soft tissue or an implant, a solid
    spared: what the tool should cut, such as the kerf; None when it should not touch the body at all
    report: told the progress; may raise Cancelled
    Returns the depth below the surface of what is left of the body; less than 0.02 mm is no touch.
    Raises StepFailed when one is not a solid, Mismatch for two patient spaces.
    """
    require_one_frame(tool, body)
    left = body if spared is None or not len(spared.mesh.triangles) else _without(body, spared)
    found = collide(tool, left, report=report)
    if found.depth_mm < TOUCH_MM and not found.contained:
        return Collision(0.0, found.clearance_mm, False, found.at_lps, max(found.error_mm, TOUCH_MM))
    return found


def _without(body: Part, spared: Part) -> Part:
    """A body without what a tool should cut, and without the films that rounding would leave on its faces."""
    try:
        return boolean(body, _swollen(spared), "difference")
    except StepFailed as problem:
        raise StepFailed(f"What should be cut cannot be taken off the body: {problem}") from problem


def _swollen(part: Part) -> Part:
    """The part with every point moved a little outwards."""
    triangles, points = part.mesh.triangles, part.points_lps
    corners = points[triangles]
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas /= np.maximum(np.linalg.norm(areas, axis=1, keepdims=True), 1e-12)
    outwards = np.zeros_like(points)
    for corner in range(3):
        np.add.at(outwards, triangles[:, corner], areas)
    outwards /= np.maximum(np.linalg.norm(outwards, axis=1, keepdims=True), 1e-12)
    return Part(Mesh((points + _SWELL_MM * outwards).astype(np.float32), triangles), frame_uid=part.frame_uid)


def _led(
    path: FloatArray,
    into: FloatArray,
    thick_mm: float,
    spread_mm: float,
    reach: tuple[float, float],
    centre: FloatArray,
) -> Any:
    """A blade that reaches beyond both ends of its path, as a manifold3d body."""
    longer = path.copy()
    for end, inner in ((0, 1), (-1, -2)):
        way = path[end] - path[inner]
        way = way - (way @ into) * into
        longer[end] = path[end] + spread_mm * way / max(float(np.linalg.norm(way)), 1e-9)
    halves = (thick_mm / 2, thick_mm / 2)
    blade = ribbon(longer, np.broadcast_to(into, longer.shape), halves, reach)
    return blade_body(blade, centre)[0]
