"""The panel of landmarks: what the template asks for, what is placed, and what is drawn to the bone."""

from dataclasses import replace

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...algorithms.measures.templates import Mark, templates
from ...ops.landmarks import NameLandmarks
from ...values import Landmarks, Part, Vec3
from .. import theme
from ..desk import Desk
from ..inputs import seen_value
from ..views.hand import Hand

_NAME = Qt.ItemDataRole.UserRole


class LandmarksPanel(QWidget):
    """Lists the landmarks of the chosen step; a click on a view places the marked one and asks for the next.

    desk: the open case
    hand: places what is asked for

    wanted: the field to hold in the hand, "" for none
    visited: the place of a landmark to go to
    told: a sentence for the status bar
    """

    wanted = Signal(str)
    visited = Signal(object)
    told = Signal(str)

    def __init__(self, desk: Desk, hand: Hand) -> None:
        super().__init__()
        self._desk, self._hand = desk, hand
        self._leads = False
        self._empty = QLabel(
            self.tr(
                "Choose a step that names landmarks (add step: Landmarks) to see what its anatomy asks for."
            )
        )
        self._empty.setWordWrap(True)
        self._empty.setMargin(8)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.list = QListWidget()
        self.list.setObjectName("landmarks")
        self.list.setAccessibleName(self.tr("Landmarks"))
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._open_menu)
        self.list.currentItemChanged.connect(lambda *_: self._ask())
        self.list.itemDoubleClicked.connect(lambda _: self.visit())
        self.how = QLabel()
        self.how.setWordWrap(True)
        self.how.setMargin(4)
        self.place_button = self._button("landmark_place", self.tr("Place"), self._toggle)
        self.place_button.setCheckable(True)
        self.place_button.setToolTip(self.tr("Click the landmarks in the views, one after the other"))
        self.snap_button = self._button("landmark_snap", self.tr("Snap"), self.snap)
        self.snap_button.setCheckable(True)
        self.remove_button = self._button("landmark_remove", self.tr("Remove"), self.remove)
        self.remove_button.setToolTip(self.tr("Take the chosen landmark away"))
        self._lay_out()
        desk.changed.connect(self.refresh)
        hand.changed.connect(self._show_held)
        self.refresh()

    def _button(self, name: str, text: str, act: object) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.clicked.connect(act)
        return button

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.place_button, self.snap_button, self.remove_button):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self._empty)
        column.addWidget(self.list, 1)
        column.addWidget(self.how)
        column.addLayout(buttons)

    def sizeHint(self) -> QSize:
        """Wide enough for the names."""
        metrics = self.fontMetrics()
        return QSize(metrics.averageCharWidth() * 34, metrics.height() * 12)

    # --- what is shown

    @property
    def _operation(self) -> NameLandmarks | None:
        name = self._desk.view.chosen
        if name is None or name not in self._desk.plan.names:
            return None
        operation = self._desk.plan[name].operation
        return operation if isinstance(operation, NameLandmarks) else None

    @property
    def chosen(self) -> Mark | None:
        """The landmark that is marked in the list."""
        item, operation = self.list.currentItem(), self._operation
        if item is None or operation is None:
            return None
        return templates()[operation.template].mark(item.data(_NAME))

    def refresh(self) -> None:
        """Show the landmarks of the chosen step as they stand."""
        operation = self._operation
        for widget in (self.list, self.how, self.place_button, self.snap_button, self.remove_button):
            widget.setVisible(operation is not None)
        self._empty.setVisible(operation is None)
        if operation is None:
            return
        marks = templates()[operation.template].marks
        kept = self.list.currentItem().data(_NAME) if self.list.currentItem() else ""
        before = self.list.blockSignals(True)
        self.list.clear()
        for mark in marks:
            self.list.addItem(self._item(operation, mark))
        names = [mark.name for mark in marks]
        self.list.setCurrentRow(names.index(self._next(operation, names, kept)))
        self.list.blockSignals(before)
        self._ask()

    def _next(self, operation: NameLandmarks, names: list[str], kept: str) -> str:
        """The landmark to ask for: the marked one, after a click the next that is not placed."""
        if kept in names and not (self._leads and kept == self._hand.mark and kept in operation.points):
            return kept
        start = names.index(kept) if kept in names else 0
        order = names[start:] + names[:start]
        return next((name for name in order if name not in operation.points), order[0])

    def _item(self, operation: NameLandmarks, mark: Mark) -> QListWidgetItem:
        placed = mark.name in operation.points
        words = self.tr("snapped") if placed and operation.snaps(mark.name) else ""
        state = "●" if placed else "○"
        item = QListWidgetItem(f"{state}  {mark.title}" + (f"  ({words})" if words else ""))
        item.setData(_NAME, mark.name)
        item.setToolTip(self._tip(operation, mark))
        if not placed:
            item.setForeground(self.palette().placeholderText())
        return item

    def _tip(self, operation: NameLandmarks, mark: Mark) -> str:
        found = self._found
        lines = [f"{mark.name}: {mark.how}"]
        if mark.name in operation.points:
            place = found.places.get(mark.name) if found is not None else None
            left, back, up = place or operation.points[mark.name]
            lines.append(f"L {left:.1f}  P {back:.1f}  S {up:.1f} mm")
            if found is not None and (error := found.error_of(mark.name)) is not None:
                lines.append(self.tr("typically off by {0} mm along each axis").format(f"{error:.2f}"))
        return "\n".join(lines)

    @property
    def _found(self) -> Landmarks | None:
        value = getattr(self._desk.results.get(self._desk.view.chosen or ""), "value", None)
        return value if isinstance(value, Landmarks) else None

    def _ask(self) -> None:
        """Tell what the marked landmark is, and let the next click place it."""
        mark, operation = self.chosen, self._operation
        if mark is None or operation is None:
            return
        if self._leads:
            self._hand.mark = mark.name
        self.how.setText(f"<b>{mark.title}</b>: {mark.how}")
        placed, surface = mark.name in operation.points, self._surface(operation)
        self.remove_button.setEnabled(placed and self._desk.writable)
        self.place_button.setEnabled(self._desk.writable)
        self.snap_button.setEnabled(placed and surface and self._desk.writable)
        self.snap_button.setChecked(placed and operation.snaps(mark.name))
        theme.lit(self.snap_button, self.snap_button.isChecked())
        self.snap_button.setToolTip(
            self.tr("Draw it to the shape of the bone: {0}").format(mark.snap)
            if surface
            else self.tr("Choose a body under On in the form: there is no surface to snap to")
        )
        if self.place_button.isChecked():
            self.told.emit(self.tr("Click the {0}: {1}").format(mark.title, mark.how))

    def _surface(self, operation: NameLandmarks) -> bool:
        return operation.on is not None and isinstance(seen_value(self._desk.results, operation.on), Part)

    def lead(self, field: str) -> None:
        """Let the next clicks place the landmarks of the list, if this is the field the hand has taken."""
        self._leads = field == "points" and self._operation is not None
        self._ask()

    def _show_held(self) -> None:
        held = self._hand.active and self._operation is not None
        self._leads = self._leads and held
        if self.place_button.isChecked() != held:
            self.place_button.setChecked(held)
            theme.lit(self.place_button, held)
        if held and not self._leads:  # the guide of a procedure asks: follow it
            for item in self.list.findItems("", Qt.MatchFlag.MatchContains):
                if item.data(_NAME) == self._hand.mark:
                    self.list.setCurrentItem(item)
        if held:
            self._ask()

    # --- what the person does

    def _toggle(self) -> None:
        theme.lit(self.place_button, self.place_button.isChecked())
        self.wanted.emit("points" if self.place_button.isChecked() else "")

    def snap(self) -> None:
        """Draw the marked landmark to the shape of the bone, or leave it where it was clicked."""
        operation, mark = self._operation, self.chosen
        if operation is not None and mark is not None and mark.name in operation.points:
            on = not operation.snaps(mark.name)
            verb = "snap" if on else "unsnap"
            self._keep(replace(operation, snapped=operation.with_snap(mark.name, on)), f"{verb} {mark.name}")

    def remove(self) -> None:
        """Take the marked landmark away."""
        operation, mark = self._operation, self.chosen
        if operation is not None and mark is not None and mark.name in operation.points:
            snapped = operation.with_snap(mark.name, False)
            points = operation.points.without(mark.name)
            self._keep(replace(operation, snapped=snapped, points=points), f"remove {mark.name}")

    def visit(self) -> None:
        """Go to the marked landmark in all views."""
        operation, mark = self._operation, self.chosen
        if operation is not None and mark is not None and mark.name in operation.points:
            found = self._found
            place: Vec3 = operation.points[mark.name]
            self.visited.emit(found.places.get(mark.name, place) if found is not None else place)

    def _keep(self, operation: NameLandmarks, why: str) -> None:
        name = self._desk.view.chosen or ""
        fields = {field.name: getattr(operation, field.name) for field in operation.spec.fields}
        self._desk.commit(self._desk.kept.edit(name, **fields), f"{why} of {name}")

    def _open_menu(self, place: QPoint) -> None:
        item = self.list.itemAt(place)
        if item is None:
            return
        self.list.setCurrentItem(item)
        menu = QMenu(self)
        menu.setObjectName("landmark_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for button, text in (
            (self.snap_button, self.tr("Snap to the bone, or not")),
            (self.remove_button, self.tr("Remove")),
        ):
            action = menu.addAction(text)
            action.setEnabled(button.isEnabled())
            action.triggered.connect(self.snap if button is self.snap_button else self.remove)
        menu.addAction(self.tr("Go there")).triggered.connect(self.visit)
        menu.popup(self.list.viewport().mapToGlobal(place))
