"""GLB: metres with +Y up and +Z to the front become LPS millimetres; what is not plain is refused."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from surgiplan.errors import BadInput
from surgiplan.formats.meshes import read_mesh, write_mesh
from surgiplan.formats.meshes.glb import glb_bytes
from surgiplan.values import Mesh
from tests.ops.shapes import ball

TO_LPS = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]) * 1000.0  # x: left, y: superior, z: anterior
TETRA = Mesh(
    np.array([[0, 0, 0], [4, 0, 0], [0, 5, 0], [0, 0, 6]], np.float32),
    np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], np.int32),
)


def parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    (size,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + size]), data[28 + size :]


def whole(description: Any, binary: bytes, text: bytes | None = None) -> bytes:
    text = json.dumps(description).encode() if text is None else text
    text += b" " * (-len(text) % 4)
    body = (
        struct.pack("<II", len(text), 0x4E4F534A)
        + text
        + struct.pack("<II", len(binary), 0x004E4942)
        + binary
    )
    return struct.pack("<III", 0x46546C67, 2, 12 + len(body)) + body


def changed(path: Path, **changes: Any) -> Path:
    """A good file with some members of its description put in place of others."""
    description, binary = parts(glb_bytes(TETRA, []))
    path.write_bytes(whole(description | changes, binary))
    return path


def test_others_find_it_in_metres_upright_and_facing_them(tmp_path: Path) -> None:
    part = ball(9.0, (312.0, -845.0, 1204.0))
    write_mesh(part, tmp_path / "a.glb", notes={"side": "LEFT"})
    theirs = trimesh.load(tmp_path / "a.glb", process=False).to_mesh()
    assert theirs.is_watertight
    assert theirs.centroid == pytest.approx([0.312, 1.204, 0.845], abs=1e-6)
    assert theirs.volume * 1e9 == pytest.approx(part.mesh.volume_mm3, rel=1e-5)


def test_a_plain_file_of_others_is_turned_and_told_its_unit(tmp_path: Path) -> None:
    """A body of 4 mm to the left, 5 mm up and 6 mm to the front."""
    body = trimesh.Trimesh(TETRA.points / 1000.0, TETRA.triangles, process=False)
    (tmp_path / "a.glb").write_bytes(trimesh.Scene(body).export(file_type="glb"))
    mesh, notes = read_mesh(tmp_path / "a.glb")
    assert mesh.bounds == pytest.approx(np.array([[0, -6, 0], [4, 0, 5]]), abs=1e-5)
    assert mesh.volume_mm3 == pytest.approx(20, rel=1e-5)
    assert notes.unit == "metre"


def test_nodes_in_nodes_stand_where_another_library_puts_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    scene = trimesh.Scene()
    above = None
    for n in range(4):
        place = trimesh.transformations.random_rotation_matrix(rng.random(3))
        place[:3, 3] = rng.normal(size=3) * 0.05
        if n == 2:
            place[:3, 0] *= -1  # a mirrored one
        body = trimesh.Trimesh(TETRA.points / 1000.0 * (n + 1), TETRA.triangles, process=False)
        scene.add_geometry(body, node_name=f"n{n}", parent_node_name=above, transform=place)
        above = f"n{n}"
    (tmp_path / "a.glb").write_bytes(scene.export(file_type="glb"))
    mesh, notes = read_mesh(tmp_path / "a.glb")
    theirs = trimesh.load(tmp_path / "a.glb", process=False).to_mesh()
    assert np.allclose(
        np.unique(np.round(mesh.points, 3), axis=0),
        np.unique(np.round((theirs.vertices @ TO_LPS.T).astype(np.float32), 3), axis=0),
        atol=2e-3,
    )
    assert mesh.volume_mm3 == pytest.approx(20 * sum(n**3 for n in (1, 2, 3, 4)), rel=1e-4)
    assert any("mirrored" in text for text in notes.sentences())


def test_a_node_may_have_a_turn_a_scale_and_a_shift(tmp_path: Path) -> None:
    half = float(np.sqrt(0.5))
    node = {"mesh": 0, "rotation": [0, 0, half, half], "scale": [0.001] * 3, "translation": [1, 0, 0]}
    mesh, _ = read_mesh(changed(tmp_path / "a.glb", nodes=[node]))
    # (4, 5, 6) turned by 90 degrees about Z: x -> y, y -> -x; then 1000 mm to the left
    assert mesh.bounds == pytest.approx(np.array([[995, -6, 0], [1000, 0, 4]]), abs=1e-3)


@pytest.mark.parametrize("mode", [5, 6])
def test_strips_and_fans_are_divided_the_right_way_round(tmp_path: Path, mode: int) -> None:
    """A square facing +Z as strip 0 1 3 2 and as fan 0 1 2 3."""
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], "<f4")
    order = np.array([0, 1, 3, 2] if mode == 5 else [0, 1, 2, 3], "<u4")
    description, _ = parts(glb_bytes(TETRA, []))
    description["accessors"][0]["count"], description["accessors"][1]["count"] = 4, 4
    description["bufferViews"][0] |= {"byteLength": 48}
    description["bufferViews"][1] |= {"byteOffset": 48, "byteLength": 16}
    description["buffers"][0]["byteLength"] = 64
    description["meshes"][0]["primitives"][0]["mode"] = mode
    description["nodes"] = [{"mesh": 0}]
    (tmp_path / "a.glb").write_bytes(whole(description, square.tobytes() + order.tobytes()))
    mesh, _ = read_mesh(tmp_path / "a.glb")
    corners = mesh.points[mesh.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert len(normals) == 2
    assert np.allclose(normals / np.linalg.norm(normals, axis=1, keepdims=True), (0, -1, 0))  # to the front


ACCESSORS = parts(glb_bytes(TETRA, []))[0]["accessors"]
VIEWS = parts(glb_bytes(TETRA, []))[0]["bufferViews"]
PRIMITIVE = {"attributes": {"POSITION": 0}, "indices": 1}
HARM: dict[str, tuple[dict[str, Any], str]] = {
    "compressed": ({"extensionsRequired": ["KHR_draco_mesh_compression"]}, "compressed or extended"),
    "another file": ({"buffers": [{"byteLength": 96, "uri": "../secret.bin"}]}, "another file"),
    "sparse": ({"accessors": [ACCESSORS[0] | {"sparse": {}}, ACCESSORS[1]]}, "sparsely"),
    "lying count": ({"accessors": [ACCESSORS[0] | {"count": 10**9}, ACCESSORS[1]]}, "cut short"),
    "negative count": ({"accessors": [ACCESSORS[0] | {"count": -5}, ACCESSORS[1]]}, "damaged"),
    "negative offset": ({"bufferViews": [VIEWS[0] | {"byteOffset": -4}, VIEWS[1]]}, "damaged"),
    "view past the end": ({"bufferViews": [VIEWS[0] | {"byteLength": 10**7}, VIEWS[1]]}, "cut short"),
    "tiny stride": ({"bufferViews": [VIEWS[0] | {"byteStride": 1}, VIEWS[1]]}, "cut short"),
    "whole points": ({"accessors": [ACCESSORS[0] | {"componentType": 5123}, ACCESSORS[1]]}, "plain numbers"),
    "points as indices": ({"meshes": [{"primitives": [PRIMITIVE | {"indices": 0}]}]}, "damaged"),
    "circle": ({"nodes": [{"mesh": 0, "children": [0]}]}, "hold each other"),
    "skeleton": ({"nodes": [{"mesh": 0, "skin": 0}]}, "skeleton"),
    "flat": ({"nodes": [{"mesh": 0, "scale": [0, 1, 1]}]}, "not a motion"),
    "no scene": ({"scenes": []}, "no scene"),
    "no nodes": ({"scenes": [{}]}, "no triangles"),
    "lines": ({"meshes": [{"primitives": [PRIMITIVE | {"mode": 1}]}]}, "no triangles"),
    "version 1": ({"asset": {"version": "1.0"}}, "no glTF 2.0"),
    "too far": ({"nodes": [{"mesh": 0, "translation": [1e30, 0, 0]}]}, "cannot be right"),
}


@pytest.mark.parametrize("what", HARM)
def test_what_is_not_plain_is_refused_with_its_reason(tmp_path: Path, what: str) -> None:
    changes, reason = HARM[what]
    with pytest.raises(BadInput, match=reason):
        read_mesh(changed(tmp_path / "a.glb", **changes))


@pytest.mark.parametrize("text", [b'{"asset":NaN}', b"[" * 100_000, b"[]", b"\xff\xfe", b'{"asset":{}}'])
def test_a_description_that_is_none_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.glb").write_bytes(whole(None, b"", text))
    with pytest.raises(BadInput):
        read_mesh(tmp_path / "a.glb")


def test_safety_words_and_space_stand_in_it_and_no_identity(tmp_path: Path) -> None:
    write_mesh(ball(), tmp_path / "a.glb", notes={"side": "LEFT"})
    extras = parts((tmp_path / "a.glb").read_bytes())[0]["asset"]["extras"]
    assert {"SPACE=LPS", "UNIT=mm", "Research use, not a medical device", "side=LEFT"} <= set(
        extras["remarks"]
    )
