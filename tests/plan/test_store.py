import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from surgiplan import __version__
from surgiplan.plan.store import Store, cache_folder, size_of
from surgiplan.values import Mesh, Part


def block(n: int) -> Part:
    points = np.full((n, 3), 1.0, np.float32)
    return Part(Mesh(points, np.array([[0, 1, 2]], np.int32)))


def test_sizes_count_arrays() -> None:
    assert size_of(block(1000)) >= 12000
    assert size_of({"a": block(1000), "b": block(1000)}) >= 24000
    assert size_of(3) < 100


def test_the_longest_unused_is_forgotten_first() -> None:
    store = Store(memory_bytes=30_000)
    store.put("a", block(1000))
    store.put("b", block(1000))
    assert store.peek("a") is not None
    store.put("c", block(1000))
    assert store.peek("b") is None
    assert store.peek("a") is not None
    assert store.get("b") is None


def test_the_newest_is_kept_even_when_it_is_large() -> None:
    store = Store(memory_bytes=10)
    store.put("a", block(1000))
    assert store.peek("a") is not None


def test_the_folder_keeps_what_memory_forgot(tmp_path: Path) -> None:
    store = Store(memory_bytes=1, folder=tmp_path / "results")
    store.put("a", block(5))
    store.put("b", 7, to_disk=False)
    assert store.peek("a") is None
    again = store.get("a")
    assert isinstance(again, Part)
    assert again.mesh.digest == block(5).mesh.digest
    assert [f.name for f in (tmp_path / "results").iterdir()] == ["a"]


def test_a_damaged_file_is_as_good_as_none(tmp_path: Path) -> None:
    Store(folder=tmp_path).put("a", block(500))
    whole = (tmp_path / "a").read_bytes()
    for damaged in (b"", b"junk", whole[: len(whole) // 2]):
        (tmp_path / "a").write_bytes(damaged)
        assert Store(folder=tmp_path).get("a") is None


def test_the_folder_is_bounded(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    store = Store(folder=tmp_path, disk_bytes=40_000)
    for n in range(6):
        noise = rng.random((1000, 3)).astype(np.float32)
        store.put(f"{n}", Part(Mesh(noise, np.array([[0, 1, 2]], np.int32))))
    left = list(tmp_path.iterdir())
    assert sum(f.stat().st_size for f in left) <= 40_000
    assert "5" in {f.name for f in left}


def test_a_disk_that_refuses_costs_only_speed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    store = Store(folder=tmp_path / "file" / "results")
    store.put("a", block(5))
    assert store.peek("a") is not None


@pytest.mark.parametrize("value", [0, False, "", 1.5])
def test_plain_values_are_values_too(tmp_path: Path, value: object) -> None:
    Store(folder=tmp_path).put("k", value)
    assert Store(folder=tmp_path).get("k") == value


def test_results_lie_in_a_folder_of_their_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SURGIPLAN_CACHE", str(tmp_path))
    assert cache_folder().parent == tmp_path
    assert cache_folder().name.startswith(f"results-{__version__}-")
    monkeypatch.delenv("SURGIPLAN_CACHE")
    assert "surgiplan" in str(cache_folder())


def test_results_of_an_older_program_go_after_two_weeks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SURGIPLAN_CACHE", str(tmp_path))
    ours, recent, old, foreign = (
        tmp_path / name for name in (cache_folder().name, "results-0-a", "results-0-b", "mine")
    )
    for folder in (ours, recent, old, foreign):
        folder.mkdir()
        (folder / "file").write_bytes(b"x")
        days = 0 if folder == recent else 15
        os.utime(folder, (time.time() - days * 86400,) * 2)
    assert cache_folder() == ours
    assert {f.name for f in tmp_path.iterdir()} == {ours.name, recent.name, foreign.name}


def test_a_folder_with_no_room_at_all_keeps_nothing(tmp_path: Path) -> None:
    store = Store(folder=tmp_path, disk_bytes=-1)
    store.put("a", block(5))
    assert list(tmp_path.iterdir()) == []
    assert store.peek("a") is not None


def test_what_was_used_last_stays_on_the_disk(tmp_path: Path) -> None:
    Store(folder=tmp_path).put("old", block(5))
    Store(folder=tmp_path).put("new", block(6))
    os.utime(tmp_path / "old", (1, 1))
    os.utime(tmp_path / "new", (2, 2))
    assert Store(folder=tmp_path).get("old") is not None
    room = (tmp_path / "old").stat().st_size + (tmp_path / "new").stat().st_size
    Store(folder=tmp_path, disk_bytes=room).put("newest", block(5))
    assert {f.name for f in tmp_path.iterdir()} == {"old", "newest"}


def test_several_threads_may_use_one_store(tmp_path: Path) -> None:
    store = Store(memory_bytes=50_000, folder=tmp_path)

    def use(n: int) -> bool:
        store.put(f"{n % 7}", block(500 + n % 7))
        found = store.get(f"{n % 7}")
        return found is not None and len(found.mesh.points) == 500 + n % 7

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(100)))
    assert not [f for f in tmp_path.iterdir() if f.name.startswith(".")]


def test_a_flipped_bit_on_the_disk_is_noticed(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).random((300, 3)).astype(np.float32)
    shape = Part(Mesh(noise, np.array([[0, 1, 2]], np.int32)))
    Store(folder=tmp_path).put("a", shape)
    whole = (tmp_path / "a").read_bytes()
    for at in range(0, len(whole), 31):
        damaged = bytearray(whole)
        damaged[at] ^= 64
        (tmp_path / "a").write_bytes(damaged)
        found = Store(folder=tmp_path).get("a")
        assert found is None or found.mesh.digest == shape.mesh.digest
