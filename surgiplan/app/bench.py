"""Where one case is worked on: steps and form at the left, four views, findings and history at the right."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QGridLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from ..plan.plan import Operations
from ..scene import AXES
from ..scene.view import Convention
from ..values import Finding, Vec3
from .desk import Desk
from .forms.adding import StepChooser, lacking, proposal
from .forms.form import Form
from .jobs import Jobs
from .painting.paintbar import PaintBar
from .panels.comparing import CompareDialog, chosen_revisions
from .panels.guide import Guide
from .panels.lists import FindingsPanel, HistoryPanel
from .panels.locking import LockBar, Locking
from .panels.marking import LandmarksPanel
from .panels.procedures import ProcedureDialog, fresh_in, sides_of
from .panels.segments import SegmentsPanel
from .panels.steps import StepList
from .views.hand import Hand
from .views.holdbar import HoldBar
from .views.slices import SliceView
from .views.viewport import DIRECTIONS, View3D

_CELLS = {"axial": (0, 0), "3d": (0, 1), "coronal": (1, 0), "sagittal": (1, 1)}


class Bench(QWidget):
    """All that belongs to one open case.

    desk: the case
    jobs: what is done beside the window
    operations: what can be added
    actions: the actions of the window, by name
    painted: let Qt paint the 3D view, instead of OpenGL

    told: a sentence for the status bar
    hovered: patient point under the cursor, or None
    """

    told = Signal(str)
    hovered = Signal(object)

    def __init__(
        self,
        desk: Desk,
        jobs: Jobs,
        operations: Operations,
        actions: Mapping[str, QAction],
        painted: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.desk, self._operations, self._actions = desk, operations, actions
        self.hand = Hand(desk, jobs, self)
        self.steps, self.form = StepList(desk, actions), Form(desk, jobs)
        self.view3d = View3D(desk, self.hand, painted)
        self.slices = {axis: SliceView(desk, self.hand, axis) for axis in AXES}
        self.paint_bar, self.hold_bar = PaintBar(desk, self.hand.easel), HoldBar(self.hand)
        self.findings, self.history = FindingsPanel(desk), HistoryPanel(desk)
        self.segments = SegmentsPanel(desk, jobs)
        self.landmarks = LandmarksPanel(desk, self.hand)
        self.chooser = StepChooser(operations, self)
        self.guide = Guide(desk)
        self.lock_bar, self.locking = LockBar(desk), Locking(desk, jobs, self, self._settle)
        self.views: dict[str, View3D | SliceView] = {"3d": self.view3d}
        self.views.update({str(axis): view for axis, view in self.slices.items()})
        self._alone = ""
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        left = QSplitter(Qt.Orientation.Vertical)
        left.addWidget(self.steps)
        left.addWidget(self.form)
        left.setSizes([300, 400])
        self._grid = QGridLayout()
        self._grid.setSpacing(2)
        self._grid.setContentsMargins(0, 0, 0, 0)
        for name, (row, column) in _CELLS.items():
            self._grid.addWidget(self.views[name], row, column)
        self.middle = QWidget()
        self.middle.setLayout(self._grid)
        middle = QWidget()
        above = QVBoxLayout(middle)
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(2)
        above.addWidget(self.paint_bar)
        above.addWidget(self.hold_bar)
        above.addWidget(self.middle, 1)
        self._right = right = QSplitter(Qt.Orientation.Vertical)
        self._guide_box = _titled(self.tr("Procedure"), self.guide)
        self._guide_box.hide()
        right.addWidget(self._guide_box)
        right.addWidget(_titled(self.tr("Findings"), self.findings))
        self._landmarks_box = _titled(self.tr("Landmarks"), self.landmarks)
        right.addWidget(self._landmarks_box)
        right.addWidget(_titled(self.tr("Segments"), self.segments))
        right.addWidget(_titled(self.tr("History"), self.history))
        right.setSizes([700, 250, 250, 220, 150])
        across = QSplitter(Qt.Orientation.Horizontal)
        for part, stretch in ((left, 0), (middle, 1), (right, 0)):
            across.addWidget(part)
            across.setStretchFactor(across.count() - 1, stretch)
        em = self.fontMetrics().averageCharWidth()
        across.setSizes([em * 50, em * 140, em * 36])
        for part in (left, right):
            part.setChildrenCollapsible(False)
        across.setChildrenCollapsible(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.lock_bar)
        outer.addWidget(across, 1)

    def _connect(self) -> None:
        self.steps.add.connect(self.choose_step)
        self.chooser.chosen.connect(self.add_step)
        self.form.placing.connect(self._place)
        self.form.told.connect(self.told)
        self.hand.told.connect(self.told)
        self.segments.told.connect(self.told)
        self.landmarks.told.connect(self.told)
        self.landmarks.wanted.connect(self._paint_into)
        self.landmarks.visited.connect(self.go_to)
        self.segments.begun.connect(self._paint_new)
        self.locking.told.connect(self.told)
        self.history.compared.connect(self.compare_plans)
        self.lock_bar.unlock.connect(self.locking.ask_unlock)
        self.desk.changed.connect(self._let_go_of_locked)
        self.paint_bar.wanted.connect(self._paint_into)
        self.hand.moved.connect(self.form.show_dragged)
        self.hand.kept.connect(self.form.settle)
        self.hand.kept.connect(lambda _: self.guide.placed())
        self.guide.placing.connect(self._place_mark)
        self.guide.told.connect(self.told)
        self.guide.closed.connect(self._leave_guide)
        self.hand.dropped.connect(self.form.show_draft)
        self.findings.visited.connect(self.visit)
        for name, view in self.views.items():
            view.maximised.connect(lambda n=name: self.show_alone("" if self._alone else n))
            view.hovered.connect(self.hovered)

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """What the actions of the window do here, by name."""
        table: dict[str, Callable[[], object]] = {
            "undo": self.undo,
            "redo": self.desk.redo,
            "remove": self.steps.remove,
            "note": self.steps.note,
            "hide": self.steps.toggle,
            "add_step": self.choose_step,
            "procedure": self.choose_procedure,
            "apply": self.form.apply,
            "compute": self.desk.pursue,
            "retry": self.desk.retry,
            "stop": self.desk.stop,
            "reset_views": self.reset_views,
            "neurological": self.turn_convention,
            "stop_at_contact": self.turn_stop,
            "view_all": lambda: self.show_alone(""),
            "compare_plans": self.compare_plans,
            "lock": self.locking.ask_lock,
            "unlock": self.locking.ask_unlock,
            "approve": self.locking.ask_approve,
        }
        for name in self.views:
            table[f"view_{name}"] = partial(self.show_alone, name)
        for direction in DIRECTIONS:
            table[f"look_{direction}"] = partial(self.view3d.look, direction)
        return table

    def undo(self) -> None:
        """Take back what is being changed, else the last change."""
        if self.hand.dragging:
            self.hand.let_go()
        elif self.form.dirty:
            self.form.revert()
        else:
            self.desk.undo()

    def compare_plans(self, numbers: Sequence[int] = ()) -> None:
        """Show what distinguishes two plans: of the chosen lines of the history, or any others."""
        first, second = chosen_revisions(self.desk.session.case, numbers)
        CompareDialog(self.desk, self._operations, self, first, second).show()

    def _settle(self) -> bool:
        """Keep what the form and the hand have begun; False when it cannot be kept."""
        self.hand.let_go()
        return self.form.apply()

    def _let_go_of_locked(self) -> None:
        """A locked plan has no handles."""
        if not self.desk.writable and self.hand.active:
            self.form.release_place()
            self.hand.put_down()

    def turn_convention(self) -> None:
        """Change between radiological and neurological, for the axial and coronal view."""
        other: Convention = "neurological" if self.desk.view.convention == "radiological" else "radiological"
        self.desk.look(replace(self.desk.view, convention=other))

    # --- steps

    def choose_step(self, place: QPoint | None = None) -> None:
        """Open the list of operations."""
        button = self.steps.add_button
        self.chooser.open_at(place or button.mapToGlobal(button.rect().topLeft()), self.desk.kept)

    def add_step(self, name: str) -> None:
        """Add a step with its references filled in, and choose it."""
        operation = self._operations[name]
        if not self.desk.writable:
            self.told.emit(self.tr("The plan cannot be changed: see the bar above it."))
            return
        if missing := lacking(self.desk.kept, operation):
            self.told.emit(f"{name}: {missing}")
            return
        view = self.desk.view
        step, made = proposal(self.desk.kept, operation, view.chosen, view.crosshair_lps)
        if self.desk.commit(self.desk.kept.add(step, made), f"add {step}"):
            self.desk.choose(step)
            self.form.setFocus()

    def choose_procedure(self) -> None:
        """Ask for a procedure and walk through it."""
        dialog = ProcedureDialog(self, self.desk.kept)
        dialog.accepted.connect(lambda: self._begin(dialog))
        dialog.open()

    def _begin(self, dialog: ProcedureDialog) -> None:
        """Put the chosen procedure on the plan, unless it is there, and show the guide."""
        one = dialog.chosen
        if not dialog.goes_on:
            one = fresh_in(self.desk.kept, one).using(dialog.chosen_results)
            plan = one.put_on(self.desk.kept, sides_of(one, self.desk.side))
            if not self.desk.commit(plan, f"procedure: {one.title}"):
                return
        self._landmarks_box.hide()  # the guide has a list of its own
        self._guide_box.show()
        self._right.setSizes([700, 150, 120, 120])
        self.guide.walk(one)

    def _leave_guide(self) -> None:
        self._guide_box.hide()
        self._landmarks_box.show()

    def _place_mark(self, step: str, mark: str) -> None:
        if not step or not self.desk.writable:
            self.hand.put_down()
            return
        held = self.desk.plan[step]
        self.hand.take(held, held.operation.spec.field("points"), mark)

    def _place(self, field: str) -> None:
        step = self.form.step_name
        self.paint_bar.show_held(field)
        if not field or step is None or not self.desk.writable:
            self.hand.put_down()
            return
        held = self.desk.plan[step]
        self.hand.take(held, held.operation.spec.field(field))
        self.landmarks.lead(field)

    def _paint_new(self, step: str) -> None:
        """Choose a new segment with the brush in the hand."""
        self.desk.choose(step)
        self._paint_into("added")

    def _paint_into(self, field: str) -> None:
        """Press the button of a field in the form, which shows what is held; lift all for none."""
        self.form.release_place()
        if field and (button := self.form.editor(field).place_button) is not None:
            button.setChecked(True)

    # --- views

    @property
    def alone(self) -> str:
        """The view that is shown by itself; empty while there are four."""
        return self._alone

    def show_alone(self, name: str) -> None:
        """Show one view ("3d", "axial", "coronal", "sagittal"), or all four for an empty name."""
        self._alone = name
        for other, view in self.views.items():
            view.setVisible(not name or other == name)
        if name:
            self.views[name].setFocus()

    def reset_views(self) -> None:
        """Show everything in all views."""
        for view in self.slices.values():
            view.reset()
        self.view3d.reset()

    def visit(self, finding: Finding) -> None:
        """Go to the place of a finding, in all views."""
        if finding.step in self.desk.plan.names:
            self.desk.choose(finding.step)
        if finding.at_lps is not None:
            self.go_to(finding.at_lps)

    def go_to(self, at_lps: Vec3) -> None:
        """Show a place of the patient in all views."""
        self.desk.point_at(at_lps)
        for view in self.slices.values():
            view.zoom_to(at_lps)
        self.view3d.zoom_to(at_lps)

    def picture_views(self) -> dict[str, tuple[str, QWidget]]:
        """What pictures can be taken of: key, words and widget."""
        named = {"axial": "Axial", "3d": "3D", "coronal": "Coronal", "sagittal": "Sagittal"}
        found = {key: (f"{words} view", self.views[key]) for key, words in named.items()}
        return {"views": (self.tr("All views"), self.middle), **found}

    def turn_stop(self) -> None:
        """Let drags stop at the first touch, or go through."""
        self.hand.nearness.stops = not self.hand.nearness.stops
        self._actions["stop_at_contact"].setChecked(self.hand.nearness.stops)

    def shut(self) -> None:
        """Let go of the graphics and the case; the widgets are not used any more."""
        self.hand.put_down()
        self.hand.nearness.close()
        self.view3d.shut()
        self.desk.close()


def _titled(title: str, widget: QWidget) -> QWidget:
    box = QWidget()
    label = QLabel(title)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    label.setContentsMargins(6, 4, 6, 2)
    column = QVBoxLayout(box)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(label)
    column.addWidget(widget, 1)
    return box
