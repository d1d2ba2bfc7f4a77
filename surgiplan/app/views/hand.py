"""What the left button holds while a plane, a motion, points or paint are being placed."""

from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPainter

from ...algorithms.motion import Guided
from ...plan.operation import Field
from ...plan.plan import Plan, Step
from ...values import Bits, Places, Plane, Pose, Vec3, vec3
from ..desk import Desk
from ..inputs import with_point
from ..jobs import Jobs
from ..painting.easel import Easel, Sight
from ..painting.tool import Tool
from ..painting.tools import TOOLS
from .dots import Dots
from .eye import Eye
from .grasp import GUIDED_FIELDS, Grasp
from .hold import Hold
from .nearness import Nearness
from .sheet import words

_POINTS = tuple[Vec3, ...]
_HINTS: dict[Any, str] = {
    Plane: "Drag the arrow to shift the plane, a ring to tilt it. Ctrl: whole mm and degrees.",
    Pose: "Drag an arrow, a ring or the dot (Ctrl: whole steps), or use the arrow keys.",
    Vec3: "Click the place in a slice or on a shape, or drag the point.",
    Places: "Click the landmark in a slice or on a shape; drag one that is placed.",
    _POINTS: "Click the points one after the other, in a slice or on a shape; drag one that is placed.",
}
_GUIDED_HINTS = {
    "axis": "Drag the arrow to slide the part, the ring to turn it (Ctrl: whole steps), or use the keys.",
    "hinge": "Drag the ring to turn the part about its hinge (Ctrl: whole steps), or use Page up and down.",
    "plane": "Drag an arrow or the dot to slide the part, the ring to turn it (Ctrl: whole steps), or keys.",
}
_PLACED = (Vec3, _POINTS, Places)


class Hand(QObject):
    """Places one parameter of the chosen step; holds nothing unless it was asked to.

    desk: the open case
    jobs: does what takes long beside the window

    changed: it holds something else, or what it holds has moved
    told: how far a drag has gone, in words; between two drags what the hand can do
    moved: a drag has brought this field to this value, which is not kept yet
    kept: a field was placed for good
    dropped: a drag was ended without keeping it
    """

    changed = Signal()
    told = Signal(str)
    moved = Signal(str, object)
    kept = Signal(str)
    dropped = Signal()

    def __init__(self, desk: Desk, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._step = ""
        self._field: Field | None = None
        self.mark = ""  # the landmark that the next click places
        self._dots = Dots(desk)
        self._words, self._at = "", QPointF()
        self._where: Sight | None = None
        self.asking_pivot = False
        self.easel = Easel(desk, jobs, self)
        self._tool: Tool = TOOLS[self.easel.settings.tool](self.easel)
        self.nearness = Nearness(desk, self)
        self.nearness.changed.connect(self.changed)
        self._grasp = Grasp(desk, self.nearness)
        self.easel.altered.connect(self._follow_settings)
        self.easel.told.connect(self.told)
        self.easel.painted.connect(self._keep_stroke)

    @property
    def active(self) -> bool:
        """Whether it holds something."""
        return self._field is not None

    @property
    def dragging(self) -> bool:
        """Whether a drag or a stroke is going on."""
        return bool(self._grasp.drag or self._dots.held) or (self.painting and self._tool.busy)

    @property
    def holds_pose(self) -> bool:
        """Whether it holds a part that is free to go anywhere."""
        return self._grasp.holds_pose

    @property
    def holds_part(self) -> bool:
        """Whether it holds the motion of a part, free or on a guide."""
        return self._grasp.holds_pose or self._grasp.holds_guided

    @property
    def hold(self) -> Hold:
        """How a part is held."""
        return self._grasp.hold

    @property
    def painting(self) -> bool:
        """Whether it holds a tool to paint with."""
        return self._field is not None and self._field.kind is Bits

    def take(self, step: Step, field: Field, mark: str = "") -> None:
        """Hold a parameter of a step; of landmarks the one of this name, for the next click."""
        self.put_down()
        self._step, self._field, self.mark = step.name, field, mark
        self._grasp.take(step.name, field)
        if field.kind is Bits:
            self.easel.take(step, field.name)
        elif self.holds_part:
            self.nearness.take(step.name)
        self.told.emit(self._hint)
        self.changed.emit()

    def put_down(self) -> None:
        """Hold nothing any more."""
        if self._field is not None:
            self.let_go()
            self._field, self._dots.lit, self.asking_pivot = None, None, False
            self._grasp.put_down()
            self.nearness.put_down()
            self.told.emit("")
            self.changed.emit()

    def let_go(self) -> None:
        """End a drag without keeping it."""
        if self.dragging:
            self._grasp.drag, self._dots.held, self._words = None, None, ""
            self._tool.drop()
            self.easel.drop()
            self._desk.draft(None)
            self.nearness.follow()
            self.told.emit(self._hint)
            self.dropped.emit()
            self.changed.emit()

    @property
    def _hint(self) -> str:
        if self.painting:
            return self._tool.hint
        if isinstance(value := self._grasp.value, Guided):
            return _GUIDED_HINTS[value.kind]
        return "" if self._field is None else _HINTS.get(self._field.kind, "")

    # --- painting

    def _follow_settings(self) -> None:
        """Take another tool when another is wanted; what the last one had begun is dropped."""
        wanted = TOOLS[self.easel.settings.tool]
        if type(self._tool) is not wanted:
            self.let_go()
            self._tool = wanted(self.easel)
            if self.painting:
                self.told.emit(self._hint)
        self.changed.emit()

    def _keep_stroke(self, plan: Plan, why: str) -> None:
        if self._desk.commit(plan, why):
            self.kept.emit(self.easel.field)
        self.changed.emit()

    def finish(self) -> bool:
        """Use what is outlined with the tool; False when nothing is."""
        outlined = self.painting and self._tool.busy
        if outlined:
            self._tool.finish()
            self.changed.emit()
        return outlined

    def key(self, key: Qt.Key) -> bool:
        """Do what a key means while a tool is held; False when it means nothing."""
        if not self.painting:
            return self.holds_part and self._nudged(key)
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.finish()
        elif key in (Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight):
            self.easel.resize(1 if key == Qt.Key.Key_BracketRight else -1)
        elif key == Qt.Key.Key_Backspace and self._tool.busy:
            self._tool.back()
        else:
            return False
        return True

    # --- the three moments of a gesture

    def press(self, where: Sight, x: float, y: float, turned: bool = False) -> bool:
        """Take hold of what lies at a pixel of a view; False when nothing is there for the hand.

        turned: erase where would be painted, and the other way round
        """
        eye = where.eye()
        if self._field is None or eye is None:
            return False
        self._where = where
        if self._field.kind in _PLACED:
            self._dots.held = self._dots.under(self._step, self._field, where, eye, x, y)
            if self._dots.held or (self._field.kind is Places and not self.mark):
                return self._dots.held is not None
            return self._put_point(where.point_at(x, y))
        if self._field.kind is Bits:
            if self.easel.refuses():
                return self.easel.grid is not None  # a locked segment keeps the button, so that nothing moves
            self.easel.turned = turned
            return self._tool.press(where, x, y)
        if self.asking_pivot and isinstance(value := self._grasp.value, Pose):
            return self._put_pivot(value, where.point_at(x, y))
        if not self._grasp.press(eye, x, y):
            return False
        self._at = QPointF(x, y)
        self.changed.emit()
        return True

    def move(self, x: float, y: float, snap: bool = False) -> None:
        """Follow the cursor: the plan is drafted, nothing is kept.

        snap: go in whole millimetres and degrees
        """
        if self.painting:
            self._tool.move(x, y)
        elif self._field is not None and (found := self._dragged(x, y, snap)) is not None:
            value, self._words = found
            self._at = QPointF(x, y)
            for name, to in self._grasp.edits(value).items():
                self.moved.emit(name, to)
            self._desk.draft(self._with(value))
            self.nearness.follow()
            self.told.emit(self._words)

    def _dragged(self, x: float, y: float, snap: bool) -> tuple[Any, str] | None:
        """What the held field becomes with the cursor there, and the change in words."""
        if self._grasp.drag is not None:
            return self._grasp.dragged(x, y, snap)
        point = self._where.point_at(x, y) if self._where is not None else None
        if self._dots.held is None or point is None:  # beside all shapes it stays where it was last
            return None
        assert self._field is not None
        return self._dots.to(getattr(self._desk.kept[self._step].operation, self._field.name), point)

    def release(self) -> None:
        """Keep what was placed: one drag is one undo step."""
        if self.painting:
            self._tool.release()
        elif self._grasp.drag is not None or self._dots.held is not None:
            moved, self._grasp.drag, self._dots.held, self._words = bool(self._words), None, None, ""
            self.told.emit(self._hint)
            if moved:
                self._keep(self._desk.plan)
        self.changed.emit()

    def hover(self, where: Sight, x: float, y: float) -> None:
        """Light up the grip under the cursor, or show the tool there."""
        if self.painting:
            self._tool.hover(where, x, y)
            return
        self._where = where if self._grasp.drag is None else self._where
        eye = where.eye()
        if self._field is not None and self._field.kind in _PLACED and eye is not None:
            lit = self._dots.under(self._step, self._field, where, eye, x, y)
            if (lit and lit.name) != (self._dots.lit and self._dots.lit.name):
                self._dots.lit = lit
                self.changed.emit()
        if self._grasp.hover(eye, x, y):
            self.changed.emit()

    # --- how a part is held

    @property
    def has_moved(self) -> bool:
        """Whether the held part has another place than the one it came with."""
        return self._grasp.value not in (None, self._grasp.at_rest)

    def hold_by(self, **choices: Any) -> None:
        """Hold the part by other axes, about another point or by other steps (fields of `Hold`)."""
        self.let_go()
        self._grasp.hold = replace(self.hold, **choices)
        self.changed.emit()

    def ask_pivot(self, on: bool = True) -> None:
        """Take the next click as the point the part turns about."""
        self.asking_pivot = on
        self.told.emit(self.tr("Click the point it shall turn about.") if on else self._hint)
        self.changed.emit()

    def _put_pivot(self, pose: Pose, point: Vec3 | None) -> bool:
        if point is not None:
            self.asking_pivot = False
            self.told.emit(self._hint)
            self.hold_by(pivot=vec3(pose.inverse.apply(point)))
        return True

    def put_back(self) -> None:
        """Take all motion of the held part back."""
        if (rest := self._grasp.at_rest) is not None:
            self.let_go()
            self._keep(self._with(rest))
            self.changed.emit()

    def _nudged(self, key: Qt.Key) -> bool:
        """One step of the held part: by the arrows along the view, by Page up and down about its line."""
        eye = self._where.eye() if self._where else None
        stepped = self._grasp.stepped(key, eye) if eye is not None else None
        if stepped is not None:
            self.let_go()
            self._keep(self._with(stepped))
            self.changed.emit()
        return stepped is not None

    # --- what is kept

    def _with(self, value: Any) -> Plan:
        return self._desk.kept.edit(self._step, **self._grasp.edits(value))

    def _keep(self, plan: Plan) -> None:
        assert self._field is not None
        held = self._grasp.holds_guided
        named = self.tr("motion") if held else self._field.name.replace("_", " ")
        self._desk.commit(plan, f"place {named} of {self._step}")
        for name in GUIDED_FIELDS if held else (self._field.name,):
            self.kept.emit(name)

    def _put_point(self, point: Vec3 | None) -> bool:
        assert self._field is not None
        if point is not None:
            rounded = vec3(np.round(point, 3))
            before = getattr(self._desk.plan[self._step].operation, self._field.name)
            self._keep(self._with(with_point(self._field.kind, before, rounded, self.mark)))
            self.changed.emit()
        return True

    # --- how it looks

    def grip_pixel(self, where: Sight, name: str, kind: str = "") -> tuple[float, float] | None:
        """Where in a view a grip of this name lies, None when it is not there."""
        return self._grasp.grip_pixel(where, name, kind)

    def paint(self, painter: QPainter, eye: Eye, where: Sight) -> None:
        """Paint the handle, or the strokes and the tool, over a view."""
        if self._field is None:
            return
        if self.painting:
            self.easel.paint_voxels(painter, where, *eye.size)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._tool.paint(painter, eye, where)
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._grasp.paint(painter, eye, told=bool(self._words))
        if where.slice is None:
            self._grasp.paint_nearness(painter)
        self._dots.paint(painter, eye, where)
        if self._words and where is self._where:
            away = QPointF(16, 30 if self._dots.held else -12)  # below the name of a point
            words(painter, self._at + away, self._words, QColor("#FFFFFF"))
