"""What is seen, as plain data."""

from .describe import describe
from .findings import findings
from .items import Captions, Item, LineMark, PlaneMark, PointMark, PoseMark, Scalars, Scene, Surface
from .outlines import Frame, Outline
from .slices import Dot, Slice, shade
from .view import AXES, Axis, Framing, Known, Results, View, grey_range

__all__ = [
    "AXES",
    "Axis",
    "Captions",
    "Dot",
    "Frame",
    "Framing",
    "Item",
    "Known",
    "LineMark",
    "Outline",
    "PlaneMark",
    "PointMark",
    "PoseMark",
    "Results",
    "Scalars",
    "Scene",
    "Slice",
    "Surface",
    "View",
    "describe",
    "findings",
    "grey_range",
    "shade",
]
