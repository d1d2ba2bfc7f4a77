"""P17: which side is left. Four balls of unlike size and grey value, and letters to read."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from typing import ClassVar

import numpy as np

from ..errors import BadInput
from ..values import FloatArray, IntArray, Mesh, Part, Pose, Vec3, vec3
from .phantom import Phantom, grown, placed
from .scanner import Material
from .shape import Shape
from .solids import Box, Sphere

_STROKE = 3.0
_BLOCK: tuple[Vec3, Vec3] = ((-38.0, -26.0, -24.0), (40.0, 25.0, 34.0))


@dataclass(frozen=True)
class Marker:
    """A ball that tells a direction.

    centre_lps: mm
    diameter_mm: mm
    hu: its grey value
    """

    centre_lps: Vec3
    diameter_mm: float
    hu: float


@dataclass(frozen=True)
class Chirality(Phantom):
    """Balls of 14 mm on the left, 10 mm on the right, 12 mm in front, 17 mm on top, and letters.

    Seen from the front the letters F, R and L read the right way, R on the right side of the
    patient, L on the left.

    centre: middle of the phantom, LPS mm
    around_hu: grey value of the block that holds all
    letter_hu: grey value of the letters
    """

    patient: ClassVar[str] = "CHIRALITY"
    description: ClassVar[str] = "Chirality"
    spacing_kji: ClassVar[Vec3] = (1.6, 1.2, 1.0)
    centre: Vec3 = (17.3, -41.6, 233.9)
    around_hu: float = 0.0
    letter_hu: float = 700.0

    @property
    def markers(self) -> Mapping[str, Marker]:
        """The balls by the direction they lie in: L, R, A, S."""

        def at(x: float, y: float, z: float) -> Vec3:
            return placed(self._shift, (x, y, z))

        return {
            "L": Marker(at(28.0, 3.0, -3.0), 14.0, 1200.0),
            "R": Marker(at(-26.0, 6.0, -9.0), 10.0, 900.0),
            "A": Marker(at(13.0, -17.0, -15.0), 12.0, 1500.0),
            "S": Marker(at(-4.0, 8.0, 22.0), 17.0, 1800.0),
        }

    @cached_property
    def letters(self) -> Mapping[str, Shape]:
        """The letters as bodies: F in the middle, R on the right, L on the left."""
        return {
            "F": letter("F", 15.0, 24.0).moved(self._at(-7.0, 4.0, -13.0)),
            "R": letter("R", 9.0, 14.0).moved(self._at(-32.0, -14.0, 3.0)),
            "L": letter("L", 9.0, 14.0).moved(self._at(22.0, -14.0, 6.0)),
        }

    @property
    def balls(self) -> Mapping[str, Sphere]:
        """The balls as bodies."""
        return {name: Sphere(one.centre_lps, one.diameter_mm / 2) for name, one in self.markers.items()}

    @cached_property
    def surface(self) -> Shape:
        """Balls and letters."""
        return reduce(or_, (*self.balls.values(), *self.letters.values()))

    @property
    def materials(self) -> tuple[Material, ...]:
        """A block of water with the letters and the balls in it."""
        return (
            (Box(*_BLOCK).moved(self._shift), self.around_hu),
            *((shape, self.letter_hu) for shape in self.letters.values()),
            *((self.balls[name], one.hu) for name, one in self.markers.items()),
        )

    @property
    def level_hu(self) -> float:
        """Half-way between water and the letters; the balls have their own."""
        return (self.around_hu + self.letter_hu) / 2

    @property
    def scan_box(self) -> FloatArray:
        """Round the block."""
        return grown(np.asarray(_BLOCK) + self.centre, (4.0, 3.0, 5.0), (6.0, 7.0, 3.0))

    @property
    def _shift(self) -> Pose:
        return Pose.of_shift(self.centre)

    def _at(self, x: float, y: float, z: float) -> Pose:
        return Pose.of_shift(np.add(self.centre, (x, y, z)))

    # -- judging a result -----------------------------------------------------------------------

    def found(self, shape: Mesh | Part) -> Mapping[str, Vec3]:
        """Find the balls in a surface of the whole phantom, by their size alone: L, R, A, S, LPS mm.

        They are its four largest pieces whatever the level of the surface, in the order S, L, A, R.

        shape: a closed surface with all balls as pieces of their own; it may be moved or mirrored
        Raises BadInput when a piece is missing or has less than 0.6 or more than 1.6 of its volume.
        """
        mesh = shape.placed() if isinstance(shape, Part) else shape
        pieces = sorted((_centroid(mesh, piece) for piece in pieces_of(mesh)), reverse=True)
        by_size = sorted(self.balls.items(), key=lambda ball: -ball[1].volume_mm3)
        result: dict[str, Vec3] = {}
        for (name, ball), (volume, centre) in zip(by_size, pieces, strict=False):
            if 0.6 < volume / ball.volume_mm3 < 1.6:
                result[name] = centre
        missing = sorted(set(self.markers) - set(result))
        if missing:
            raise BadInput(f"This surface has no piece of the size of the ball {', '.join(missing)}.")
        return result

    def handedness(self, shape: Mesh | Part) -> int:
        """Say whether a surface of the phantom is right (1) or mirrored (-1), however it was moved.

        The sign of the scalar triple product of the ways from R to L, A and S, against the truth.
        """
        truth = {name: one.centre_lps for name, one in self.markers.items()}
        return int(np.sign(_triple_product(self.found(shape)) * _triple_product(truth)))

    def marker_errors_mm(self, shape: Mesh | Part) -> Mapping[str, float]:
        """Give for each ball how far its centre lies from where it should be, in mm."""
        found = self.found(shape)
        return {
            name: float(np.linalg.norm(np.subtract(found[name], one.centre_lps)))
            for name, one in self.markers.items()
        }


def letter(name: str, width: float, height: float) -> Shape:
    """Make a letter of strokes that reads the right way from the front of the patient.

    name: "F", "L" or "R"
    width, height: mm; its lower right corner (the patient's right) is the origin, it is 3 mm thick
    """
    middle = height * 0.55

    def stroke(x0: float, x1: float, z0: float, z1: float) -> Shape:
        return Box((x0, 0.0, z0), (x1, _STROKE, z1))

    stem = stroke(0, _STROKE, 0, height)
    top = stroke(0, width, height - _STROKE, height)
    across = stroke(0, width if name == "R" else 0.75 * width, middle - _STROKE / 2, middle + _STROKE / 2)
    if name == "F":
        return stem | top | across
    if name == "L":
        return stem | stroke(0, width, 0, _STROKE)
    bow = stroke(width - _STROKE, width, middle, height)
    return stem | top | across | bow | _leg(width, middle)


def _leg(width: float, middle: float) -> Shape:
    """The slanting stroke of an R, from its middle to its lower left corner."""
    start, end = np.array([_STROKE, middle]), np.array([width - _STROKE / 2, _STROKE / 2])
    way = end - start
    length = float(np.linalg.norm(way))
    bar = Box((-_STROKE / 2, 0.0, 0.0), (_STROKE / 2, _STROKE, length))
    turn = Pose.of_rotation((0, 1, 0), float(np.degrees(np.arctan2(way[0], way[1]))))
    return bar.moved(Pose.of_shift((start[0], 0, start[1])).after(turn))


def pieces_of(mesh: Mesh) -> list[IntArray]:
    """Take a mesh apart into pieces that share no point: their triangles, (n, 3) indices each."""
    label = np.arange(len(mesh.points))
    corners = mesh.triangles
    while True:
        lowest = label[corners].min(axis=1)
        before = label.copy()
        for column in range(3):
            np.minimum.at(label, corners[:, column], lowest)
        label = label[label]
        if np.array_equal(label, before):
            break
    of_triangle = label[corners[:, 0]]
    return [corners[of_triangle == piece] for piece in np.unique(of_triangle)]


def _centroid(mesh: Mesh, triangles: IntArray) -> tuple[float, Vec3]:
    """Volume (without sign) and centre of mass of one piece."""
    origin = mesh.points[triangles[0, 0]].astype(np.float64)
    a, b, c = (mesh.points[triangles[:, n]].astype(np.float64) - origin for n in range(3))
    six_volumes = np.einsum("ij,ij->i", a, np.cross(b, c))
    volume = six_volumes.sum() / 6
    centre = ((a + b + c) * six_volumes[:, None]).sum(axis=0) / (24 * volume) + origin
    return abs(float(volume)), vec3(centre)


def _triple_product(points: Mapping[str, Vec3]) -> float:
    ways = [np.subtract(points[name], points["R"]) for name in ("L", "A", "S")]
    return float(np.linalg.det(np.stack(ways)))
