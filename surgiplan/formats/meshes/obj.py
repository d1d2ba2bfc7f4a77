"""OBJ: points and polygons as text. Materials, textures and normals are left aside.

An own reader, since readers made for display divide the points along seams of texture and normals.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from ...errors import BadInput
from ...values import Mesh
from .content import Content


def is_obj(data: bytes) -> bool:
    """Whether these bytes hold points and faces written as OBJ."""
    return (data.startswith(b"v ") or b"\nv " in data) and b"\0" not in data[:4096]


def read_obj(data: bytes) -> Content:
    """Points (n, 3), triangles (m, 3), and the comments; polygons are divided fan by fan.

    Raises BadInput when a line cannot be understood or a face names a point that does not exist.
    """
    points, triangles, comments = list[tuple[float, ...]](), list[tuple[int, int, int]](), list[str]()
    for number, words in _lines(data, comments):
        try:
            if words[0] == "v":
                points.append((float(words[1]), float(words[2]), float(words[3])))
            elif words[0] == "f":
                corners = [_index(word, len(points)) for word in words[1:]]
                if len(corners) < 3:
                    raise ValueError
                triangles += [(corners[0], b, c) for b, c in pairwise(corners[1:])]
        except (ValueError, IndexError):
            raise BadInput(f"line {number} cannot be understood: fetch or export it again") from None
    flat = np.array(triangles, np.int64).reshape(-1, 3)
    if flat.size and flat.max() >= len(points):
        raise BadInput(f"a face names point {flat.max() + 1} of {len(points)}: it is cut short or damaged")
    return Content(np.array(points, np.float64).reshape(-1, 3), flat, "\n".join(comments))


def obj_bytes(mesh: Mesh, remarks: Sequence[str]) -> bytes:
    """An OBJ file with the remarks as comments; nine digits keep every float32 as it is."""
    lines = [f"# {remark}" for remark in remarks]
    lines += [f"v {x:.9g} {y:.9g} {z:.9g}" for x, y, z in mesh.points.tolist()]
    lines += [f"f {a} {b} {c}" for a, b, c in (mesh.triangles + 1).tolist()]
    return "\n".join(lines).encode("ascii", "replace") + b"\n"


def _lines(data: bytes, comments: list[str]) -> Iterator[tuple[int, list[str]]]:
    """The numbered lines of data as words, continued ones joined; comments are put aside."""
    begun = list[str]()
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        text, _, comment = line.partition("#")
        if comment:
            comments.append(comment.strip())
        text = text.strip()
        begun += text.removesuffix("\\").split()
        if begun and not text.endswith("\\"):
            yield number, begun
            begun = []


def _index(word: str, count: int) -> int:
    """Place of a corner such as "3", "3/1/2" or "-1" (counted back from the last point so far)."""
    number = int(word.split("/", 1)[0])
    index = number - 1 if number > 0 else count + number
    if number == 0 or index < 0:
        raise ValueError
    return index
