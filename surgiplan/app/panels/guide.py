"""The guide: walks through a procedure stage by stage, and shows figures and checks as they change."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ...algorithms.measures.templates import Mark, templates
from ...errors import NeedsHand, SurgiplanError
from ...ops.landmarks import NameLandmarks
from ...plan.operation import Field
from ...recipes.procedure import Procedure, Stage
from ...recipes.progress import missing, missing_marks, outcome
from ...scene.marks import measured_text
from ...session import Ready
from ...values import Measurement
from .. import theme
from ..desk import Desk
from ..forms.editors import Editor, quiet
from ..forms.fitted import editor_for
from ..strips import Strip
from ..words import label_of
from .checks import ChecksList, ShortList

_NAME = Qt.ItemDataRole.UserRole


class Guide(QWidget):
    """A panel that says what to do now. It writes plan steps and nothing else.

    desk: the open case

    placing: the landmark that the next click in a view places, in this step ("" and "" for none any more)
    told: a sentence for the status bar
    """

    placing = Signal(str, str)
    told = Signal(str)
    closed = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("guide")
        self._desk = desk
        self.procedure: Procedure | None = None
        self._at, self._mark, self._last = 0, "", ""
        self._editors: dict[str, Editor] = {}
        self._built: object = None
        self.title, self.stage_title, self.words = QLabel(), QLabel(), QLabel()
        for label, scale in ((self.title, 1.0), (self.stage_title, 1.15)):
            font = label.font()
            font.setPointSizeF(font.pointSizeF() * scale)
            font.setBold(True)
            label.setFont(font)
        for label in (self.title, self.stage_title, self.words):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.bar = QProgressBar()
        self.bar.setObjectName("guide_progress")
        self.bar.setTextVisible(True)
        self.now = Strip("guide_now")
        self._sides = self._side_row()
        self.marks = ShortList("guide_marks", self.tr("Landmarks to place"))
        self.marks.itemClicked.connect(lambda item: self.take(str(item.data(_NAME))))
        self.snap = QPushButton()
        self.snap.setObjectName("guide_snap")
        self.snap.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # its words are long
        self.snap.setToolTip(self.tr("Draw it to the shape of the bone, or leave it where it was clicked"))
        self.snap.clicked.connect(self._toggle_snap)
        self._fields = QWidget()
        self.figures = QLabel()
        self.figures.setObjectName("guide_figures")
        self.figures.setWordWrap(True)
        self.figures.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem = Strip("guide_problem")
        self.checks = ChecksList("guide_checks", self.tr("Checks"))
        self.checks.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self._lay_out()
        desk.changed.connect(self.refresh)
        desk.seen.connect(self._tell)
        self.hide()

    def _lay_out(self) -> None:
        self.back = QPushButton(self.tr("Back"))
        self.back.setObjectName("guide_back")
        self.back.clicked.connect(lambda: self.go(self._at - 1))
        self.next = QPushButton(self.tr("Next"))
        self.next.setObjectName("guide_next")
        self.next.clicked.connect(self._on_next)
        close = QPushButton(self.tr("Close"))
        close.setObjectName("guide_close")
        close.clicked.connect(self.close_guide)
        buttons = QHBoxLayout()
        for button in (close, self.back, self.next):
            buttons.addWidget(button)
        self._inner = QWidget()
        self._column = QVBoxLayout(self._inner)
        self._column.setContentsMargins(8, 4, 8, 4)
        for widget in (
            self.title,
            self.bar,
            self.stage_title,
            self.words,
            self._sides,
            self.now,
            self.marks,
            self.snap,
            self._fields,
            self.problem,
            self.figures,
        ):
            self._column.addWidget(widget)
        self._checks_title = QLabel(self.tr("Checks"))
        font = self._checks_title.font()
        font.setBold(True)
        self._checks_title.setFont(font)
        self._column.addWidget(self._checks_title)
        self._column.addWidget(self.checks)
        self._column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(self._inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 4)
        outer.addWidget(area, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(8, 0, 8, 0)
        foot.addLayout(buttons)
        outer.addLayout(foot)

    def _side_row(self) -> QWidget:
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel(self.tr("Side")))
        self.side_buttons: dict[str, QRadioButton] = {}
        for side, words in (("right", self.tr("Right")), ("left", self.tr("Left"))):
            button = QRadioButton(words)
            button.setObjectName(f"guide_side_{side}")
            theme.ticked(button)
            button.toggled.connect(lambda on, side=side: self._set_side(side) if on else None)
            row.addWidget(button)
            self.side_buttons[side] = button
        row.addStretch(1)
        return box

    # --- walking

    @property
    def stage(self) -> Stage:
        """The stage that is shown."""
        assert self.procedure is not None
        return self.procedure.stages[self._at]

    def walk(self, procedure: Procedure) -> None:
        """Begin with a procedure whose steps stand in the plan, at the first stage that lacks something."""
        self.procedure, self._built = procedure, None
        self.show()
        wanted = {one.step for one in missing(procedure, self._desk.plan)}
        open_stages = [
            n
            for n, stage in enumerate(procedure.stages)
            if (stage.marks and missing_marks(stage, self._desk.plan))
            or (not stage.marks and stage.step in wanted)
        ]
        self.go(open_stages[0] if open_stages else len(procedure.stages) - 1)

    def go(self, number: int) -> None:
        """Show a stage: its step is chosen, and its next landmark held ready for a click."""
        if self.procedure is None or not 0 <= number < len(self.procedure.stages):
            return
        self._at, self._built, self._mark, self._last = number, None, "", ""
        self._desk.choose(self.stage.step)
        self.refresh()
        self._take_next()

    def take(self, name: str) -> None:
        """Hold a landmark: the next click in a view places it."""
        if name:
            self._desk.choose(self.stage.step)
        self._mark = name
        self.placing.emit(self.stage.step if name else "", name)
        self._tell()

    def placed(self) -> None:
        """A landmark was placed in a view: go on to the next one."""
        if self.procedure is not None and self._mark:
            self._last = self._mark
            self._take_next()

    def close_guide(self) -> None:
        """Leave the procedure; its steps stay in the plan."""
        self.take("") if self.procedure else None
        self.procedure = None
        self.hide()
        self.closed.emit()

    def _on_next(self) -> None:
        if self.procedure is not None and self._at == len(self.procedure.stages) - 1:
            self.close_guide()
        else:
            self.go(self._at + 1)

    def _take_next(self) -> None:
        left = missing_marks(self.stage, self._desk.plan, optional=True)
        after = [
            name for name in left if self._mark and self.stage.marks.index(name) > self._order(self._mark)
        ]
        self.take((after or left or ("",))[0] if self.stage.marks else "")

    def _order(self, name: str) -> int:
        return self.stage.marks.index(name) if name in self.stage.marks else -1

    # --- what is shown

    def refresh(self) -> None:
        """Show the stage as the plan stands now."""
        if self.procedure is None:
            return
        if not self.procedure.stands_in(self._desk.plan):
            self.close_guide()
            return
        if self._built != (self.procedure, self._at):
            self._built = (self.procedure, self._at)
            self._build()
        self._tell()

    def _build(self) -> None:
        assert self.procedure is not None
        stages, stage = self.procedure.stages, self.stage
        self.title.setText(self.procedure.title)
        self.bar.setRange(0, len(stages))
        self.bar.setValue(self._at + 1)
        self.bar.setFormat(self.tr("Stage {0} of {1}").format(self._at + 1, len(stages)))
        self.stage_title.setText(stage.title)
        self.words.setText(stage.words)
        self.back.setEnabled(self._at > 0)
        self.next.setText(self.tr("Done") if self._at == len(stages) - 1 else self.tr("Next"))
        self._editors = {}
        older, self._fields = self._fields, QWidget()
        self._column.replaceWidget(older, self._fields)
        older.hide()
        older.deleteLater()
        self._fields.setVisible(bool(stage.fields))
        rows = QFormLayout(self._fields)
        rows.setContentsMargins(0, 4, 0, 4)
        rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        spec = self._desk.plan[stage.step].operation.spec
        for name in stage.fields:
            self._add_row(rows, spec.field(name))
        self.marks.clear()
        for name in stage.marks:
            item = QListWidgetItem(self._mark_of(name).title)
            item.setData(_NAME, name)
            item.setToolTip(self._mark_of(name).how)
            self.marks.addItem(item)
        self.marks.setVisible(bool(stage.marks))
        self.marks.fit()

    def _add_row(self, rows: QFormLayout, field: Field) -> None:
        editor = editor_for(field, self._desk.plan, self.stage.step)
        label = QLabel(label_of(field.name))
        label.setToolTip(field.help)
        rows.addRow(label, editor)
        editor.edited.connect(lambda name=field.name: self._on_edited(name))
        self._editors[field.name] = editor

    def _tell(self) -> None:
        """Show what is placed, the figures and the checks."""
        if self.procedure is None or self.stage.step not in self._desk.plan.names:
            return
        operation = self._desk.plan[self.stage.step].operation
        self._tell_marks(operation)
        for name, editor in self._editors.items():
            editor.setEnabled(self._desk.writable)
            editor.show_value(getattr(operation, name))
        self._tell_figures()
        self._tell_checks()

    def _tell_marks(self, operation: Any) -> None:
        placing = isinstance(operation, NameLandmarks) and bool(self.stage.marks)
        sided = placing and templates()[operation.template].sided
        self._sides.setVisible(sided)
        if sided:
            with quiet(*self.side_buttons.values()):
                for side, button in self.side_buttons.items():
                    button.setAutoExclusive(False)
                    button.setChecked(operation.side == side)
                    button.setAutoExclusive(True)
        placed = operation.points if isinstance(operation, NameLandmarks) else {}
        for row in range(self.marks.count()):
            item = self.marks.item(row)
            name = str(item.data(_NAME))
            item.setIcon(theme.status_icon("ready" if name in placed else "waiting"))
            more = self.tr(" (may stay out)") if name in self.stage.optional and name not in placed else ""
            item.setText(self._mark_of(name).title + more)
            if name == self._mark:
                self.marks.setCurrentItem(item)
        if not self._mark:
            self.marks.clearSelection()
        self._tell_snap(operation, placed)
        self._tell_now(placing, placed)

    def _tell_snap(self, operation: Any, placed: Mapping[str, Any]) -> None:
        """Offer to draw what was placed last to the bone, or to let it go again."""
        self.snap.setVisible(self._last in placed)
        if self._last in placed:
            words = self.tr("Leave {0} as clicked"), self.tr("Snap {0}")
            text = words[0] if operation.snaps(self._last) else words[1]
            self.snap.setText(text.format(self._mark_of(self._last).title))

    def _tell_now(self, placing: bool, placed: Mapping[str, Any]) -> None:
        if placing and self._desk.view.chosen != self.stage.step:
            self._mark = ""
            self.now.tell(self.tr("Another step is chosen. Click a landmark below to go on."), theme.RAISED)
        elif placing and self._mark:
            mark = self._mark_of(self._mark)
            verb = self.tr("Click again to move") if self._mark in placed else self.tr("Click now")
            self.now.tell(f"{verb}: {mark.title}\n{mark.how}", theme.ACCENT)
        elif placing:
            onward = self.tr("All placed: go on with Next, or click one in the list to place it anew.")
            wrong = self.tr("All placed, but see below. Click one in the list to place it anew.")
            self.now.tell(wrong if self._problem() else onward, theme.RAISED)
        else:
            self.now.tell("", theme.RAISED)

    def _tell_figures(self) -> None:
        result = self._desk.results.get(self.stage.step)
        value = result.value if isinstance(result, Ready) else None
        lines = [
            f"{label_of(name)}: {measured_text(replace(one, value=round(one.value, 1) + 0.0))}"
            for name, one in (value.items() if isinstance(value, dict) else ())
            if isinstance(one, Measurement)
        ]
        self.figures.setText("\n".join(lines))
        self.figures.setVisible(bool(lines) and not self.stage.marks)
        self.problem.tell(self._problem().removeprefix(f"{self.stage.step}: "), theme.WARNING)

    def _problem(self) -> str:
        """What is wrong with the first step of the procedure that failed; empty while none has."""
        assert self.procedure is not None
        for step in self.procedure.steps:
            error = getattr(self._desk.results.get(str(step["name"])), "error", None)
            if isinstance(error, SurgiplanError) and not isinstance(error, NeedsHand):
                return str(error)
        return ""

    def _tell_checks(self) -> None:
        assert self.procedure is not None
        values = {name: one.value for name, one in self._desk.results.items() if isinstance(one, Ready)}
        self.checks.tell([outcome(check, values) for check in self.procedure.checks])

    def _mark_of(self, name: str) -> Mark:
        operation = self._desk.plan[self.stage.step].operation
        assert isinstance(operation, NameLandmarks)
        return templates()[operation.template].mark(name)

    # --- what the person does

    def _toggle_snap(self) -> None:
        operation = self._desk.kept[self.stage.step].operation
        if isinstance(operation, NameLandmarks):
            on = not operation.snaps(self._last)
            self._commit({"snapped": operation.with_snap(self._last, on)}, f"snap {self._last}")

    def _set_side(self, side: str) -> None:
        self._commit({"side": side}, "side")

    def _on_edited(self, name: str) -> None:
        try:
            self._commit({name: self._editors[name].value}, name)
        except (SurgiplanError, ValueError) as problem:
            self.problem.tell(str(problem), theme.ERROR)

    def _commit(self, changed: Mapping[str, Any], what: str) -> None:
        step = self.stage.step
        plan = self._desk.kept.edit(step, **changed)
        self._desk.commit(plan, f"edit {step}: {what.replace('_', ' ')}")
