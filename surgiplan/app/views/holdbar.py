"""The tool bar of a part that is moved by hand: axes, the point it turns about, steps of the keys.

A part on a guide has the axes and the point of its guide: for it they are not there to choose.
"""

from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QPushButton

from ...plan.operation import Number
from ..forms.editors import quiet, spin_box
from .hand import Hand

_AXES = (
    ("patient", "patient's axes", "Left-right, front-back and up-down of the patient"),
    ("own", "part's own axes", "The axes of the part's own coordinates, which turn with it"),
    ("bone", "axes of the bone", "Its principal axes: long, middle and short; they turn with it"),
)


class HoldBar(QFrame):
    """Shows while a part is held, free or on a guide.

    hand: what holds it
    """

    def __init__(self, hand: Hand) -> None:
        super().__init__()
        self._hand = hand
        self.setObjectName("hold_bar")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.axes = QComboBox()
        self.axes.setObjectName("hold_axes")
        for name, text, tip in _AXES:
            self.axes.addItem(self.tr(text), name)
            self.axes.setItemData(self.axes.count() - 1, self.tr(tip), 3)
        self.axes.currentIndexChanged.connect(lambda _: hand.hold_by(axes=self.axes.currentData()))
        self.pick = QPushButton(self.tr("another point..."))
        self.pick.setObjectName("hold_pick")
        self.pick.setCheckable(True)
        self.pick.setToolTip(self.tr("Click the point it shall turn about, such as a hinge or a joint"))
        self.pick.clicked.connect(hand.ask_pivot)
        self.middle = QPushButton(self.tr("its middle"))
        self.middle.setObjectName("hold_middle")
        self.middle.setToolTip(self.tr("Turn about the middle of the part"))
        self.middle.clicked.connect(lambda: hand.hold_by(pivot=None))
        self.step_mm = spin_box(Number("mm", 0.1, 50, 0.1))
        self.step_mm.setObjectName("hold_step_mm")
        self.step_mm.setToolTip(self.tr("A press of an arrow key shifts it by so much in the view"))
        self.step_degrees = spin_box(Number("°", 0.1, 90, 0.5))
        self.step_degrees.setObjectName("hold_step_degrees")
        self.step_degrees.setToolTip(self.tr("Page up or down turns it by so much about the line of sight"))
        for box, field in ((self.step_mm, "step_mm"), (self.step_degrees, "step_degrees")):
            box.setValue(getattr(hand.hold, field))
            box.valueChanged.connect(lambda value, name=field: hand.hold_by(**{name: value}))
        self.reset = QPushButton(self.tr("Put back"))
        self.reset.setObjectName("hold_reset")
        self.reset.setToolTip(self.tr("Take all motion of this step back"))
        self.reset.clicked.connect(lambda: hand.put_back())
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 3, 6, 3)
        self._chosen = (self.axes, QLabel(self.tr("turns about")), self.middle, self.pick)
        for one in (
            *self._chosen,
            QLabel(self.tr("keys step by")),
            self.step_mm,
            self.step_degrees,
            self.reset,
        ):
            row.addWidget(one)
        row.addStretch(1)
        hand.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        hold = self._hand.hold
        self.setVisible(self._hand.holds_part)
        for one in self._chosen:
            one.setVisible(self._hand.holds_pose)
        with quiet(self.axes, self.pick):
            self.axes.setCurrentIndex(self.axes.findData(hold.axes))
            self.pick.setChecked(self._hand.asking_pivot)
        self.middle.setEnabled(hold.pivot is not None)
        self.reset.setEnabled(self._hand.has_moved)
