"""STEP: exact bodies of a CAD program, turned to triangles by Open CASCADE (`cascadio`, when installed)."""

import importlib.util
import os
from dataclasses import replace

import numpy as np

from ...errors import BadInput
from .content import Content
from .glb import read_glb

TOLERANCE_MM, TOLERANCE_RADIANS = 0.01, 0.2
_MM = np.diag([1000.0, 1000.0, 1000.0, 1.0])


def is_step(data: bytes) -> bool:
    """Whether these bytes begin as an exchange file of ISO 10303-21."""
    return data[:256].lstrip().startswith(b"ISO-10303-21")


def read_step(data: bytes) -> Content:
    """The surface of all bodies, at most 0.01 mm beside the exact one; the unit is what the file states.

    To be called in the quarantined child: a damaged file can take Open CASCADE down.
    Raises BadInput when it is damaged, holds no body, or `cascadio` is not installed.
    """
    if not _installed():
        raise BadInput(
            "STEP is read with cascadio, which is not installed: pip install surgiplan[step], or export STL"
        )
    content = read_glb(_tessellated(data), _MM)  # the axes of the CAD program, whatever glTF says
    told = ("its exact bodies were turned to triangles, at most 0.01 mm beside them", *content.told)
    return replace(content, unit="STEP", unit_mm=1.0, told=told)


def _installed() -> bool:
    return importlib.util.find_spec("cascadio") is not None


def _tessellated(data: bytes) -> bytes:
    """The GLB that Open CASCADE makes of it."""
    import cascadio

    _hush()
    try:
        made = cascadio.load(data, "step", TOLERANCE_MM, TOLERANCE_RADIANS)
    except (RuntimeError, ValueError):
        made = b""
    if not made:
        raise BadInput("it is damaged or holds no body: export it again")
    return bytes(made)


def _hush() -> None:
    """Let the child say nothing more: what Open CASCADE prints would stand in our answers."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
