"""How a view sees patient space: millimetres to pixels of the view, and back to lines of sight."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ...values import FloatArray, Vec3, vec3


@dataclass(frozen=True, eq=False)
class Eye:
    """One view at one moment.

    lps_to_pixel: 4x4 homogeneous matrix from (L, P, S, 1) mm to (x, y, depth, 1) times w; x to the
        right and y down, in logical pixels of the view; depth grows away from the viewer
    size: width and height of the view in logical pixels
    """

    lps_to_pixel: FloatArray
    size: tuple[float, float]

    @classmethod
    def of_clip(cls, lps_to_clip: ArrayLike, width: float, height: float) -> "Eye":
        """The eye of a camera whose matrix gives x and y from -1 to 1, y upwards."""
        screen = np.array(
            [[width / 2, 0, 0, width / 2], [0, -height / 2, 0, height / 2], [0, 0, 1, 0], [0, 0, 0, 1]]
        )
        return cls(screen @ np.asarray(lps_to_clip, np.float64), (width, height))

    @classmethod
    def of_slice(
        cls, top_left_lps: ArrayLike, right: ArrayLike, down: ArrayLike, size: tuple[float, float]
    ) -> "Eye":
        """The eye of a flat view.

        top_left_lps: patient point at pixel (0, 0)
        right, down: patient millimetres (3,) of one pixel to the right and one down
        """
        across, along = np.asarray(right, np.float64), np.asarray(down, np.float64)
        inwards = np.cross(across, along)
        matrix = np.eye(4)
        matrix[:3, :3] = np.linalg.inv(np.stack([across, along, inwards / np.linalg.norm(inwards)], axis=1))
        matrix[:3, 3] = -matrix[:3, :3] @ np.asarray(top_left_lps, np.float64)
        return cls(matrix, size)

    @cached_property
    def _pixel_to_lps(self) -> FloatArray:
        return np.linalg.inv(self.lps_to_pixel).astype(np.float64)

    def pixels(self, points_lps: ArrayLike) -> FloatArray:
        """Pixels (n, 2) of patient points (n, 3) mm."""
        points = np.asarray(points_lps, np.float64).reshape(-1, 3)
        seen = points @ self.lps_to_pixel[:, :3].T + self.lps_to_pixel[:, 3]
        flat: FloatArray = seen[:, :2] / seen[:, 3:]
        return flat

    def pixel(self, point_lps: ArrayLike) -> tuple[float, float]:
        """The pixel of one patient point."""
        x, y = self.pixels(point_lps)[0]
        return (float(x), float(y))

    def ray(self, x: float, y: float) -> tuple[FloatArray, FloatArray]:
        """A point (3,) and the unit direction (3,), away from the viewer, of the line of sight at a pixel."""
        near = self._pixel_to_lps @ (x, y, 0.0, 1.0)
        far = self._pixel_to_lps @ (x, y, 1.0, 1.0)
        start, end = near[:3] / near[3], far[:3] / far[3]
        away: FloatArray = (end - start) / np.linalg.norm(end - start)
        return start, away

    def mm_per_pixel(self, point_lps: ArrayLike) -> float:
        """Size in mm of one pixel at the depth of a patient point."""
        point = np.asarray(point_lps, np.float64)
        x, y = self.pixel(point)
        on_plane = self.on_plane(x + 1.0, y, point, self.ray(x, y)[1])
        return float(np.linalg.norm(on_plane - point)) if on_plane is not None else 1.0

    def on_plane(self, x: float, y: float, point: ArrayLike, normal: ArrayLike) -> FloatArray | None:
        """Where the line of sight at a pixel meets a plane; None when it runs along it."""
        start, away = self.ray(x, y)
        along = float(away @ np.asarray(normal, np.float64))
        if abs(along) < 1e-6:
            return None
        met: FloatArray = start + away * float((np.asarray(point) - start) @ np.asarray(normal) / along)
        return met

    def along_axis(self, x: float, y: float, point: ArrayLike, axis: ArrayLike) -> float | None:
        """How many mm along an axis through a point the pixel lies (the nearest point to the line of
        sight); None when the axis points at the viewer.
        """
        start, away = self.ray(x, y)
        unit = np.asarray(axis, np.float64)
        lean = float(unit @ away)
        if 1 - lean * lean < 1e-3:
            return None
        apart = start - np.asarray(point, np.float64)
        return float((apart @ unit - (apart @ away) * lean) / (1 - lean * lean))

    def facing(self, point_lps: ArrayLike) -> FloatArray:
        """Unit direction (3,) from the viewer to a patient point."""
        return self.ray(*self.pixel(point_lps))[1]


def lps_words(shift_lps: ArrayLike) -> str:
    """A shift in mm in words, such as "3.2 mm left, 1.0 mm down"."""
    names = (("right", "left"), ("anterior", "posterior"), ("down", "up"))
    told = [
        f"{abs(amount):.1f} mm {pair[amount > 0]}"
        for amount, pair in zip(vec3(shift_lps), names, strict=True)
        if abs(amount) >= 0.05
    ]
    return ", ".join(told) or "0.0 mm"


def place_words(point_lps: Vec3) -> str:
    """A patient point as the status bar writes it, such as "L 12.3  P 4.0  S 101.2 mm"."""
    names = (("R", "L"), ("A", "P"), ("I", "S"))
    return (
        "  ".join(
            f"{pair[amount >= 0]} {abs(amount):.1f}" for amount, pair in zip(point_lps, names, strict=True)
        )
        + " mm"
    )
