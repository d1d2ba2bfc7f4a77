"""STEP: exact bodies of a CAD program, turned to triangles by Open CASCADE (`cascadio`, when installed)."""

from dataclasses import replace

import numpy as np

from ..errors import BadInput
from .content import Content
from .glb import read_glb

TOLERANCE_MM = 0.01
_MM = np.diag([1000.0, 1000.0, 1000.0, 1.0])


def is_step(data: bytes) -> bool:
    """Whether these bytes begin as an exchange file of ISO 10303-21."""
    return data[:256].lstrip().startswith(b"ISO-10303-21")


def read_step(data: bytes) -> Content:
    """The surface of all bodies, at most 0.01 mm beside the exact one; the unit is what the file states.

    Raises BadInput when it is damaged, holds no body, or `cascadio` is not installed.
    """
    try:
        import cascadio
    except ImportError:
        raise BadInput(
            "STEP is read with cascadio, which is not installed: pip install surgiplan[step], or export STL"
        ) from None
    try:
        made = cascadio.load(data, "step", TOLERANCE_MM, 0.2)
    except (RuntimeError, ValueError):
        raise BadInput("it is damaged or holds no body: export it again") from None
    if not made:
        raise BadInput("it is damaged or holds no body: export it again")
    content = read_glb(made, _MM)  # the axes of the CAD program, whatever glTF says
    told = ("its exact bodies were turned to triangles, at most 0.01 mm beside them", *content.told)
    return replace(content, unit="STEP", unit_mm=1.0, told=told)
