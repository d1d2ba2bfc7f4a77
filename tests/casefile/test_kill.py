"""What a computer can do to a case: the process killed, the power cut, the disk failing at any call."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import apsw
import pytest

from surgiplan.casefile import CaseFile
from surgiplan.errors import CaseError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows")

# One process imports the case file once and then, for each line it is told, forks a worker that commits
# without pause and prints what was acknowledged.
WORKSHOP = r"""
import os, random, sys
from pathlib import Path
from surgiplan.casefile import CaseFile

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())

def work(path, passphrase):
    rng = random.Random(os.getpid())
    case = (CaseFile.open if path.exists() else CaseFile.create)(path, passphrase)
    say("open")
    steps = list(case.head().steps)
    while True:
        with case.atomically():
            digest = case.put_blob(rng.randbytes(rng.choice([10, 5000, 200_000])))
            steps = [*steps[-59:], digest]
            case.journal("import", blob=digest)
            revision = case.commit(steps, "worked")
        say("kept", revision, digest)
        digest = case.put_blob(rng.randbytes(3000))
        say("blob", 0, digest)

for line in sys.stdin:
    path, passphrase = line.rstrip("\n").split("\t")
    child = os.fork()
    if not child:
        say("pid", os.getpid())
        work(Path(path), passphrase or None)
    os.waitpid(child, 0)
    say("dead")
"""


@pytest.fixture(scope="module")
def workshop() -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen([sys.executable, "-c", WORKSHOP], stdin=-1, stdout=-1, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def killed(
    workshop: "subprocess.Popen[str]", path: Path, delay: float, after: int = 0, passphrase: str = ""
) -> list[list[str]]:
    """Let a worker commit, kill it, and return what it had said.

    delay: seconds from when so many lines were said; the first line says that the case is open
    """
    assert workshop.stdin is not None
    assert workshop.stdout is not None
    print(path, passphrase, sep="\t", file=workshop.stdin, flush=True)
    pid = int(workshop.stdout.readline().split()[1])
    said = [workshop.stdout.readline() for _ in range(after)]
    time.sleep(delay)
    os.kill(pid, signal.SIGKILL)
    said.extend(iter(workshop.stdout.readline, "dead\n"))
    return [line.split() for line in said]


def require_whole(case: CaseFile, said: list[list[str]]) -> None:
    """Nothing is broken, nothing acknowledged is missing, and what belongs together came together."""
    assert case.check() == []
    history, blobs = case.history(), set(case.blobs())
    assert {revision.id for revision in history} >= {int(words[1]) for words in said if words[0] == "kept"}
    assert blobs >= {words[2] for words in said if words[0] in ("kept", "blob")}
    assert blobs >= set(history[-1].steps)
    acts = [entry.act for entry in case.entries()]
    assert acts == ["commit", *["import", "commit"] * (len(history) - 1)]


def test_200_kills_lose_nothing_that_was_acknowledged(
    workshop: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    rng, interrupted, kept = random.Random(9), 0, 0
    for number in range(10):
        path, said = tmp_path / f"{number}.surgiplan", []
        for _ in range(20):
            said += killed(workshop, path, rng.uniform(0, 0.03), after=rng.randint(1, 4))
            interrupted += path.with_name(path.name + "-journal").exists()
            case = CaseFile.open(path)
            require_whole(case, said)
            case.close()
            assert list(tmp_path.iterdir()) == [path]
        kept += sum(words[0] == "kept" for words in said)
        path.unlink()
    assert kept > 150
    assert interrupted > 10, "the kills must hit commits, not the time between them"


def test_a_kill_while_a_case_begins_leaves_a_case_or_an_empty_file(
    workshop: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    seen: set[str] = set()
    for number in count():
        path = tmp_path / f"{number}.surgiplan"
        said = killed(workshop, path, number * 0.002)
        try:
            case = CaseFile.open(path)
        except CaseError as problem:
            assert said == []
            seen.add(str(problem).removeprefix(f"{path}: "))
        else:
            seen.add("open")
            require_whole(case, said)
            case.close()
        if "open" in seen and number > 20:
            break
    assert {words.split(",")[0] for words in seen} <= {
        "open",
        "empty",
        "there is no such file",
        "not a case file",
    }


def test_kills_of_an_encrypted_case_lose_nothing_even_when_a_wrong_passphrase_comes_first(
    workshop: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    rng, path, said, interrupted = random.Random(4), tmp_path / "a.surgiplan", [], 0
    journal = path.with_name(path.name + "-journal")
    while interrupted < 3:
        said += killed(workshop, path, rng.uniform(0, 0.03), rng.randint(1, 4), "right")
        interrupted += journal.exists()
        leftover = journal.read_bytes() if journal.exists() else b""
        with pytest.raises(CaseError, match="passphrase does not open"):
            CaseFile.open(path, "wrong")
        with pytest.raises(CaseError, match="passphrase is needed"):
            CaseFile.open(path)
        assert not leftover or journal.read_bytes() == leftover
        case = CaseFile.open(path, "right")
        require_whole(case, said)
        case.close()


# Power cuts: what was not synced may be there, or not, or in part


class Disk(apsw.VFS):
    """Writes down all that SQLite does to its files, so that a power cut can be acted out at any moment."""

    def __init__(self) -> None:
        self.base = apsw.vfs_names()[0]
        self.log: list[tuple[Any, ...]] = []
        super().__init__("written down", self.base, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> "DiskFile":  # noqa: N802 - the names are SQLite's
        return DiskFile(self, name, flags)

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802
        super().xDelete(name, sync)
        self.log.append(("delete", Path(name).name, sync))


class DiskFile(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self.disk, self.name = disk, Path(name if isinstance(name, str) else name.filename()).name
        super().__init__(disk.base, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self.disk.log.append(("write", self.name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self.disk.log.append(("truncate", self.name, size))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self.disk.log.append(("sync", self.name))
        super().xSync(flags)


def after_power_cut(
    log: list[tuple[Any, ...]], start: dict[str, bytes], rng: random.Random
) -> dict[str, bytes]:
    """The files as they may be found: synced calls were done, each later one was done, or not, or in part."""
    synced: dict[str, int] = {}
    for number, (call, name, *rest) in enumerate(log):
        if call == "sync" or (call == "delete" and rest == [True]):
            synced[name] = number
    files, remaining = {name: bytearray(data) for name, data in start.items()}, set()
    for number, (call, name, *rest) in enumerate(log):
        if name in remaining or (number > synced.get(name, -1) and rng.random() < 0.5):
            remaining |= {name} if call == "delete" else set()  # a file made anew under this name is not seen
            continue
        if call == "write":
            offset, data = rest
            if number > synced.get(name, -1) and rng.random() < 0.3:
                data = data[: rng.randrange(len(data)) // 512 * 512]
            file = files.setdefault(name, bytearray())
            file.extend(bytes(max(0, offset - len(file))))
            file[offset : offset + len(data)] = data
        elif call == "truncate":
            del files.setdefault(name, bytearray())[rest[0] :]
        elif call == "delete":
            files.pop(name, None)
    return {name: bytes(data) for name, data in files.items()}


def worked(path: Path, synchronous: str) -> list[tuple[Any, ...]]:
    """What reaches the disk while a case is worked on, with the acknowledged revisions in between."""
    disk = Disk()
    try:
        case = CaseFile.open(path)
        case._database.rows("ROLLBACK")
        case._database.rows(f"PRAGMA synchronous = {synchronous}")
        disk.log.clear()
        for number in range(6):
            with case.atomically():
                case.put_blob(random.Random(number).randbytes(20_000))
                revision = case.commit([json.dumps(n) for n in range(number)], "worked")
            disk.log.append(("kept", path.name, revision))
        log = list(disk.log)
        case.close()
    finally:
        disk.unregister()
    return log


def cut_at_random(folder: Path, synchronous: str, rounds: int) -> int:
    """The number of acknowledged revisions that were lost over so many power cuts."""
    path = folder / "a.surgiplan"
    CaseFile.create(path).close()
    start, lost, rng = {path.name: path.read_bytes()}, 0, random.Random(synchronous)
    log = worked(path, synchronous)
    for number in range(rounds):
        until = 1 + number * len(log) // rounds
        kept = max([1, *(rest[0] for call, _, *rest in log[:until] if call == "kept")])
        for file in folder.iterdir():
            file.unlink()
        for name, data in after_power_cut(log[:until], start, rng).items():
            (folder / name).write_bytes(data)
        case = CaseFile.open(path)
        assert case.check() == []
        lost += case.head().id < kept
        assert case.head().id <= kept + 1
        case.close()
    return lost


def test_a_power_cut_at_any_moment_leaves_all_that_was_acknowledged(tmp_path: Path) -> None:
    assert cut_at_random(tmp_path, "extra", 150) == 0


def test_acting_out_power_cuts_shows_what_less_syncing_would_lose(tmp_path: Path) -> None:
    assert cut_at_random(tmp_path, "full", 100) > 0


# Disks that fail


class FailingFile(apsw.VFSFile):
    def __init__(self, disk: "FailingDisk", name: Any, flags: list[int]) -> None:
        self.disk = disk
        super().__init__(disk.base, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - the name is SQLite's
        self.disk.step()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self.disk.step()
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self.disk.step()
        super().xTruncate(size)


class FailingDisk(apsw.VFS):
    """A disk that fails at its n-th writing call (0: never), and from then on when it is worn."""

    def __init__(self) -> None:
        self.base = apsw.vfs_names()[0]
        self.calls, self.fails_at, self.worn = 0, 0, False
        super().__init__("failing", self.base, makedefault=True)

    def step(self) -> None:
        self.calls += 1
        if self.fails_at and (self.calls == self.fails_at or (self.worn and self.calls > self.fails_at)):
            raise random.Random(self.calls).choice([apsw.FullError, apsw.IOError])("injected")

    def xOpen(self, name: Any, flags: list[int]) -> FailingFile:  # noqa: N802
        if not flags[0] & apsw.SQLITE_OPEN_MAIN_DB:
            self.step()
        return FailingFile(self, name, flags)

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802
        self.step()
        super().xDelete(name, sync)


@pytest.mark.parametrize("worn", [False, True], ids=["once", "for good"])
def test_a_disk_that_fails_at_any_call_leaves_the_old_or_the_new(tmp_path: Path, worn: bool) -> None:
    template = tmp_path / "template.surgiplan"
    case = CaseFile.create(template)
    case.commit(["1"], "old")
    case.close()
    disk, hook = FailingDisk(), sys.unraisablehook
    sys.unraisablehook = lambda _: None
    seen: set[str] = set()
    try:
        for number in range(1, 1000):
            path = shutil.copy(template, tmp_path / "a.surgiplan")
            disk.calls, disk.fails_at, disk.worn = 0, 0, worn
            case = CaseFile.open(Path(path))
            disk.calls, disk.fails_at = 0, number
            acknowledged = True
            try:
                with case.atomically():
                    case.put_blob(random.Random(1).randbytes(30_000))
                    case.commit(["1", "2"], "new")
            except CaseError:
                acknowledged = False
            finished, disk.fails_at = disk.calls < number, 0
            if not worn:
                case.commit(["3"], "again")
                assert case.head().steps == ("3",)
                case.undo()
            case.close()
            case = CaseFile.open(Path(path))
            assert case.check() == []
            seen.add(case.head().why)
            assert case.head().why == "new" if acknowledged else case.head().why in ("old", "new")
            case.close()
            if finished:
                break
    finally:
        disk.unregister()
        sys.unraisablehook = hook
    assert seen == {"old", "new"}
    assert number > 15
