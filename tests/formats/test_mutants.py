"""Damaged files: each is read or refused within ten seconds, and no value ever holds what is no number."""

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import nibabel
import numpy as np
import pytest

from surgiplan.errors import BadInput
from surgiplan.formats.meshes import read_mesh, write_mesh
from surgiplan.formats.volumes import read_labels, read_volume, write_volume
from surgiplan.values import Grid, Mask, Volume
from tests.ops.shapes import ball

pytestmark = pytest.mark.slow
LONGEST_S = 10.0
MESHES = 200  # of each of the formats below: more than 1,000 in all
VOLUMES = 150

Mutation = Callable[[bytes, np.random.Generator], bytes]


def flipped_bits(data: bytes, rng: np.random.Generator) -> bytes:
    made = bytearray(data)
    for at in rng.integers(0, len(made), rng.integers(1, 12)):
        made[at] ^= 1 << int(rng.integers(8))
    return bytes(made)


def flipped_at_the_start(data: bytes, rng: np.random.Generator) -> bytes:
    """In the header, where the lies do most."""
    made = bytearray(data)
    for at in rng.integers(0, min(len(made), 600), rng.integers(1, 8)):
        made[at] = int(rng.integers(256))
    return bytes(made)


def cut_short(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: rng.integers(0, len(data))]


def twice(data: bytes, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(0, len(data)))
    return data[:at] + data + data[at:]


def a_piece_lost(data: bytes, rng: np.random.Generator) -> bytes:
    a, b = sorted(rng.integers(0, len(data), 2))
    return data[:a] + data[b:]


def lying_number(data: bytes, rng: np.random.Generator) -> bytes:
    """Four bytes become a huge, a negative, or no number at all."""
    lies: list[bytes] = [
        struct.pack("<I", 0xFFFFFFFF),
        struct.pack("<i", -1),
        struct.pack("<I", 0x7FFFFFFF),
        struct.pack("<f", np.nan),
        struct.pack("<f", np.inf),
        struct.pack("<f", 1e38),
        struct.pack(">I", 0x10000000),
        bytes(4),
    ]
    at = int(rng.integers(0, max(len(data) - 4, 1)))
    return data[:at] + lies[int(rng.integers(len(lies)))] + data[at + 4 :]


def lying_text(data: bytes, rng: np.random.Generator) -> bytes:
    """A digit becomes what reads as nan, 1e38, a long number, a comma or a slash."""
    lies = [b"nan", b"1e38", b"-inf", b"99999999999999999999", b"1,5", b"-7", b"%d", b"../x", b"\0", b"\xff"]
    places = [n for n, byte in enumerate(data[:4000]) if 48 <= byte <= 57] or [0]
    at = places[int(rng.integers(len(places)))]
    return data[:at] + lies[int(rng.integers(len(lies)))] + data[at + 1 :]


def other_kind(data: bytes, rng: np.random.Generator) -> bytes:
    """Text before binary, binary before text."""
    starts = [
        b"solid x\n",
        b"ply\n",
        b"NRRD0004\n",
        b"glTF",
        b"PK\x03\x04",
        b"\x1f\x8b\x08",
        b"v 1 2 3\n",
        bytes(80),
    ]
    start = starts[int(rng.integers(len(starts)))]
    return start + (data if rng.random() < 0.5 else data[len(start) :])


def nothing(data: bytes, rng: np.random.Generator) -> bytes:
    return bytes(int(rng.integers(0, 200)))


MUTATIONS: tuple[Mutation, ...] = (
    flipped_bits,
    flipped_at_the_start,
    cut_short,
    twice,
    a_piece_lost,
    lying_number,
    lying_text,
    other_kind,
    nothing,
)


def mutants(data: bytes, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    rng = np.random.default_rng(seed)
    for n in range(count):
        mutation = MUTATIONS[n % len(MUTATIONS)]
        yield f"{mutation.__name__} {n}", mutation(data, rng)


def mesh_file(kind: str, folder: Path) -> bytes:
    path = folder / f"good.{kind.split('.')[-1]}"
    part = ball(9.0, (12.0, -45.0, 204.0))
    if kind == "text.stl":
        corners = part.mesh.points[part.mesh.triangles][:200]
        lines = [
            "facet normal 0 0 1\n outer loop\n"
            + "".join(f"  vertex {x:.6g} {y:.6g} {z:.6g}\n" for x, y, z in one.tolist())
            + " endloop\nendfacet\n"
            for one in corners
        ]
        return ("solid ball\n" + "".join(lines) + "endsolid ball\n").encode()
    write_mesh(part, path)
    if kind == "model.3mf":
        return zipfile.ZipFile(path).read("3D/3dmodel.model")
    return path.read_bytes()


def packed(data: bytes) -> bytes:
    """A 3MF archive round a model."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("3D/3dmodel.model", data)
    return archive.getvalue()


def answered(read: Callable[[], Any]) -> tuple[Any, str, float]:
    """What was read, or why not, and the seconds that took; any other error is a fault."""
    start, found, reason = monotonic(), None, ""
    try:
        found = read()
    except BadInput as problem:
        reason = str(problem)
    return found, reason, monotonic() - start


@pytest.mark.parametrize("kind", ["stl", "text.stl", "ply", "obj", "3mf", "model.3mf", "glb"])
def test_a_damaged_mesh_is_read_or_refused(tmp_path: Path, kind: str, record_property: Any) -> None:
    good, read, longest = mesh_file(kind, tmp_path), 0, 0.0
    path = tmp_path / f"a.{kind.split('.')[-1]}"
    for what, data in mutants(good, MESHES, 11):
        path.write_bytes(packed(data) if kind == "model.3mf" else data)
        found, reason, seconds = answered(lambda: read_mesh(path))
        if found is None:
            assert reason.startswith("a."), what
        else:
            read += 1
            mesh, notes = found
            assert np.isfinite(mesh.points).all(), what
            assert np.abs(mesh.points).max() <= 1e6, what
            assert notes.sentences() is not None
        longest = max(longest, seconds)
        assert longest < LONGEST_S, what
    record_property("read", read)
    record_property("longest_s", round(longest, 3))
    assert read < MESHES


SCAN = Volume(
    Grid(
        (9, 11, 13),
        np.array([[0, 0, 0.7, 10.0], [0, 1.2, 0, -20.0], [1.6, 0, 0, 30.0], [0, 0, 0, 1]]),
    ),
    np.random.default_rng(3).integers(-1000, 2000, (9, 11, 13)).astype(np.int16),
)


def volume_file(suffix: str, folder: Path) -> bytes:
    path = folder / f"good{suffix}"
    if suffix == ".nii":
        nibabel.save(nibabel.Nifti1Image(SCAN.voxels.astype(np.float32).T, np.diag([-1.0, -1, 1, 1])), path)
    elif suffix == ".seg.nrrd":
        write_volume(Mask(SCAN.grid, SCAN.voxels > 300), path)
    else:
        write_volume(SCAN, path)
    return path.read_bytes()


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".seg.nrrd", ".mha"])
def test_a_damaged_volume_is_read_or_refused(tmp_path: Path, suffix: str, record_property: Any) -> None:
    good, read, longest = volume_file(suffix, tmp_path), 0, 0.0
    path, labels = tmp_path / f"a{suffix}", suffix == ".seg.nrrd"
    for what, data in mutants(good, VOLUMES, 12):
        path.write_bytes(data)
        found, reason, seconds = answered(lambda: (read_labels if labels else read_volume)(path))
        if found is None:
            assert reason.startswith(f"a{suffix}"), what
        else:
            read += 1
            for one in found[0].values() if labels else [found[0]]:
                assert np.isfinite(one.voxels).all(), what
                assert np.isfinite(one.grid.corners_lps).all(), what
        longest = max(longest, seconds)
        assert longest < LONGEST_S, what
    record_property("read", read)
    record_property("longest_s", round(longest, 3))
    assert read < VOLUMES
