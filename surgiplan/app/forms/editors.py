"""Editors for numbers, words and references: the rows of a form."""

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from ...plan.operation import Field, Number
from .. import theme

_FAR = 100_000.0


class Editor(QWidget):
    """Edits one parameter.

    edited: the person changed it
    place: the person wants to place it in the views, or no longer (bool)
    """

    edited = Signal()
    place = Signal(bool)

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self.setObjectName(f"field_{field.name}")
        self.setToolTip(field.help)
        self.place_button: QPushButton | None = None

    @property
    def value(self) -> Any:
        """The parameter as it stands in the editor."""
        raise NotImplementedError

    def show_value(self, value: Any) -> None:
        """Show a parameter; `edited` is not told."""
        raise NotImplementedError

    def _with_place(self, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setCheckable(True)
        button.setObjectName(f"place_{self.field.name}")
        button.setToolTip(self.field.hand.what if self.field.hand else self.field.help)
        button.toggled.connect(self.place)
        button.toggled.connect(lambda on: theme.lit(button, on))
        self.place_button = button
        return button


def spin_box(number: Number, whole: bool = False) -> QDoubleSpinBox:
    """A box for a number with its unit and range; it tells only finished numbers."""
    box = QDoubleSpinBox()
    box.setKeyboardTracking(False)
    box.setDecimals(0 if whole else _decimals(number.step))
    box.setRange(max(number.low, -_FAR), min(number.high, _FAR))
    box.setSingleStep(number.step)
    box.setSuffix(f" {number.unit}" if number.unit else "")
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # the wheel scrolls the form, it does not edit
    return box


def _decimals(step: float) -> int:
    return 2 if step < 1 else 1


def _decimals_of(value: float) -> int:
    """As many as a typed number has, such as 3 for 0.001; few for one that was computed."""
    return next((n for n in range(5) if round(value, n) == value), 0)


class NumberEditor(Editor):
    """A number; an optional one has a box to tick, one that can be pulled in the views a button for it."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        number = field.number or Number()
        self.box = spin_box(number, field.kind is int)
        self.box.setAccessibleName(f"{field.name}, {number.unit}")
        self._set = QCheckBox(self.tr("set"))
        self._set.setVisible(field.optional)
        self._set.setChecked(not field.optional)
        theme.ticked(self._set)
        row = row_in(self)
        row.addWidget(self._set)
        row.addWidget(self.box, 1)
        if number.pulled:
            button = self._with_place(self.tr("Move by hand"))
            button.setToolTip(self.tr("Move it in the views, along all ways that the step leaves free"))
            row.addWidget(button)
        self._set.toggled.connect(self.box.setEnabled)
        self._set.toggled.connect(lambda _: self.edited.emit())
        self.box.valueChanged.connect(lambda _: self.edited.emit())

    @property
    def value(self) -> float | int | None:
        """The number, None when it is not set."""
        if not self._set.isChecked():
            return None
        return int(self.box.value()) if self.field.kind is int else self.box.value()

    def show_value(self, value: Any) -> None:
        """Show a number, or None."""
        with quiet(self.box, self._set):
            self._set.setChecked(value is not None)
            self.box.setEnabled(value is not None)
            if value is not None:
                self.box.setDecimals(max(self.box.decimals(), _decimals_of(value)))
                self.box.setValue(float(value))


class TruthEditor(Editor):
    """Yes or no."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.box = QCheckBox()
        theme.ticked(self.box)
        self.box.setAccessibleName(field.name)
        row_in(self).addWidget(self.box)
        self.box.toggled.connect(lambda _: self.edited.emit())

    @property
    def value(self) -> bool:
        """Whether it is ticked."""
        return self.box.isChecked()

    def show_value(self, value: Any) -> None:
        """Tick it or not."""
        with quiet(self.box):
            self.box.setChecked(bool(value))


class TextEditor(Editor):
    """Free text."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.box = QLineEdit()
        self.box.setAccessibleName(field.name)
        row_in(self).addWidget(self.box)
        self.box.editingFinished.connect(self.edited)

    @property
    def value(self) -> str:
        """The text."""
        return self.box.text()

    def show_value(self, value: Any) -> None:
        """Show a text."""
        with quiet(self.box):
            self.box.setText(str(value))


class ChoiceEditor(Editor):
    """One of some words, or one of the results above."""

    def __init__(
        self, field: Field, entries: Iterable[tuple[str, Any]], parent: QWidget | None = None
    ) -> None:
        super().__init__(field, parent)
        self.box = QComboBox()
        self.box.setAccessibleName(field.name)
        self.box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._values: list[Any] = []
        if field.optional:
            self._add(self.tr("(none)"), None)
        for text, value in entries:
            self._add(text, value)
        row_in(self).addWidget(self.box, 1)
        self.box.currentIndexChanged.connect(lambda _: self.edited.emit())

    def _add(self, text: str, value: Any) -> None:
        self.box.addItem(text)
        self._values.append(value)

    def offer(self, words: Iterable[str]) -> None:
        """Hide all words of a choice but these."""
        view, offered = self.box.view(), set(words)
        assert isinstance(view, QListView)
        for row, value in enumerate(self._values):
            view.setRowHidden(row, value not in offered)

    @property
    def value(self) -> Any:
        """The chosen one."""
        at = self.box.currentIndex()
        return self._values[at] if at >= 0 else None

    def show_value(self, value: Any) -> None:
        """Choose one; one that is not listed is added, so that nothing is changed by looking."""
        with quiet(self.box):
            if value not in self._values:
                self._add(str(value), value)
            self.box.setCurrentIndex(self._values.index(value))


class ManyEditor(Editor):
    """Some of the results above."""

    def __init__(
        self, field: Field, entries: Iterable[tuple[str, Any]], parent: QWidget | None = None
    ) -> None:
        super().__init__(field, parent)
        self.box = QListWidget()
        self.box.setAccessibleName(field.name)
        self._values: list[Any] = []
        for text, value in entries:
            item = QListWidgetItem(text)
            item.setCheckState(Qt.CheckState.Unchecked)
            self.box.addItem(item)
            self._values.append(value)
        self.box.setMaximumHeight(self.fontMetrics().height() * 6)
        row_in(self).addWidget(self.box, 1)
        self.box.itemChanged.connect(lambda _: self.edited.emit())

    @property
    def value(self) -> tuple[Any, ...]:
        """The ticked ones, in the order of the plan."""
        return tuple(
            value
            for n, value in enumerate(self._values)
            if self.box.item(n).checkState() is Qt.CheckState.Checked
        )

    def show_value(self, value: Any) -> None:
        """Tick these."""
        with quiet(self.box):
            for n, one in enumerate(self._values):
                chosen = one in (value or ())
                self.box.item(n).setCheckState(Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked)


def row_in(widget: QWidget) -> QHBoxLayout:
    """An empty row without margins that fills a widget."""
    row = QHBoxLayout(widget)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    return row


class quiet:  # noqa: N801  (reads as a word in a with statement)
    """While it lasts, these widgets tell no one that they change."""

    def __init__(self, *widgets: QWidget) -> None:
        self._widgets = widgets

    def __enter__(self) -> None:
        self._before = [widget.blockSignals(True) for widget in self._widgets]

    def __exit__(self, *_: object) -> None:
        for widget, before in zip(self._widgets, self._before, strict=True):
            widget.blockSignals(before)
