"""Pictures of a scene without a window on a screen."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkIOImage import vtkPNGWriter
from vtkmodules.vtkRenderingCore import vtkRenderer

from ..errors import BadInput, CaseError, SurgiplanError, Usage
from ..scene.items import Captions, Scene
from ..scene.view import AXES, Axis
from .camera import Direction
from .colours import QUIET, SLICES, SPACE, TEXT, rgb
from .lettering import Style, words
from .shapes import copied
from .slices import Pane, draw_slice
from .stage import Stage, offscreen_window, pixels_of

Kind = Literal["3d", "axial", "coronal", "sagittal", "four"]
_OVERSAMPLING = 2
_FOOTER, _GUTTER, _STRIPE = 26, 2, 3
_PANEL = "#1B1F24"
_LONGEST = 16000
_PROBE = """
from vtkmodules import vtkRenderingOpenGL2
from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow
window = vtkRenderWindow()
window.SetOffScreenRendering(True)
window.SetSize(8, 8)
window.AddRenderer(vtkRenderer())
window.Render()
raise SystemExit(0 if window.SupportsOpenGL() else 3)
"""


class NoGraphics(SurgiplanError):
    """No pictures can be drawn on this machine: install the graphics libraries that the text names."""


def snapshot(
    scene: Scene,
    kind: Kind = "four",
    size: tuple[int, int] = (1280, 960),
    look: Direction | None = None,
    patient: bool = False,
) -> NDArray[np.uint8]:
    """A picture of a scene, the same on every run, with the safety line and the planned side in it.

    kind: "3d", one of the slices, or "four" of them
    size: width and height in pixels, at least 64
    look: where the eye of the 3D view is; None for from the front, a little from the left and above
    patient: whether the patient's name in the captions is written too

    Returns (height, width, 3) uint8, upper row first. Raises Usage for another kind or size, BadInput
    for a slice of a scene that has nothing to cut through, NoGraphics when nothing can be drawn here.
    """
    width, height = size
    if kind not in get_args(Kind):
        raise Usage(f"there is no view {kind!r}: choose one of {', '.join(get_args(Kind))}")
    if not (min(size) >= 64 and max(size) <= _LONGEST):
        raise Usage(f"a picture is 64 to {_LONGEST} pixels wide and high, not {width} x {height}")
    require_graphics()
    footer = _footer(scene.captions, width, patient)
    room = (width, height - len(footer))
    picture = _four(scene, room, look) if kind == "four" else _pane(scene, kind, room, look)
    return np.concatenate([picture, footer])


def save_png(picture: NDArray[np.uint8], path: Path) -> None:
    """Write a (height, width, 3) uint8 picture as PNG; CaseError when the disk does not take it.

    Then no half picture is left, and one that was there before stays.
    """
    rows, columns = picture.shape[:2]
    image = vtkImageData()
    image.SetDimensions(columns, rows, 1)
    image.GetPointData().SetScalars(copied(picture[::-1].reshape(-1, 3)))
    writer = vtkPNGWriter()
    writer.SetInputData(image)
    writer.WriteToMemoryOn()
    writer.Write()
    data = bytes(memoryview(writer.GetResult()))
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as problem:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise CaseError(
            f"the picture cannot be written to {path} ({problem.strerror}): choose another place"
        ) from problem


@cache
def require_graphics() -> None:
    """Make sure that pictures can be drawn; NoGraphics when not. Tried once, in a process of its own.

    Without any OpenGL library the drawing library ends the process instead of raising.
    """
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    if getattr(sys, "frozen", False):
        return  # a packaged program cannot run another Python, and carries its libraries with it
    try:
        tried = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, timeout=120, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise NoGraphics(f"drawing could not be tried: {problem}") from problem
    if tried.returncode:
        raise NoGraphics(
            "pictures cannot be drawn: OpenGL does not work here. "
            "On Debian or Ubuntu install the packages libegl1 and libgl1"
        )


def _pane(scene: Scene, kind: Kind, size: tuple[int, int], look: Direction | None) -> NDArray[np.uint8]:
    """One view, with a stripe in its colour on top."""
    stripe = np.full((_STRIPE, size[0], 3), _bytes(SPACE if kind == "3d" else SLICES[kind]), np.uint8)
    room = (size[0], size[1] - _STRIPE)
    for axis in AXES:
        if kind == axis:
            return np.concatenate([stripe, _flat(scene, axis, room)])
    return np.concatenate([stripe, _space(scene, room, look)])


def _four(scene: Scene, size: tuple[int, int], look: Direction | None) -> NDArray[np.uint8]:
    """Axial and 3D above coronal and sagittal."""
    width, height = size
    picture = np.full((height, width, 3), _bytes(_PANEL), np.uint8)
    middle, half = (width - _GUTTER) // 2, (height - _GUTTER) // 2
    kinds: tuple[tuple[Kind, Kind], tuple[Kind, Kind]] = (("axial", "3d"), ("coronal", "sagittal"))
    for row, (top, bottom) in zip(kinds, ((0, half), (half + _GUTTER, height)), strict=True):
        for kind, (left, right) in zip(row, ((0, middle), (middle + _GUTTER, width)), strict=True):
            picture[top:bottom, left:right] = _pane(scene, kind, (right - left, bottom - top), look)
    return picture


def _flat(scene: Scene, axis: Axis, size: tuple[int, int]) -> NDArray[np.uint8]:
    if axis not in scene.slices:
        raise BadInput(f"there is no {axis} view: this plan has no scan and no shape yet")
    seen = scene.slices[axis]
    return _drawn(
        size, lambda renderer, pixels: draw_slice(renderer, Pane(scene, seen, pixels, _OVERSAMPLING))
    )


def _space(scene: Scene, size: tuple[int, int], look: Direction | None) -> NDArray[np.uint8]:
    stage = Stage(scale=_OVERSAMPLING, captions=False)
    stage.peel(True)
    stage.window.SetSize(size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING)
    stage.show(scene)
    stage.camera.look(look or "anterior")
    if look is None:
        stage.camera.orbit(-22, -14)
        stage.camera.reset()
    style = Style(13 * _OVERSAMPLING, SPACE, "left", "top", bold=True)
    edge = 9 * _OVERSAMPLING
    stage.renderer.AddViewProp(words("3D", style, (edge, size[1] * _OVERSAMPLING - edge)))
    picture = _smaller(stage.image())
    stage.close()
    stage.window.Finalize()
    return picture


def _footer(captions: Captions, width: int, patient: bool) -> NDArray[np.uint8]:
    """The line under every picture: safety, planned side, and the patient only when asked for."""

    def write(renderer: vtkRenderer, size: tuple[int, int]) -> None:
        scale, middle = _OVERSAMPLING, size[1] / 2
        renderer.SetBackground(*rgb(_PANEL))
        renderer.AddViewProp(words(captions.safety, Style(12.5 * scale, QUIET), (10 * scale, middle)))
        told = f"Patient: {captions.patient}" if patient and captions.patient else ""
        renderer.AddViewProp(words(told, Style(12.5 * scale, TEXT, "centre"), (size[0] / 2, middle)))
        if captions.side:
            style = Style(13 * scale, "#FFFFFF", "right", bold=True, ground="#8A5A00")
            place = (size[0] - 10 * scale, middle)
            renderer.AddViewProp(words(f"  Planned side: {captions.side}  ", style, place))

    return _drawn((width, _FOOTER), write)


def _drawn(size: tuple[int, int], draw: Callable[[vtkRenderer, tuple[int, int]], Any]) -> NDArray[np.uint8]:
    """A picture that is drawn larger and then made smaller, which smooths it alike on every machine."""
    pixels = (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING)
    window = offscreen_window()
    window.SetSize(*pixels)
    renderer = vtkRenderer()
    window.AddRenderer(renderer)
    draw(renderer, pixels)
    window.Render()
    picture = _smaller(pixels_of(window))
    window.Finalize()
    return picture


def _smaller(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = (n // _OVERSAMPLING for n in picture.shape[:2])
    blocks = picture.reshape(rows, _OVERSAMPLING, columns, _OVERSAMPLING, 3)
    return np.asarray(blocks.mean(axis=(1, 3)) + 0.5, np.uint8)


def _bytes(colour: str) -> NDArray[np.uint8]:
    return np.asarray(np.round(np.array(rgb(colour)) * 255), np.uint8)
