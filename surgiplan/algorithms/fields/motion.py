"""How far a joint turns until bone meets bone."""

import math

import numpy as np

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import FloatArray, Part, Plane, RangeOfMotion, given_away
from ..solid import require_solid
from ..space import require_one_frame
from .cloud import Cloud
from .contact import Body, contact
from .field import FIELDS, DistanceField
from .sweep import Motions, first_touches

_STEP_MM = 0.5  # between the places that are followed: what lies between two of them adds some 0.03 degrees


def range_of_motion(
    moving: Part, fixed: Part, joint: Plane, directions: int, limit_deg: float, report: Report = silent
) -> RangeOfMotion:
    """Tilt a body about the centre of a joint towards many sides until it touches.

    moving: the body that turns, such as a stem with its head
    fixed: the body that stays, such as a cup or a pelvis
    joint: the centre of the joint, and the axis that is tilted, such as the one of the neck
    directions: towards how many sides, evenly spread
    limit_deg: no farther than this
    report: told the progress; may raise Cancelled
    Raises StepFailed when the bodies touch already, or one is not a solid; Mismatch for two patient spaces.
    """
    require_one_frame(moving, fixed)
    require_solid(moving.mesh, "the moving body")
    require_solid(fixed.mesh, "the fixed body")
    one, other = _body(moving, part_of(report, 0.0, 0.2)), _body(fixed, part_of(report, 0.2, 0.4))
    now = contact(one, other, moving.pose, fixed.pose)
    if now.depth_mm > 0 or now.contained or now.clearance_mm <= 0:
        raise StepFailed(
            f"The two bodies overlap by {now.depth_mm:.2f} mm before anything turns: move them apart, or "
            "take as moving body one without the ball that sits in the joint."
        )
    towards = sides(joint, directions)
    axes = np.cross(joint.normal, towards)
    angles = np.full(directions, math.radians(limit_deg))
    motions = Motions(np.asarray(joint.point), axes, angles, np.zeros((directions, 3)))
    found = first_touches(one, other, moving.pose, fixed.pose, motions, part_of(report, 0.4, 1.0))
    return RangeOfMotion(
        joint=joint,
        towards=given_away(towards.astype(np.float32)),
        angle_deg=given_away((np.minimum(found.share, 1.0) * limit_deg).astype(np.float32)),
        touch_lps=given_away(found.places.astype(np.float32)),
        limit_deg=limit_deg,
        frame_uid=moving.frame_uid or fixed.frame_uid,
    )


def sides(joint: Plane, directions: int) -> FloatArray:
    """The sides an axis can be tilted to: (n, 3) unit vectors across it.

    The first points as far to anterior as can be (to superior where the axis itself is anterior), the others
    follow by a right-hand turn about the axis.

    joint: its normal is the axis
    directions: how many
    """
    axis = np.asarray(joint.normal)
    ahead = np.array([0.0, -1.0, 0.0])
    if abs(axis @ ahead) > 0.999:
        ahead = np.array([0.0, 0.0, 1.0])
    first = ahead - (ahead @ axis) * axis
    first /= np.linalg.norm(first)
    turn = 2 * np.pi * np.arange(directions) / directions
    found: FloatArray = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * np.cross(axis, first)
    return found


def _body(part: Part, report: Report) -> Body:
    field: DistanceField = FIELDS.of(part.mesh, report)
    return Body(field, Cloud(part.mesh, _STEP_MM))
