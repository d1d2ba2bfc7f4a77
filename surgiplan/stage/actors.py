"""One function for each kind of item: it makes the item's actors, or brings those of before up to date."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPolyData
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkRenderingCore import (
    vtkActor,
    vtkMapper,
    vtkPolyDataMapper,
    vtkProp,
    vtkTextActor,
    vtkTexture,
)

from ..scene.items import Item, LineMark, PlaneMark, PointMark, PoseMark, Surface
from ..values import FloatArray, Vec3, vec3
from .colours import GROUND, SEVERITIES, TEXT, mixed, rgb, table_of
from .lettering import Style, label, move_label
from .shapes import copied, dot, lines, polygons, shape_of
from .silhouette import Silhouette

_PALE = "#7D858E"
_SQUARE = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
_CROSS = np.array([[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1]], np.float32)
_IN_FRONT = -66000.0  # polygon offset units that bring lines and points before every surface


@dataclass
class Kit:
    """What the actors of one stage share.

    scale: pixels of the screen per pixel of the design
    uploads: how many shapes were handed to the graphics card
    """

    scale: float = 1.0
    uploads: int = 0
    hatching: vtkTexture = field(default_factory=lambda: _hatching())

    @property
    def gap(self) -> float:
        """Pixels between a marked place and its label."""
        return 11 * self.scale

    def actor(self, data: vtkPolyData) -> vtkActor:
        """A new actor for this data: one upload."""
        self.uploads += 1
        mapper = vtkPolyDataMapper()
        mapper.SetInputData(data)
        mapper.ScalarVisibilityOff()
        actor = vtkActor()
        actor.SetMapper(mapper)
        actor.SetUserMatrix(vtkMatrix4x4())
        return actor

    def style(self, colour: str = TEXT) -> Style:
        """How labels look."""
        return Style(13 * self.scale, colour, ground=GROUND)


@dataclass
class Drawn:
    """An item, and the actors and words that stand for it; `silhouette` must be told where the eye is."""

    item: Item
    actors: tuple[vtkActor, ...]
    text: vtkTextActor | None = None
    silhouette: Silhouette | None = None

    @property
    def props(self) -> tuple[vtkProp, ...]:
        """All that stands in the view."""
        return self.actors if self.text is None else (*self.actors, self.text)


def draw(item: Item, before: Drawn | None, kit: Kit) -> Drawn:
    """The props of an item; those of `before` are kept wherever only numbers have changed."""
    match item:
        case Surface():
            return _surface(item, before, kit)
        case PlaneMark():
            return _plane(item, before, kit)
        case PoseMark():
            return _pose(item, before, kit)
        case PointMark():
            return _point(item, before, kit)
        case LineMark():
            return _line(item, before, kit)


def anchor_of(item: Item) -> Vec3:
    """The place that the label of an item stands beside, LPS mm."""
    match item:
        case PointMark():
            return item.at_lps
        case LineMark():
            return item.middle_lps
        case PlaneMark():
            return item.plane.point
        case PoseMark():
            return item.centre_lps
        case Surface():
            return vec3(item.pose.shift)


def _surface(item: Surface, before: Drawn | None, kit: Kit) -> Drawn:
    old = before.item if before is not None else None
    kept = before if isinstance(old, Surface) and _same_shape(old, item) else None
    body = kept.actors[0] if kept else _body(item, kit)
    edge = kept.silhouette if kept else None
    if item.chosen and edge is None:
        edge = Silhouette(shape_of(item.mesh), kit.scale)
    _set_matrix(body, item.pose.array)
    look = body.GetProperty()
    look.SetColor(*(mixed(item.colour, _PALE, 0.5) if item.dimmed else rgb(item.colour)))
    look.SetOpacity(item.opacity)
    look.SetBackfaceCulling(item.opacity < 1)
    if item.dimmed:
        look.SetTexture("hatching", kit.hatching)
    else:
        look.RemoveTexture("hatching")
    if edge is None:
        return Drawn(item, (body,))
    _set_matrix(edge.actor, item.pose.array)
    edge.actor.SetVisibility(item.chosen)
    return Drawn(item, (body, edge.actor), silhouette=edge)


def _same_shape(before: Surface, now: Surface) -> bool:
    """Whether the graphics card has this shape, with these numbers on it, already."""
    old, new = before.scalars, now.scalars
    if before.mesh.digest != now.mesh.digest or (old is None) != (new is None):
        return False
    if old is None or new is None:
        return True
    same = old.values is new.values or np.array_equal(old.values, new.values)
    return same and (old.low, old.high) == (new.low, new.high)


def _body(item: Surface, kit: Kit) -> vtkActor:
    shape = shape_of(item.mesh)
    data = vtkPolyData()
    data.ShallowCopy(shape.data)
    actor = kit.actor(data)
    if item.scalars is not None:
        data.GetPointData().SetScalars(copied(item.scalars.values[shape.sources]))
        mapper = actor.GetMapper()
        mapper.ScalarVisibilityOn()
        mapper.InterpolateScalarsBeforeMappingOn()
        mapper.SetLookupTable(table_of(item.scalars))
        mapper.UseLookupTableScalarRangeOn()
    look = actor.GetProperty()
    look.SetInterpolationToPhong()
    look.SetAmbient(0.06)
    look.SetDiffuse(0.94)
    look.SetSpecular(0.16)
    look.SetSpecularPower(22)
    return actor


def _plane(item: PlaneMark, before: Drawn | None, kit: Kit) -> Drawn:
    actors = before.actors if before is not None and isinstance(before.item, PlaneMark) else _new_plane(kit)
    matrix = np.eye(4)
    first, second = item.axes
    matrix[:3, :3] = np.stack([first, second, item.plane.normal], axis=1) * item.half_extent_mm
    matrix[:3, 3] = item.plane.point
    for actor, opacity in zip(actors, (0.16 if item.active else 0.1, 1.0), strict=True):
        _set_matrix(actor, matrix)
        actor.GetProperty().SetColor(*rgb(item.colour))
        actor.GetProperty().SetOpacity(opacity)
    return Drawn(item, actors)


def _new_plane(kit: Kit) -> tuple[vtkActor, ...]:
    sheet = kit.actor(polygons(_SQUARE, np.array([[0, 1, 2], [0, 2, 3]], np.int32)))
    border = kit.actor(lines(_SQUARE, [[0, 1], [1, 2], [2, 3], [3, 0]]))
    sheet.GetProperty().LightingOff()
    border.GetProperty().LightingOff()
    border.GetProperty().SetLineWidth(2 * kit.scale)
    return sheet, border


def _pose(item: PoseMark, before: Drawn | None, kit: Kit) -> Drawn:
    if before is not None and isinstance(before.item, PoseMark):
        (cross,) = before.actors
    else:
        cross = kit.actor(lines(_CROSS, [[0, 1], [2, 3], [4, 5]]))
        cross.GetProperty().SetLineWidth(1.6 * kit.scale)
        cross.GetProperty().LightingOff()
        cross.GetProperty().SetColor(*rgb(TEXT))
        _to_front(cross.GetMapper())
    _set_matrix(cross, _at(item.centre_lps, 5.0))
    cross.SetVisibility(item.active)
    return Drawn(item, (cross,))


def _point(item: PointMark, before: Drawn | None, kit: Kit) -> Drawn:
    if before is not None and before.text is not None and isinstance(before.item, PointMark):
        ball, text = before.actors[0], before.text
    else:
        ball, text = _new_point(kit), label("", item.at_lps, kit.style(), (kit.gap, 0.0))
    _set_matrix(ball, _at(item.at_lps))
    ball.GetProperty().SetColor(*rgb(SEVERITIES[item.severity]))
    _write(text, item.text, item.at_lps)
    return Drawn(item, (ball,), text)


def _new_point(kit: Kit) -> vtkActor:
    ball = kit.actor(dot())
    ball.GetProperty().SetPointSize(13 * kit.scale)
    ball.GetProperty().RenderPointsAsSpheresOn()
    _to_front(ball.GetMapper())
    return ball


def _line(item: LineMark, before: Drawn | None, kit: Kit) -> Drawn:
    old = before.item if before is not None else None
    if before is not None and before.text is not None and _same_points(old, item):
        actors, text = before.actors, before.text
    else:
        actors = _new_line(item, kit)
        text = label("", item.middle_lps, kit.style(), (kit.gap, 0.0))
    for actor in actors:
        actor.GetProperty().SetColor(*rgb(_PALE if item.dimmed else "#F0E442"))
    _write(text, item.text + (" (out of date)" if item.dimmed else ""), item.middle_lps)
    return Drawn(item, actors, text)


def _same_points(before: Item | None, now: LineMark) -> bool:
    return isinstance(before, LineMark) and (before.points_lps, before.lines) == (now.points_lps, now.lines)


def _new_line(item: LineMark, kit: Kit) -> tuple[vtkActor, ...]:
    points = np.asarray(item.points_lps) - item.points_lps[0]
    line, ends = kit.actor(lines(points, item.pairs)), kit.actor(lines(points, item.dotted))
    for actor in (line, ends):
        actor.GetProperty().LightingOff()
        actor.GetProperty().SetLineWidth(2.4 * kit.scale)
        _set_matrix(actor, _at(item.points_lps[0]))
        _to_front(actor.GetMapper())
    ends.GetProperty().SetRepresentationToPoints()
    ends.GetProperty().SetPointSize(9 * kit.scale)
    ends.GetProperty().RenderPointsAsSpheresOn()
    return line, ends


def _write(text: vtkTextActor, words: str, at: Vec3) -> None:
    text.SetInput(f" {words} ")
    text.SetVisibility(bool(words))
    move_label(text, at)


def _to_front(mapper: vtkMapper) -> None:
    """Draw before everything: a mark inside a body must be seen."""
    mapper.SetResolveCoincidentTopologyToPolygonOffset()
    mapper.SetRelativeCoincidentTopologyLineOffsetParameters(0.0, _IN_FRONT)
    mapper.SetRelativeCoincidentTopologyPointOffsetParameter(_IN_FRONT)
    mapper.SetRelativeCoincidentTopologyPolygonOffsetParameters(0.0, _IN_FRONT)


def _at(place: Vec3, size: float = 1.0) -> FloatArray:
    matrix = np.diag((size, size, size, 1.0))
    matrix[:3, 3] = place
    return matrix


def _set_matrix(prop: vtkActor, matrix: ArrayLike) -> None:
    prop.GetUserMatrix().DeepCopy(np.asarray(matrix, np.float64).ravel())


def _hatching() -> vtkTexture:
    """Light and dark stripes, for what is out of date."""
    stripes = np.repeat(np.array([[255], [255], [255], [120]], np.uint8), 16, axis=0).repeat(3, axis=1)
    image = vtkImageData()
    image.SetDimensions(len(stripes), 1, 1)
    image.GetPointData().SetScalars(copied(stripes))
    texture = vtkTexture()
    texture.SetInputData(image)
    texture.RepeatOn()
    texture.InterpolateOn()
    texture.MipmapOn()
    return texture
