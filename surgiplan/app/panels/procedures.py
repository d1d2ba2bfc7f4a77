"""Choosing a procedure: what there is, what it works on, and those that the plan holds already."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from ...algorithms.measures.templates import templates
from ...plan.plan import Plan
from ...recipes.procedure import Given, Procedure, procedures
from ...recipes.schema import read_procedure
from ...values import Mask, Part, Volume
from ..files.dialogs import ok_cancel
from ..words import kind_words

_KINDS: Mapping[str, type] = {"part": Part, "mask": Mask, "volume": Volume}
_AGAIN = (
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    *(f"p{n}" for n in range(9, 99)),
)
_ROLE = Qt.ItemDataRole.UserRole


@cache
def shipped() -> tuple[Procedure, ...]:
    """All procedures there are."""
    return tuple(read_procedure(name, file) for name, file in procedures().items())


def standing_in(plan: Plan) -> list[Procedure]:
    """The procedures whose steps a plan holds, under whatever prefix and with whatever count."""
    found = []
    for one in shipped():
        first = str(one.steps[0]["name"])
        for prefix in {"", *(n.removesuffix(f"_{first}") for n in plan.names if n.endswith(f"_{first}"))}:
            counts = range(one.count.high, one.count.low - 1, -1) if one.count else (None,)
            for count in counts:
                whole = one if count is None else read_procedure(one.name, procedures()[one.name], count)
                if (whole := whole.prefixed(prefix)).stands_in(plan):
                    found.append(whole)
                    break
    return found


def results_for(plan: Plan, wanted: Given) -> list[str]:
    """The results of a plan that a procedure may work on, the last first."""
    kind = _KINDS[wanted.kind]
    return [
        f"{step.name}.{output}".rstrip(".")
        for step in reversed(plan.steps)
        for output, given in step.operation.outputs().items()
        if issubclass(given, kind)
    ]


def fresh_in(plan: Plan, procedure: Procedure) -> Procedure:
    """A procedure whose steps have names that the plan does not have yet."""
    tried = (procedure.prefixed(word) for word in ("", *_AGAIN))
    return next(one for one in tried if not any(step["name"] in plan.names for step in one.steps))


def sides_of(procedure: Procedure, side: str) -> dict[str, dict[str, Any]]:
    """The planned side of the case for all landmarks of a procedure that have one.

    side: "R", "L" or ""
    """
    words = {"R": "right", "L": "left"}.get(side)
    marked = [step for step in procedure.steps if step["operation"] == "landmarks"]
    sided = [step for step in marked if templates()[step["with"]["template"]].sided]
    return {str(step["name"]): {"side": words} for step in sided} if words else {}


class ProcedureDialog(QDialog):
    """Asks for a procedure and what it works on; those that were begun can be gone on with.

    plan: of the open case
    """

    def __init__(self, parent: QWidget, plan: Plan) -> None:
        super().__init__(parent)
        self.setObjectName("procedure_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Procedure"))
        self._plan = plan
        self.begun = standing_in(plan)
        self.list = QListWidget()
        self.list.setObjectName("procedure_list")
        self.list.setAccessibleName(self.tr("Procedures"))
        for one in self.begun:
            self._add(self.tr("Go on: {0}").format(f"{one.title} ({one.steps[0]['name']})"), one)
        for one in shipped():
            self._add(one.title, one)
        self.about = QLabel()
        self.about.setWordWrap(True)
        self.about.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.about.setMinimumHeight(self.fontMetrics().height() * 6)
        self._fields = QWidget()
        self.works_on: dict[str, QComboBox] = {}
        self.count: QSpinBox | None = None
        self.buttons = ok_cancel()
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._column = QVBoxLayout(self)
        for widget in (self.list, self.about, self._fields):
            self._column.addWidget(widget)
        self._column.addWidget(self.buttons)
        self.list.currentRowChanged.connect(self._show)
        self.list.itemActivated.connect(lambda _: self.accept())
        self.list.setCurrentRow(0)
        self.resize(self.fontMetrics().averageCharWidth() * 76, self.fontMetrics().height() * 32)

    def _add(self, text: str, one: Procedure) -> None:
        item = QListWidgetItem(text)
        item.setData(_ROLE, one)
        self.list.addItem(item)

    @property
    def chosen(self) -> Procedure:
        """The procedure that is chosen; for a new one with the count that is chosen."""
        one: Procedure = self.list.currentItem().data(_ROLE)
        if self.count is not None:
            return read_procedure(one.name, procedures()[one.name], self.count.value())
        return one

    @property
    def goes_on(self) -> bool:
        """Whether the chosen one stands in the plan already."""
        return self.list.currentRow() < len(self.begun)

    @property
    def chosen_results(self) -> dict[str, str]:
        """What it works on, by name; "" for what stays out."""
        return {name: str(box.currentData()) for name, box in self.works_on.items()}

    def accept(self) -> None:
        """Take the choice, unless something it needs is not there (also by Return in the list)."""
        if self.buttons.button(self.buttons.StandardButton.Ok).isEnabled():
            super().accept()

    def _show(self) -> None:
        one: Procedure = self.list.currentItem().data(_ROLE)
        self.about.setText(f"{one.about}\n\n{self.tr('Needs')}: {one.needs}.")
        older, self._fields = self._fields, QWidget()
        self._column.replaceWidget(older, self._fields)
        older.hide()
        older.deleteLater()
        rows = QFormLayout(self._fields)
        rows.setContentsMargins(0, 0, 0, 0)
        self.works_on, self.count, able = {}, None, True
        if not self.goes_on:
            for wanted in one.given:
                able = self._add_given(rows, wanted) and able
            if one.count is not None:
                self.count = QSpinBox()
                self.count.setObjectName("procedure_count")
                self.count.setRange(one.count.low, one.count.high)
                self.count.setValue(one.count.number)
                rows.addRow(one.count.title[:1].upper() + one.count.title[1:], self.count)
        self.buttons.button(self.buttons.StandardButton.Ok).setEnabled(able)

    def _add_given(self, rows: QFormLayout, wanted: Given) -> bool:
        """A row to choose something of the case; False when there is nothing to choose."""
        box = QComboBox()
        box.setObjectName(f"works_on_{wanted.name}")
        names = results_for(self._plan, wanted)
        for name in names:
            box.addItem(name, name)
        if wanted.optional:
            box.addItem(self.tr("(none)"), "")
        elif not names:
            box.addItem(self.tr("there is no {0} yet").format(kind_words(_KINDS[wanted.kind])), "")
            box.setEnabled(False)
        if wanted.name in names:
            box.setCurrentIndex(names.index(wanted.name))
        self.works_on[wanted.name] = box
        rows.addRow(wanted.title[:1].upper() + wanted.title[1:], box)
        return bool(names) or wanted.optional
