"""What a body comes near to while it is dragged: figures, colours, and a stop at the first touch.

Of a body that a step `collide` means to sit inside another, the colours and the stop regard the rest alone.
"""

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, Signal

from ...algorithms.fields.contact import Body, contact
from ...algorithms.fields.field import FIELDS
from ...algorithms.fields.sweep import Motions, first_touches
from ...algorithms.motion import Guided
from ...errors import Cancelled, SurgiplanError
from ...ops.collide import Collide
from ...progress import Report
from ...scene import Scalars, Surface
from ...scene.marks import severity_of
from ...scene.view import value_of
from ...values import IDENTITY, Collision, FloatArray, Mesh, Part, Pose
from .. import theme
from ..desk import Desk
from ..jobs import Jobs

_COLOURED_MM = 4.0  # the colours reach so far to both sides of a touch
_COLOURED_POINTS = 120_000  # a larger body keeps its colour: frames would wait for its points
_TOLD_MM = 0.5  # a bound of the error above this is told
_STAGES = ("at once", "measured", "exact")  # of the fields: bounds of 7, mostly 0.2 and 0.05 mm
_TOLD = 4  # bodies that are named
_BACK_MM = 0.03  # a stopped body stays so far before the touch, so that it is free to go away again


@dataclass(frozen=True)
class Near:
    """What lies near the dragged body.

    name: the other shape, "step" or "step.output"
    found: how they lie to each other
    exact: whether its field is finished
    """

    name: str
    found: Collision
    exact: bool

    @property
    def text(self) -> str:
        """Such as "femur 1.25 mm apart".

        With "about" while its field is coarse; then, and in the deep, with by how much it can be off.
        """
        about, wrong = "" if self.exact else "about ", self.found.error_mm
        more = f", or up to {wrong:.1f} more" if wrong > _TOLD_MM else ""
        less = f", or up to {wrong:.1f} less" if wrong > _TOLD_MM and not self.exact else ""
        if self.found.meant == "inside" and not self.found.contained:
            if self.found.depth_mm > 0:
                return f"{self.name}: sits inside, reaches out"
            return f"{self.name}: {about}{self.found.clearance_mm:.2f} mm outside{less}, meant to sit inside"
        if self.found.contained:
            return (
                f"{self.name}: {about}{self.found.clearance_mm:.2f} mm below the surface{less}, wholly inside"
            )
        if self.found.depth_mm > 0:
            return f"{self.name}: {about}{self.found.depth_mm:.2f} mm deep{more}"
        return f"{self.name}: {about}{self.found.clearance_mm:.2f} mm apart{less}"

    @property
    def colour(self) -> str:
        """As grave as a finding would be."""
        return theme.SEVERITY_COLOURS[severity_of(self.found)]


class Nearness(QObject):
    """Watches one body that a hand moves. Its fields are made in a worker: coarse ones first.

    desk: the open case

    changed: more is known
    """

    changed = Signal()

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self.jobs = desk, Jobs(self)
        self.stops = False
        """Whether a drag ends at the first touch."""
        self._step, self._bodies = "", dict[str, Body]()
        self._own: Body | None = None
        self._start: tuple[Pose | Guided, Pose] | None = None  # the parameter, and the body, before the drag
        self._last: Pose | Guided = IDENTITY
        self._free = dict[str, tuple[Body, Pose]]()
        self.near: tuple[Near, ...] = ()
        self.stopped_at = ""
        """The body that holds up the drag just now."""
        self._scalars: tuple[tuple[str, Pose], Scalars] | None = None

    def take(self, step: str) -> None:
        """Watch the body of a step."""
        self.put_down()
        self._step = step
        self._want()

    def put_down(self) -> None:
        """Watch nothing any more; what was made stays in memory for the next time."""
        self.jobs.cancel()
        self._step, self._own, self._bodies = "", None, {}
        self._start, self.near, self._scalars, self.stopped_at = None, (), None, ""

    # --- making fields

    def _part(self) -> Part | None:
        value = value_of(self._desk.results.get(self._step)) if self._step else None
        return value if isinstance(value, Part) else None

    def _others(self) -> list[Surface]:
        """The other shapes that are seen and up to date; not the same shape where it came from."""
        part = self._part()
        return [
            one
            for one in self._desk.scene.surfaces
            if part is not None
            and one.name.partition(".")[0] != self._step
            and not one.dimmed
            and one.mesh.digest != part.mesh.digest
        ]

    def _meant_inside(self) -> set[str]:
        """The shapes that the body is meant to sit in, as a step that looks at both says."""
        looks = [step.operation for step in self._desk.plan.steps if isinstance(step.operation, Collide)]
        return {str(one.b) for one in looks if str(one.a) == self._step and one.meant == "inside"}

    def _want(self) -> None:
        """Make what is still missing: first answers for all, then narrower ones, the exact ones last."""
        part = self._part()
        if part is None:
            return
        meshes = {"": part.mesh} | {one.name: one.mesh for one in self._others()}
        for stage in _STAGES:
            for name, mesh in meshes.items():
                what = self.tr("Distances to {0}").format(name or self._step)

                task = partial(_made, mesh, self._bodies.get(mesh.digest), stage)
                self.jobs.start(what, task, partial(self._keep, mesh.digest), self._failed)

    def _keep(self, digest: str, body: Body | None) -> None:
        part = self._part()
        if body is None or part is None:
            return
        self._bodies[digest] = body
        if digest == part.mesh.digest:
            self._own = body
        self._scalars = None
        self.follow()
        self.changed.emit()

    def _failed(self, problem: Exception) -> None:
        """A shape without a surface has no distances; anything else is a fault and told as one."""
        if not isinstance(problem, SurgiplanError | Cancelled):
            self._desk.refused.emit(problem)

    # --- while the body moves

    def follow(self) -> None:
        """Find out again what lies near, for the pose that is seen."""
        part = self._part()
        if self._own is None or part is None:
            self.near = ()
            return
        found, within = [], self._meant_inside()
        for one in self._others():
            body = self._bodies.get(one.mesh.digest)
            if body is not None:
                exact = body.field.finished and self._own.field.finished
                met = contact(self._own, body, part.pose, one.pose)
                met = replace(met, meant="inside" if one.name in within else "apart")
                found.append(Near(one.name, met, exact))
        found.sort(key=lambda one: one.found.clearance_mm - one.found.depth_mm)
        self.near = tuple(found[:_TOLD])

    def coloured(self, item: Surface) -> Surface:
        """The watched body in colours of its distance to all others; any other shape as it is."""
        if item.name != self._step or not self._bodies or len(item.mesh.points) > _COLOURED_POINTS:
            return item
        seen = (item.mesh.digest, item.pose)
        if self._scalars is None or self._scalars[0] != seen:
            points, within = item.pose.apply(item.mesh.points), self._meant_inside()
            away = [
                body.field.sampled(body.field.to_cells(one.pose.inverse.apply(points)))[0]
                for one in self._others()
                if one.name not in within and (body := self._bodies.get(one.mesh.digest)) is not None
            ]
            if not away:
                return item
            shown = np.clip(np.minimum.reduce(away), -_COLOURED_MM, _COLOURED_MM)
            self._scalars = (seen, Scalars(shown, -_COLOURED_MM, _COLOURED_MM, self.tr("distance")))
        return replace(item, scalars=self._scalars[1])

    def begin(self, value: Pose | Guided) -> None:
        """A drag begins with the parameter at this value."""
        part = self._part()
        if part is None:
            return
        self._start, self._last, self._free = (value, part.pose), value, {}
        self.follow()
        touching = {one.name for one in self.near if one.found.depth_mm > 0 or one.found.contained}
        touching |= self._meant_inside()
        for one in self._others():
            body = self._bodies.get(one.mesh.digest)
            ready = body is not None and body.field.ready and self._own is not None and self._own.field.ready
            if body is not None and ready and one.name not in touching:
                self._free[one.name] = (body, one.pose)

    def allowed(self, value: Pose | Guided) -> Pose | Guided:
        """How far the parameter may go towards a value: before the first touch, if drags are to stop there.

        Bodies that overlap before the drag do not hold it up, nor do those it is meant to sit in.
        """
        self.stopped_at = ""
        if not self.stops or self._start is None or self._own is None:
            return value
        own, begun = self._own, self._placed(self._last)
        way = _way(self._last, value, begun, self._placed(value), own.cloud.middle)
        arm = float(np.linalg.norm(begun.apply(own.cloud.middle) - way.centre)) + own.cloud.reach_mm
        far = float(np.linalg.norm(way.shifts[0]) + abs(way.angles[0]) * arm)
        share = 1.0
        for name, (body, place) in self._free.items():
            touch = float(first_touches(own, body, begun, place, way).share[0])
            if touch < share:
                share, self.stopped_at = touch, name
        if self.stopped_at:
            share = max(share - _BACK_MM / max(far, _BACK_MM), 0.0)
            value = _gone(self._last, way, share)
        self._last = value
        return value

    def _placed(self, value: Pose | Guided) -> Pose:
        """The pose of the body with the parameter at a value."""
        assert self._start is not None
        before, pose = self._start
        return _pose(value).after(_pose(before).inverse).after(pose)

    def close(self) -> None:
        """Stop the worker."""
        self.jobs.close()


def _pose(value: Pose | Guided) -> Pose:
    return value.pose if isinstance(value, Guided) else value


def _way(last: Pose | Guided, value: Pose | Guided, begun: Pose, end: Pose, middle: FloatArray) -> Motions:
    """How a body goes on from one value of the parameter to another; a guided one stays on its guide.

    begun, end: where it is with either value
    middle: (3,) of the body, in its own coordinates
    """
    if not (isinstance(last, Guided) and isinstance(value, Guided)):
        return Motions.between(begun, end, middle)
    turn = math.radians(math.remainder(value.angle - last.angle, 360))
    centre, axis = np.asarray(last.guide.point) + last.slide, np.asarray(last.guide.normal)
    return Motions(centre, axis[None], np.array([turn]), (value.slide - last.slide)[None])


def _gone(value: Pose | Guided, way: Motions, share: float) -> Pose | Guided:
    """A value of the parameter gone on by a part of a way."""
    if isinstance(value, Guided):
        turn = math.degrees(share * float(way.angles[0]))
        return value.slid(share * way.shifts[0]).turned(turn)
    return way.pose(0, share).after(value)


def _made(mesh: Mesh, known: Body | None, stage: str, report: Report) -> Body | None:
    """A shape made ready; None for an open one, which has no inside."""
    if not mesh.watertight:
        return None
    field = FIELDS.of(mesh, report, finished=stage == "exact", measured=stage == "measured")
    return known or Body(field, field.cloud)
