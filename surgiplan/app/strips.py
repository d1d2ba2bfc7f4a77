"""Lines of words on a coloured ground, for what needs attention."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from . import theme


class Strip(QLabel):
    """A line on a coloured ground; hidden while there is nothing to say."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWordWrap(True)
        self.setAutoFillBackground(True)
        self.setMargin(5)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.hide()

    def tell(self, text: str, ground: str) -> None:
        """Show words on a ground of this colour; nothing for an empty text."""
        colour = theme.WARNING_TEXT if ground == theme.WARNING else theme.BANNER_TEXT
        self.setPalette(theme.painted(self.palette(), ground, colour))
        self.setText(text)
        self.setVisible(bool(text))
