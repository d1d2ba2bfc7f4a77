"""What the operations that saw have in common: their thickness of blade, and names for the pieces."""

import re
from collections.abc import Mapping
from typing import Annotated

from ..errors import Usage
from ..plan.operation import Number
from ..values import Part

Kerf = Annotated[float, Number("mm", 0.01, 10, 0.1)]
Depth = Annotated[float, Number("mm", 0.1, 500, 1)]
Degrees = Annotated[float, Number("deg", 0, 60, 0.5)]
Tilt = Annotated[float, Number("deg", -45, 45, 1)]
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")


def named_pieces(operation: str, *names: str) -> Mapping[str, type]:
    """The outputs of a cut under the names a planner gave them; the first one heads the colours.

    Raises Usage when a name is no plain word or given twice.
    """
    for name in names:
        if not _NAME.fullmatch(name):
            raise Usage(
                f"{operation}: {name!r} cannot name a piece: a letter, then letters, digits, - or _ "
                "(32 at most)"
            )
    if len(set(names)) < len(names):
        raise Usage(f"{operation}: two pieces have one name in {', '.join(names)}: give each its own")
    return dict.fromkeys(names, Part)
