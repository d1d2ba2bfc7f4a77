"""surgiplan: surgical planning on a recipe. Research and education, not a medical device."""

__version__ = "0.1.0"

SAFETY_LINE = "Research and education software. Not a medical device. Not for clinical decisions."
