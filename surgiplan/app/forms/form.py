"""The form of a step, made from what its operation says of its parameters."""

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ...errors import SurgiplanError
from ...plan.operation import Field
from ...plan.plan import Plan, Step
from ...values import Places, Plane, Pose, Vec3
from .. import theme
from ..desk import Desk
from ..inputs import first_plane, pivot_of
from ..jobs import Jobs
from ..readings import Readings
from ..strips import Strip
from ..views.grasp import guided_motion, is_pulled
from ..words import label_of, status_of, told_figures
from .editors import ChoiceEditor, Editor
from .fitted import editor_for, is_wide
from .placed import PoseEditor
from .suggesting import SuggestButton

_PLACED = (Plane, Pose, Places, Vec3, tuple[Vec3, ...])


class Form(QWidget):
    """Shows the chosen step: what it does, how it stands, its parameters, its figures.

    desk: the open case
    jobs: finds suggestions beside the window

    placing: the person wants to place this field in the views ("" for none any more)
    told: a word for the status bar
    """

    placing = Signal(str)
    told = Signal(str)

    def __init__(self, desk: Desk, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("form")
        self._desk, self._jobs = desk, jobs
        self._step: Step | None = None
        self._editors: dict[str, Editor] = {}
        self._labels: dict[str, QLabel | None] = {}  # of those that stand in a row of their own
        self._touched: set[str] = set()
        self._typed: dict[str, Any] = {}
        self._title, self._summary = QLabel(), QLabel()
        self._title.setObjectName("form_title")
        font = self._title.font()
        font.setPointSizeF(font.pointSizeF() * 1.2)
        font.setBold(True)
        self._title.setFont(font)
        self._summary.setWordWrap(True)
        self.state, self.problem = Strip("form_state"), Strip("form_problem")
        self._readings = Readings()
        self._fields = QWidget()
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFrameShape(QScrollArea.Shape.NoFrame)
        self._lay_out()
        desk.changed.connect(self.refresh)
        desk.seen.connect(self._follow)
        self.refresh()

    def _lay_out(self) -> None:
        self.apply_button = _button("form_apply", self.tr("Apply"), self.apply)
        self.apply_button.setToolTip(self.tr("Keep these parameters (Ctrl+Return)"))
        self.revert_button = _button("form_revert", self.tr("Revert"), self.revert)
        self.revert_button.setToolTip(self.tr("Go back to the kept parameters (Esc)"))
        self.suggest_button = SuggestButton(self._desk, self._jobs)
        self.suggest_button.taken.connect(self.take)
        self.suggest_button.told.connect(lambda words: self.problem.tell(words, theme.WARNING))
        buttons = QHBoxLayout()
        for button in (self.suggest_button, self.revert_button, self.apply_button):
            buttons.addWidget(button)
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(8, 4, 8, 4)
        for widget in (self._title, self._summary, self.state, self._fields, self.problem):
            self._column.addWidget(widget)
        self._column.addLayout(buttons)
        self._column.addWidget(self._readings)
        self._column.addStretch(1)
        self._area.setWidget(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._area)

    # --- what is shown

    @property
    def step_name(self) -> str | None:
        """The step whose form is shown."""
        return self._step.name if self._step else None

    def editor(self, field: str) -> Editor:
        """The editor of one parameter."""
        return self._editors[field]

    @property
    def dirty(self) -> bool:
        """Whether something was changed that is not kept yet."""
        return bool(self._touched)

    def refresh(self) -> None:
        """Show the chosen step as it stands now."""
        name = self._desk.view.chosen
        if self.dirty and self._step is not None and name != self._step.name:
            self._apply_on_leaving()
        step = self._desk.plan[name] if name is not None and name in self._desk.plan.names else None
        if not self._same_rows(step):
            self._build(step)
        elif step is not None and step != self._step and not self.dirty:
            self._step = step
            self._fill(step)
        self._tell_state()

    def _same_rows(self, step: Step | None) -> bool:
        """Whether the rows on show are those of this step, with the same results to choose from."""
        if step is None or self._step is None:
            return False
        before = (self._step.name, type(self._step.operation), self._above)
        return before == (step.name, type(step.operation), self._names_above(step))

    def _names_above(self, step: Step) -> list[str]:
        return list(self._desk.plan.names)[: self._desk.plan.names[step.name]]

    def _build(self, step: Step | None) -> None:
        self.placing.emit("")
        self._step, self._editors, self._touched, self._typed = step, {}, set(), {}
        older, self._fields = self._fields, QWidget()
        self._column.replaceWidget(older, self._fields)
        older.hide()
        older.deleteLater()
        self.problem.hide()
        if step is None:
            self._title.setText(self.tr("No step chosen"))
            self._summary.setText(
                self.tr("Choose a step in the list, or add one, to see its parameters here.")
            )
            return
        self._above = self._names_above(step)
        rows = self._rows = QFormLayout(self._fields)
        rows.setContentsMargins(0, 4, 0, 4)
        rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for field in step.operation.spec.fields:
            self._add_row(rows, field, step)
        self._title.setText(f"{step.name}  ·  {label_of(step.operation.spec.name)}")
        self._summary.setText(step.operation.spec.summary)
        self._fill(step)

    def _add_row(self, rows: QFormLayout, field: Field, step: Step) -> None:
        editor = editor_for(field, self._desk.plan, step.name)
        label = QLabel(label_of(field.name))
        label.setToolTip(field.help)
        label.setBuddy(editor)
        if is_wide(editor):
            rows.addRow(label)
            rows.addRow(editor)
        else:
            rows.addRow(label, editor)
        editor.edited.connect(lambda name=field.name: self._on_edited(name))
        editor.place.connect(lambda on, name=field.name: self._on_place(name, on))
        self._editors[field.name] = editor
        self._labels[field.name] = label if is_wide(editor) else None

    def _fixed(self, step: Step) -> bool:
        return step.operation.spec.name == "source" or not self._desk.writable

    def _fill(self, step: Step) -> None:
        for name, editor in self._editors.items():
            if isinstance(editor, PoseEditor):
                editor.set_pivot(pivot_of(self._desk.results, step))
            if name not in self._touched:
                editor.show_value(getattr(step.operation, name))
        self._show_what_matters(step)

    def _show_what_matters(self, step: Step) -> None:
        """Hide the rows of parameters that have no say while the others are as they are."""
        for name, editor in self._editors.items():
            matters = step.operation.matters(name)
            if isinstance(editor, ChoiceEditor) and editor.field.choices:
                editor.offer(word for word in editor.field.choices if step.operation.matters(name, word))
            self._rows.setRowVisible(editor, matters)
            if (label := self._labels[name]) is not None:
                self._rows.setRowVisible(label, matters)
            if not matters and editor.place_button is not None:
                editor.place_button.setChecked(False)
        self._offer_to_pull(step)

    def _offer_to_pull(self, step: Step) -> None:
        """Of the numbers that a hand changes together, give the first on show the button for it."""
        pulled = [name for name, editor in self._editors.items() if is_pulled(editor.field)]
        shown = [name for name in pulled if step.operation.matters(name)]
        ready = guided_motion(step.operation) is not None
        for name in pulled:
            if (button := self._editors[name].place_button) is not None:
                button.setVisible(name in shown[:1])
                button.setEnabled(ready)
                button.setChecked(button.isChecked() and ready and name in shown[:1])

    def _follow(self) -> None:
        """Show the numbers of what is being dragged."""
        if self._step is not None and self._step.name in self._desk.plan.names:
            step = self._desk.plan[self._step.name]
            if step.operation is not self._step.operation and not self._touched:
                self._step = step
                self._fill(step)

    def _tell_state(self) -> None:
        step = self._step
        changed, fixed = self.dirty, step is None or self._fixed(step)
        self.apply_button.setVisible(not fixed)
        self.revert_button.setVisible(not fixed)
        self.apply_button.setEnabled(changed)
        self.revert_button.setEnabled(changed)
        self.suggest_button.look_at(None if fixed else step)
        self._fields.setVisible(step is not None)
        for editor in self._editors.values():
            editor.setEnabled(not fixed)
        self._readings.show_found([], None)
        self.state.setVisible(False)
        if step is None:
            return
        result = self._desk.results.get(step.name)
        word, text = status_of(result)
        if text := "\n".join(filter(None, (text, *self._desk.cautions_for(step)))):
            failed = word == "failed"
            self.state.tell(text, theme.ERROR if failed else theme.WARNING)
        told = told_figures(self._desk.evidence(step.name))
        self._readings.show_found(told, getattr(result, "value", None))

    # --- what the person does

    def _on_edited(self, name: str) -> None:
        self._touched.add(name)
        plan = self._edited_plan()
        self._tell_state()
        if plan is not None and self._step is not None:
            self._show_what_matters(plan[self._step.name])
        if plan is not None and self._cheap(name):
            self._desk.draft(plan)

    def _cheap(self, name: str) -> bool:
        """Whether a change of this field can be seen at once, while it is typed."""
        assert self._step is not None
        spec = self._step.operation.spec
        return spec.runs == "here" or spec.field(name).kind in _PLACED

    def show_dragged(self, name: str, value: Any) -> None:
        """Show where a hand has brought a field that was changed here and is not kept yet."""
        if name in self._touched:
            self._typed.setdefault(name, self._editors[name].value)
            self._editors[name].show_value(value)

    def show_draft(self) -> None:
        """See what was changed and is not kept yet, after a drag was dropped."""
        for name, value in self._typed.items():
            self._editors[name].show_value(value)
        self._typed = {}
        for name in sorted(self._touched):
            self._on_edited(name)

    def settle(self, name: str) -> None:
        """A field was placed by hand and kept: show it as it is now."""
        self._touched.discard(name)
        self._typed.pop(name, None)
        if self._step is not None:
            self._step = self._desk.kept[self._step.name]
            self._fill(self._step)
        self._tell_state()

    def _edited_plan(self) -> Plan | None:
        """The kept plan with the touched parameters; None, with the reason on show, when it cannot be."""
        assert self._step is not None
        try:
            given = {name: self._editors[name].value for name in self._touched}
            plan = self._desk.kept.edit(self._step.name, **given)
        except (SurgiplanError, ValueError) as problem:
            self.problem.tell(str(problem), theme.ERROR)
            return None
        self.problem.hide()
        return plan

    def apply(self) -> bool:
        """Keep the parameters; False when they cannot be."""
        if self._step is None or not self._touched:
            return True
        plan = self._edited_plan()
        if plan is None:
            return False
        name, touched = self._step.name, ", ".join(t.replace("_", " ") for t in sorted(self._touched))
        self._touched = set()
        self._step = plan[name]
        self._fill(self._step)  # one field may have filled in another
        return self._desk.commit(plan, f"edit {name}: {touched}")

    def revert(self) -> None:
        """Show the kept parameters again."""
        self._touched = set()
        self.problem.hide()
        if self._step is not None:
            self._step = self._desk.kept[self._step.name]
            self._fill(self._step)
        self._desk.draft(None)
        self._tell_state()

    def _apply_on_leaving(self) -> None:
        assert self._step is not None
        name = self._step.name
        if name in self._desk.kept.names and (plan := self._edited_plan()) is not None:
            self._touched = set()
            self._desk.commit(plan, f"edit {name}")
            self.told.emit(self.tr("The changes to {0} were kept; Ctrl+Z takes them back.").format(name))
        else:
            self._touched = set()
            self.told.emit(self.tr("The changes to {0} were not valid and are gone.").format(name))

    def _on_place(self, name: str, on: bool) -> None:
        for other, editor in self._editors.items():
            if other != name and on and editor.place_button is not None:
                editor.place_button.setChecked(False)
        if on and self._step is not None:
            kind = self._step.operation.spec.field(name).kind
            if kind is Plane and self._editors[name].value is None:
                at = self._desk.view.crosshair_lps
                self.take({name: first_plane(self._desk.results, self._step, at)})
        self.placing.emit(name if on else "")

    def release_place(self) -> None:
        """Lift all "Place" buttons."""
        for editor in self._editors.values():
            if editor.place_button is not None:
                editor.place_button.setChecked(False)

    def take(self, parameters: Mapping[str, Any]) -> None:
        """Put parameters into the form, for the person to apply."""
        for field, value in parameters.items():
            self._editors[field].show_value(value)
            self._on_edited(field)


def _button(name: str, text: str, act: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.clicked.connect(lambda _=False: act())
    return button
