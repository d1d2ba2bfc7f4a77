"""Hip templating: cup, stem and head, and what they do to the leg."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...errors import StepFailed
from ...values import FloatArray, Pose, Vec3, vec3
from .axes import Side, across, direction, place, unit
from .chances import between
from .shaft import Shaft

_RIGHT = np.array([-1.0, 0.0, 0.0])
_FRONT = np.array([0.0, -1.0, 0.0])
_EASY_MM = 0.05  # a cup that is smaller than the socket by no more than this fits
_FIT_MM = 3.0  # a socket that is less round than this is not fitted


@dataclass(frozen=True)
class Pelvis:
    """The pelvic frame of the operated side: unit vectors in LPS.

    outwards: to the operated side
    ahead: to anterior, at right angles to the anterior pelvic plane
    upwards: to cranial
    """

    outwards: FloatArray
    ahead: FloatArray
    upwards: FloatArray

    @classmethod
    def of(
        cls,
        right_asis: ArrayLike,
        left_asis: ArrayLike,
        right_tubercle: ArrayLike,
        left_tubercle: ArrayLike,
        side: Side,
    ) -> "Pelvis":
        """From the anterior pelvic plane: both anterior superior iliac spines and pubic tubercles, LPS mm.

        side: of the patient, the operated one
        Raises StepFailed when right and left are changed, or the points lie on one line.
        """
        right, left = place(right_asis, "right ASIS"), place(left_asis, "left ASIS")
        pubis = (
            place(right_tubercle, "right pubic tubercle") + place(left_tubercle, "left pubic tubercle")
        ) / 2
        to_right = direction(left, right, "line between both ASIS")
        if to_right @ _RIGHT < 0:
            raise StepFailed(
                "The right ASIS lies to the left of the left one: change the two landmarks over."
            )
        upwards = unit(across((right + left) / 2 - pubis, to_right), "anterior pelvic plane")
        ahead = unit(np.cross(to_right, upwards), "anterior pelvic plane")
        ahead = ahead if ahead @ _FRONT > 0 else -ahead
        return cls(to_right if side == "R" else -to_right, ahead, upwards)

    def cup_axis(self, inclination_deg: float, anteversion_deg: float) -> FloatArray:
        """(3,) unit axis out of a cup, LPS, of radiographic angles.

        Murray, J. Bone Joint Surg. 75-B:228, 1993.
        """
        tilt, turn = math.radians(inclination_deg), math.radians(anteversion_deg)
        axis: FloatArray = (
            math.cos(turn) * math.sin(tilt) * self.outwards
            + math.sin(turn) * self.ahead
            - math.cos(turn) * math.cos(tilt) * self.upwards
        )
        return axis

    def radiographic(self, axis: ArrayLike) -> tuple[float, float]:
        """Radiographic inclination and anteversion of a cup axis, degrees."""
        n = np.asarray(axis)
        x, y, z = float(n @ self.outwards), float(n @ self.ahead), float(n @ self.upwards)
        return math.degrees(math.atan2(x, -z)), math.degrees(math.asin(min(max(y, -1.0), 1.0)))


@dataclass(frozen=True)
class Socket:
    """The socket of a hip as a sphere.

    centre: LPS mm
    diameter_mm: of the sphere
    residual_mm: root mean square distance of the points from it
    """

    centre: Vec3
    diameter_mm: float
    residual_mm: float


@dataclass(frozen=True)
class Stem:
    """A straight stem of the catalogue with a round section.

    In its own coordinates the neck axis meets the stem axis in the origin, z runs to the tip, x to the head.

    item: its name in the catalogue
    top_mm, tip_mm: diameters at the height of the origin and at the tip
    length_mm: from the origin to the tip
    neck_degrees: angle between the neck and the stem below it
    neck_mm: from the origin to the centre of a head of length 0
    """

    item: str
    top_mm: float
    tip_mm: float
    length_mm: float
    neck_degrees: float
    neck_mm: float

    def radius(self, depth_mm: ArrayLike) -> FloatArray:
        """(...) mm at depths below the origin."""
        share = np.asarray(depth_mm, np.float64) / self.length_mm
        found: FloatArray = (self.top_mm + share * (self.tip_mm - self.top_mm)) / 2
        return found

    def head(self, head_mm: float) -> FloatArray:
        """(3,) centre of the head in the stem's own coordinates.

        head_mm: length of the head: how much further out (or in) it sits on the neck
        """
        lean, reach = math.radians(self.neck_degrees), self.neck_mm + head_mm
        return np.array([math.sin(lean) * reach, 0.0, math.cos(lean) * reach])


@dataclass(frozen=True)
class FittedStem:
    """A stem in a femur.

    stem: which
    pose: from its own coordinates to the patient
    head: centre of its head before the joint is put together, LPS mm
    room_mm: between stem and canal at the tightest place; negative for one that is too thick
    at_mm: how far below the stem's origin that is
    """

    stem: Stem
    pose: Pose
    head: Vec3
    room_mm: float
    at_mm: float


@dataclass(frozen=True)
class Leg:
    """What the joint that is put together does to the leg.

    pose: how the femur moves: its new head comes into the new cup
    lengthening_mm: of the leg; shorter is negative
    femoral_offset_mm: change of the distance of the head's centre from the shaft
    hip_offset_mm: how far the femur moves to lateral
    """

    pose: Pose
    lengthening_mm: float
    femoral_offset_mm: float
    hip_offset_mm: float


def fitted_socket(points: Sequence[ArrayLike]) -> Socket:
    """Fit a sphere to places on the wall of a socket, by least squares of the distances.

    points: at least four, LPS mm, not in one plane
    Raises StepFailed when they are too few, lie in a plane, or are not round.
    """
    given = np.array([place(point, f"socket {n + 1}") for n, point in enumerate(points)])
    if len(given) < 4:
        raise StepFailed(f"The socket has {len(given)} points: place at least four on its wall, well apart.")
    middle = given.mean(axis=0)
    away = given - middle
    if np.linalg.svd(away, compute_uv=False)[2] < 0.5:
        raise StepFailed("The points of the socket lie in one plane: place some of them deeper in it.")
    solved, *_ = np.linalg.lstsq(
        np.column_stack([2 * away, np.ones(len(away))]), (away**2).sum(axis=1), rcond=None
    )
    centre, radius = solved[:3], math.sqrt(max(float(solved[3] + solved[:3] @ solved[:3]), 0.0))
    for _ in range(50):
        rays = away - centre
        lengths = np.maximum(np.linalg.norm(rays, axis=1), 1e-9)
        step, *_ = np.linalg.lstsq(
            np.column_stack([rays / lengths[:, None], np.ones(len(rays))]), lengths - radius, rcond=None
        )
        centre, radius = centre + step[:3], radius + float(step[3])
        if np.abs(step).max() < 1e-10:
            break
    residual = float(np.sqrt(np.mean((np.linalg.norm(away - centre, axis=1) - radius) ** 2)))
    if residual > _FIT_MM or not 15 < radius < 45:
        raise StepFailed(
            f"The points do not lie on the sphere of a socket (diameter {2 * radius:.1f} mm, "
            f"off by {residual:.1f} mm): place them again, on its smooth wall."
        )
    return Socket(vec3(middle + centre), 2 * radius, residual)


def cup_size(diameter_mm: float, sizes: Mapping[str, float]) -> str:
    """The cup to ream for: the smallest that is not smaller than the socket.

    diameter_mm: of the socket
    sizes: outer diameters, mm, by name
    Raises StepFailed when there is none.
    """
    fitting = {name: size for name, size in sizes.items() if size >= diameter_mm - _EASY_MM}
    if not fitting:
        raise StepFailed(
            f"The socket measures {diameter_mm:.1f} mm, the largest cup "
            f"{max(sizes.values(), default=0):g} mm: no cup of the catalogue fits."
        )
    return min(fitting, key=lambda name: fitting[name])


def cup_chances(diameter_mm: float, error_mm: float, sizes: Mapping[str, float]) -> dict[str, float]:
    """How likely each cup is the one to ream for, when the socket was measured with an error.

    diameter_mm, error_mm: of the socket, and its standard deviation
    sizes: outer diameters, mm, by name
    Gives the share of each cup; "none" for a socket larger than all.
    """
    rising = sorted(sizes, key=lambda name: sizes[name])
    limits = [sizes[name] + _EASY_MM for name in rising]
    return dict(zip([*rising, "none"], between(diameter_mm, error_mm, limits), strict=True))


def cup_pose(centre: ArrayLike, axis: FloatArray) -> Pose:
    """From a cup's own coordinates (centre in the origin, z out of it) to the patient.

    centre: (3,) LPS mm
    axis: (3,) unit axis out of the cup, LPS
    """
    up = unit(across(np.array([0.0, 0.0, 1.0]), axis), "axis of the cup")
    return _posed(np.stack([np.cross(up, axis), up, axis], axis=1), np.asarray(centre))


def fitted_stem(tried: Sequence[FittedStem], room_mm: float = 0.0) -> FittedStem:
    """The largest stem that the canal takes, at the depth that gives the wanted length of the leg.

    tried: from `tried_stems`
    room_mm: between stem and canal, at least
    Raises StepFailed when none fits.
    """
    fitting = [one for one in tried if one.room_mm >= room_mm - 1e-6]
    if not fitting:
        most = max((one.room_mm for one in tried), default=0.0)
        least = f"the smallest is {room_mm - most:.1f} mm too thick" if tried else "none reaches into it"
        raise StepFailed(f"No stem of the catalogue fits the canal: {least}. Check the canal and its ends.")
    return fitting[-1]


def tried_stems(
    stems: Sequence[Stem],
    canal: Shaft,
    head: ArrayLike,
    cup: ArrayLike,
    pelvis: Pelvis,
    *,
    longer_mm: float = 0.0,
    head_mm: float = 0.0,
    ends_mm: tuple[float, float] | None = None,
) -> list[FittedStem]:
    """Each stem at its depth in the canal, from the thinnest to the thickest, whether there is room or not.

    The stem lies along the canal and its neck points to where the head was. Its depth follows from the
    length: its head must lie so high that, in the cup, the leg is as much longer as is wanted.

    stems: of the catalogue
    canal: outlines of the marrow canal, from its proximal to its distal end
    head: (3,) LPS mm, centre of the head as it is
    cup: (3,) LPS mm, centre of the cup
    pelvis: its frame
    longer_mm: how much longer the leg shall become
    head_mm: length of the head
    ends_mm: between which places along the outlines there is canal to look at; None for all of them
    Those that do not reach into the canal are left out.
    Raises StepFailed when the canal lies across the body.
    """
    origin, axis, inscribed = _straight(canal)
    native = place(head, "centre of the head")
    medial = unit(across(native - origin, axis), "way from the canal to the head")
    turn = np.stack([medial, np.cross(axis, medial), axis], axis=1)
    upward = float(axis @ pelvis.upwards)
    if abs(upward) < 0.5:
        raise StepFailed(
            "The canal does not run along the body: check its ends, and the landmarks of the pelvis."
        )
    tried = []
    for stem in sorted(stems, key=lambda one: one.top_mm + one.tip_mm):
        reach = turn @ stem.head(head_mm)
        wanted = float((place(cup, "cup") - origin - reach) @ pelvis.upwards) + longer_mm
        depth = wanted / upward
        ends = np.clip((depth, depth + stem.length_mm), *(ends_mm or (0.0, canal.length_mm)))
        if ends[0] >= ends[1]:
            continue
        inside = canal.stations_mm[(canal.stations_mm > ends[0]) & (canal.stations_mm < ends[1])]
        heights = np.array([ends[0], *inside, ends[1]])
        levels = heights - depth
        room = np.interp(heights, canal.stations_mm, inscribed) - stem.radius(levels)
        at, pose = int(np.argmin(room)), _posed(turn, origin + depth * axis)
        new_head = vec3(pose.apply(stem.head(head_mm)))
        tried.append(FittedStem(stem, pose, new_head, float(room[at]), float(levels[at])))
    return tried


def leg_after(head: ArrayLike, new_head: ArrayLike, cup: ArrayLike, shaft: FloatArray, pelvis: Pelvis) -> Leg:
    """What becomes of the leg when the new head is put into the new cup; the femur is not turned.

    head: (3,) LPS mm, centre of the head as it was
    new_head: (3,) LPS mm, centre of the new one on the femur as it was
    cup: (3,) LPS mm, centre of the cup
    shaft: (2, 3) LPS mm, two points of the axis of the femur
    pelvis: its frame
    """
    moved = place(cup, "cup") - place(new_head, "new head")
    axis = direction(shaft[0], shaft[1], "axis of the femur")
    offsets = [float(np.linalg.norm(across(place(one, "head") - shaft[0], axis))) for one in (head, new_head)]
    return Leg(
        pose=Pose.of_shift(moved),
        lengthening_mm=float(-moved @ pelvis.upwards),
        femoral_offset_mm=offsets[1] - offsets[0],
        hip_offset_mm=float(moved @ pelvis.outwards),
    )


def _straight(canal: Shaft) -> tuple[FloatArray, FloatArray, FloatArray]:
    """A straight axis through a canal, and the largest radius that fits round it at each outline.

    Gives the point of the axis at the first outline, its unit direction to distal, and (n,) mm.
    """
    middle = canal.centres
    slope = [np.polyfit(canal.stations_mm, middle[:, n], 1) for n in (0, 1)]
    along = unit(canal.axis + slope[0][0] * canal.first + slope[1][0] * canal.second, "axis of the canal")
    origin = canal.origin + slope[0][1] * canal.first + slope[1][1] * canal.second
    line = np.stack([np.polyval(one, canal.stations_mm) for one in slope], axis=1)
    ways = np.stack([np.cos(canal.angles), np.sin(canal.angles)], axis=1)
    wall = middle[:, None] + canal.radii[..., None] * ways - line[:, None]
    after = np.roll(wall, -1, axis=1) - wall
    share = np.clip(-(wall * after).sum(axis=2) / np.maximum((after * after).sum(axis=2), 1e-18), 0, 1)
    inscribed = np.linalg.norm(wall + share[..., None] * after, axis=2).min(axis=1)
    return origin, along, inscribed


def _posed(turn: FloatArray, at: FloatArray) -> Pose:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, at
    return Pose.of(matrix)
