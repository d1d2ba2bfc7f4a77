"""Bodies of rotating tools, drill, reamer and burr, and the holes they leave."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import manifold3d
import numpy as np
from numpy.typing import ArrayLike

from ...errors import StepFailed
from ...values import FloatArray, Mesh, Part
from ..solid import middle, solid_of
from .pieces import gap_between, joined, kept_pieces

FACETS = 128
_EQUAL_AREA = math.sqrt(2 * math.pi / FACETS / math.sin(2 * math.pi / FACETS))

Kind = Literal["drill", "ream", "burr"]


def bore(part: Part, tool: Any, centre: FloatArray) -> tuple[Part, Part]:
    """Take the body of a rotating tool out of a bone.

    part: the solid
    tool: a manifold3d body whose origin lies at `centre`
    centre: (3,) LPS mm
    Returns what stays and what was taken away, closed solids in patient coordinates.
    Raises StepFailed when the tool misses, when it takes the whole bone, or when volumes do not add up.
    """
    whole = solid_of(part, centre, "the body to drill")
    chips, rest = whole.split(tool)
    least = 1e-12 * whole.volume()
    if chips.volume() <= least:
        gap = gap_between(whole, tool)
        raise StepFailed(f"The tool misses the body by {gap:.3f} mm: put its points on and into the bone.")
    if rest.volume() <= least:
        raise StepFailed("The tool takes the whole body away: choose a thinner one.")
    found = kept_pieces(whole, {"the drilled body": rest, "the chips": chips}, centre, part)
    return found["the drilled body"], found["the chips"]


def tool_body(
    kind: Kind, points_lps: ArrayLike, diameter_mm: float, tip_deg: float, back_mm: float, centre: FloatArray
) -> Any:
    """The body that a rotating tool sweeps, as a manifold3d body with its origin at `centre`.

    The section of a tool is a polygon of the area of its circle; the ball of a burr has its volume.

    kind: "drill" runs from the first point to the second, where its tip is; "ream" has a round end there;
        "burr" is a ball that is led along the points
    points_lps: (n, 3) LPS mm
    diameter_mm: of the tool
    tip_deg: angle of the tip of a drill; 180 is flat
    back_mm: how far a drill or reamer stands out of the first point
    centre: (3,) LPS mm
    Raises StepFailed when points are missing or fall together.
    """
    points = np.asarray(points_lps, np.float64).reshape(-1, 3) - centre
    if kind == "burr":
        return _burr(points, diameter_mm / 2)
    if len(points) != 2:
        raise StepFailed(f"A {kind} needs two points, where it enters and where it ends, not {len(points)}.")
    start, end = points
    length = float(np.linalg.norm(end - start))
    if length < 1e-3:
        raise StepFailed(f"The two points of the {kind} are the same: put the second where it ends.")
    wide = diameter_mm / 2 * _EQUAL_AREA
    whole = length + back_mm
    profile = [(0.0, 0.0), (wide, 0.0), *_end(kind, wide, tip_deg, whole)]
    body = manifold3d.Manifold.revolve(manifold3d.CrossSection([profile]), FACETS)
    return _along(body, start - (end - start) / length * back_mm, (end - start) / length)


def swept_mesh(body: Any, centre: FloatArray) -> Mesh:
    """The body of a tool as a mesh in patient coordinates, to be looked at."""
    raw = body.to_mesh64()
    return Mesh((raw.vert_properties[:, :3] + centre).astype(np.float32), raw.tri_verts.astype(np.int32))


def bench_of(part: Part) -> FloatArray:
    """(3,) LPS mm, where the origin of the tools for a bone lies."""
    return middle(part)


def _end(kind: Kind, wide: float, tip_deg: float, length: float) -> Sequence[tuple[float, float]]:
    """The profile of the working end: radius and height, from the rim to the axis."""
    if kind == "ream":
        turns = np.linspace(0, math.pi / 2, FACETS // 4 + 1)
        low = max(length - wide, 0.0)
        return [(wide * math.cos(t), low + (length - low) * math.sin(t)) for t in turns[:-1]] + [
            (0.0, length)
        ]
    tip = wide / math.tan(math.radians(tip_deg / 2)) if tip_deg < 180 else 0.0
    if tip >= length:
        raise StepFailed(f"The tip of the drill is {tip:.1f} mm long, longer than its way: drill deeper.")
    return [(wide, length - tip), (0.0, length)]


def _burr(points: FloatArray, radius: float) -> Any:
    if not len(points):
        raise StepFailed("The burr has no way: click the points that it is led along.")
    ball = manifold3d.Manifold.sphere(radius, FACETS // 2)
    ball = ball.scale((((4 / 3) * math.pi * radius**3 / ball.volume()) ** (1 / 3),) * 3)
    balls = [ball.translate(tuple(map(float, point))) for point in points]
    if len(balls) == 1:
        return balls[0]
    return joined([manifold3d.Manifold.batch_hull([a, b]) for a, b in pairwise(balls)])


def _along(body: Any, start: FloatArray, axis: FloatArray) -> Any:
    """A body along z, from the origin on, laid along an axis from a point on."""
    first = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    first /= np.linalg.norm(first)
    matrix = np.column_stack([first, np.cross(axis, first), axis, start])
    return body.transform(matrix)
