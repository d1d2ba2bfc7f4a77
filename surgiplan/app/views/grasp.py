"""A plane, a pose or a guided motion in the hand: its grips, one drag of them, and steps by keys."""

from dataclasses import dataclass, field, replace
from typing import Any

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from ...algorithms.motion import Guided
from ...ops.move_guided import MoveGuided
from ...plan.operation import Field, Operation
from ...plan.plan import Step
from ...values import IDENTITY, Plane, Pose, Vec3
from ..desk import Desk
from ..inputs import pivot_of
from ..painting.easel import Sight
from .eye import Eye
from .grips import paint_grip, paint_guide
from .handles import Drag, Grip, Placed, centre_of, grip_at, grip_pixel, grips_of, guided_words
from .hold import Hold, axes_of, guided_by, stepped_by
from .nearness import Nearness
from .sheet import words

GUIDED_FIELDS = ("kind", "guide", "shift", "across", "angle")


@dataclass
class Grasp:
    """What the hand holds by a handle; it looks at the plan and leaves changing it to the hand.

    desk: the open case
    nearness: what the body comes near to
    hold: how a part is held
    drag: the one that is going on
    grip: the one under the cursor or dragged
    """

    desk: Desk
    nearness: Nearness
    hold: Hold = field(default_factory=Hold)
    drag: Drag | None = None
    grip: Grip | None = None
    _step: str = ""
    _field: Field | None = None

    def take(self, step: str, held: Field) -> None:
        """Hold this parameter of a step, or none when it has no handle."""
        self._step, self._field = step, held

    def put_down(self) -> None:
        """Hold nothing any more."""
        self._field, self.grip, self.drag = None, None, None
        self.hold = replace(self.hold, pivot=None)

    # --- what it is

    @property
    def holds_pose(self) -> bool:
        """Whether it is the free pose of a part."""
        return self._field is not None and self._field.kind is Pose

    @property
    def holds_guided(self) -> bool:
        """Whether it is the motion of a part on a guide."""
        return self._field is not None and is_pulled(self._field)

    @property
    def step(self) -> Step | None:
        """The held step as the plan that is seen has it."""
        return self.desk.plan[self._step] if self._step in self.desk.plan.names else None

    @property
    def value(self) -> Placed | None:
        """Where it is now; None while that is not known, or nothing with a handle is held."""
        if self._field is None or self.step is None or (self.holds_pose and self._known_pivot is None):
            return None
        if self.holds_guided:
            return guided_motion(self.step.operation)
        value = getattr(self.step.operation, self._field.name)
        if self.holds_pose and value is None:
            return IDENTITY
        return value if isinstance(value, Plane | Pose) else None

    def edits(self, value: Any) -> dict[str, Any]:
        """The parameters of the step that say it is there, by name."""
        assert self._field is not None
        return parameters_of(value) if isinstance(value, Guided) else {self._field.name: value}

    @property
    def _known_pivot(self) -> Vec3 | None:
        return pivot_of(self.desk.results, self.desk.plan[self._step])

    @property
    def pivot(self) -> Vec3:
        """The point a pose turns about, before the pose, LPS mm."""
        return (self.hold.pivot if self.holds_pose else None) or self._known_pivot or (0.0, 0.0, 0.0)

    @property
    def at_rest(self) -> Placed | None:
        """Where it would be without any motion; None for what is no motion."""
        value = self.value
        if isinstance(value, Guided):
            return Guided(value.kind, value.guide)
        return IDENTITY if isinstance(value, Pose) else None

    def _grips(self, value: Placed, eye: Eye) -> list[Grip]:
        if not isinstance(value, Pose):
            return grips_of(value, self.pivot, eye)
        axes = axes_of(self.hold, self.desk.results, self.desk.plan[self._step], value)
        return grips_of(value, self.pivot, eye, axes)

    def _under(self, eye: Eye, x: float, y: float) -> Grip | None:
        value = self.value
        return grip_at(self._grips(value, eye), eye, x, y) if value is not None else None

    # --- a drag

    def press(self, eye: Eye, x: float, y: float) -> bool:
        """Take hold of the grip at a pixel; False when none is there."""
        value, grip = self.value, self._under(eye, x, y)
        if value is None or grip is None:
            return False
        if not isinstance(value, Plane):
            self.nearness.begin(value)
        self.grip, self.drag = grip, Drag(value, self.pivot, grip, eye, x, y)
        return True

    def dragged(self, x: float, y: float, snap: bool) -> tuple[Placed, str]:
        """Where the drag brings it with the cursor at a pixel, and the change in words.

        It stops before the first touch, if drags are to.
        """
        assert self.drag is not None
        value, told = self.drag.to(x, y, snap)
        if isinstance(value, Plane):
            return value, told
        value = self.nearness.allowed(in_reach(value, self._step_operation))
        if isinstance(value, Guided) and isinstance(self.drag.value, Guided):
            told = guided_words(self.drag.value, value)
        if self.nearness.stopped_at:
            told += self.desk.tr(", stopped before {0}").format(self.nearness.stopped_at)
        return value, told

    @property
    def _step_operation(self) -> Operation[Any]:
        return self.desk.plan[self._step].operation

    def hover(self, eye: Eye | None, x: float, y: float) -> bool:
        """Light up the grip under the cursor; True when that is another one."""
        grip = self._under(eye, x, y) if eye is not None else None
        other = (grip and grip.name) != (self.grip and self.grip.name)
        self.grip = grip if other else self.grip
        return other

    def stepped(self, key: Qt.Key, eye: Eye) -> Placed | None:
        """Where a press of a key brings it; None when the key means nothing."""
        value = self.value
        if isinstance(value, Guided):
            stepped = guided_by(key, value, self.hold, eye)
            return in_reach(stepped, self._step_operation) if stepped is not None else None
        return stepped_by(key, value, self.pivot, self.hold, eye) if isinstance(value, Pose) else None

    # --- how it looks

    def grip_pixel(self, where: Sight, name: str, kind: str = "") -> tuple[float, float] | None:
        """Where in a view a grip of this name lies, None when it is not there."""
        eye, value = where.eye(), self.value
        if eye is None or value is None:
            return None
        for grip in self._grips(value, eye):
            if grip.name == name and kind in ("", grip.kind):
                return grip_pixel(grip, eye)
        return None

    def paint(self, painter: QPainter, eye: Eye, told: bool) -> None:
        """Paint the handle over a view.

        told: whether words on the drag stand beside the cursor, so that the grip needs no name
        """
        if (value := self.value) is None:
            return
        if isinstance(value, Guided):
            paint_guide(painter, eye, value)
        for grip in self._grips(value, eye):
            lit = self.grip is not None and (grip.kind, grip.name) == (self.grip.kind, self.grip.name)
            paint_grip(painter, eye, grip, lit, named=not (lit and told))
        centre = QPointF(*eye.pixel(centre_of(value, self.pivot)))
        painter.setPen(QPen(QColor("#000000"), 1))
        painter.setBrush(QColor("#FFFFFF"))
        painter.drawEllipse(centre, 5, 5)

    def paint_nearness(self, painter: QPainter) -> None:
        """What lies near the body, the deepest first, in the upper left corner."""
        line = painter.fontMetrics().height() + 2
        for n, near in enumerate(self.nearness.near):
            words(painter, QPointF(12, (n + 1.5) * line), near.text, QColor(near.colour))


def is_pulled(field: Field) -> bool:
    """Whether a parameter is a number that a hand can also change in the views."""
    return field.number is not None and field.number.pulled


def guided_motion(operation: Operation[Any]) -> Guided | None:
    """The motion that a step makes on its guide; None while no guide is laid, or it holds the motion."""
    if not isinstance(operation, MoveGuided) or operation.guide is None:
        return None
    one = operation
    motion = Guided(one.kind, operation.guide, one.shift, one.across, one.angle)
    return None if motion.refused else motion


def parameters_of(motion: Guided) -> dict[str, Any]:
    """The parameters of a step that make this motion.

    The guide is among them, so that what is seen of a form that is not applied yet is kept with the drag.
    """
    return {name: getattr(motion, name) for name in GUIDED_FIELDS}


def in_reach(value: Placed, operation: Operation[Any]) -> Any:
    """A guided motion within what the numbers of its step may be; any other value as it is."""
    if not isinstance(value, Guided):
        return value
    numbers = {one.name: one.number for one in operation.spec.fields if one.number and one.number.pulled}
    return replace(
        value, **{name: min(max(getattr(value, name), n.low), n.high) for name, n in numbers.items()}
    )
