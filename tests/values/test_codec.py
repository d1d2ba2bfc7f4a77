import json
import struct
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from surgiplan.values import (
    Bits,
    Deviation,
    Mesh,
    Part,
    Value,
    Volume,
    decode,
    digest,
    encode,
    figures,
)
from tests.values.samples import grid, part, tetra, values

VALUES = values()
each = pytest.mark.parametrize("name", VALUES)
kinds = st.sampled_from(["<i2", "<i4", "<f4", "<f8", "|b1", "|u1", ">i2"])
arrays = kinds.flatmap(lambda kind: npst.arrays(kind, npst.array_shapes(min_dims=0, min_side=0)))
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
trees = st.recursive(
    plain | arrays,
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def same(one: Value, other: Value) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if is_dataclass(one):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@each
def test_a_value_survives_its_bytes(name: str) -> None:
    value = VALUES[name]
    again = decode(encode(value))
    assert same(again, value)
    assert encode(again) == encode(value)
    assert digest(again) == digest(value)


@given(trees)
def test_any_tree_of_values_survives_its_bytes(tree: Value) -> None:
    assert same(decode(encode(tree)), tree)


def test_a_view_of_a_larger_memory_is_read_without_a_copy() -> None:
    data = bytearray(encode(VALUES["int16"]))
    read = decode(memoryview(data))
    assert np.shares_memory(read.voxels, np.frombuffer(data, np.uint8))
    assert not read.voxels.flags.writeable


def test_arrays_start_at_multiples_of_sixty_four() -> None:
    data = encode(tetra())
    at = data.index(tetra().points.tobytes())
    assert at % 64 == 0
    assert data.index(tetra().triangles.tobytes()) % 64 == 0


def test_digests_tell_values_apart() -> None:
    digests = [digest(value) for value in VALUES.values()]
    assert len(set(digests)) == len(digests)
    nudged = np.array(tetra().points)
    nudged[0, 0] = np.nextafter(np.float32(0), np.float32(1))
    assert digest(Mesh(nudged, tetra().triangles)) != digest(tetra())


def test_digests_are_the_same_on_every_machine() -> None:
    """Golden values: what is stored in case files by digest must be found by later versions."""
    assert digest(part()) == digest(Part(part().mesh, part().pose, part().frame_uid))
    assert digest(tetra()) == "24d8b9ad3333e237ddac1849ce0e7904"
    assert digest(VALUES["int16"]) == "6b9cabc21206056f255fb5d1a5fdc13d"


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, b"bytes", Bits(), np.int32(3), 3j], ids=lambda v: type(v).__name__
)
def test_what_is_no_value_is_refused_by_its_kind(value: object) -> None:
    with pytest.raises(TypeError, match=f"{type(value).__name__} is not a value"):
        encode({"deep": (value,)})


@each
def test_bytes_that_are_cut_short_are_refused(name: str) -> None:
    data = encode(VALUES[name])
    for size in {0, 1, 7, 8, 15, 16, len(data) // 2, len(data) - 1}:
        if size < len(data):
            with pytest.raises(ValueError, match=r".+"):
                decode(data[:size])


@given(st.sampled_from(list(VALUES)), st.data())
def test_damaged_bytes_are_refused_or_give_a_value_never_anything_else(
    name: str, data: st.DataObject
) -> None:
    """A flipped voxel cannot be told from a measured one; all else must end in a ValueError."""
    damaged = bytearray(encode(VALUES[name]))
    header = 16 + struct.unpack("<Q", damaged[8:16])[0]
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, header - 1))] = data.draw(st.integers(0, 255))
    with suppress(ValueError):
        decode(bytes(damaged))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="do not hold a surgiplan value"):
        decode(data)
    with pytest.raises(ValueError, match=r".+"):
        decode(b"SPVALUE1" + b"\xff" * 8 + data)


def told(tree: object, behind: bytes = bytes(256)) -> bytes:
    header = tree.encode() if isinstance(tree, str) else json.dumps(tree).encode()
    return b"SPVALUE1" + struct.pack("<Q", len(header)) + header + behind


@pytest.mark.parametrize(
    "tree",
    [
        "",
        "{",
        "[" * 100_000,
        {"x": 1},
        {"$type": "Nothing", "with": {}},
        {"$type": ["Mesh"], "with": {}},
        {"$type": "Mesh", "with": [1]},
        {"$type": "Mesh", "with": {"points": 1, "triangles": 2}},
        {"$type": "Mesh", "with": {"dots": 1}},
        {"$type": "Volume", "with": {"grid": 3, "voxels": 3}},
        {"$type": "GapMap", "with": {"part": 3}},
        '{"$type": "Grid", "with": {"shape_kji": [1e999, 1, 1], "kji_to_lps": 3}}',
        {"$tuple": None},
        {"$map": 3},
        {"$array": []},
        {"$array": ["<f4", [-1]]},
        {"$array": ["<f4", [10**30]]},
        {"$array": ["<f4", [2**40, 2**40]]},
        {"$array": ["<f4", [65]]},
        {"$array": ["<f4", "ab"]},
        {"$array": ["|O", [3]]},
        {"$array": ["|V0", [3]]},
        {"$array": ["(", [3]]},
    ],
    ids=lambda tree: str(tree)[:40],
)
def test_a_header_that_asks_for_nonsense_is_refused(tree: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(told(tree))


def test_running_out_of_memory_is_not_called_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(np, "frombuffer", too_much)
    with pytest.raises(MemoryError):
        decode(encode(tetra()))


def test_a_large_scan_is_read_in_place() -> None:
    voxels = np.zeros(grid().shape_kji, np.float32)
    data = encode(Volume(grid(), voxels))
    assert len(data) < voxels.nbytes + 2048


def test_a_part_without_a_deviation_has_the_bytes_it_always_had() -> None:
    """The field came later: cases and evidence of before stay good."""
    plain = Part(Mesh(np.eye(3), np.array([[0, 1, 2]])), frame_uid="1.2")
    assert b"deviation" not in encode(plain)
    assert decode(encode(plain)).deviation is None
    told = replace(plain, deviation=Deviation(0.01, 0.03, 0.1, 0.99, 0.1, 0.2, 0.4, -0.2))
    assert decode(encode(told)).deviation == told.deviation
    assert digest(told) != digest(plain)
    assert figures(told)["deviation"]["edge_p95_mm"] == 0.03
    assert "deviation" not in figures(plain)
