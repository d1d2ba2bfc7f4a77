"""Adding a step: which operations can be added now, with which references, and the list to choose from."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from ...plan.operation import Field, Operation, Ref
from ...plan.plan import Operations, Plan
from ...values import Part, Pose, Vec3
from ..inputs import fitting, free_name
from ..panels.steps import children_of
from ..words import kind_words, label_of

_IMPORTED = "source"


def lacking(plan: Plan, operation: type[Operation[Any]]) -> str:
    """What must be in the plan before this operation can be added; empty when nothing is."""
    if operation.spec.name == _IMPORTED:
        return "made by opening a DICOM folder, a volume or a mesh file"
    for field in operation.spec.fields:
        if field.takes is not None and field.default is MISSING and not fitting(plan, None, field):
            return f"needs a {kind_words(field.takes)} above it: add one first"
    return ""


def proposal(
    plan: Plan, operation: type[Operation[Any]], chosen: str | None, crosshair_lps: Vec3
) -> tuple[str, Operation[Any]]:
    """A free name for a new step, and the operation with its references filled in.

    The chosen step is taken where it fits, then the nearest above; no result is taken twice. What rests
    on nothing, such as an implant, starts at the crosshair.
    """
    given: dict[str, Any] = {}
    taken: set[Ref[Any]] = set()
    for field in operation.spec.fields:
        if field.takes is not None and field.default is MISSING:
            ref = _nearest(plan, field, chosen, taken)
            taken.add(ref)
            given[field.name] = (ref,) if field.many else ref
        elif field.usual and not taken and fitting(plan, None, field):
            given[field.name] = _nearest(plan, field, chosen, taken)
            taken.add(given[field.name])
        elif field.choices and field.default is MISSING:
            given[field.name] = field.choices[0]
        elif field.kind is Pose and not any(f.takes is Part for f in operation.spec.fields):
            given[field.name] = Pose.of_shift(crosshair_lps)
    return free_name(plan, operation.spec.name), operation(**given)


def _nearest(plan: Plan, field: Field, chosen: str | None, taken: set[Ref[Any]]) -> Ref[Any]:
    refs = [ref for _, ref in fitting(plan, None, field)]
    fresh = [ref for ref in refs if ref not in taken] or refs
    return next((ref for ref in fresh if ref.step == chosen), fresh[0])


def by_group(operations: Operations) -> Iterator[tuple[str, list[type[Operation[Any]]]]]:
    """The operations under their headings, both in the order of the menu."""
    groups: dict[str, list[type[Operation[Any]]]] = {}
    for operation in operations.values():
        groups.setdefault(operation.spec.group or "Other", []).append(operation)
    yield from groups.items()


class StepChooser(QFrame):
    """A list of all operations with a box to search in; what cannot be added says why.

    chosen: the name of an operation
    """

    chosen = Signal(str)

    def __init__(self, operations: Operations, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("step_chooser")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._operations = operations
        self.search = QLineEdit()
        self.search.setObjectName("step_search")
        self.search.setPlaceholderText(self.tr("Search, such as: cut, bone, angle"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.search.installEventFilter(self)
        self.list = QTreeWidget()
        self.list.setObjectName("step_choices")
        self.list.setHeaderHidden(True)
        self.list.setColumnCount(2)
        self.list.setRootIsDecorated(False)
        self.list.setIndentation(self.fontMetrics().averageCharWidth() * 2)
        self.list.itemClicked.connect(lambda item, _: self._take(item))
        self.list.itemActivated.connect(lambda item, _: self._take(item))
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self.search)
        column.addWidget(self.list)

    def open_at(self, place: QPoint, plan: Plan) -> None:
        """Show the list at a place of the screen, for a plan as it is."""
        self._fill({name: lacking(plan, operation) for name, operation in self._operations.items()})
        self.search.clear()
        width = self.fontMetrics().averageCharWidth()
        self.resize(width * 118, self.fontMetrics().height() * 30)
        self.list.setColumnWidth(0, width * 22)
        self.move(place)
        self.show()
        self.search.setFocus()

    def _fill(self, lacks: Mapping[str, str]) -> None:
        self.list.clear()
        for group, operations in by_group(self._operations):
            heading = QTreeWidgetItem([group])
            font = heading.font(0)
            font.setBold(True)
            heading.setFont(0, font)
            heading.setFlags(Qt.ItemFlag.ItemIsEnabled)
            self.list.addTopLevelItem(heading)
            heading.setFirstColumnSpanned(True)
            for operation in operations:
                heading.addChild(_choice(operation, lacks[operation.spec.name]))
            heading.setExpanded(True)

    def _filter(self, text: str) -> None:
        words = text.lower().split()
        first: QTreeWidgetItem | None = None
        for heading in children_of(self.list.invisibleRootItem()):
            shown = 0
            for item in children_of(heading):
                about = f"{heading.text(0)} {item.text(0)} {item.toolTip(0)}".lower()
                item.setHidden(not all(word in about for word in words))
                shown += not item.isHidden()
                if first is None and not item.isHidden() and not item.isDisabled():
                    first = item
            heading.setHidden(shown == 0)
        if first is not None:
            self.list.setCurrentItem(first)

    def _take(self, item: QTreeWidgetItem | None) -> None:
        if item is not None and item.parent() is not None and not item.isDisabled():
            self.hide()
            self.chosen.emit(item.data(0, Qt.ItemDataRole.UserRole))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys move in the list and Return choose while the search box has the focus."""
        if event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._take(self.list.currentItem())
                return True
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self.list.setFocus()
        return super().eventFilter(watched, event)


def _choice(operation: type[Operation[Any]], lacks: str) -> QTreeWidgetItem:
    spec = operation.spec
    item = QTreeWidgetItem([label_of(spec.name), f"({lacks})" if lacks else spec.summary])
    item.setData(0, Qt.ItemDataRole.UserRole, spec.name)
    item.setToolTip(0, spec.summary)
    item.setToolTip(1, spec.summary)
    item.setDisabled(bool(lacks))
    return item
