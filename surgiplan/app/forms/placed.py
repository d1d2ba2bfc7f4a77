"""Editors for what is placed by hand: points, planes, poses and painted voxels."""

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ...plan.operation import Field, Number
from ...values import IDENTITY, Bits, Places, Plane, Pose, Vec3, vec3
from ..views.handles import pose_of, shift_of, turned_degrees
from .editors import Editor, quiet, spin_box

_LPS = ("L", "P", "S")


class RowsEditor(Editor):
    """Rows of three numbers: a point, a plane or a pose, with a button to place it by hand."""

    rows: tuple[tuple[str, Number, tuple[str, str, str]], ...] = (("at", Number("mm", step=0.1), _LPS),)

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._placed = False
        self._full: Any = None
        self._empty = QLabel(self.tr("not placed yet"))
        self._numbers = QWidget()
        grid = QGridLayout(self._numbers)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(3)
        self.boxes: list[QDoubleSpinBox] = []
        for n, (title, number, letters) in enumerate(self.rows):
            grid.addWidget(QLabel(title), n * 2, 0, 1, 3)
            for column, letter in enumerate(letters):
                grid.addWidget(self._box(f"{field.name} {title} {letter}", letter, number), n * 2 + 1, column)
        stack = QVBoxLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(3)
        top = QHBoxLayout()
        top.addWidget(self._with_place(self._place_text()))
        top.addWidget(self._empty, 1)
        if field.optional and field.hand is None:
            top.addWidget(self._clear_button())
        stack.addLayout(top)
        stack.addWidget(self._numbers)

    def _place_text(self) -> str:
        return self.tr("Place")

    def _clear_button(self) -> QPushButton:
        """Takes a value away that need not be there."""
        self._clear = QPushButton(self.tr("Remove"))
        self._clear.setObjectName(f"remove_{self.field.name}")
        self._clear.setToolTip(self.tr("Do without it"))
        self._clear.clicked.connect(self._remove)
        return self._clear

    def _remove(self) -> None:
        if self._placed:
            self.show_value(None)
            self.edited.emit()

    def _box(self, name: str, letter: str, number: Number) -> QDoubleSpinBox:
        box = spin_box(number)
        box.setPrefix(f"{letter} ")
        box.setSuffix("")
        box.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        box.setMinimumWidth(self.fontMetrics().horizontalAdvance("S -1234.56") + 12)
        box.setAccessibleName(f"{name}, {number.unit}")
        box.setToolTip(f"{name} ({number.unit})" if number.unit else name)
        box.valueChanged.connect(self._on_box)
        self.boxes.append(box)
        return box

    def _on_box(self) -> None:
        self._full = None
        self.edited.emit()

    @property
    def value(self) -> Any:
        """The placed value, None when it is not placed; exact while no number was typed."""
        if not self._placed:
            return None
        return self._full if self._full is not None else self._of_numbers([b.value() for b in self.boxes])

    def show_value(self, value: Any) -> None:
        """Show a value, or that there is none."""
        self._placed, self._full = value is not None, value
        self._numbers.setVisible(self._placed)
        self._empty.setVisible(not self._placed)
        if value is not None:
            with quiet(*self.boxes):
                for box, number in zip(self.boxes, self._numbers_of(value), strict=True):
                    box.setValue(number)

    def _of_numbers(self, numbers: list[float]) -> Any:
        return vec3(numbers)

    def _numbers_of(self, value: Any) -> Iterable[float]:
        return vec3(value)


class PlaneEditor(RowsEditor):
    """A plane: a point on it and its normal."""

    rows = (
        ("point, mm", Number("mm", step=0.1), _LPS),
        ("normal", Number("", -1, 1, 0.01), _LPS),
    )

    def _of_numbers(self, numbers: list[float]) -> Plane:
        return Plane(vec3(numbers[:3]), vec3(numbers[3:]))

    def _numbers_of(self, value: Plane) -> Iterable[float]:
        return (*value.point, *value.normal)


class PoseEditor(RowsEditor):
    """A pose: how far it carries the middle of the body, and its turns about the patient axes."""

    rows = (
        ("shift, mm (left, posterior, up)", Number("mm", step=0.1), _LPS),
        ("turn about the axis, degrees", Number("deg", -180, 180, 0.1), ("L-R", "P-A", "S-I")),
    )

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        self.pivot: Vec3 = (0.0, 0.0, 0.0)
        super().__init__(field, parent)

    def _place_text(self) -> str:
        return self.tr("Move by hand")

    def set_pivot(self, pivot: Vec3 | None) -> None:
        """Turn about this point, LPS mm; None while the shape is not known, which then cannot be held."""
        self.pivot = pivot or (0.0, 0.0, 0.0)
        if self.place_button is not None:
            self.place_button.setEnabled(pivot is not None)

    def _of_numbers(self, numbers: list[float]) -> Pose:
        return pose_of(numbers[:3], numbers[3:], self.pivot)

    def _numbers_of(self, value: Pose) -> Iterable[float]:
        return (*shift_of(value, self.pivot), *turned_degrees(value.rotation))

    def show_value(self, value: Any) -> None:
        """Show a pose; none is no motion."""
        super().show_value(value if value is not None else IDENTITY)


class PointsEditor(Editor):
    """A list of points, picked in the views one after the other or typed."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._points: list[Vec3] = []
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(["L mm", "P mm", "S mm"])
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setAccessibleName(field.name)
        self.table.setMaximumHeight(self.fontMetrics().height() * 9)
        self.table.itemChanged.connect(self._on_item)
        remove = QPushButton(self.tr("Remove"))
        remove.setObjectName(f"remove_{field.name}")
        remove.setToolTip(self.tr("Remove the chosen point, or the last one"))
        remove.clicked.connect(self._remove)
        buttons = QHBoxLayout()
        buttons.addWidget(self._with_place(self.tr("Pick points")))
        buttons.addWidget(remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(buttons)
        column.addWidget(self.table)

    @property
    def value(self) -> tuple[Vec3, ...]:
        """The points, LPS mm."""
        return tuple(self._points)

    def show_value(self, value: Any) -> None:
        """Show these points."""
        self._points = [vec3(point) for point in value or ()]
        with quiet(self.table):
            self.table.setRowCount(len(self._points))
            for row, point in enumerate(self._points):
                for column, number in enumerate(point):
                    item = QTableWidgetItem(f"{number:.2f}")
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                    self.table.setItem(row, column, item)

    def _on_item(self, item: QTableWidgetItem) -> None:
        row = item.row()
        try:
            number = float(item.text().replace(",", "."))
            point = list(self._points[row])
            point[item.column()] = number
            self._points[row] = vec3(point)
        except ValueError:
            self.show_value(self._points)
            return
        self.edited.emit()

    def _remove(self) -> None:
        if self._points:
            row = self.table.currentRow()
            del self._points[row if 0 <= row < len(self._points) else -1]
            self.show_value(self._points)
            self.edited.emit()


class BitsEditor(Editor):
    """Painted voxels: how many there are, and buttons to paint and to clear."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._bits: Bits | None = None
        self._count = QLabel()
        clear = QPushButton(self.tr("Clear"))
        clear.setObjectName(f"clear_{field.name}")
        clear.clicked.connect(self._clear)
        top, below = QHBoxLayout(), QHBoxLayout()
        words = self.tr("Erase") if field.name == "removed" else self.tr("Paint")
        top.addWidget(self._with_place(words), 1)
        below.addWidget(self._count, 1)
        below.addWidget(clear)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(top)
        column.addLayout(below)

    @property
    def value(self) -> Bits | None:
        """The voxels, None while nobody painted."""
        return self._bits

    def show_value(self, value: Any) -> None:
        """Show how many voxels are painted."""
        self._bits = value
        self._count.setText(
            self.tr("none yet") if value is None else self.tr("{0} voxels").format(value.count)
        )

    def _clear(self) -> None:
        self.show_value(Bits())
        self.edited.emit()


class PlacesEditor(Editor):
    """Landmarks by name: how many are placed; the panel of landmarks shows each."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._places = Places()
        self._count = QLabel()
        self._count.setWordWrap(True)
        row = QVBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        row.addWidget(self._with_place(self.tr("Place landmarks")))
        row.addWidget(self._count)

    @property
    def value(self) -> Places:
        """The places by name, LPS mm."""
        return self._places

    def show_value(self, value: Any) -> None:
        """Show how many are placed."""
        self._places = value
        count = len(value)
        self._count.setText(self.tr("{0} placed").format(count) if count else self.tr("none placed yet"))
