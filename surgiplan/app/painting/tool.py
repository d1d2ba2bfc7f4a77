"""What every tool to paint with does with the left button, the cursor and the keys."""

from PySide6.QtGui import QColor, QPainter

from ...values import Vec3
from ..views.eye import Eye
from .easel import Easel, Sight

LINE = QColor("#FFFFFF")
SHADOW = QColor(0, 0, 0, 160)


class Tool:
    """One tool. It may hold an outline that is not kept yet.

    easel: what is painted on
    """

    hint = ""

    def __init__(self, easel: Easel) -> None:
        self.easel = easel
        self.where: Sight | None = None
        self.cursor: Vec3 | None = None

    @property
    def busy(self) -> bool:
        """Whether something is begun that Esc would drop."""
        return False

    def press(self, where: Sight, x: float, y: float) -> bool:
        """Begin at a pixel of a view; False where there is nothing to paint on."""
        raise NotImplementedError

    def move(self, x: float, y: float) -> None:
        """Go on to a pixel of the same view, the button held down."""

    def release(self) -> None:
        """The button is let go."""

    def hover(self, where: Sight, x: float, y: float) -> None:
        """The cursor is over a view, no button down."""
        before = self.where
        if not self.busy:
            self.where = where
        self.cursor = where.point_at(x, y)
        if before is not None and before is not where:
            before.repaint_hand()
        where.repaint_hand()

    def finish(self) -> None:
        """Use what was outlined (Enter, or a double click)."""

    def back(self) -> None:
        """Take back the last piece of what is begun."""

    def drop(self) -> None:
        """Forget what is begun."""

    def paint(self, painter: QPainter, eye: Eye, where: Sight) -> None:
        """Show the tool over a view."""
