"""The tool bar of a step that is painted: tools, size, and what a stroke may change."""

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QPainterPath
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFrame, QHBoxLayout, QLabel, QToolButton

from ...plan.operation import Number
from ...values import Bits
from .. import theme
from ..desk import Desk
from ..forms.editors import quiet, spin_box
from .easel import Easel

# name, words, drawing: M moves, L draws to, C closes, O draws a ring round a middle with a radius
BUTTONS: tuple[tuple[str, str, str], ...] = (
    ("brush", "Brush: paint a disc in a slice, a ball on a surface", "M 20 4 L 11 13 O 8 17 3.4"),
    ("ball", "Ball: paint through the slices beside, too", "O 12 12 8 M 4 12 Q 12 17 20 12"),
    ("lasso", "Lasso: draw round something in a slice", "O 12 9 7 M 8 15 Q 4 18 9 22"),
    (
        "livewire",
        "Live wire: click along an edge, the line snaps to it",
        "M 3 19 Q 4 6 11 12 Q 17 17 21 5 O 3 19 1.5 O 21 5 1.5",
    ),
    (
        "scissors",
        "Scissors: cut through the volume along the line of sight",
        "O 6 18 3 O 18 18 3 M 8 15.5 L 17 3 M 16 15.5 L 7 3",
    ),
    (
        "keep_island",
        "Keep the part that is clicked, erase all others",
        "O 12 12 8.5 M 8 12 L 11 15.5 L 16.5 8.5",
    ),
    ("drop_island", "Erase the part that is clicked", "O 12 12 8.5 M 9 9 L 15 15 M 15 9 L 9 15"),
)
_FILL = "M 4 5 L 20 5 M 7 19 L 17 19 M 12 8 L 12 16 M 9 13.5 L 12 16.5 L 15 13.5"
_PAINT, _ERASE = "M 12 5 L 12 19 M 5 12 L 19 12", "M 5 12 L 19 12"
_BOTH_WAYS = ("brush", "ball", "lasso", "livewire")
_CUTS = (("remove", "Remove inside"), ("keep", "Keep inside"), ("fill", "Fill inside"))


def drawing(text: str) -> QPainterPath:
    """The path that a line of drawing commands stands for, in a box of 24 x 24."""
    path, rest = QPainterPath(), text.split()
    while rest:
        command = rest.pop(0)
        wanted = {"M": 2, "L": 2, "Q": 4, "O": 3}[command]
        numbers, rest = [float(one) for one in rest[:wanted]], rest[wanted:]
        if command == "M":
            path.moveTo(*numbers)
        elif command == "L":
            path.lineTo(*numbers)
        elif command == "Q":
            path.quadTo(*numbers)
        else:
            x, y, radius = numbers
            path.addEllipse(x - radius, y - radius, 2 * radius, 2 * radius)
    return path


class PaintBar(QFrame):
    """Shows while the chosen step can be painted.

    desk: the open case
    easel: the tool and its settings

    wanted: the person wants to paint into this field ("added" or "removed"), or no longer ("")
    """

    wanted = Signal(str)

    def __init__(self, desk: Desk, easel: Easel) -> None:
        super().__init__()
        self._desk, self._easel = desk, easel
        self.setObjectName("paint_bar")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.tools: dict[str, QToolButton] = {}
        for name, words, shape in BUTTONS:
            button = self.tools[name] = self._button(f"tool_{name}", self.tr(words), shape)
            button.setCheckable(True)
            button.clicked.connect(lambda on, n=name: self._on_tool(n, on))
        self.fill = self._button(
            "fill_between", self.tr("Fill between the painted slices of the view used last"), _FILL
        )
        self.fill.clicked.connect(lambda _=False: self._easel.fill_between())
        self.add = self._button("paint_add", self.tr("Paint: voxels are added"), _PAINT)
        self.erase = self._button(
            "paint_erase", self.tr("Erase: voxels are taken away (or hold Ctrl)"), _ERASE
        )
        for button, field in ((self.add, "added"), (self.erase, "removed")):
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, f=field: self._on_field(f))
        self.radius = spin_box(Number("mm", 0.2, 50, 0.5))
        self.radius.setPrefix(self.tr("radius "))
        self.radius.setToolTip(self.tr("Size of the brush (Shift+wheel, or [ and ])"))
        self.radius.setObjectName("paint_radius")
        self.cut = QComboBox()
        self.cut.setObjectName("paint_cut")
        self.cut.setToolTip(self.tr("What the scissors do"))
        for name, words in _CUTS:
            self.cut.addItem(self.tr(words), name)
        self.limit = QCheckBox(self.tr("only greys"))
        self.limit.setObjectName("paint_limit")
        self.limit.setToolTip(self.tr("Change only voxels between these two grey values of the scan"))
        self.low, self.high = (
            spin_box(Number("", -5000, 10000, 10.0), True),
            spin_box(Number("", -5000, 10000, 10.0), True),
        )
        for box in (self.low, self.high):
            box.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
            box.setFixedWidth(self.fontMetrics().horizontalAdvance("-1000000"))
        self.low.setValue(226)
        self.high.setValue(3071)
        self.spare = QCheckBox(self.tr("spare others"))
        self.spare.setObjectName("paint_spare")
        self.spare.setToolTip(
            self.tr("Paint nothing that a segment with a colour of its own holds: no overlap")
        )
        for tick in (self.limit, self.spare):
            theme.ticked(tick)
        self._lay_out()
        self._connect()
        self.refresh()

    def _button(self, name: str, words: str, shape: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(name)
        button.setIcon(theme.plain_icon(drawing(shape)))
        em = self.fontMetrics().height()
        button.setIconSize(QSize(round(em * 1.3), round(em * 1.3)))
        button.setToolTip(words)
        button.setAccessibleName(words.partition(":")[0])
        button.setAutoRaise(True)
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 2, 4, 2)
        row.setSpacing(2)
        for button in (self.add, self.erase):
            row.addWidget(button)
        row.addSpacing(8)
        for button in self.tools.values():
            row.addWidget(button)
        row.addWidget(self.fill)
        row.addSpacing(8)
        self._dash = QLabel("–")
        for widget in (self.radius, self.cut, self.limit, self.low, self._dash, self.high, self.spare):
            row.addWidget(widget)
        row.addStretch(1)

    def _connect(self) -> None:
        self.radius.valueChanged.connect(lambda value: self._easel.alter(radius_mm=value))
        self.cut.activated.connect(lambda _: self._easel.alter(cut=self.cut.currentData()))
        self.spare.toggled.connect(lambda on: self._easel.alter(spare=on))
        for signal in (self.limit.toggled, self.low.valueChanged, self.high.valueChanged):
            signal.connect(lambda _: self._on_limit())
        self._easel.altered.connect(self.refresh)
        self._desk.changed.connect(self.refresh)

    # --- what is shown

    @property
    def paintable(self) -> bool:
        """Whether the chosen step is one that is painted."""
        name = self._desk.view.chosen
        if name not in self._desk.plan.names or not self._desk.writable:
            return False
        kinds = {field.name: field.kind for field in self._desk.plan[str(name)].operation.spec.fields}
        return kinds.get("added") is Bits and kinds.get("removed") is Bits

    def refresh(self) -> None:
        """Show the settings as they are."""
        self.setVisible(self.paintable)
        settings = self._easel.settings
        with quiet(self.radius, self.cut, self.limit, self.low, self.high, self.spare):
            self.radius.setValue(settings.radius_mm)
            self.cut.setCurrentIndex(self.cut.findData(settings.cut))
            self.limit.setChecked(settings.greys is not None)
            self.spare.setChecked(settings.spare)
        self.radius.setVisible(settings.tool in ("brush", "ball"))
        self.cut.setVisible(settings.tool == "scissors")
        for button in (self.add, self.erase):  # scissors and islands say themselves what they do
            button.setEnabled(settings.tool in _BOTH_WAYS)
        for widget in (self.low, self._dash, self.high):
            widget.setVisible(settings.greys is not None)

    def show_held(self, field: str) -> None:
        """Show which field is painted into now; "" for none."""
        for name, button in self.tools.items():
            on = bool(field) and name == self._easel.settings.tool
            button.setChecked(on)
            theme.lit(button, on)
        for button, own in ((self.add, "added"), (self.erase, "removed")):
            button.setChecked(field == own)
            theme.lit(button, field == own)

    # --- what the person does

    def _on_tool(self, name: str, on: bool) -> None:
        self._easel.alter(tool=name)
        field = self._easel.field if self._easel.field in ("added", "removed") else "added"
        self.wanted.emit(field if on else "")

    def _on_field(self, field: str) -> None:
        self.wanted.emit(field)

    def _on_limit(self) -> None:
        low, high = sorted((self.low.value(), self.high.value()))
        self._easel.alter(greys=(low, high) if self.limit.isChecked() else None)
