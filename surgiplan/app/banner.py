"""The strip at the top: whose case, which side, and what this program is not."""

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from .. import SAFETY_LINE
from . import theme


class Banner(QWidget):
    """Patient, planned side and safety line; always visible, also while no case is open."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._name = ""
        self._case, self._patient, self._side = QLabel(), QLabel(), QLabel()
        self._patient.setObjectName("banner_patient")
        self._side.setObjectName("banner_side")
        safety = QLabel(SAFETY_LINE)
        safety.setObjectName("banner_safety")
        safety.setAccessibleName(SAFETY_LINE)
        safety.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 3, 8, 3)
        row.setSpacing(18)
        for label in (self._side, self._patient, self._case):
            label.setTextFormat(Qt.TextFormat.PlainText)
            row.addWidget(label)
        self._case.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.setStretchFactor(self._case, 1)
        row.addWidget(safety)
        for label in (self._side, self._patient, safety):
            font = label.font()
            font.setBold(True)
            label.setFont(font)
        self.setAutoFillBackground(True)
        self.setPalette(theme.painted(self.palette(), theme.BANNER, theme.BANNER_TEXT))
        self.show_case("", None, "")

    def show_case(self, case: str, patient: Mapping[str, str] | None, side: str) -> None:
        """Show what is known.

        case: name of the case file, "" when none is open
        patient: identity as the images state it
        side: "R", "L" or ""
        """
        known = patient or {}
        name = known.get("patient_name", "").replace("^", ", ").strip(", ")
        parts = [name, known.get("patient_id", ""), known.get("birth_date", ""), known.get("sex", "")]
        self._name = "   ".join(part for part in parts if part)
        no_name = self.tr("no patient named in the images") if case else self.tr("no case open")
        self._patient.setText(self._name or no_name)
        self._side.setText(self._side_text(case, side))
        self._case.setText(case)
        self._case.setToolTip(case)

    def _side_text(self, case: str, side: str) -> str:
        """Right stands at the left end with its arrow to the left, as on a picture seen from the front."""
        if not case:
            return ""
        return {"R": "◀ RIGHT", "L": "LEFT ▶"}.get(side, self.tr("side not set"))

    @property
    def patient(self) -> str:
        """What is shown of the patient."""
        return self._patient.text()

    @property
    def side(self) -> str:
        """What is shown of the side."""
        return self._side.text()

    def veil(self, veiled: bool) -> None:
        """Take the name of the patient off, for pictures that leave the house."""
        if self._name:
            self._patient.setText(self.tr("patient not shown") if veiled else self._name)
