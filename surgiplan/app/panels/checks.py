"""Short lists that are as high as what they hold, and the list of checks."""

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon, QResizeEvent
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QSizePolicy

from ...recipes.progress import Outcome
from .. import theme


class ShortList(QListWidget):
    """A list that shows all its rows, so that only the panel round it scrolls.

    name: of the widget
    title: to be read out
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setWordWrap(True)
        self.setTextElideMode(Qt.TextElideMode.ElideNone)
        for scrolls in (self.setHorizontalScrollBarPolicy, self.setVerticalScrollBarPolicy):
            scrolls(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def fit(self) -> None:
        """Take the height of the rows."""
        self.doItemsLayout()
        last = self.item(self.count() - 1)
        end = self.visualItemRect(last).bottom() - self.visualItemRect(self.item(0)).top() if last else 0
        self.setFixedHeight(max(end, 1) + 2 * self.frameWidth() + 6)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Words that wrap otherwise need another height."""
        super().resizeEvent(event)
        self.fit()


class ChecksList(ShortList):
    """Checks with their figures and limits: a tick, a triangle, or dots while one is not known."""

    def tell(self, outcomes: Iterable[Outcome]) -> None:
        """Show how the checks stand."""
        self.clear()
        for one in outcomes:
            item = QListWidgetItem(one.text)
            item.setIcon(_icon(one))
            item.setToolTip(one.check.words)
            self.addItem(item)
        self.fit()


def _icon(one: Outcome) -> QIcon:
    if one.verdict == "warn":
        return theme.severity_icon("warning")
    return theme.status_icon("ready" if one.verdict == "pass" else "waiting")
