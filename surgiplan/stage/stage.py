"""The 3D view: shows a scene, and changes no more than what has changed since the last one."""

import weakref
from importlib import import_module

import numpy as np
from numpy.typing import ArrayLike, NDArray
from vtkmodules.vtkCommonCore import vtkCommand, vtkUnsignedCharArray
from vtkmodules.vtkRenderingCore import vtkLight, vtkRenderer, vtkRenderWindow

from ..scene.items import Scene, Surface
from ..values import FloatArray, Vec3, vec3
from .actors import Drawn, Kit, anchor_of, draw
from .bearings import Bearings
from .camera import Camera
from .colours import BOTTOM, TOP, rgb
from .labels import spread
from .shapes import as_numpy, shape_of

_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "software")
_KEY, _FILL, _HEAD = (-0.9, 0.9, 1.2), (1.1, 0.1, 0.9), (0.0, 0.0, 1.0)


class Stage:
    """A window that shows scenes in 3D; pixels are counted from the upper left corner, x right, y down.

    window: where to draw; an off-screen one is made when left out
    renderer: the drawing area of that window to use (a Qt plotter has one already); else a new one
    scale: pixels of the screen per pixel of the design (2 on a screen of double density)
    captions: whether the safety line and the planned side are written into the view
    """

    def __init__(
        self,
        window: vtkRenderWindow | None = None,
        renderer: vtkRenderer | None = None,
        scale: float = 1.0,
        captions: bool = True,
    ) -> None:
        self.window = window if window is not None else offscreen_window()
        self.renderer = renderer if renderer is not None else vtkRenderer()
        if renderer is None:
            self.window.AddRenderer(self.renderer)
        self._kit = Kit(scale)
        self._drawn: dict[str, Drawn] = {}
        self.camera = Camera(self.renderer)
        self._bearings = Bearings(self.window, self.renderer, self.camera, scale, captions)
        self._framed = False
        self._light()
        stage = weakref.ref(self)
        self._watch = self.renderer.AddObserver(vtkCommand.StartEvent, lambda *_: _before_frame(stage))

    @property
    def uploads(self) -> int:
        """How many shapes were handed to the graphics card so far; moving one hands over none."""
        return self._kit.uploads

    def show(self, scene: Scene) -> None:
        """Show this scene; what it shares with the one before stays as it is. The first one is framed."""
        wanted = {item.name: item for item in scene.items}
        for name in [name for name in self._drawn if name not in wanted]:
            self._remove(self._drawn.pop(name))
        for name, item in wanted.items():
            before = self._drawn.get(name)
            if before is not None and before.item == item:
                continue
            now = draw(item, before, self._kit)
            self._replace(before, now)
            self._drawn[name] = now
        self._bearings.caption(scene.captions)
        self._bearings.legend(next((s.scalars for s in scene.surfaces if s.scalars is not None), None))
        self.camera.bounds = np.array([scene.low_lps, scene.high_lps])
        if not self._framed and scene.items:
            self._framed = True
            self.camera.reset()

    def _replace(self, before: Drawn | None, now: Drawn) -> None:
        old = before.props if before is not None else ()
        for prop in old:
            if prop not in now.props:
                self.renderer.RemoveViewProp(prop)
        for prop in now.props:
            if prop not in old:
                self.renderer.AddViewProp(prop)

    def _remove(self, drawn: Drawn) -> None:
        for prop in drawn.props:
            self.renderer.RemoveViewProp(prop)

    def _light(self) -> None:
        """A key light from the upper left, a fill from the right, a little from the eye; dark ground."""
        self.renderer.RemoveAllLights()
        self.renderer.AutomaticLightCreationOff()
        for place, strength, colour in (
            (_KEY, 0.76, "#FFF4E6"),
            (_FILL, 0.34, "#DCE8FF"),
            (_HEAD, 0.38, "#FFFFFF"),
        ):
            light = vtkLight()
            light.SetLightTypeToCameraLight()
            light.SetPosition(*place)
            light.SetFocalPoint(0, 0, 0)
            light.SetIntensity(strength)
            light.SetColor(*rgb(colour))
            self.renderer.AddLight(light)
        self.renderer.GradientBackgroundOn()
        self.renderer.SetBackground(*rgb(BOTTOM))
        self.renderer.SetBackground2(*rgb(TOP))

    def update(self) -> None:
        """What must follow the camera and the size of the window; called before every frame by itself."""
        towards = self.camera.axes[2]
        for drawn in self._drawn.values():
            if drawn.silhouette is not None:
                drawn.silhouette.face(towards)
        self._bearings.update()
        self._spread_labels()
        self.renderer.ResetCameraClippingRange()

    def _spread_labels(self) -> None:
        """Put the labels beside their places so that none covers another."""
        labelled = [(one.item, one.text) for one in self._drawn.values() if one.text is not None]
        labelled = [(item, text) for item, text in labelled if text.GetVisibility()]
        anchors = [self.world_to_pixel(anchor_of(item)) for item, _ in labelled]
        sizes: list[tuple[float, float]] = []
        for _, text in labelled:
            size = [0.0, 0.0]
            text.GetSize(self.renderer, size)
            sizes.append((size[0], size[1] + 2 * self._kit.scale))
        places = spread(anchors, sizes, self.renderer.GetSize()[0], self._kit.gap)
        for (_, text), anchor, place in zip(labelled, anchors, places, strict=True):
            text.SetPosition(place[0] - anchor[0], anchor[1] - place[1])

    def render(self) -> None:
        """Draw a frame."""
        self.window.Render()

    def image(self, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """Draw a frame and give its pixels.

        size: width and height in pixels; that of the window when left out
        Returns (height, width, 3) uint8, upper row first.
        """
        if size is not None and tuple(self.window.GetSize()) != size:
            self.window.SetSize(*size)
        self.window.Render()
        return pixels_of(self.window)

    def suit_the_machine(self) -> bool:
        """Choose smoothing and peeling by what draws, and tell whether that is software (slow).

        Call it once after the first frame. Software: no multisampling (it costs four times as much),
        no depth peeling; a graphics card: 4 samples and peeling.
        """
        told = self.window.ReportCapabilities().lower()
        software = any(word in told for word in _SOFTWARE)
        self.window.SetMultiSamples(0 if software else 4)
        self.peel(not software)
        return software

    def peel(self, peeling: bool) -> None:
        """Whether see-through bodies are blended in their true order (slow in software)."""
        self.window.SetAlphaBitPlanes(peeling)
        self.renderer.SetUseDepthPeeling(peeling)
        self.renderer.SetMaximumNumberOfPeels(8)
        self.renderer.SetOcclusionRatio(0.0)

    def world_to_pixel(self, point_lps: ArrayLike) -> tuple[float, float]:
        """The pixel of a place, LPS mm."""
        clip = self.camera.lps_to_clip() @ (*vec3(point_lps), 1.0)
        width, height = self.renderer.GetSize()
        x, y = clip[:2] / clip[3]
        return float((x + 1) / 2 * width), float((1 - y) / 2 * height)

    def ray(self, x: float, y: float) -> tuple[FloatArray, FloatArray]:
        """Start and end (3,) LPS mm of the line of sight through a pixel, through all that is shown."""
        width, height = self.renderer.GetSize()
        self.renderer.ResetCameraClippingRange()
        back = np.linalg.inv(self.camera.lps_to_clip())
        ends = [back @ (2 * x / width - 1, 1 - 2 * y / height, depth, 1.0) for depth in (-1.0, 1.0)]
        near, far = (end[:3] / end[3] for end in ends)
        return near, far

    def pick(self, x: float, y: float) -> tuple[str, Vec3] | None:
        """The shape under a pixel and the place where it is met, LPS mm; None beside all shapes."""
        near, far = self.ray(x, y)
        best: tuple[float, str, Vec3] | None = None
        for name, drawn in self._drawn.items():
            if not isinstance(drawn.item, Surface):
                continue
            back = drawn.item.pose.inverse
            met = shape_of(drawn.item.mesh).hit(back.apply(near), back.apply(far))
            if met is None:
                continue
            place = drawn.item.pose.apply(met)
            away = float(np.linalg.norm(place - near))
            if best is None or away < best[0]:
                best = (away, name, vec3(place))
        return best[1:] if best is not None else None

    def close(self) -> None:
        """Take everything out of the window; the window itself stays its maker's."""
        self.renderer.RemoveObserver(self._watch)
        for drawn in self._drawn.values():
            self._remove(drawn)
        self._drawn.clear()
        self._bearings.close()


def _before_frame(stage: "weakref.ref[Stage]") -> None:
    if (one := stage()) is not None:
        one.update()


def load_widgets() -> None:
    """Load what a Qt plotter asks for when it is made, so that this takes no 0.2 s while a case opens."""
    for name in ("vtkInteractionWidgets", "vtkViewsContext2D"):
        import_module(f"vtkmodules.{name}")


def offscreen_window() -> vtkRenderWindow:
    """A window that nobody sees, without multisampling, so that a picture is the same on every run."""
    window = vtkRenderWindow()
    window.SetOffScreenRendering(True)
    window.SetMultiSamples(0)
    return window


def pixels_of(window: vtkRenderWindow) -> NDArray[np.uint8]:
    """The last frame of a window: (height, width, 3) uint8, upper row first."""
    width, height = window.GetSize()
    data = vtkUnsignedCharArray()
    window.GetPixelData(0, 0, width - 1, height - 1, 0, data, 0)
    flat: NDArray[np.uint8] = as_numpy(data).reshape(height, width, 3)
    return flat[::-1].copy()
