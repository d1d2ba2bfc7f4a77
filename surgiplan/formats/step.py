"""STEP: exact bodies of a CAD program, turned to triangles by Open CASCADE (`cascadio`, when installed).

Open CASCADE works in a child process, since a damaged file can take it down.
"""

import importlib.util
import multiprocessing
from dataclasses import replace
from multiprocessing.connection import Connection

import numpy as np

from ..errors import BadInput
from .content import Content
from .glb import read_glb

TOLERANCE_MM, TOLERANCE_RADIANS = 0.01, 0.2
LONGEST_S = 60.0
_MM = np.diag([1000.0, 1000.0, 1000.0, 1.0])


def is_step(data: bytes) -> bool:
    """Whether these bytes begin as an exchange file of ISO 10303-21."""
    return data[:256].lstrip().startswith(b"ISO-10303-21")


def read_step(data: bytes) -> Content:
    """The surface of all bodies, at most 0.01 mm beside the exact one; the unit is what the file states.

    Raises BadInput when it is damaged, holds no body, takes a minute, or `cascadio` is not installed.
    """
    if not _installed():
        raise BadInput(
            "STEP is read with cascadio, which is not installed: pip install surgiplan[step], or export STL"
        )
    made = _tessellated(data)
    if not made:
        raise BadInput("it is damaged or holds no body: export it again")
    content = read_glb(made, _MM)  # the axes of the CAD program, whatever glTF says
    told = ("its exact bodies were turned to triangles, at most 0.01 mm beside them", *content.told)
    return replace(content, unit="STEP", unit_mm=1.0, told=told)


def _installed() -> bool:
    return importlib.util.find_spec("cascadio") is not None


def _tessellated(data: bytes) -> bytes:
    """The GLB that the child makes of it; nothing when it cannot, or dies."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    child = spawn.Process(target=_serve, args=(theirs,), daemon=True)
    child.start()
    theirs.close()
    try:
        ours.send_bytes(data)
        if not ours.poll(LONGEST_S):
            raise BadInput(f"its bodies were not triangles after {LONGEST_S:.0f} s: export it as STL or 3MF")
        return ours.recv_bytes()
    except (EOFError, OSError):
        return b""
    finally:
        child.kill()
        child.join()
        ours.close()


def _serve(pipe: Connection) -> None:
    import cascadio

    data = pipe.recv_bytes()
    try:
        made = cascadio.load(data, "step", TOLERANCE_MM, TOLERANCE_RADIANS)
    except (RuntimeError, ValueError):
        made = b""
    pipe.send_bytes(made or b"")
