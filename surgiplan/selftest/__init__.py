"""Does this installation keep its promises? Phantoms walked through the full chain, beside the goals."""

from .apart import run_apart
from .measuring import run
from .page import document
from .row import Figure, Outcome, Row
from .rows import ROWS

__all__ = ["ROWS", "Figure", "Outcome", "Row", "document", "run", "run_apart"]
