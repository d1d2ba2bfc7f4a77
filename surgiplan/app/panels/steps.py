"""The list of the steps of a plan: what each is, how it stands, and whether it is shown."""

from collections.abc import Mapping

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QLabel,
    QMenu,
    QMessageBox,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ...plan.plan import Plan, Step
from .. import theme
from ..desk import Desk
from ..words import STATUS_WORDS, kind_words, label_of, status_of

NAME, WHAT, STATE, SEEN = range(4)
_NAME_ROLE = Qt.ItemDataRole.UserRole


def children_of(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    """The rows below a row of a tree."""
    return [child for n in range(item.childCount()) if (child := item.child(n)) is not None]


def resting_on(plan: Plan, name: str) -> list[str]:
    """A step and all steps that rest on it, in the order of the plan."""
    found = {name}
    for step in plan.steps:
        if any(ref.step in found for refs in step.references.values() for ref in refs):
            found.add(step.name)
    return [step.name for step in plan.steps if step.name in found]


def _what(step: Step) -> str:
    """The operation, or for something imported what it is."""
    if step.operation.spec.name == "source":
        return label_of(kind_words(next(iter(step.operation.outputs().values()))))
    return label_of(step.operation.spec.name)


class StepList(QWidget):
    """Shows the plan, lets the person choose a step, show or hide it, note something, or remove it.

    add: the button to add a step was pressed, at this place of the screen
    export: export "step" or "step.output"
    """

    add = Signal(QPoint)
    export = Signal(str)

    def __init__(self, desk: Desk, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._actions = desk, actions
        self._running: dict[str, float] = {}
        self.setObjectName("steps")
        self.tree = QTreeWidget()
        self.tree.setObjectName("step_list")
        self.tree.setAccessibleName(self.tr("Steps of the plan"))
        self.tree.setHeaderLabels([self.tr("Step"), self.tr("What"), self.tr("State"), ""])
        self.tree.setUniformRowHeights(True)
        self.tree.setRootIsDecorated(False)
        self.tree.setIndentation(self.fontMetrics().averageCharWidth() * 2)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._size_columns()
        self.add_button = QPushButton(self.tr("Add step..."))
        self.add_button.setObjectName("add_step")
        self.add_button.setToolTip(self.tr("Choose what to do next (Ctrl+K)"))
        self.hint = QLabel(
            self.tr("The plan is empty.\nOpen a DICOM folder or a mesh file, or drop one on this window.")
        )
        self.hint.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.hint)
        column.addWidget(self.tree, 1)
        row = QHBoxLayout()
        row.setContentsMargins(6, 0, 6, 4)
        row.addWidget(self.add_button, 1)
        column.addLayout(row)
        self._connect()
        self.refresh()

    def _size_columns(self) -> None:
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(self.fontMetrics().averageCharWidth() * 3)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(WHAT, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(STATE, QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(SEEN, QHeaderView.ResizeMode.Fixed)
        width = self.fontMetrics().horizontalAdvance
        header.resizeSection(STATE, max(map(width, (*STATUS_WORDS.values(), "100 %"))) + 26)
        header.resizeSection(SEEN, width("MM") + 8)

    def _connect(self) -> None:
        self.tree.currentItemChanged.connect(lambda now, _: self._on_current(now))
        self.tree.itemClicked.connect(self._on_clicked)
        self.tree.customContextMenuRequested.connect(self._open_menu)
        self.add_button.clicked.connect(
            lambda: self.add.emit(self.add_button.mapToGlobal(self.add_button.rect().topLeft()))
        )
        self._desk.changed.connect(self.refresh)
        self._desk.computing.connect(self._on_computing)
        self._desk.rested.connect(self._on_rested)

    # --- what is shown

    def item(self, name: str) -> QTreeWidgetItem:
        """The row of "step" or "step.output"."""
        step, _, output = name.partition(".")
        row = self.tree.topLevelItem(self._desk.plan.names[step])
        assert row is not None
        if not output:
            return row
        return next(child for child in children_of(row) if child.text(NAME) == output)

    def refresh(self) -> None:
        """Show the plan as it stands now."""
        plan = self._desk.plan
        self.hint.setVisible(not plan.steps)
        self.add_button.setEnabled(self._desk.writable)
        rows = [(step.name, tuple(step.operation.outputs())) for step in plan.steps]
        self.tree.blockSignals(True)
        if rows != self._rows():
            self._rebuild(plan.steps)
        for step in plan.steps:
            self._tell(step)
        chosen = self._desk.view.chosen
        if chosen is None or chosen not in plan.names:
            self.tree.clearSelection()
            self.tree.setCurrentIndex(QModelIndex())
        elif self._step_at(self.tree.currentItem()) != chosen:
            self.tree.setCurrentItem(self.item(chosen))
        self.tree.blockSignals(False)

    def _rows(self) -> list[tuple[str, tuple[str, ...]]]:
        items = children_of(self.tree.invisibleRootItem())
        return [(i.text(NAME), tuple(c.text(NAME) for c in children_of(i)) or ("",)) for i in items]

    def _rebuild(self, steps: tuple[Step, ...]) -> None:
        self.tree.clear()
        for step in steps:
            row = QTreeWidgetItem([step.name])
            row.setData(NAME, _NAME_ROLE, step.name)
            font = row.font(NAME)
            font.setBold(True)
            row.setFont(NAME, font)
            self.tree.addTopLevelItem(row)
            outputs = [output for output in step.operation.outputs() if output]
            for output in outputs:
                child = QTreeWidgetItem([output])
                child.setData(NAME, _NAME_ROLE, f"{step.name}.{output}")
                row.addChild(child)
            row.setExpanded(True)

    def _tell(self, step: Step) -> None:
        """State, eye and note of one row."""
        row = self.item(step.name)
        word, text = status_of(self._desk.results.get(step.name))
        share = self._running.get(step.name)
        row.setIcon(STATE, theme.status_icon(word if share is None else "waiting"))
        row.setText(STATE, STATUS_WORDS[word] if share is None else f"{100 * share:.0f} %")
        row.setToolTip(STATE, text or STATUS_WORDS[word])
        day = self._desk.origins.day(step)
        told = (f"Scanned on {day}" if day else "", *self._desk.origins.warnings(step))
        about = f"{label_of(step.operation.spec.name)}: {step.operation.spec.summary}"
        about = "\n".join(filter(None, (about, *told)))
        row.setToolTip(NAME, f"{about}\n\n{step.note}" if step.note else about)
        row.setToolTip(WHAT, row.toolTip(NAME))
        plain = step.name.rstrip("0123456789") == step.operation.spec.name  # the name says it already
        row.setText(WHAT, f"{'' if plain else _what(step)} {day} {'✎' if step.note else ''}".strip())
        for item in (row, *children_of(row)):
            name = item.data(NAME, _NAME_ROLE)
            seen = not self._desk.view.hides(name)
            item.setIcon(SEEN, theme.eye_icon(seen))
            item.setToolTip(
                SEEN, self.tr("Hide {0}").format(name) if seen else self.tr("Show {0}").format(name)
            )
            item.setData(
                SEEN, Qt.ItemDataRole.AccessibleTextRole, self.tr("shown") if seen else self.tr("hidden")
            )

    def _on_computing(self, name: str, fraction: float, _: str) -> None:
        if name in self._desk.plan.names:
            self._running = {name: fraction}
            self._tell(self._desk.plan[name])

    def _on_rested(self) -> None:
        names, self._running = list(self._running), {}
        for name in names:
            if name in self._desk.plan.names:
                self._tell(self._desk.plan[name])

    # --- what the person does

    def _on_current(self, item: QTreeWidgetItem | None) -> None:
        self._desk.choose(self._step_at(item))

    @staticmethod
    def _step_at(item: QTreeWidgetItem | None) -> str | None:
        return str(item.data(NAME, _NAME_ROLE)).partition(".")[0] if item is not None else None

    def _on_clicked(self, item: QTreeWidgetItem, column: int) -> None:
        if column == SEEN:
            name = str(item.data(NAME, _NAME_ROLE))
            self._desk.hide(name, not self._desk.view.hides(name))

    def remove(self) -> None:
        """Remove the chosen step; when others rest on it, ask whether they shall go too."""
        step = self._step_at(self.tree.currentItem())
        if step is None:
            return
        names = resting_on(self._desk.kept, step)
        if len(names) == 1:
            self._remove(names)
            return
        text = self.tr("These steps rest on {0} and would go with it:\n{1}").format(
            step, ", ".join(names[1:])
        )
        box = QMessageBox(QMessageBox.Icon.Question, self.tr("Remove {0}").format(step), text, parent=self)
        box.setObjectName("remove_question")
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        all_ = box.addButton(self.tr("Remove all {0}").format(len(names)), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        all_.clicked.connect(lambda: self._remove(names))
        box.open()

    def _remove(self, names: list[str]) -> None:
        plan = self._desk.kept
        for name in reversed(names):
            plan = plan.remove(name)
        self._desk.choose(None)
        self._desk.commit(plan, f"remove {', '.join(names)}")

    @property
    def chosen_name(self) -> str | None:
        """The chosen row: "step" or "step.output"."""
        item = self.tree.currentItem()
        return str(item.data(NAME, _NAME_ROLE)) if item is not None else None

    @property
    def chosen_result(self) -> str | None:
        """The chosen result: of a step that gives several the first, unless one of them is chosen."""
        name = self.chosen_name
        if name is None or "." in name:
            return name
        output = next(iter(self._desk.plan[name].operation.outputs()))
        return f"{name}.{output}" if output else name

    def _open_menu(self, place: QPoint) -> None:
        item = self.tree.itemAt(place)
        if item is None:
            return
        self.tree.setCurrentItem(item)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name in ("hide", "export", "note", "retry", "remove"):
            menu.addAction(self._actions[name])
        menu.popup(self.tree.viewport().mapToGlobal(place))

    def toggle(self) -> None:
        """Show or hide the chosen row."""
        if (name := self.chosen_name) is not None:
            self._desk.hide(name, not self._desk.view.hides(name))

    def note(self) -> None:
        """Ask for a note beside the chosen step and keep it."""
        step = self._step_at(self.tree.currentItem())
        if step is None:
            return
        dialog = QInputDialog(self)
        dialog.setObjectName("note_dialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setOption(QInputDialog.InputDialogOption.UsePlainTextEditForTextInput)
        dialog.setWindowTitle(self.tr("Note on {0}").format(step))
        dialog.setLabelText(self.tr("What should be known about {0}?").format(step))
        dialog.setTextValue(self._desk.plan[step].note)
        dialog.textValueSelected.connect(
            lambda text: self._desk.commit(
                self._desk.kept.annotate(step, note=text.strip()), f"note on {step}"
            )
        )
        dialog.open()
