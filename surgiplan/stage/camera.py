"""Where the 3D view is looked at from. Always without perspective, so that lengths are true anywhere."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from vtkmodules.vtkRenderingCore import vtkRenderer

from ..values import FloatArray, Vec3, vec3

Direction = Literal["anterior", "posterior", "left", "right", "superior", "inferior"]
_FROM: dict[str, tuple[Vec3, Vec3]] = {  # direction to the eye, and what is up
    "anterior": ((0, -1, 0), (0, 0, 1)),
    "posterior": ((0, 1, 0), (0, 0, 1)),
    "left": ((1, 0, 0), (0, 0, 1)),
    "right": ((-1, 0, 0), (0, 0, 1)),
    "superior": ((0, 0, 1), (0, -1, 0)),
    "inferior": ((0, 0, -1), (0, -1, 0)),
}
_ROOM = 1.12


class Camera:
    """Moves the eye; nothing here ever changes what is seen.

    renderer: the drawing area it belongs to
    """

    def __init__(self, renderer: vtkRenderer) -> None:
        self._renderer = renderer
        self._camera = renderer.GetActiveCamera()
        self._camera.ParallelProjectionOn()
        self.bounds: FloatArray = np.array([[-50.0] * 3, [50.0] * 3])
        self.look("anterior")

    def look(self, direction: Direction, bounds: ArrayLike | None = None) -> None:
        """Look from one side of the patient, with all of a box in sight.

        direction: where the eye is: "anterior" looks the patient in the face, from "superior" the
            nose points up
        bounds: (2, 3) LPS mm; the last one when left out
        """
        towards, up = _FROM[direction]
        self._camera.SetFocalPoint(0, 0, 0)
        self._camera.SetPosition(*towards)
        self._camera.SetViewUp(*up)
        self.reset(bounds)

    def reset(self, bounds: ArrayLike | None = None) -> None:
        """Bring all of a box (the last one when left out) into sight; the direction stays."""
        if bounds is not None:
            self.bounds = np.asarray(bounds, np.float64).reshape(2, 3)
        low, high = self.bounds
        corners = np.array(
            [[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
        )
        right, up, _ = self.axes
        width, height = (float(np.ptp(corners @ axis)) for axis in (right, up))
        across, down = self._renderer.GetSize()
        aspect = across / down if across and down else 1.0
        half = max(height, width / aspect, 1.0) / 2 * _ROOM
        self._place((low + high) / 2, half, float(np.linalg.norm(high - low)))

    def zoom_to(self, point_lps: ArrayLike, radius_mm: float) -> None:
        """Put a place in the middle, with this much round it in sight; the direction stays."""
        self._place(
            np.asarray(vec3(point_lps)), radius_mm, float(np.linalg.norm(np.ptp(self.bounds, axis=0)))
        )

    def _place(self, centre: FloatArray, half_mm: float, far_mm: float) -> None:
        towards = self.axes[2]
        self._camera.SetFocalPoint(*centre)
        self._camera.SetPosition(*(centre + towards * max(far_mm, half_mm, 1.0) * 2))
        self._camera.SetParallelScale(half_mm)
        self._renderer.ResetCameraClippingRange()

    @property
    def axes(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Unit vectors (3,) LPS: to the right and up on the screen, and to the eye."""
        towards = np.asarray(self._camera.GetPosition()) - self._camera.GetFocalPoint()
        towards = towards / np.linalg.norm(towards)
        right = np.cross(self._camera.GetViewUp(), towards)
        right = right / np.linalg.norm(right)
        return right, np.cross(towards, right), towards

    @property
    def mm_per_pixel(self) -> float:
        """Millimetres of the patient under one pixel, the same all over the view."""
        return 2.0 * float(self._camera.GetParallelScale()) / max(self._renderer.GetSize()[1], 1)

    def orbit(self, right_degrees: float, up_degrees: float) -> None:
        """Turn as if the body were pushed to the right and upwards."""
        self._camera.Azimuth(-right_degrees)
        self._camera.Elevation(-up_degrees)
        self._camera.OrthogonalizeViewUp()

    def pan(self, right_pixels: float, down_pixels: float) -> None:
        """Push the picture."""
        right, up, _ = self.axes
        shift = (down_pixels * up - right_pixels * right) * self.mm_per_pixel
        self._camera.SetFocalPoint(*(np.asarray(self._camera.GetFocalPoint()) + shift))
        self._camera.SetPosition(*(np.asarray(self._camera.GetPosition()) + shift))

    def zoom(self, factor: float, at: tuple[float, float] | None = None) -> None:
        """Come nearer (factor above 1); the place under a pixel, x right and y down, stays where it is."""
        if at is not None:
            width, height = self._renderer.GetSize()
            away = (width / 2 - at[0], height / 2 - at[1])
            self.pan(away[0], away[1])
            self._camera.SetParallelScale(self._camera.GetParallelScale() / factor)
            self.pan(-away[0], -away[1])
        else:
            self._camera.SetParallelScale(self._camera.GetParallelScale() / factor)

    def lps_to_clip(self) -> FloatArray:
        """4x4 matrix from (L, P, S, 1) mm to x, y (upwards) and depth (away), each from -1 to 1."""
        width, height = self._renderer.GetSize()
        matrix = self._camera.GetCompositeProjectionTransformMatrix(width / max(height, 1), -1, 1)
        return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])

    @property
    def state(self) -> tuple[Vec3, Vec3, Vec3, float]:
        """Focal point, place of the eye, upward direction and half height in mm: to come back to later."""
        camera = self._camera
        return (
            vec3(camera.GetFocalPoint()),
            vec3(camera.GetPosition()),
            vec3(camera.GetViewUp()),
            float(camera.GetParallelScale()),
        )

    @state.setter
    def state(self, state: tuple[Vec3, Vec3, Vec3, float]) -> None:
        focus, place, up, half = state
        self._camera.SetFocalPoint(*focus)
        self._camera.SetPosition(*place)
        self._camera.SetViewUp(*up)
        self._camera.SetParallelScale(half)
        self._renderer.ResetCameraClippingRange()
