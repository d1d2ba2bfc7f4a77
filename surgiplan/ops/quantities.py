"""The kinds of numbers and places that operations take, each with its unit and range."""

from typing import Annotated

from ..plan.operation import Number
from ..values import Vec3

HU = Annotated[float, Number("HU", -32768, 32767, 1)]
HUStep = Annotated[float, Number("HU", 1, 10000, 10)]
Millimetres = Annotated[float, Number("mm", 0, 1000, 0.1)]
CubicMillimetres = Annotated[float, Number("mm³", 0, 1e7, 10)]
SignedMillimetres = Annotated[float, Number("mm", -100, 100, 0.1)]
Degrees = Annotated[float, Number("°", -180, 180, 1)]
Share = Annotated[float, Number("", 0, 1, 0.05)]
Percent = Annotated[float, Number("%", 0, 100, 0.5)]
SignedDegrees = Annotated[float, Number("deg", -179, 179, 1)]
Point = Vec3
Points = tuple[Vec3, ...]
