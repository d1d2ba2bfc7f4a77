"""Surfaces come back as they were; what is wrong with a file is said, not repaired."""

import errno
import os
import signal
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from surgiplan.errors import BadInput, CaseError
from surgiplan.formats import files, meshes
from surgiplan.formats.meshes import read_mesh, write_mesh
from surgiplan.values import IDENTITY, Mesh, Part, Pose

SUFFIXES = [".stl", ".ply", ".obj", ".3mf", ".glb"]
AXES = [(0, 0, 0), (9, 0, 0), (0, 5, 0), (0, 0, 2)]
WEDGE = Mesh(np.array(AXES, np.float32), np.array([(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)], np.int32))


def body(subdivisions: int = 3) -> Mesh:
    """A closed body without symmetry, away from the origin."""
    ball = trimesh.creation.icosphere(subdivisions)
    points = (
        ball.vertices * (31.0, 17.0, 9.0) + np.where(ball.vertices[:, :1] > 0, 5.0, 0.0) + (312, -845, 1204)
    )
    return Mesh(points.astype(np.float32), ball.faces.astype(np.int32))


def stl(path: Path, triangles, header: bytes = b"", count: int | None = None, tail: bytes = b"") -> Path:
    """A binary STL of (m, 3, 3) corners, lies and all."""
    corners = np.asarray(triangles, "<f4").reshape(-1, 9)
    data = header.ljust(80) + struct.pack("<I", len(corners) if count is None else count)
    for one in corners:
        data += struct.pack("<3f", 0, 0, 1) + one.tobytes() + b"\0\0"
    path.write_bytes(data + tail)
    return path


WEDGE_CORNERS = WEDGE.points[WEDGE.triangles]


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".STL"])
def test_a_body_comes_back_bit_for_bit(tmp_path: Path, suffix) -> None:
    mesh = body()
    write_mesh(Part(mesh), tmp_path / f"a{suffix}")
    again, notes = read_mesh(tmp_path / f"a{suffix}")
    corners = again.points[again.triangles]
    assert np.array_equal(corners, mesh.points[mesh.triangles])
    assert again.watertight
    assert len(again.points) == len(mesh.points)
    assert notes.sentences() == []
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize("suffix", [".stl", ".ply", ".obj"])
def test_other_programs_read_the_same(tmp_path: Path, suffix) -> None:
    mesh = body()
    write_mesh(Part(mesh), tmp_path / f"a{suffix}", notes={"side": "LEFT"})
    theirs = trimesh.load(tmp_path / f"a{suffix}")
    assert theirs.is_watertight
    assert theirs.volume == pytest.approx(mesh.volume_mm3, rel=1e-5)
    assert np.allclose(theirs.bounds, mesh.bounds, atol=1e-4)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_pose_is_worked_in_and_no_side_is_swapped(tmp_path: Path, suffix) -> None:
    pose = Pose.of([[0, -1, 0, 10], [1, 0, 0, -20], [0, 0, 1, 30], [0, 0, 0, 1]])
    write_mesh(Part(WEDGE, pose), tmp_path / f"a{suffix}")
    again, _ = read_mesh(tmp_path / f"a{suffix}")
    expected = Part(WEDGE, pose).placed()
    assert np.allclose(again.points[again.triangles], expected.points[expected.triangles])
    assert again.volume_mm3 == pytest.approx(15, rel=1e-5)


@pytest.mark.parametrize("suffix", [".stl", ".ply", ".obj", ".glb"])
def test_space_unit_and_purpose_stand_in_the_file(tmp_path: Path, suffix) -> None:
    notes = {"side": "LEFT", "step": "äöü\nelement vertex 9" * 5, "recipe": "x"}
    write_mesh(Part(WEDGE), tmp_path / f"a{suffix}", notes=notes)
    start = (tmp_path / f"a{suffix}").read_bytes()[:400]
    for text in (b"SPACE=LPS", b"UNIT=mm", b"Research use, not a medical device", b"side=LEFT"):
        assert text in start
    assert not start.lower().startswith(b"solid")
    assert read_mesh(tmp_path / f"a{suffix}")[0].watertight


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(SUFFIXES), st.floats(0.01, 50), st.integers(0, 2**32 - 1))
def test_any_float_comes_back(suffix, scale, seed) -> None:
    import tempfile

    points = (np.random.default_rng(seed).normal(size=(4, 3)) * scale).astype(np.float32)
    mesh = Mesh(points, WEDGE.triangles)
    with tempfile.TemporaryDirectory() as folder:
        write_mesh(Part(mesh), Path(folder) / f"a{suffix}")
        again, _ = read_mesh(Path(folder) / f"a{suffix}")
    assert np.array_equal(again.points[again.triangles], points[WEDGE.triangles])


def test_an_open_shape_is_written_as_it_is_and_told_of(tmp_path: Path) -> None:
    write_mesh(Part(Mesh(WEDGE.points, WEDGE.triangles[:3])), tmp_path / "a.stl")
    again, notes = read_mesh(tmp_path / "a.stl")
    assert (len(again.triangles), notes.open_edges) == (3, 3)
    assert any("not closed" in text for text in notes.sentences())


@pytest.mark.parametrize("name", ["a.off", "a", "a.gltf", "a.stl.zip"])
def test_other_formats_are_refused(tmp_path: Path, name) -> None:
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(BadInput, match=r"\.stl, \.ply, \.3mf, \.glb, \.step, \.obj and \.stp"):
        read_mesh(tmp_path / name)
    with pytest.raises(BadInput, match=r"\.stl, \.ply, \.obj, \.3mf and \.glb"):
        write_mesh(Part(WEDGE), tmp_path / name)


def test_an_empty_shape_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="empty"):
        write_mesh(Part(Mesh(np.zeros((0, 3)), np.zeros((0, 3)))), tmp_path / "a.stl")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_a_full_disk_leaves_the_old_file_and_no_half_one(tmp_path: Path, monkeypatch, number) -> None:
    write_mesh(Part(WEDGE), tmp_path / "a.stl")
    before = (tmp_path / "a.stl").read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(CaseError, match="disk is full" if number == errno.ENOSPC else "was not written"):
        write_mesh(Part(body()), tmp_path / "a.stl")
    assert (tmp_path / "a.stl").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.stl"]


def test_a_file_larger_than_allowed_and_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """The system itself refuses the write half way through."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(CaseError, match="was not written"):
            write_mesh(Part(body()), tmp_path / "a.stl")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not list(tmp_path.iterdir())
    with pytest.raises(CaseError, match="No such file or directory"):
        write_mesh(Part(WEDGE), tmp_path / "nowhere" / "a.stl")


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-1], lambda data: data[:200] + b"\xff" * 8 + data[208:]]
)
def test_what_cannot_be_read_back_is_not_left_behind(tmp_path: Path, monkeypatch, spoil) -> None:
    monkeypatch.setitem(meshes._WRITERS, "STL", lambda mesh, remarks: spoil(meshes.stl_bytes(mesh, remarks)))
    with pytest.raises(CaseError, match="was not written"):
        write_mesh(Part(WEDGE), tmp_path / "a.stl")
    assert not list(tmp_path.iterdir())


def test_another_shape_read_back_is_not_accepted(tmp_path: Path, monkeypatch) -> None:
    other = Mesh(WEDGE.points * np.float32(1.01), WEDGE.triangles)
    monkeypatch.setitem(meshes._WRITERS, "PLY", lambda mesh, remarks: meshes.ply_bytes(other, remarks))
    with pytest.raises(CaseError, match="another shape"):
        write_mesh(Part(WEDGE), tmp_path / "a.ply")
    assert not list(tmp_path.iterdir())


def test_points_that_coincide_would_open_an_stl_and_are_refused(tmp_path: Path) -> None:
    """Two wedges sharing an edge: closed by their indices, four triangles at that edge by their places."""
    two = Mesh(
        np.concatenate([WEDGE.points, WEDGE.points * np.float32([1, -1, -1])]),
        np.concatenate([WEDGE.triangles, WEDGE.triangles + 4]),
    )
    assert two.watertight
    with pytest.raises(CaseError, match=r"coincide; write it as \.ply"):
        write_mesh(Part(two), tmp_path / "a.stl")
    write_mesh(Part(two), tmp_path / "a.ply")
    assert read_mesh(tmp_path / "a.ply")[0].watertight


@pytest.mark.parametrize("space", ["SPACE=RAS", "space = ras"])
def test_ras_is_turned_to_lps_and_noted(tmp_path: Path, space) -> None:
    again, notes = read_mesh(stl(tmp_path / "a.stl", WEDGE_CORNERS, space.encode()))
    assert notes.flipped
    assert any("RAS" in text for text in notes.sentences())
    assert np.array_equal(again.points[again.triangles], WEDGE_CORNERS * [-1, -1, 1])
    assert again.volume_mm3 == pytest.approx(15)
    (tmp_path / "b.obj").write_text(f"# {space}\nv 1 2 3\nv 4 5 6\nv 7 8 1\nf 1 2 3\n")
    assert read_mesh(tmp_path / "b.obj")[0].points[0].tolist() == [-1, -2, 3]


def test_another_stated_unit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="inch"):
        read_mesh(stl(tmp_path / "a.stl", WEDGE_CORNERS, b"UNIT=inch"))


@pytest.mark.parametrize(("scale", "suspicious"), [(0.1, True), (0.2, False), (300, False), (400, True)])
def test_an_unlikely_size_raises_the_question_of_the_unit(tmp_path: Path, scale, suspicious) -> None:
    _, notes = read_mesh(stl(tmp_path / "a.stl", WEDGE_CORNERS * scale))
    assert any("millimetre" in text for text in notes.sentences()) is suspicious


def test_triangles_that_face_inwards_are_noted_not_turned(tmp_path: Path) -> None:
    again, notes = read_mesh(stl(tmp_path / "a.stl", WEDGE_CORNERS[:, ::-1]))
    assert notes.inside_out
    assert again.volume_mm3 == pytest.approx(-15)


def test_triangles_without_area_go_only_where_the_surface_stays_closed(tmp_path: Path) -> None:
    point = np.repeat(WEDGE_CORNERS[0, :1], 3, axis=0)
    again, notes = read_mesh(stl(tmp_path / "a.stl", [*WEDGE_CORNERS, point]))
    assert (len(again.triangles), notes.dropped_triangles, notes.flat_triangles) == (4, 1, 0)
    assert again.watertight
    a, b, c = WEDGE_CORNERS[0]
    middle = (b + c) / 2  # a flat triangle closes the gap between one long and two short edges
    divided = [(a, b, middle), (a, middle, c), (b, c, middle), *WEDGE_CORNERS[1:]]
    again, notes = read_mesh(stl(tmp_path / "b.stl", divided))
    assert (len(again.triangles), notes.dropped_triangles, notes.flat_triangles) == (6, 0, 1)
    assert again.watertight
    assert any("without area are in it" in text for text in notes.sentences())


PLY = b"""ply
format ascii 1.0
element vertex 3
property float x
property float y
property float z
element face 1
property list uchar int vertex_index
end_header
1 2 3
4 5 6
7 8 1
3 0 1 2
"""
ASCII = "solid x\n{}endsolid x\n"
FACET = "FACET Normal 0 0 1\n outer LOOP\n  Vertex {}\n  vertex {}\n  VERTEX {}\n endLoop\nendFacet\n"


def ascii_stl(corners) -> str:
    return ASCII.format(
        "".join(FACET.format(*(" ".join(map(str, point)) for point in one)) for one in corners.tolist())
    )


def test_text_in_mixed_case_with_crlf_is_read(tmp_path: Path) -> None:
    text = ascii_stl(WEDGE_CORNERS).replace("solid x", "SOLID Knochen vertex 1 2 3 °").replace("\n", "\r\n")
    (tmp_path / "a.stl").write_bytes(text.encode("latin-1"))
    again, notes = read_mesh(tmp_path / "a.stl")
    assert np.array_equal(again.points[again.triangles], WEDGE_CORNERS)
    assert notes.merged_points == 8


def test_a_binary_file_that_calls_itself_solid_is_read(tmp_path: Path) -> None:
    for tail in (b"", b"\n"):
        again, _ = read_mesh(stl(tmp_path / "a.stl", WEDGE_CORNERS, b"solid facet vertex", tail=tail))
        assert again.watertight


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.stl", b"", "empty"),
        ("a.stl", b"\0\n \r", "empty"),
        ("a.stl", b"abc", "too few"),
        ("a.stl", bytes(79) + b"x" + bytes(4), "no triangles"),
        ("a.stl", b"x" * 80 + struct.pack("<I", 2**32 - 1) + bytes(500), "4294967295 triangles"),
        ("a.stl", b"x" * 80 + struct.pack("<I", 3) + bytes(200), "fetch it again"),
        ("a.stl", b"solid a\nendsolid a\n", "no triangles"),
        ("a.stl", ascii_stl(WEDGE_CORNERS)[:-40].encode(), "cut short"),
        ("a.stl", ascii_stl(WEDGE_CORNERS).replace("outer LOOP", "", 1).encode(), "cut short"),
        ("a.stl", ascii_stl(WEDGE_CORNERS).replace("Vertex", "", 1).encode(), "three"),
        ("a.stl", ascii_stl(WEDGE_CORNERS).replace("9.0", "9,0").encode(), "not a number"),
        ("a.stl", ascii_stl(WEDGE_CORNERS).replace("9.0", "nan").encode(), "not a finite"),
        ("a.stl", ascii_stl(WEDGE_CORNERS).replace("9.0", "1e39").encode(), "cannot be right"),
        ("a.stl", ascii_stl(WEDGE_CORNERS).replace("9.0", "inf").encode(), "not a finite"),
        ("a.stl", b"ply\nformat ascii 1.0\nend_header\n", "holds PLY"),
        ("a.obj", ascii_stl(WEDGE_CORNERS).encode(), "holds STL"),
        ("a.ply", b"ply\nformat ascii 1.0\n", "header does not end"),
        ("a.ply", b"no ply at all", "header does not end"),
        ("a.ply", PLY.replace(b"face 1", b"face 0").replace(b"3 0 1 2", b""), "no triangles"),
        ("a.ply", PLY.replace(b"vertex 3", b"vertex 999999999"), "cut short"),
        ("a.ply", PLY.replace(b"vertex 3", b"vertex 2"), "cut short"),
        ("a.ply", PLY.replace(b"face 1", b"face 2"), "cut short"),
        ("a.ply", PLY + b"3 0 1 2", "bytes follow"),
        ("a.ply", PLY.replace(b"ascii", b"braille"), "header cannot be understood"),
        ("a.ply", PLY.replace(b"element vertex 3", b"element vertex x"), "header cannot be understood"),
        ("a.ply", PLY.replace(b"format ascii 1.0\n", b""), "text or binary"),
        ("a.ply", PLY.replace(b"property list uchar int vertex_index\n", b""), "what its rows hold"),
        ("a.ply", PLY.replace(b"float z", b"float w"), "no x, y and z"),
        ("a.ply", PLY.replace(b"7 8 1", b"7 8 1,5"), "decimal comma"),
        ("a.ply", PLY.replace(b"3 0 1 2", b"2 0 1"), "fewer than three"),
        ("a.ply", PLY.replace(b"3 0 1 2", b"3 0 1 5"), "does not exist"),
        ("a.ply", PLY.replace(b"3 0 1 2", b"-3 0 1 2"), "cut short or damaged"),
        ("a.ply", PLY.replace(b"property float x", b"property list uchar float x"), "cut short|no x, y"),
        ("a.ply", PLY.replace(b"3 0 1 2", b"3 0 1 1.5"), "not whole"),
        ("a.ply", PLY.replace(b"3 0 1 2", b"nan 0 1 2"), "cut short or damaged"),
        ("a.obj", b"v 1 2 3\n", "no triangles"),
        ("a.obj", b"v 1 2\n", "line 1"),
        ("a.obj", b"v 1 2 3\nv 1 2 4\nv 2 2 2\nf 1 2\n", "line 4"),
        ("a.obj", b"v 1 2 3\nv 1 2 4\nv 2 2 2\nf 0 1 2\n", "line 4"),
        ("a.obj", b"v 1 2 3\nv 1 2 4\nv 2 2 2\nf -4 1 2\n", "line 4"),
        ("a.obj", b"v 1 2 3\nv 1 2 4\nv 2 2 2\nf 1 2 9\n", "point 9 of 3"),
        ("a.obj", b"v 1 2 3\nv 1 nan 4\nv 2 2 2\nf 1 2 3\n", "not a finite"),
    ],
)
def test_what_is_no_surface_is_refused(tmp_path: Path, name, content, says) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=says) as caught:
        read_mesh(tmp_path / name)
    assert name in str(caught.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_cut_file_is_never_taken_for_a_whole_one(tmp_path: Path, suffix) -> None:
    write_mesh(Part(body(1)), tmp_path / f"a{suffix}")
    data = (tmp_path / f"a{suffix}").read_bytes()
    for kept in (0.2, 0.5, 0.9):
        (tmp_path / f"b{suffix}").write_bytes(data[: int(len(data) * kept)])
        try:
            mesh, notes = read_mesh(tmp_path / f"b{suffix}")
        except BadInput:
            continue
        assert suffix == ".obj"  # which cannot say how long it is
        assert notes.open_edges
        assert not mesh.watertight


def test_polygons_of_ply_and_obj_become_triangles(tmp_path: Path) -> None:
    points = [(x, y, z) for x in (0, 4) for y in (0, 3) for z in (0, 2)]
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    lines = [" ".join(map(str, point)) for point in points]
    (tmp_path / "a.obj").write_text(
        "".join(f"v {line} 1 0 0\n" for line in lines)
        + "vt 0 0\nvn 0 0 1\nusemtl m\n"
        + "".join("f " + " \\\n".join(f"{n - 8}/1/1" for n in quad) + "\n" for quad in quads)
    )
    (tmp_path / "a.ply").write_text(
        "ply\nformat ascii 1.0\nelement vertex 8\nproperty float x\nproperty float y\nproperty float z\n"
        "element face 6\nproperty list uchar int vertex_indices\nend_header\n"
        + "".join(f"{line}\n" for line in lines)
        + "".join("4 " + " ".join(map(str, quad)) + "\n" for quad in quads)
    )
    for name in ("a.obj", "a.ply"):
        mesh, _ = read_mesh(tmp_path / name)
        assert (len(mesh.triangles), mesh.watertight) == (12, True)
        assert mesh.volume_mm3 == pytest.approx(24)


@pytest.mark.parametrize("form", ["binary_little_endian", "binary_big_endian"])
def test_binary_ply_with_polygons_of_all_sizes_and_other_properties(tmp_path: Path, form) -> None:
    order = "<" if "little" in form else ">"
    header = (
        f"ply\nformat {form} 1.0\ncomment by hand\nelement vertex 5\nproperty double x\nproperty double y\n"
    )
    header += "property double z\nproperty uchar red\nelement face 5\nproperty uchar flag\n"
    header += "property list uchar uint vertex_indices\nelement edge 1\nproperty int vertex1\nend_header\n"
    points = [(0, 0, 0), (4, 0, 0), (4, 3, 0), (0, 3, 0), (1, 1, 6)]
    faces = [(3, 2, 1, 0), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)]
    body = b"".join(struct.pack(order + "3dB", *point, 9) for point in points)
    body += b"".join(struct.pack(f"{order}BB{len(one)}I", 7, len(one), *one) for one in faces)
    (tmp_path / "a.ply").write_bytes(header.encode() + body + struct.pack(order + "i", 3))
    mesh, _ = read_mesh(tmp_path / "a.ply")
    assert (len(mesh.triangles), mesh.watertight) == (6, True)
    assert mesh.volume_mm3 == pytest.approx(24)


@pytest.mark.parametrize("suffix", [".ply", ".obj"])
def test_points_divided_along_seams_are_joined_only_when_that_closes_the_surface(
    tmp_path: Path, suffix
) -> None:
    soup = Mesh(WEDGE_CORNERS.reshape(-1, 3), np.arange(12, dtype=np.int32).reshape(4, 3))
    write_mesh(Part(soup), tmp_path / f"a{suffix}")
    mesh, notes = read_mesh(tmp_path / f"a{suffix}")
    assert (mesh.watertight, notes.merged_points) == (True, 8)
    assert any("merged" in text for text in notes.sentences())
    write_mesh(Part(Mesh(soup.points, soup.triangles[:3])), tmp_path / f"b{suffix}")
    mesh, notes = read_mesh(tmp_path / f"b{suffix}")
    assert (notes.merged_points, notes.open_edges) == (0, 9)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        read_mesh(tmp_path / "nowhere.stl")


def test_progress_is_told(tmp_path: Path) -> None:
    said: list[float] = []
    read_mesh(stl(tmp_path / "a.stl", WEDGE_CORNERS), lambda fraction, text: said.append(fraction))
    assert said == sorted(said)
    assert said[-1] == 1.0


def test_names_with_accents_work(tmp_path: Path) -> None:
    write_mesh(Part(WEDGE, IDENTITY), tmp_path / "Fémur 左.stl")
    assert read_mesh(tmp_path / "Fémur 左.stl")[0].watertight


REAL = {  # file in mesh_robustness: triangles, watertight, or the reason
    "numpy-stl/stl_binary/HalfDonut.stl": (288, True),
    "numpy-stl/stl_ascii/HalfDonut.stl": (288, True),
    "numpy-stl/stl_ascii/Cube.stl": (12, True),
    "numpy-stl/stl_ascii/Moon_Chinese.stl": (116, True),
    "numpy-stl/stl_binary/CubeInvalidUnicode.stl": (12, True),
    "numpy-stl/stl_binary/StarWithEmptyHeader.stl": (68, True),
    "numpy-stl/stl_binary/rear_case.stl": (18808, True),
    "trimesh/two_objects_mixed_case_names.stl": (24, True),
    "trimesh/negative_indices.obj": (12, True),
    "trimesh/nancolor.obj": (12, True),
    "trimesh/multibody.stl": (32, False),
    "trimesh/soup.stl": (100, False),
    "trimesh/shared.STL": (24, False),
    "trimesh/empty.stl": "no triangles",
    "trimesh/empty.ply": "no triangles",
    "trimesh/points_ascii.ply": "no triangles",
    "trimesh/ascii.stl.zip": "not read",
    "trimesh/ballA.off": "not read",
    "manifold/Cray_right.obj": "cannot be right",
    "manifold/Cray_left.obj": (576, True),
    "manifold/self_intersectA.obj": (17160, True),
}


@pytest.mark.real_data
@pytest.mark.parametrize("name", REAL)
def test_difficult_files_of_other_projects(tmp_path: Path, shared_data: Path, name) -> None:
    archive = {"numpy-stl": "numpy_stl_tests", "trimesh": "trimesh_models", "manifold": "manifold_models"}
    with zipfile.ZipFile(shared_data / "mesh_robustness" / f"{archive[name.split('/')[0]]}.zip") as packed:
        path = tmp_path / Path(name).name
        path.write_bytes(packed.read(name))
    if isinstance(expected := REAL[name], str):
        with pytest.raises(BadInput, match=expected):
            read_mesh(path)
    else:
        mesh, notes = read_mesh(path)
        assert (len(mesh.triangles), mesh.watertight) == expected
        assert bool(notes.open_edges) is not expected[1]
