"""GLB, the binary form of glTF 2.0: metres, +Y up, +Z to the front, so +X is the left of what looks at you.

In patient space: glTF X is left, Y is superior, Z is anterior. After the Khronos glTF 2.0 specification.
An own reader: general ones pass over what a file says it cannot be shown without.
"""

import json
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...values import FloatArray, Mesh
from .content import Content, joined, moved, require_modest

_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
_LPS_MM: FloatArray = np.array(
    [[1000.0, 0, 0, 0], [0, 0, -1000.0, 0], [0, 1000.0, 0, 0], [0, 0, 0, 1.0]]
)  # glTF metres to patient mm
_FLOAT, _UINT32 = 5126, 5125
_INDEX: dict[int, np.dtype[Any]] = {5121: np.dtype("<u1"), 5123: np.dtype("<u2"), _UINT32: np.dtype("<u4")}
_LOOKS = ("KHR_materials_", "KHR_texture_", "KHR_lights_", "EXT_texture_")  # change no geometry
_TRIANGLES, _STRIP, _FAN = 4, 5, 6

Json = dict[str, Any]


def is_glb(data: bytes) -> bool:
    """Whether these bytes begin as a GLB file."""
    return data.startswith(b"glTF")


def read_glb(data: bytes, to_lps_mm: FloatArray = _LPS_MM) -> Content:
    """All meshes of the scene at their places, in mm.

    to_lps_mm: 4x4 from the coordinates of the scene
    Raises BadInput when it is damaged, points outside itself, or needs what is not read here.
    """
    try:
        scene, binary = _chunks(data)
        return _Scene(scene, binary).content(to_lps_mm)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, struct.error):
        raise BadInput("it is damaged or no glTF 2.0: export it again") from None
    except RecursionError:
        raise BadInput("its nodes lie too deep in each other: export it again") from None


def glb_bytes(mesh: Mesh, remarks: Sequence[str]) -> bytes:
    """A GLB file; the points stay LPS mm as they are, and a node turns them to metres with +Y up.

    remarks: stand beside the asset, where glTF has room for such
    """
    points, corners = mesh.points.astype("<f4").tobytes(), mesh.triangles.astype("<u4").tobytes()
    place = np.linalg.inv(_LPS_MM).T.ravel().tolist()  # column by column
    asset = {
        "version": "2.0",
        "generator": "surgiplan",
        "extras": {"remarks": list(remarks), "points": "LPS mm, before the matrix of the node"},
    }
    whole: Json = {
        "asset": asset,
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "matrix": [round(x, 15) + 0.0 for x in place]}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "mode": _TRIANGLES}]}],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": _FLOAT,
                "count": len(mesh.points),
                "type": "VEC3",
                "min": mesh.bounds[0].tolist(),
                "max": mesh.bounds[1].tolist(),
            },
            {"bufferView": 1, "componentType": _UINT32, "count": mesh.triangles.size, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": len(points), "target": 34962},
            {"buffer": 0, "byteOffset": len(points), "byteLength": len(corners), "target": 34963},
        ],
        "buffers": [{"byteLength": len(points) + len(corners)}],
    }
    text = json.dumps(whole, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 4)
    body = struct.pack("<II", len(text), _JSON) + text
    body += struct.pack("<II", len(points) + len(corners), _BIN) + points + corners
    return struct.pack("<III", _MAGIC, 2, 12 + len(body)) + body


def _chunks(data: bytes) -> tuple[Json, bytes]:
    magic, version, length = struct.unpack_from("<III", data)
    if magic != _MAGIC or version != 2:
        raise BadInput(f"it is no GLB of glTF 2.0 (version {version})")
    if length > len(data):
        raise BadInput(f"its header says {length} bytes and there are {len(data)}: fetch it again")
    size, kind = struct.unpack_from("<II", data, 12)
    if kind != _JSON or 20 + size > length:
        raise BadInput("its description is cut short: fetch it again")
    scene = json.loads(data[20 : 20 + size].decode("utf-8"), parse_constant=_no_number)
    binary, at = b"", 20 + size
    if at + 8 <= length:
        size, kind = struct.unpack_from("<II", data, at)
        if kind == _BIN:
            if at + 8 + size > length:
                raise BadInput("its data is cut short: fetch it again")
            binary = data[at + 8 : at + 8 + size]
    if not isinstance(scene, dict):
        raise TypeError
    return scene, binary


def _no_number(text: str) -> float:
    raise BadInput(f"{text} stands where a number should be")


class _Scene:
    """What a GLB file describes.

    whole: its JSON
    binary: the bytes its buffer has
    """

    def __init__(self, whole: Json, binary: bytes) -> None:
        if str(whole["asset"]["version"]).split(".")[0] != "2":
            raise BadInput("it is no glTF 2.0")
        for name in whole.get("extensionsRequired", []):
            if not str(name).startswith(_LOOKS):
                raise BadInput("it is compressed or extended in a way that is not read: export a plain GLB")
        self._whole, self._binary = whole, binary
        self._left_out = self._mirrored = 0

    def content(self, to_lps_mm: FloatArray) -> Content:
        """All its triangles."""
        bodies: list[tuple[FloatArray, NDArray[np.int64]]] = []
        made = 0
        for mesh, place in self._placed():
            for primitive in mesh["primitives"]:
                body = self._body(primitive)
                if body is not None:
                    made += len(body[1])
                    require_modest(len(bodies), made)
                    self._mirrored += bool(np.linalg.det(place[:3, :3]) < 0)
                    bodies.append(moved(*body, to_lps_mm @ place))
        told = []
        if len(bodies) > 1:
            told.append(f"it holds {len(bodies)} bodies, which were joined to one shape at their places")
        if self._mirrored:
            told.append(f"{self._mirrored} of its bodies are mirrored by the file: check the side")
        if self._left_out:
            told.append(f"{self._left_out} pieces of points or lines were left out")
        points, triangles = joined(bodies)
        return Content(points, triangles, "", "metre", 1000.0, tuple(told))

    def _placed(self) -> Iterator[tuple[Json, FloatArray]]:
        """The meshes that are shown, each with its 4x4 place in the scene."""
        nodes, scenes = self._whole.get("nodes", []), self._whole.get("scenes", [])
        if not scenes:
            raise BadInput("it has no scene that says what is shown")
        waiting = [(int(n), np.eye(4)) for n in scenes[_place(self._whole.get("scene", 0))].get("nodes", [])]
        seen = set[int]()
        while waiting:
            number, above = waiting.pop()
            if number in seen:
                raise BadInput("its nodes hold each other: export it again")
            seen.add(_place(number))
            node = nodes[number]
            place = above @ _motion(node)
            waiting += [(int(n), place) for n in node.get("children", [])]
            if "mesh" in node:
                if "skin" in node:
                    raise BadInput("a mesh of it hangs on a skeleton: export it without one")
                yield self._whole["meshes"][_place(node["mesh"])], place

    def _body(self, primitive: Json) -> tuple[FloatArray, NDArray[np.int64]] | None:
        mode = primitive.get("mode", _TRIANGLES)
        if mode not in (_TRIANGLES, _STRIP, _FAN):
            self._left_out += 1
            return None
        accessor = self._whole["accessors"][_place(primitive["attributes"]["POSITION"])]
        if accessor["componentType"] != _FLOAT or accessor["type"] != "VEC3":
            raise BadInput("its points are not stored as plain numbers: export a plain GLB")
        points = self._numbers(accessor, np.dtype("<f4"), 3).astype(np.float64)
        if "indices" in primitive:
            indices = self._whole["accessors"][_place(primitive["indices"])]
            corners = self._numbers(indices, _INDEX[indices["componentType"]], 1).ravel().astype(np.int64)
        else:
            corners = np.arange(len(points))
        if len(corners) and corners.max() >= len(points):
            raise BadInput(f"a triangle names a point that does not exist ({len(points)} do)")
        return points, _triangles(corners, mode)

    def _numbers(self, accessor: Json, kind: np.dtype[Any], width: int) -> NDArray[Any]:
        """The numbers of an accessor (count, width), none of them outside its buffer view."""
        if "sparse" in accessor or "bufferView" not in accessor:
            raise BadInput("its points are stored sparsely: export a plain GLB")
        view = self._whole["bufferViews"][_place(accessor["bufferView"])]
        if _place(view["buffer"]) != 0 or "uri" in self._whole["buffers"][0]:
            raise BadInput("its data lies in another file, which is not followed: export it as one GLB")
        start, size = _place(view.get("byteOffset", 0)), _place(view["byteLength"])
        row = kind.itemsize * width
        stride, count = _place(view.get("byteStride", row)), _place(accessor["count"])
        inside = _place(accessor.get("byteOffset", 0))
        end = inside + (stride * (count - 1) + row if count else 0)
        if stride < row or end > size or start + size > len(self._binary):
            raise BadInput("its data is cut short or damaged: fetch it again")
        if not count:
            return np.zeros((0, width), kind)
        window = np.frombuffer(self._binary, np.uint8, end - inside, start + inside)
        rows = np.lib.stride_tricks.as_strided(window, (count, row), (stride, 1), writeable=False)
        return np.ascontiguousarray(rows).view(kind)


def _place(number: Any) -> int:
    """A number that counts from nought; a negative one would count back from the end."""
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise ValueError
    return number


def _motion(node: Json) -> FloatArray:
    """The 4x4 place of a node in the node above it."""
    matrix: FloatArray = np.eye(4)
    if "matrix" in node:
        matrix = np.array(node["matrix"], np.float64).reshape(4, 4).T
    else:
        x, y, z, w = (float(n) for n in node.get("rotation", (0, 0, 0, 1)))
        matrix[:3, :3] = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
        matrix[:3, :3] *= np.array(node.get("scale", (1, 1, 1)), np.float64).reshape(3)
        matrix[:3, 3] = np.array(node.get("translation", (0, 0, 0)), np.float64).reshape(3)
    if not np.isfinite(matrix).all() or not np.array_equal(matrix[3], (0, 0, 0, 1)):
        raise ValueError
    if np.linalg.det(matrix[:3, :3]) == 0:
        raise BadInput("a transform of it is not a motion: export it again")
    return matrix


def _triangles(corners: NDArray[np.int64], mode: int) -> NDArray[np.int64]:
    if mode == _TRIANGLES:
        if len(corners) % 3:
            raise BadInput("a triangle of it has not three corners: export it again")
        return corners.reshape(-1, 3)
    n = np.arange(max(len(corners) - 2, 0))
    if mode == _FAN:
        return np.stack(
            [corners[n + 1], corners[n + 2], np.full(len(n), corners[0] if len(corners) else 0)], 1
        )
    return np.stack([corners[n], corners[n + 1 + n % 2], corners[n + 2 - n % 2]], 1)
