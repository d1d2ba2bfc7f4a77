"""Wedge osteotomies: a bone opened or closed about a hinge, the bone beyond the hinge kept."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import StepFailed
from ...values import FloatArray, Measurement, Part, Plane, Pose, Vec3, vec3
from ..solid import middle, solid_of
from .pieces import joined, kept_pieces, reach_of, region, require_thick, shares_of

_WIDEST = 60.0  # degrees


@dataclass(frozen=True)
class Hinge:
    """Where a bone is sawn towards a hinge, and which way its moving piece turns.

    origin: (3,) LPS mm, the foot of the cortex point on the hinge axis
    outwards: unit vector from the hinge to the cortex point
    moving: unit vector across the cut, towards the piece that moves
    lever_mm: distance of the cortex point from the hinge axis
    """

    origin: FloatArray
    outwards: FloatArray
    moving: FloatArray
    lever_mm: float

    @classmethod
    def of(cls, hinge_lps: tuple[Vec3, Vec3], cortex_lps: Vec3, moving_lps: Vec3) -> "Hinge":
        """The hinge through two points, the cut from a point on the far cortex, and a point in what moves.

        Raises StepFailed when they fix no plane or no side.
        """
        first, second, cortex, seed = (
            np.asarray(p, np.float64) for p in (*hinge_lps, cortex_lps, moving_lps)
        )
        length = float(np.linalg.norm(second - first))
        if length < 1.0:
            raise StepFailed(
                f"The two points of the hinge are {length:.2f} mm apart: 1 mm or more fixes its axis."
            )
        axis = (second - first) / length
        foot = first + ((cortex - first) @ axis) * axis
        lever = float(np.linalg.norm(cortex - foot))
        if lever < 1.0:
            raise StepFailed(
                f"The saw starts {lever:.2f} mm from the hinge axis: put the cortex point on the opposite "
                "cortex."
            )
        outwards = (cortex - foot) / lever
        across = np.cross(axis, outwards)
        side = float((seed - foot) @ across)
        if abs(side) < 1e-3:
            raise StepFailed("The point in the moving piece lies in the cut: put it well above or below.")
        return cls(foot, outwards, across * math.copysign(1, side), lever)

    @property
    def plane(self) -> Plane:
        """The cut; its normal points to the piece that moves."""
        return Plane(vec3(self.origin), vec3(self.moving))

    def turn(self, degrees: float) -> Pose:
        """The turn of the moving piece; above 0 it opens at the cortex."""
        return Pose.of_rotation(np.cross(self.outwards, self.moving), degrees, self.origin)

    def degrees_for(self, gap_mm: float) -> float:
        """The turn that moves the cortex point by this chord: gap = 2 L sin(angle / 2)."""
        if not 0 < gap_mm < 2 * self.lever_mm * math.sin(math.radians(_WIDEST / 2)):
            raise StepFailed(
                f"A gap of {gap_mm:g} mm cannot be made with a lever of {self.lever_mm:.1f} mm: "
                "give a smaller one."
            )
        return math.degrees(2 * math.asin(gap_mm / (2 * self.lever_mm)))


@dataclass(frozen=True)
class Osteotomy:
    """A bone realigned about a hinge.

    fixed: the piece that stays where it was
    moved: the other piece; its pose is the turn
    taken: closing: the wedge that is taken out, without the kerf; opening: what is crushed beyond the hinge
    kerf: the bone the saw turns to dust
    angle: the turn
    gap: the chord by which the bone opens or closes at the cortex point
    hinge: the bone that is left beyond the hinge axis
    """

    fixed: Part
    moved: Part
    taken: Part
    kerf: Part
    angle: Measurement
    gap: Measurement
    hinge: Measurement


def opening(part: Part, hinge: Hinge, degrees: float, kerf_mm: float, owner: str) -> Osteotomy:
    """Saw a bone from the cortex to the hinge and open it.

    Beyond the hinge axis the two pieces would overlap by a wedge of the same angle; that bone is crushed in
    the hinge and is given apart, so that fixed + moved + kerf + crushed = whole.

    part: the solid
    hinge: where it is sawn
    degrees: the turn of the moving piece, above 0
    kerf_mm: thickness of the saw
    owner: who loses it: "fixed", "moved", or half from each with "both"
    Raises StepFailed when the saw misses, when a piece is empty, or when volumes do not add up.
    """
    into_fixed, into_moved = shares_of(kerf_mm, owner, "fixed", "moved")
    turn = hinge.turn(degrees)
    bench = _Bench.of(part, hinge, degrees, kerf_mm)
    above, fixed = bench.split(bench.whole, hinge.moving)
    kerfs = []  # the saw stops at the hinge; no side of a region lies in a face that is sawn already
    if into_moved:
        dust, above = above.split(bench.region((hinge.outwards, 0.0), (-hinge.moving, -into_moved)))
        kerfs.append(dust)
    if into_fixed:
        dust, fixed = fixed.split(bench.region((hinge.outwards, 0.0), (hinge.moving, -into_fixed)))
        kerfs.append(dust)
    kerf = joined(kerfs) if kerfs else bench.nothing
    back = turn.inverse.rotation @ hinge.moving  # the plane that the turn brings onto the cut
    moved, crushed = bench.split(above, back)
    bodies = {"the moving piece": moved, "the fixed piece": fixed, "the hinge": crushed, "the kerf": kerf}
    return bench.done(bodies, "the hinge", hinge, turn, degrees)


def closing(part: Part, hinge: Hinge, degrees: float, kerf_mm: float) -> Osteotomy:
    """Take a wedge out of a bone from the cortex to the hinge, and close it.

    The wedge lies on the side of the moving piece and holds the kerf of both cuts, so that it closes by the
    angle that was planned. Beyond the hinge the pieces part by a crack of that angle.

    part: the solid
    hinge: where the first cut runs
    degrees: the angle of the wedge, above 0
    kerf_mm: thickness of the saw
    Raises StepFailed when the saw misses, when a piece is empty, or when volumes do not add up.
    """
    turn = hinge.turn(-degrees)
    bench = _Bench.of(part, hinge, degrees, kerf_mm)
    second = turn.inverse.rotation @ hinge.moving  # normal of the second cut, towards the moving piece
    above, fixed = bench.split(bench.whole, hinge.moving)
    whole_wedge, moved = above.split(bench.region((hinge.outwards, 0.0), (-second, 0.0)))
    if kerf_mm:
        inner = bench.region((hinge.moving, kerf_mm), (-second, kerf_mm))
        wedge, kerf = whole_wedge.split(inner)
    else:
        wedge, kerf = whole_wedge, bench.nothing
    bodies = {"the moving piece": moved, "the fixed piece": fixed, "the wedge": wedge, "the kerf": kerf}
    return bench.done(bodies, "the wedge", hinge, turn, degrees)


@dataclass(frozen=True)
class _Bench:
    """The bone as it lies on the bench of the geometry engine, whose origin is at `centre` (LPS mm)."""

    part: Part
    whole: Any
    centre: FloatArray
    origin: FloatArray
    size_mm: float

    @classmethod
    def of(cls, part: Part, hinge: Hinge, degrees: float, kerf_mm: float) -> "_Bench":
        require_thick(kerf_mm)
        if not 0 < degrees <= _WIDEST:
            raise StepFailed(
                f"A wedge of {degrees:g} degrees cannot be made: give more than 0, {_WIDEST:g} at most."
            )
        centre = middle(part)
        whole = solid_of(part, centre, "the body to cut")
        far = hinge.plane.distance(part.points_lps)
        if far.min() >= 0 or far.max() <= 0:
            missed = max(float(far.min()), -float(far.max()))
            raise StepFailed(
                f"The cut misses the body by {missed:.3f} mm: put hinge and cortex point on the bone."
            )
        size = reach_of(part, centre) + float(np.linalg.norm(hinge.origin - centre))
        return cls(part, whole, centre, hinge.origin - centre, size)

    @property
    def nothing(self) -> Any:
        return self.whole - self.whole

    def region(self, *sides: tuple[FloatArray, float]) -> Any:
        """Where the distance from the hinge along each normal is at least its offset."""
        return region(
            self.size_mm, *((normal, float(normal @ self.origin) + offset) for normal, offset in sides)
        )

    def split(self, body: Any, normal: FloatArray) -> tuple[Any, Any]:
        """A body on the side of a plane through the hinge where its normal points, and the rest."""
        one, other = body.split_by_plane(tuple(map(float, normal)), float(normal @ self.origin))
        return one, other

    def done(self, bodies: dict[str, Any], taken: str, hinge: Hinge, turn: Pose, degrees: float) -> Osteotomy:
        for name in ("the moving piece", "the fixed piece"):
            if bodies[name].volume() <= 1e-12 * self.whole.volume():
                raise StepFailed(
                    f"Nothing is left of {name}: move the hinge or the cortex point into the bone."
                )
        found = kept_pieces(self.whole, bodies, self.centre, self.part)
        frame = self.part.frame_uid
        cortex = hinge.origin + hinge.lever_mm * hinge.outwards
        carried = turn.apply(cortex)
        return Osteotomy(
            fixed=found["the fixed piece"],
            moved=found["the moving piece"].moved(turn),
            taken=found[taken],
            kerf=found["the kerf"],
            angle=Measurement(
                turn.degrees,
                "deg",
                "turn of the moved piece about the hinge axis",
                (vec3(cortex), vec3(hinge.origin), vec3(carried)),
                frame,
            ),
            gap=Measurement(
                float(np.linalg.norm(carried - cortex)),
                "mm",
                "chord from the cortex point to where the moved piece carries it; the kerf comes on top",
                (vec3(cortex), vec3(carried)),
                frame,
            ),
            hinge=self._hinge(hinge, frame),
        )

    def _hinge(self, hinge: Hinge, frame: str) -> Measurement:
        """The bone between the hinge axis and the cortex beyond it, in the cut, opposite the cortex point."""
        end = self.origin - hinge.outwards * 2 * self.size_mm
        hits = self.whole.ray_cast(tuple(map(float, self.origin)), tuple(map(float, end)))
        inside = len(hits) % 2 == 1
        place = np.asarray(hits[0].position) if inside else self.origin
        return Measurement(
            float(np.linalg.norm(place - self.origin)),
            "mm",
            "bone left from the hinge axis to the cortex beyond it, in the plane of the cut",
            (vec3(self.origin + self.centre), vec3(place + self.centre)),
            frame,
        )
