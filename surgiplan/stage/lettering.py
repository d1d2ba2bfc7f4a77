"""Words and flat lines in a picture, placed by pixels."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from vtkmodules.vtkRenderingCore import (
    vtkActor2D,
    vtkCoordinate,
    vtkPolyDataMapper2D,
    vtkTextActor,
    vtkTextProperty,
)

from ..values import Vec3
from .colours import TEXT, rgb
from .shapes import lines


@dataclass(frozen=True)
class Style:
    """How words look.

    size: height of the font in pixels
    side, height: which point of the words lies at the given place
    ground: colour behind the words, None for none
    """

    size: float
    colour: str = TEXT
    side: Literal["left", "centre", "right"] = "left"
    height: Literal["bottom", "centre", "top"] = "centre"
    bold: bool = False
    ground: str | None = None

    def put_on(self, given: vtkTextProperty) -> None:
        """Give words this look."""
        given.SetFontFamilyToArial()
        given.SetFontSize(max(round(self.size), 6))
        given.SetColor(*rgb(self.colour))
        given.SetBold(self.bold)
        given.SetItalic(False)
        given.SetJustification(("left", "centre", "right").index(self.side))
        given.SetVerticalJustification(("bottom", "centre", "top").index(self.height))
        given.SetShadow(self.ground is None)
        given.SetShadowOffset(1, -1)
        given.SetBackgroundOpacity(0.0 if self.ground is None else 0.8)
        if self.ground is not None:
            given.SetBackgroundColor(*rgb(self.ground))


def words(text: str, style: Style, at: tuple[float, float] = (0.0, 0.0)) -> vtkTextActor:
    """Words at a pixel of the picture, x to the right and y up from the lower left corner."""
    actor = vtkTextActor()
    actor.SetTextScaleModeToNone()
    actor.SetInput(text)
    style.put_on(actor.GetTextProperty())
    actor.GetPositionCoordinate().SetCoordinateSystemToViewport()
    actor.SetPosition(*at)
    return actor


def label(text: str, at: Vec3, style: Style, offset: tuple[float, float]) -> vtkTextActor:
    """Words beside a place in the scene, always in front; `offset` in pixels to the right and up."""
    actor = words(text, style)
    place = vtkCoordinate()
    place.SetCoordinateSystemToWorld()
    place.SetValue(*at)
    actor.GetPositionCoordinate().SetReferenceCoordinate(place)
    actor.SetPosition(*offset)
    return actor


def move_label(actor: vtkTextActor, at: Vec3) -> None:
    """Put a label beside another place."""
    actor.GetPositionCoordinate().GetReferenceCoordinate().SetValue(*at)


class Strokes:
    """Flat lines, placed by pixels.

    width: of the lines, in pixels
    """

    def __init__(self, colour: str, width: float, opacity: float = 1.0) -> None:
        self._mapper = vtkPolyDataMapper2D()
        self.actor = vtkActor2D()
        self.actor.SetMapper(self._mapper)
        self.actor.GetProperty().SetColor(*rgb(colour))
        self.actor.GetProperty().SetLineWidth(width)
        self.actor.GetProperty().SetOpacity(opacity)

    def draw(self, points: ArrayLike, ends: ArrayLike) -> vtkActor2D:
        """Put lines between (n, 2) pixels joined in pairs by (m, 2) indices, in place of those before."""
        flat = np.asarray(points, np.float64).reshape(-1, 2)
        self._mapper.SetInputData(lines(np.pad(flat, ((0, 0), (0, 1))), ends))
        return self.actor


def scale_bar(
    left: float, bottom: float, pixels: float, tick: float
) -> tuple[list[list[float]], list[list[int]]]:
    """Points and ends of a bar with a tick at each end."""
    right = left + pixels
    points = [[left, bottom], [right, bottom], [left, bottom + tick], [right, bottom + tick]]
    return points, [[0, 1], [0, 2], [1, 3]]
