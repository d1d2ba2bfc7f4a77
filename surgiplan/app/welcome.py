"""What is seen while no case is open: how to begin, and the cases of late."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from .recent import Recent


class Welcome(QWidget):
    """Three ways to begin, and the cases of late.

    chosen: a recent case was picked (its path)
    """

    chosen = Signal(Path)

    def __init__(self, recent: Recent, actions: tuple[QAction, ...]) -> None:
        super().__init__()
        self.setObjectName("welcome")
        self._recent = recent
        title = QLabel("surgiplan")
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 2.4)
        font.setBold(True)
        title.setFont(font)
        about = QLabel(self.tr("Scan, bone, cut, implant, check, export. Drop a folder or a file anywhere."))
        buttons = QHBoxLayout()
        for action in actions:
            buttons.addWidget(self._big_button(action))
        self.list = QListWidget()
        self.list.setObjectName("recent_cases")
        self.list.setAccessibleName(self.tr("Recent cases"))
        self.list.setSpacing(4)
        self.list.itemActivated.connect(self._pick)
        self.list.itemClicked.connect(self._pick)
        self._heading = QLabel(self.tr("Recent cases"))
        self._lay_out(title, about, buttons)
        self.refresh()

    def _lay_out(self, title: QLabel, about: QLabel, buttons: QHBoxLayout) -> None:
        inner = QWidget()
        inner.setMaximumWidth(self.fontMetrics().averageCharWidth() * 110)
        column = QVBoxLayout(inner)
        column.setSpacing(14)
        column.addStretch(1)
        column.addWidget(title)
        column.addWidget(about)
        column.addLayout(buttons)
        column.addSpacing(10)
        column.addWidget(self._heading)
        column.addWidget(self.list, 3)
        column.addStretch(1)
        row = QHBoxLayout(self)
        row.addStretch(1)
        row.addWidget(inner, 6)
        row.addStretch(1)

    def _big_button(self, action: QAction) -> QPushButton:
        button = QPushButton(action.text().replace("&", ""))
        button.setObjectName(f"welcome_{action.objectName()}")
        button.setToolTip(action.toolTip())
        button.setMinimumHeight(self.fontMetrics().height() * 3)
        button.clicked.connect(action.trigger)
        return button

    def refresh(self) -> None:
        """Read the recent cases again."""
        self.list.clear()
        for path in self._recent.paths:
            item = QListWidgetItem(f"{path.stem}\n{path.parent}")
            item.setData(Qt.ItemDataRole.UserRole, str(path))
            self.list.addItem(item)
        if not self.list.count():
            empty = QListWidgetItem(self.tr("None yet. To try it without data, run: surgiplan demo --window"))
            empty.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(empty)

    def _pick(self, item: QListWidgetItem) -> None:
        if (path := item.data(Qt.ItemDataRole.UserRole)) is not None:
            self.chosen.emit(Path(path))
