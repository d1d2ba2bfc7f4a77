"""What tells where one is in the 3D view: the cube of letters, the scale bar, the safety line."""

import numpy as np
from vtkmodules.vtkRenderingAnnotation import vtkAnnotatedCubeActor, vtkScalarBarActor
from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow

from ..scene.items import Captions, Scalars
from ..scene.slices import round_length
from .camera import Camera
from .colours import QUIET, TEXT, rgb, table_of
from .lettering import Strokes, Style, scale_bar, words

_CUBE_PIXELS = 92
_FACES = {"XPlus": "L", "XMinus": "R", "YPlus": "P", "YMinus": "A", "ZPlus": "H", "ZMinus": "F"}


class Bearings:
    """Cube, scale bar and captions of one drawing area, kept right by `update` before each frame.

    scale: pixels of the screen per pixel of the design (2 on a screen of double density)
    captions: whether the safety line and the planned side are written into the view
    """

    def __init__(
        self, window: vtkRenderWindow, renderer: vtkRenderer, camera: Camera, scale: float, captions: bool
    ) -> None:
        self._window, self._renderer, self._camera = window, renderer, camera
        self._scale, self._captioned = scale, captions
        self._cube = _cube_renderer(window)
        self._bar = Strokes(TEXT, 1.6 * scale)
        self._length = words("", Style(12.5 * scale, TEXT, "left", "bottom"))
        self._safety = words("", Style(11.5 * scale, QUIET, "centre", "bottom"))
        self._side = words("", Style(14 * scale, "#FFFFFF", "right", "top", bold=True, ground="#8A5A00"))
        self._legend = _legend(scale)
        for actor in (self._bar.actor, self._length, self._safety, self._side, self._legend):
            renderer.AddViewProp(actor)
        self.legend(None)

    def caption(self, captions: Captions) -> None:
        """Write the safety line and, where there is one, the planned side."""
        self._safety.SetInput(captions.safety)
        self._side.SetInput(f" {captions.side} " if captions.side else "")
        self._safety.SetVisibility(self._captioned)
        self._side.SetVisibility(self._captioned and bool(captions.side))

    def legend(self, scalars: Scalars | None) -> None:
        """Show what the colours of a surface mean; nothing for None."""
        self._legend.SetVisibility(scalars is not None)
        if scalars is not None:
            self._legend.SetLookupTable(table_of(scalars))
            self._legend.SetTitle(f"{scalars.title}, {scalars.unit}\n")

    def update(self) -> None:
        """Follow the camera and the size of the view."""
        width, height = self._renderer.GetSize()
        if not width or not height:
            return
        self._turn_cube(width, height)
        margin = 16 * self._scale
        mm = self._camera.mm_per_pixel
        length = round_length(width * mm / 5)
        points, ends = scale_bar(margin, margin, length / mm, 5 * self._scale)
        self._bar.draw(points, ends)
        self._length.SetInput(f"{length:g} mm")
        self._length.SetPosition(margin, margin + 7 * self._scale)
        self._safety.SetPosition(width / 2, 8 * self._scale)
        self._side.SetPosition(width - margin, height - margin)

    def _turn_cube(self, width: int, height: int) -> None:
        size = min(_CUBE_PIXELS * self._scale, width / 4, height / 4)
        self._cube.SetViewport(1 - size / width, 0.0, 1.0, size / height)
        _, up, towards = self._camera.axes
        camera = self._cube.GetActiveCamera()
        camera.SetFocalPoint(0, 0, 0)
        camera.SetPosition(*(towards * 4.0))
        camera.SetViewUp(*up)
        camera.SetClippingRange(1.0, 7.0)

    def close(self) -> None:
        """Take the cube out of the window."""
        self._window.RemoveRenderer(self._cube)


def _legend(scale: float) -> vtkScalarBarActor:
    legend = vtkScalarBarActor()
    legend.UnconstrainedFontSizeOn()
    legend.SetMaximumNumberOfColors(256)
    legend.SetNumberOfLabels(5)
    legend.SetLabelFormat("  %.3g")
    legend.SetMaximumWidthInPixels(round(74 * scale))
    legend.SetBarRatio(0.24)
    legend.SetPosition(0.02, 0.3)
    legend.SetHeight(0.42)
    legend.SetWidth(0.14)
    legend.DrawTickLabelsOn()
    Style(12.5 * scale).put_on(legend.GetLabelTextProperty())
    Style(13 * scale, bold=True).put_on(legend.GetTitleTextProperty())
    return legend


def _cube_renderer(window: vtkRenderWindow) -> vtkRenderer:
    cube = vtkAnnotatedCubeActor()
    for place, letter in _FACES.items():
        getattr(cube, f"Set{place}FaceText")(letter)
        getattr(cube, f"Get{place}FaceProperty")().SetColor(*rgb("#14171B"))
    cube.SetFaceTextScale(0.62)
    cube.SetZFaceTextRotation(-90)
    cube.GetCubeProperty().SetColor(*rgb("#C3CAD2"))
    cube.GetTextEdgesProperty().SetColor(*rgb("#14171B"))
    renderer = vtkRenderer()
    renderer.AddActor(cube)
    renderer.SetLayer(max(window.GetNumberOfLayers(), 1))
    renderer.InteractiveOff()
    camera = renderer.GetActiveCamera()
    camera.ParallelProjectionOn()
    camera.SetParallelScale(float(np.sqrt(3)) / 2 * 1.02)
    window.SetNumberOfLayers(renderer.GetLayer() + 1)
    window.AddRenderer(renderer)
    return renderer
