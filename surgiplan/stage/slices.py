"""A 2D view as a picture: scan, overlay, outlines, crosshair and the words round them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkRenderingCore import (
    vtkActor,
    vtkImageActor,
    vtkPolyDataMapper,
    vtkRenderer,
)

from ..scene.items import Scene
from ..scene.slices import Slice, shade
from .colours import FAINT, RGB, SEVERITIES, SLICES, TEXT, mixed, rgb
from .labels import spread
from .lettering import Strokes, Style, scale_bar, words
from .shapes import copied, lines

# the slices that stand upright and lie flat in each view: what the crosshair lines are coloured by
_CROSSING = {
    "axial": ("sagittal", "coronal"),
    "coronal": ("sagittal", "axial"),
    "sagittal": ("coronal", "axial"),
}
_MASK_ALPHA = 96
_ROOM = 1.04


@dataclass(frozen=True)
class Pane:
    """A 2D view of a given size; x and y of the drawing space are sheet mm, y upwards.

    size: width and height, pixels
    scale: pixels of the picture per pixel of the design
    """

    scene: Scene
    slice: Slice
    size: tuple[int, int]
    scale: float

    @property
    def mm_per_pixel(self) -> float:
        """Sheet mm under one pixel."""
        (width, height), (across, down) = self.slice.size_mm, self.size
        return max(width / across, height / down) * _ROOM / self.slice.zoom

    @property
    def centre(self) -> tuple[float, float]:
        """The place in the middle of the view, drawing space."""
        (x, y), (right, down) = self.slice.centre_mm, self.slice.pan_mm
        return x - right, -(y - down)

    def pixel(self, xy_mm: tuple[float, float]) -> tuple[float, float]:
        """The pixel, x right and y up, of a sheet place."""
        x, y = self.centre
        return (
            self.size[0] / 2 + (xy_mm[0] - x) / self.mm_per_pixel,
            self.size[1] / 2 + (-xy_mm[1] - y) / self.mm_per_pixel,
        )


def draw_slice(renderer: vtkRenderer, pane: Pane) -> None:
    """Put one 2D view of a scene into an empty drawing area."""
    renderer.SetBackground(0.0, 0.0, 0.0)
    camera = renderer.GetActiveCamera()
    camera.ParallelProjectionOn()
    x, y = pane.centre
    camera.SetFocalPoint(x, y, 0.0)
    camera.SetPosition(x, y, 100.0)
    camera.SetClippingRange(1.0, 200.0)
    camera.SetParallelScale(pane.mm_per_pixel * pane.size[1] / 2)
    _add_images(renderer, pane)
    for outline in pane.slice.outlines:
        pitch = 9 * pane.scale * pane.mm_per_pixel
        colour = mixed(outline.colour, "#7D858E", 0.5) if outline.dimmed else rgb(outline.colour)
        drawn = _joined(outline.dashes(pitch), 0.8 * pane.scale * pane.mm_per_pixel)
        renderer.AddActor(_outline(drawn, (0.05, 0.05, 0.06), 2.9 * pane.scale, 2.0))
        renderer.AddActor(_outline(drawn, colour, 1.7 * pane.scale, 3.0))
    _add_crosshair(renderer, pane)
    _add_dots(renderer, pane)
    _add_words(renderer, pane)


def _add_images(renderer: vtkRenderer, pane: Pane) -> None:
    seen = pane.slice
    renderer.AddActor(_image(shade(seen.pixels, pane.scene.window, pane.scene.level), seen.pixel_mm, 0.0))
    masks = [(cover.colour, cover.pixels) for cover in seen.covers]
    if seen.overlay is not None:
        masks.append((seen.overlay_colour, seen.overlay))
    if masks:
        tint = np.zeros((*seen.pixels.shape, 4), np.uint8)
        for colour, pixels in masks:
            tint[pixels] = (*(round(255 * part) for part in rgb(colour)), _MASK_ALPHA)
        image = _image(tint, seen.pixel_mm, 1.0)
        image.InterpolateOff()
        renderer.AddActor(image)


def _image(pixels: NDArray[np.uint8], pixel_mm: tuple[float, float], height: float) -> vtkImageActor:
    """A picture whose first pixel lies at (0, 0), rows downwards; its directions are always the identity."""
    rows, columns = pixels.shape[:2]
    image = vtkImageData()
    image.SetDimensions(columns, rows, 1)
    image.SetSpacing(pixel_mm[1], pixel_mm[0], 1.0)
    image.SetOrigin(0.0, -(rows - 1) * pixel_mm[0], height)
    flat = pixels[::-1].reshape(rows * columns, -1)
    image.GetPointData().SetScalars(copied(flat))
    actor = vtkImageActor()
    actor.SetInputData(image)
    actor.GetProperty().SetInterpolationTypeToLinear()
    actor.GetMapper().BorderOn()
    return actor


def _joined(segments: NDArray[np.float32], by_mm: float) -> NDArray[np.float32]:
    """Line pieces made a little longer at both ends, so that no gap shows where they meet."""
    along = segments[:, 1] - segments[:, 0]
    along *= by_mm / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    return np.stack([segments[:, 0] - along, segments[:, 1] + along], axis=1)


def _outline(segments: NDArray[np.float32], colour: RGB, width: float, height: float) -> vtkActor:
    points = segments.reshape(-1, 2) * np.array([1, -1], np.float32)
    ends = np.arange(len(points), dtype=np.int32).reshape(-1, 2)
    mapper = vtkPolyDataMapper()
    mapper.SetInputData(lines(np.pad(points, ((0, 0), (0, 1)), constant_values=height), ends))
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().LightingOff()
    actor.GetProperty().SetLineWidth(width)
    actor.GetProperty().SetColor(*colour)
    return actor


def _add_crosshair(renderer: vtkRenderer, pane: Pane) -> None:
    """Two lines with a gap in the middle, each in the colour of the slice it stands for."""
    (x, y), (width, height) = pane.pixel(pane.slice.crosshair_mm), pane.size
    gap, edge = 9 * pane.scale, 40 * pane.scale
    upright, flat = (SLICES[name] for name in _CROSSING[pane.slice.axis])
    for colour, ends in (
        (upright, [[x, edge], [x, y - gap], [x, y + gap], [x, height - edge]]),
        (flat, [[edge, y], [x - gap, y], [x + gap, y], [width - edge, y]]),
    ):
        renderer.AddViewProp(Strokes(colour, 1.0 * pane.scale, 0.6).draw(ends, [[0, 1], [2, 3]]))


def _add_dots(renderer: vtkRenderer, pane: Pane) -> None:
    """A cross and its words for each marked place."""
    arm, texts, sizes = 5 * pane.scale, [], []
    places = [pane.pixel(dot.xy_mm) for dot in pane.slice.dots]
    for dot, (x, y) in zip(pane.slice.dots, places, strict=True):
        colour = SEVERITIES[dot.severity]
        cross = [[x - arm, y - arm], [x + arm, y + arm], [x - arm, y + arm], [x + arm, y - arm]]
        renderer.AddViewProp(Strokes(colour, 2.2 * pane.scale).draw(cross, [[0, 1], [2, 3]]))
        text = words(f" {dot.text} ", Style(12 * pane.scale, colour, ground="#000000"))
        size = [0.0, 0.0]
        text.GetSize(renderer, size)
        texts.append(text)
        sizes.append((size[0], size[1] + 2 * pane.scale))
    height = pane.size[1]
    anchors = [(x, height - y) for x, y in places]
    for text, (left, middle) in zip(texts, spread(anchors, sizes, pane.size[0], 2 * arm), strict=True):
        text.SetPosition(left, height - middle)
        renderer.AddViewProp(text)


def _add_words(renderer: vtkRenderer, pane: Pane) -> None:
    seen, scale, (width, height) = pane.slice, pane.scale, pane.size
    edge, colour = 9 * scale, SLICES[seen.axis]
    left, right, top, bottom = seen.letters
    big = 19 * scale
    title = words(
        seen.axis.upper(), Style(13 * scale, colour, "left", "top", bold=True), (edge, height - edge)
    )
    for actor in (
        title,
        words(seen.position, Style(12 * scale, FAINT, "left", "top"), (edge, height - edge - 18 * scale)),
        words(left, Style(big, TEXT, "left", bold=True), (edge, height / 2)),
        words(right, Style(big, TEXT, "right", bold=True), (width - edge, height / 2)),
        words(top, Style(big, TEXT, "centre", "top", bold=True), (width / 2, height - edge)),
        words(bottom, Style(big, TEXT, "centre", "bottom", bold=True), (width / 2, edge)),
        words(
            pane.scene.captions.convention, Style(12 * scale, FAINT, "right", "bottom"), (width - edge, edge)
        ),
    ):
        renderer.AddViewProp(actor)
    length = seen.scale_bar_mm / pane.mm_per_pixel
    points, ends = scale_bar(edge, edge, length, 5 * scale)
    renderer.AddViewProp(Strokes(TEXT, 1.6 * scale).draw(points, ends))
    at = (edge, edge + 7 * scale)
    renderer.AddViewProp(words(f"{seen.scale_bar_mm:g} mm", Style(12 * scale, TEXT, "left", "bottom"), at))
