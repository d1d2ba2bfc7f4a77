"""Fibula free flap: pieces of the fibula that rebuild a jaw along a line of straight pieces."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ...errors import StepFailed
from ...progress import Report, silent
from ...values import FloatArray, Plane, Pose, vec3
from .axes import across, place, unit
from .shaft import ANGLES, Shaft

Line = Literal["centre", "outer", "inner"]
_STEEPEST = math.cos(math.radians(60))
_ROLLS = 180  # turns about the axis that are tried
_TWIST = 5  # neighbouring pieces differ by so many of them at most
_SETTLED_MM = 1e-9


@dataclass(frozen=True)
class Donor:
    """What may be taken from a fibula, and how it is sawn.

    keep_proximal_mm, keep_distal_mm: what stays, counted from its ends (nerve, ankle)
    start_mm: where the first piece begins, from the proximal end; None as near the ankle as the limit allows
    kerf_mm: thickness of the saw
    spare_mm: bone between two pieces beside the kerf, where their planes come nearest
    shortest_mm: a piece must be so long along its shortest side
    """

    keep_proximal_mm: float = 60.0
    keep_distal_mm: float = 80.0
    start_mm: float | None = None
    kerf_mm: float = 1.0
    spare_mm: float = 1.5
    shortest_mm: float = 20.0


@dataclass(frozen=True)
class Piece:
    """One piece of the fibula.

    near, far: the planes it is sawn along in the leg; both normals point to the ankle
    pose: carries it from the leg into the jaw
    length_mm: along the line that the mode names
    shortest_mm: along its shortest side
    roll_degrees: which side of the fibula faces outwards
    begin_mm, end_mm: where that line begins and ends, from the proximal end of the fibula
    """

    near: Plane
    far: Plane
    pose: Pose
    length_mm: float
    shortest_mm: float
    roll_degrees: float
    begin_mm: float
    end_mm: float


@dataclass(frozen=True)
class Flap:
    """A whole flap.

    planes: where the jaw is cut and the pieces meet, one more than pieces; normals along the line
    pieces: from the first point of the line on
    steps_mm: largest step between the outlines of two faces that meet, for each joint
    left_mm: fibula between the last piece and what must stay
    """

    planes: tuple[Plane, ...]
    pieces: tuple[Piece, ...]
    steps_mm: tuple[float, ...]
    left_mm: float


def jaw_planes(line: ArrayLike, first: Plane | None = None, last: Plane | None = None) -> list[Plane]:
    """The planes along a line of straight pieces: those between two pieces halve their angle.

    So both pieces are cut at the same slant and their faces are alike.

    line: points, LPS mm, one more than pieces
    first, last: planes at its ends; None straight across
    Raises StepFailed for fewer than two points, a piece without length, or a slant of over 60 degrees.
    """
    points = _points(line)
    ways = _ways(points)
    normals = [
        ways[0],
        *(unit(a + b, "joint of two pieces") for a, b in pairwise(ways)),
        ways[-1],
    ]
    for end, plane in ((0, first), (-1, last)):
        if plane is not None:
            way = np.asarray(plane.normal)
            normals[end] = way if way @ ways[end] > 0 else -way
    for n, normal in enumerate(normals):
        for way in (ways[max(n - 1, 0)], ways[min(n, len(ways) - 1)]):
            if normal @ way < _STEEPEST:
                slant = math.degrees(math.acos(np.clip(normal @ way, -1, 1)))
                raise StepFailed(
                    f"Plane {n + 1} would cut its piece at a slant of {slant:.0f} degrees (60 at most): "
                    "straighten the line there, or turn the plane."
                )
    return [Plane(vec3(p), vec3(normal)) for p, normal in zip(points, normals, strict=True)]


def fibula_flap(
    shaft: Shaft,
    line: ArrayLike,
    inside: ArrayLike,
    donor: Donor,
    mode: Line = "centre",
    roll_degrees: float | Sequence[float] | None = None,
    first: Plane | None = None,
    last: Plane | None = None,
    report: Report = silent,
) -> Flap:
    """Lay the pieces of a fibula along a line in the jaw.

    A piece is carried so that its own line (the centre line of the fibula, or its outer or inner edge)
    lies on the line of the jaw. Which side of the fibula faces outwards goes from piece to piece by the
    mirror at the joint (o' = o - 2 (o . b) b, b the normal of the joint): so the faces of an even fibula fit
    exactly. A fibula is not even: each piece may be turned a little about its axis, so that the outlines
    of the faces come nearest to each other.

    shaft: the fibula, from knee to ankle
    line: points, LPS mm; the first piece is the one nearest the knee
    inside: (3,) LPS mm, a place on the tongue's side of the line
    donor: what may be taken
    mode: which line of the fibula the points are for: lengths are measured along it
    roll_degrees: the side of the fibula that faces outwards, for all or each; None finds the best contact
    first, last: planes at the ends; None straight across; the line is drawn out to them
    report: told the progress; may raise Cancelled
    Raises StepFailed when a piece is too short, or the fibula is.
    """
    planes = jaw_planes(_drawn_out(_points(line), first, last), first, last)
    points = np.array([plane.point for plane in planes])
    laying = _Laying(shaft, planes, points, _outwards(points, place(inside, "inside")), donor, mode)
    given = 0.0 if roll_degrees is None else roll_degrees
    rolls: list[float] = np.radians(np.broadcast_to(given, len(points) - 1)).tolist()
    pieces = laying.placed(rolls)
    if roll_degrees is None and len(pieces) > 1:
        rolls = _best_rolls(laying, pieces, report)
        pieces = laying.placed(rolls)
    steps = tuple(
        _step(laying.face(pieces[n], n, True), laying.face(pieces[n + 1], n + 1, False))
        for n in range(len(pieces) - 1)
    )
    for n, piece in enumerate(pieces):
        if piece.shortest_mm < donor.shortest_mm:
            raise StepFailed(
                f"Piece {n + 1} is {piece.shortest_mm:.1f} mm along its shortest side, "
                f"{donor.shortest_mm:g} mm is the least: move the points apart, or use fewer pieces."
            )
    return Flap(tuple(planes), tuple(pieces), steps, laying.left_mm(pieces))


@dataclass(frozen=True, eq=False)
class _Laying:
    """All that stays the same while pieces are tried."""

    shaft: Shaft
    planes: list[Plane]
    points: FloatArray
    outwards: FloatArray
    donor: Donor
    mode: Line

    def placed(self, rolls: Sequence[float]) -> list[Piece]:
        """The pieces, one after the other down the fibula, as near the ankle as is wanted."""
        start = self.donor.start_mm
        if start is not None and start < self.donor.keep_proximal_mm:
            raise StepFailed(
                f"The first piece would begin {start:g} mm from the proximal end, "
                f"{self.donor.keep_proximal_mm:g} mm must stay: begin further down."
            )
        pieces = self._row(rolls, self.donor.keep_proximal_mm if start is None else start)
        left = self.left_mm(pieces)
        if left < -_SETTLED_MM:
            raise StepFailed(
                f"The fibula is {-left:.1f} mm too short: {self.donor.keep_distal_mm:g} mm must stay at the "
                f"ankle and {self.donor.keep_proximal_mm:g} mm at the knee. Shorten the line or begin higher."
            )
        if start is None:
            begin = self.donor.keep_proximal_mm
            while not 0 <= left < 1e-3:  # the fibula is not even: the room changes as the pieces go down
                begin += left - 5e-4
                pieces = self._row(rolls, begin)
                left = self.left_mm(pieces)
        return pieces

    def left_mm(self, pieces: Sequence[Piece]) -> float:
        """Fibula between the last plane, sawn, and what must stay at the ankle."""
        end = float(self._reach(pieces[-1].far, pieces[-1].end_mm).max()) + self.donor.kerf_mm
        return self.shaft.length_mm - self.donor.keep_distal_mm - end

    def _row(self, rolls: Sequence[float], begin_mm: float) -> list[Piece]:
        room, free = begin_mm, 0.0
        before: Plane | None = None
        pieces: list[Piece] = []
        for n, roll in enumerate(rolls):
            begin = room + free
            for _ in range(40):
                piece = self._piece(n, roll, begin)
                near = self._reach(piece.near, begin)
                edge = self._reach(before, pieces[-1].end_mm) if before is not None else begin_mm
                short = float((edge - near).max()) + free
                if abs(short) < 1e-7:
                    break
                begin += short
            pieces.append(piece)
            before, room = piece.far, piece.end_mm
            free = self.donor.kerf_mm + self.donor.spare_mm
        return pieces

    def _reach(self, plane: Plane, near_mm: float) -> FloatArray:
        """(ANGLES,) how far down the fibula its surface meets a plane, for each ray."""
        return self._surface(plane, near_mm)[0]

    def _surface(self, plane: Plane, near_mm: float) -> tuple[FloatArray, FloatArray]:
        """Where the surface of the fibula meets a plane: (ANGLES,) places along it and (ANGLES, 3) LPS."""
        shaft, normal = self.shaft, np.asarray(plane.normal)
        at = np.full(ANGLES, near_mm)
        ways = shaft.ways(shaft.angles)
        for _ in range(30):
            points = shaft.centre(at) + shaft.radius(at, shaft.angles)[:, None] * ways
            short = ((np.asarray(plane.point) - points) @ normal) / (shaft.axis @ normal)
            at = at + short
            if np.abs(short).max() < 1e-9:
                break
        return at, shaft.centre(at) + shaft.radius(at, shaft.angles)[:, None] * ways

    def _on_line(self, at_mm: float, roll: float) -> FloatArray:
        """The place of the named line of the fibula."""
        centre = self.shaft.centre(at_mm)
        if self.mode == "centre":
            return centre
        facing = roll if self.mode == "outer" else roll + np.pi
        edge: FloatArray = centre + self.shaft.radius(at_mm, facing) * self.shaft.ways(facing)
        return edge

    def _piece(self, n: int, roll: float, begin_mm: float) -> Piece:
        """Piece n, its line begun at a place of the fibula."""
        way = self.points[n + 1] - self.points[n]
        length = float(np.linalg.norm(way))
        begin = self._on_line(begin_mm, roll)
        end_mm = begin_mm + length
        for _ in range(40):  # the line is nearly as long as the place is far down
            short = length - float(np.linalg.norm(self._on_line(end_mm, roll) - begin))
            end_mm += short
            if abs(short) < _SETTLED_MM:
                break
        along = unit(self._on_line(end_mm, roll) - begin, "piece")
        own = _basis(along, self.shaft.ways(roll))
        wanted = _basis(way / length, self.outwards[n])
        matrix = np.eye(4)
        matrix[:3, :3] = wanted @ own.T
        matrix[:3, 3] = self.points[n] - matrix[:3, :3] @ begin
        pose = Pose.of(matrix)
        near, far = (self.planes[n + k].moved(pose.inverse) for k in (0, 1))
        sides = self._reach(far, end_mm) - self._reach(near, begin_mm)
        return Piece(near, far, pose, length, float(sides.min()), math.degrees(roll) % 360, begin_mm, end_mm)

    def face(self, piece: Piece, n: int, far: bool) -> FloatArray:
        """(ANGLES, 2) outline of an end of a piece in the jaw, in the plane of the joint."""
        plane, near_mm = (piece.far, piece.end_mm) if far else (piece.near, piece.begin_mm)
        joint = self.planes[n + far]
        outline = piece.pose.apply(self._surface(plane, near_mm)[1]) - np.asarray(joint.point)
        first = across(self.outwards[n], np.asarray(joint.normal))
        first = first / np.linalg.norm(first)
        second = np.cross(joint.normal, first)
        return np.stack([outline @ first, outline @ second], axis=1)


def _best_rolls(laying: _Laying, pieces: Sequence[Piece], report: Report) -> list[float]:
    """The turn of each piece about its axis for which the worst step between two faces is least.

    All turns are tried, two degrees apart; neighbours differ by ten degrees at most. Of equal ones that
    is taken which is twisted least.
    """
    rolls = np.arange(_ROLLS) * (2 * np.pi / _ROLLS)
    near, far = [], []
    for n, piece in enumerate(pieces):
        report(n / len(pieces), "Trying turns of the fibula")
        tried = [laying._piece(n, roll, piece.begin_mm) for roll in rolls.tolist()]
        near.append(np.array([_polar(laying.face(one, n, False)) for one in tried]))
        far.append(np.array([_polar(laying.face(one, n, True)) for one in tried]))
    worst, came = np.zeros(_ROLLS), []
    for n in range(len(pieces) - 1):
        options = []
        for twist in range(-_TWIST, _TWIST + 1):
            step = np.abs(np.roll(far[n], -twist, axis=0) - near[n + 1]).max(axis=1)
            options.append(np.maximum(step, np.roll(worst, -twist)) + 1e-6 * abs(twist))
        table = np.array(options)  # rows: by how much the piece before is turned further
        choice = table.argmin(axis=0)
        worst = table[choice, np.arange(_ROLLS)]
        came.append(choice - _TWIST)
    at = int(np.argmin(np.round(worst, 6)))
    found = [at]
    for twists in reversed(came):
        at = (at + int(twists[at])) % _ROLLS
        found.append(at)
    return [float(rolls[n]) for n in reversed(found)]


def _polar(outline: FloatArray) -> FloatArray:
    """(ANGLES,) radii of an outline round its own middle, along even rays."""
    away = outline - outline.mean(axis=0)
    angle = np.arctan2(away[:, 1], away[:, 0])
    order = np.argsort(angle)
    radii: FloatArray = np.interp(
        np.linspace(-np.pi, np.pi, ANGLES, endpoint=False),
        angle[order],
        np.linalg.norm(away, axis=1)[order],
        period=2 * np.pi,
    )
    return radii


def _step(one: FloatArray, other: FloatArray) -> float:
    """The largest distance from an outline to the other, both ways, mm."""
    return max(_off(one, other), _off(other, one))


def _off(points: FloatArray, outline: FloatArray) -> float:
    start, way = outline, np.roll(outline, -1, axis=0) - outline
    away = points[:, None] - start
    share = np.clip((away * way).sum(axis=2) / np.maximum((way * way).sum(axis=1), 1e-18), 0, 1)
    return float(np.linalg.norm(away - share[..., None] * way, axis=2).min(axis=1).max())


def _points(line: ArrayLike) -> FloatArray:
    points = np.asarray(line, np.float64).reshape(-1, 3)
    if len(points) < 2:
        raise StepFailed(f"The line in the jaw has {len(points)} points: place at least two, its ends.")
    return np.array([place(point, f"line {n + 1}") for n, point in enumerate(points)])


def _ways(points: FloatArray) -> list[FloatArray]:
    return [unit(b - a, f"piece {n + 1}") for n, (a, b) in enumerate(pairwise(points))]


def _drawn_out(points: FloatArray, first: Plane | None, last: Plane | None) -> FloatArray:
    """The line with its ends on the planes that are given there."""
    ways, drawn = _ways(points), points.copy()
    for end, plane in ((0, first), (-1, last)):
        if plane is not None:
            slant = np.asarray(plane.normal) @ ways[end]
            if abs(slant) >= _STEEPEST:
                drawn[end] = points[end] - float(plane.distance(points[end])) / slant * ways[end]
    return drawn


def _outwards(points: FloatArray, inside: FloatArray) -> FloatArray:
    """(n, 3) unit vectors across each piece, away from the tongue, mirrored on from joint to joint."""
    ways = _ways(points)
    middle = len(ways) // 2
    facing = across((points[middle] + points[middle + 1]) / 2 - inside, ways[middle])
    found = [facing] * len(ways)
    found[middle] = unit(facing, "way to the inside")
    for n in range(middle + 1, len(ways)):
        found[n] = _mirrored(found[n - 1], ways[n - 1] + ways[n])
    for n in range(middle - 1, -1, -1):
        found[n] = _mirrored(found[n + 1], ways[n] + ways[n + 1])
    return np.array(found)


def _mirrored(vector: FloatArray, normal: FloatArray) -> FloatArray:
    mirrored: FloatArray = vector - 2 * (vector @ normal) / (normal @ normal) * normal
    return mirrored


def _basis(along: FloatArray, facing: FloatArray) -> FloatArray:
    """3x3, columns: across towards `facing`, across, along; right-handed."""
    first = across(facing, along)
    first = first / np.linalg.norm(first)
    return np.stack([first, np.cross(along, first), along], axis=1)
