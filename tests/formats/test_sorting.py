"""What files are does not depend on who looked at them."""

import zipfile
from pathlib import Path

import pytest

from surgiplan.errors import Cancelled
from surgiplan.formats import dicom, quarantine
from surgiplan.formats.dicom import sorting
from surgiplan.formats.sources import listed

from .making import grid, recoded, volume, written
from .test_quarantine import both_ready

BIG_ENDIAN = "1.2.840.10008.1.2.2"


def many(folder: Path) -> Path:
    """Files of every kind, so many that a child is asked for a part of them."""
    files = written(folder, volume(grid((150, 4, 5))))
    for n in (20, 100, 140):
        recoded(files[n], BIG_ENDIAN)  # pydicom must parse it
        files[n + 1].write_bytes(files[n + 1].read_bytes()[:300])
        files[n + 2].write_bytes(b"MZ" + files[n + 2].read_bytes()[2:])
        files[n + 3].write_text("no scan")
        with zipfile.ZipFile(files[n + 4], "w") as archive:
            archive.writestr("a", "b")
    return folder


@pytest.fixture
def asked(monkeypatch) -> list[int]:
    """How many files were given to a child, order by order."""
    counts, run = list[int](), quarantine.run

    def counted(function, files, *arguments, **how):
        if function is sorting.sorted_apart:
            counts.append(len(files))
        return run(function, files, *arguments, **how)

    monkeypatch.setattr(quarantine, "run", counted)
    monkeypatch.setattr(sorting, "_WORTH", 4)
    return counts


def found_alone(folder: Path, monkeypatch) -> sorting.Sorted:
    with monkeypatch.context() as patch:
        patch.setattr(quarantine, "ready", list)
        return sorting.sorted_files(listed(folder).members, lambda *told: None)


def test_a_child_that_waits_finds_the_same(tmp_path: Path, monkeypatch, asked) -> None:
    folder, told = many(tmp_path), list[float]()
    alone = found_alone(folder, monkeypatch)
    assert (len(alone.plain), len(alone.odd), len(alone.damaged)) == (138, 6, 0)
    assert (alone.skipped, len(alone.archives), len(alone.programs)) == (6, 3, 3)
    assert not asked
    both_ready()
    found = sorting.sorted_files(listed(folder).members, lambda share, text: told.append(share))
    assert found == alone
    assert asked
    assert told == sorted(told)
    assert 0 <= min(told) <= max(told) <= 1


def test_a_scan_is_the_same_in_order_and_words(tmp_path: Path, monkeypatch, asked) -> None:
    folder = many(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(quarantine, "ready", list)
        alone = dicom.scan(folder)
    both_ready()
    found = dicom.scan(folder)
    assert asked
    assert (found.seen, found.skipped, found.notes) == (alone.seen, alone.skipped, alone.notes)
    assert [series.slices for series in found.series] == [series.slices for series in alone.series]
    assert [series.warnings for series in found.series] == [series.warnings for series in alone.series]


def test_a_child_that_is_lost_costs_no_file(tmp_path: Path, monkeypatch) -> None:
    folder, ended = many(tmp_path), list[int]()

    def lost(function, files, *arguments, **how):
        ended.append(len(files))
        raise quarantine.Lost("ended")

    alone = found_alone(folder, monkeypatch)
    both_ready()
    monkeypatch.setattr(quarantine, "run", lost)
    assert sorting.sorted_files(listed(folder).members, lambda *told: None) == alone
    assert ended


def test_a_stop_is_heard_while_a_child_helps(tmp_path: Path) -> None:
    folder = many(tmp_path)
    both_ready()

    def stop(share: float, text: str) -> None:
        if share > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        sorting.sorted_files(listed(folder).members, stop)
