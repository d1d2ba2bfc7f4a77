import errno
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgiplan.casefile import CaseFile, contents, database
from surgiplan.errors import CaseError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "knee.surgiplan"


@pytest.fixture
def case(path: Path) -> Iterator[CaseFile]:
    case = CaseFile.create(path)
    yield case
    case.close()


def step(number: int) -> str:
    return json.dumps({"name": f"step {number}", "operation": "threshold", "fields": {"low": number}})


def bytes_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


# The plan


def test_a_new_case_has_one_revision_without_steps(case: CaseFile, path: Path) -> None:
    head = case.head()
    assert (head.steps, head.parent, head.why) == ((), None, "new case")
    assert case.history() == [head]
    assert not case.can_undo()
    assert not case.can_redo()
    assert (case.path, case.read_only, case.encrypted) == (path, False, False)
    assert case.check() == []


def test_a_commit_follows_the_head_and_outlives_closing(case: CaseFile, path: Path) -> None:
    first = case.head()
    number = case.commit([step(1), "ü ☃ \n"], "threshold added")
    head = case.head()
    assert (head.id, head.parent, head.steps, head.why) == (
        number,
        first.id,
        (step(1), "ü ☃ \n"),
        "threshold added",
    )
    assert head.when.endswith("+00:00")
    assert head.when >= first.when
    case.close()
    case.close()
    with_again = CaseFile.open(path)
    assert with_again.head() == head
    assert with_again.history() == [first, head]
    with_again.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name], "closed, a case is one file"


def test_revisions_share_the_steps_they_have_in_common(case: CaseFile) -> None:
    steps = [step(number) for number in range(60)]
    case.commit(steps, "all")
    for number in range(30):
        steps[number] = step(1000 + number)
        case.commit(steps, "one changed")
    kept = [case._contents.text(digest) for _, digest in case._contents.all()]
    assert len([text for text in kept if '"operation"' in text]) == 90
    assert [len(revision.steps) for revision in case.history()] == [0] + 31 * [60]


def test_undo_and_redo_move_the_head(case: CaseFile) -> None:
    one, two = case.commit([step(1)], "one"), case.commit([step(1), step(2)], "two")
    assert case.redo() is None
    assert case.undo() == case.head()
    assert (case.head().id, case.can_undo(), case.can_redo()) == (one, True, True)
    assert case.undo() is not None
    assert (case.undo(), case.can_undo(), case.head().steps) == (None, False, ())
    assert case.redo() is not None
    redone = case.redo()
    assert redone is not None
    assert (redone.id, redone.steps) == (two, (step(1), step(2)))
    assert case.redo() is None


def test_redo_follows_the_newest_branch_and_nothing_is_forgotten(case: CaseFile) -> None:
    one = case.commit([step(1)], "one")
    case.commit([step(2)], "left aside")
    case.undo()
    three = case.commit([step(3)], "taken instead")
    assert not case.can_redo()
    assert [revision.why for revision in case.history()] == ["new case", "one", "taken instead"]
    case.undo()
    assert case.head().id == one
    redone = case.redo()
    assert redone is not None
    assert redone.id == three
    assert "left aside" in [entry.details.get("why") for entry in case.entries()]


MOVES = st.lists(st.one_of(st.sampled_from(["undo", "redo", "reopen"]), st.integers(0, 5)), max_size=25)


@settings(max_examples=25, deadline=None)
@given(MOVES)
def test_any_walk_agrees_with_a_tree_of_plans(
    tmp_path_factory: pytest.TempPathFactory, moves: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("walk") / "walk.surgiplan"
    case = CaseFile.create(path)
    here = SimpleNamespace(plan=(), parent=None, newest=None)
    for move in moves:
        if move == "undo":
            assert case.can_undo() == (here.parent is not None)
            assert (case.undo() is None) == (here.parent is None)
            here = here.parent or here
        elif move == "redo":
            assert case.can_redo() == (here.newest is not None)
            assert (case.redo() is None) == (here.newest is None)
            here = here.newest or here
        elif move == "reopen":
            case.close()
            case = CaseFile.open(path)
        else:
            here.newest = SimpleNamespace(plan=(*here.plan, step(move)), parent=here, newest=None)
            here = here.newest
            case.commit(here.plan, "walked")
        assert case.head().steps == here.plan
    assert case.check() == []
    case.close()


# Blobs, facts, evidence, journal


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 4000, 12345])
def test_a_blob_comes_back_whatever_its_size(
    case: CaseFile, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(contents, "_PIECE", 1000)
    data = bytes_of(size)
    digest = case.put_blob(data)
    assert case.put_blob(data) == digest
    assert case.put_blob(bytes_of(7)) != digest
    assert case.blob(digest) == data
    assert sorted(case.blobs()) == sorted([digest, case.put_blob(bytes_of(7))])
    assert len(case._database.rows("SELECT 1 FROM blob WHERE digest = ?", digest)) == max(1, -(-size // 1000))
    assert case.check() == []


def test_a_blob_is_compressed_and_copied_once_only(case: CaseFile, path: Path) -> None:
    size = 40 << 20
    data = bytes(1 << 20) * 40
    before = path.stat().st_size
    tracemalloc.start()
    digest = case.put_blob(data)
    _, put = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    back = case.blob(digest)
    _, got = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert back == data
    assert put < 0.3 * size
    assert got < 1.4 * size
    assert path.stat().st_size - before < size / 100


def test_a_missing_blob_is_said(case: CaseFile) -> None:
    with pytest.raises(CaseError, match="missing"):
        case.blob("0" * 32)


def test_a_blob_whose_keeping_was_broken_off_is_not_there_and_can_be_kept_again(
    case: CaseFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "_PIECE", 1000)
    data = bytes_of(5000)
    case._database.rows(f"PRAGMA max_page_count = {case._database.rows('PRAGMA page_count')[0][0] + 2}")
    with pytest.raises(CaseError, match="disk is full"):
        case.put_blob(bytes_of(400_000))
    case._database.rows("PRAGMA max_page_count = 100000")
    assert case.blobs() == []
    assert case.check() == []
    digest = case.put_blob(data)
    assert case.blobs() == [digest]
    assert case.blob(digest) == data


def test_facts_and_evidence_are_replaced_under_their_name(case: CaseFile) -> None:
    assert case.fact("side") is None
    assert case.evidence("side") is None
    case.put_fact("side", "left")
    case.put_fact("side", {"side": "right", "why": ["ü", 1.5, None, True]})
    case.put_evidence("side", [1, 2, 3])
    assert case.fact("side") == {"side": "right", "why": ["ü", 1.5, None, True]}
    assert case.evidence("side") == [1, 2, 3]
    with pytest.raises(ValueError, match="JSON"):
        case.put_fact("number", float("nan"))
    assert case.fact("number") is None


def test_the_journal_tells_all_acts_in_their_order(case: CaseFile) -> None:
    case.journal("import", series="1.2.3", slices=[1, 2])
    case.commit([step(1)], "threshold")
    case.undo()
    entries = case.entries()
    assert [(entry.seq, entry.act) for entry in entries] == [
        (1, "commit"),
        (2, "import"),
        (3, "commit"),
        (4, "undo"),
    ]
    assert entries[1].details == {"series": "1.2.3", "slices": [1, 2]}
    assert entries[3].details == {"revision": 1}
    assert len({entry.digest for entry in entries}) == 4
    assert [entry.when for entry in entries] == sorted(entry.when for entry in entries)


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE text SET data = (SELECT data FROM text WHERE digest != :line LIMIT 1) WHERE digest = :line",
        "DELETE FROM text WHERE digest = :line",
        "UPDATE text SET data = 5 WHERE digest = :line",
        "UPDATE text SET data = x'28b52ffd00' WHERE digest = :line",
        "UPDATE text SET data = NULL WHERE digest = :line",
    ],
)
def test_an_altered_or_removed_line_is_found(case: CaseFile, path: Path, harm: str) -> None:
    case.journal("import", series="1.2.3")
    case.journal("export", file="a.stl")
    line = case.entries()[1].digest
    case.close()
    db = apsw.Connection(str(path))
    db.execute(harm, {"line": line})
    db.close()
    case = CaseFile.open(path)
    with pytest.raises(CaseError, match=line):
        case.entries()
    assert [fault for fault in case.check() if line in fault]
    case.close()


def test_a_missing_step_is_found_also_in_a_plan_that_was_undone(case: CaseFile, path: Path) -> None:
    case.commit([step(1)], "one")
    case.undo()
    case.close()
    db = apsw.Connection(str(path))
    digest = contents.digest_of(step(1).encode())
    assert db.execute("DELETE FROM text WHERE digest = ? RETURNING 1", (digest,)).get == 1
    db.close()
    case = CaseFile.open(path)
    assert [fault for fault in case.check() if digest in fault]
    with pytest.raises(CaseError, match="missing"):
        case.redo()
    assert case.head().steps == ()
    case.close()


# One act, one writer, many readers


def test_atomically_keeps_all_or_nothing(case: CaseFile) -> None:
    before = case.head(), case.entries()

    def broken_off() -> None:
        with case.atomically():
            case.put_blob(b"volume")
            case.put_fact("patient", "A")
            case.commit([step(1)], "import")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    assert (case.head(), case.entries(), case.blobs(), case.fact("patient")) == (*before, [], None)
    with case.atomically():
        digest = case.put_blob(b"volume")
        with case.atomically():
            case.commit([step(1)], "import")
        case.journal("import", blob=digest)
    assert case.head().steps == (step(1),)
    assert case.blob(digest) == b"volume"
    assert case.check() == []


def test_an_act_that_sqlite_gave_up_cannot_go_on_by_halves(case: CaseFile) -> None:
    def two_parts() -> None:
        with case.atomically():
            case.commit([step(1)], "part one")
            case._database.rows("ROLLBACK")  # as SQLite does by itself after some failures of the disk
            case.commit([step(2)], "part two")

    with pytest.raises(CaseError, match="nothing of this act"):
        two_parts()
    assert case.head().why == "new case"
    assert case.commit([step(3)], "later") == case.head().id


def test_readers_are_let_in_and_a_second_writer_is_refused(case: CaseFile, path: Path) -> None:
    with pytest.raises(CaseError, match="in use elsewhere"):
        CaseFile.open(path)
    reader = CaseFile.open(path, read_only=True)
    number = case.commit([step(1)], "while read")
    assert reader.read_only
    assert reader.head().id == number
    assert reader.check() == []
    for change in (reader.undo, reader.atomically().__enter__, lambda: reader.commit((), "no")):
        with pytest.raises(CaseError, match="read-only"):
            change()
    with pytest.raises(CaseError, match="read-only"):
        reader.put_blob(b"no")
    reader.close()
    with pytest.raises(CaseError, match="in use elsewhere"):
        CaseFile.open(path)
    case.close()
    CaseFile.open(path).close()


OTHER = """
import sys, pathlib
from surgiplan.casefile import CaseFile
from surgiplan.errors import CaseError
for line in sys.stdin:
    try:
        case = CaseFile.open(pathlib.Path(line.strip()))
        print("open", flush=True)
    except CaseError as problem:
        print(problem, flush=True)
"""


@contextmanager
def other_process() -> Iterator[Callable[[Path], str]]:
    """A process that opens the cases it is told and then has them open."""
    with subprocess.Popen([sys.executable, "-c", OTHER], stdin=-1, stdout=-1, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None

        def opened(path: Path) -> str:
            assert child.stdin is not None
            assert child.stdout is not None
            print(path, file=child.stdin, flush=True)
            return child.stdout.readline().strip()

        yield opened
        child.kill()


def test_the_lock_holds_between_processes_and_dies_with_its_holder(case: CaseFile, path: Path) -> None:
    with other_process() as opened:
        assert "in use elsewhere" in opened(path)
        with pytest.raises(CaseError, match="in use elsewhere"):
            CaseFile.open(path)
        CaseFile.open(path, read_only=True).close()
        assert "in use elsewhere" in opened(path), (
            "looking at a case in the same process must not drop the lock"
        )
        case.close()
        assert opened(path) == "open"
        with pytest.raises(CaseError, match="in use elsewhere"):
            CaseFile.open(path)
    CaseFile.open(path).close()


def test_nobody_slips_in_between_two_commits(case: CaseFile, path: Path) -> None:
    stop, done = threading.Event(), []

    def work() -> None:
        while not stop.is_set():
            done.append(case.commit([step(len(done))], "busy"))
            time.sleep(0.001)

    worker = threading.Thread(target=work)
    worker.start()
    refused = 0
    for _ in range(25):
        with pytest.raises(CaseError, match="in use elsewhere"):
            CaseFile.open(path)
        refused += 1
    stop.set()
    worker.join()
    assert refused == 25
    assert [revision.id for revision in case.history()][1:] == done


def test_a_lost_lock_is_asked_for_again(case: CaseFile, path: Path) -> None:
    case._database.rows("ROLLBACK")
    thief = CaseFile.open(path)
    case._database._db.set_busy_timeout(0)
    with pytest.raises(CaseError, match="in use elsewhere"):
        case.commit([step(1)], "not now")
    thief.close()
    assert case.commit([step(1)], "now") == case.head().id


def test_a_commit_that_readers_hold_up_too_long_is_undone_and_can_be_repeated(
    case: CaseFile, path: Path
) -> None:
    case._database._db.set_busy_timeout(20)
    reader = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    reader.execute("BEGIN; SELECT count(*) FROM text").fetchall()
    with pytest.raises(CaseError, match="in use elsewhere"):
        case.commit([step(1)], "held up")
    assert case.head().steps == ()
    reader.close()
    case.commit([step(1)], "held up")
    assert case.head().steps == (step(1),)
    assert case.check() == []


def test_threads_read_blobs_while_the_window_commits(case: CaseFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "_PIECE", 5000)
    blobs = {case.put_blob(bytes_of(size)): bytes_of(size) for size in (10, 30_000, 100_000)}
    wrong: list[str] = []

    def look() -> None:
        for _ in range(10):
            wrong.extend(digest for digest, data in blobs.items() if case.blob(digest) != data)
            case.put_blob(bytes_of(60_000))

    workers = [threading.Thread(target=look) for _ in range(4)]
    for worker in workers:
        worker.start()
    for number in range(20):
        case.commit([step(number)], "from the window")
    for worker in workers:
        worker.join()
    assert wrong == []
    assert len(case.history()) == 21
    assert case.check() == []


# Files that are no case, or cannot be opened


def sqlite(path: Path, application: int, layout: int) -> None:
    db = apsw.Connection(str(path))
    db.execute(f"CREATE TABLE t (x); PRAGMA application_id = {application}; PRAGMA user_version = {layout}")
    db.close()


STRANGERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda path: path.write_text("Dear colleague, " * 50), "not a case file"),
    "short text": (lambda path: path.write_text("Hi"), "not a case file"),
    "empty": (lambda path: path.write_bytes(b""), "empty"),
    "noise": (lambda path: path.write_bytes(bytes_of(5000)), "not a case file"),
    "other application": (lambda path: sqlite(path, 0x12345, 1), "another application"),
    "newer": (lambda path: sqlite(path, database.APPLICATION, database.LAYOUT + 1), "newer surgiplan"),
    "ours without tables": (lambda path: sqlite(path, database.APPLICATION, database.LAYOUT), "refuses"),
    "cut": (lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(4)), "not a case file"),
}


@pytest.mark.parametrize("kind", STRANGERS)
@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_case_is_left_alone(path: Path, kind: str, read_only: bool) -> None:
    make, words = STRANGERS[kind]
    make(path)
    before = path.read_bytes()
    with pytest.raises(CaseError, match=words):
        CaseFile.open(path, read_only=read_only).head()
    with pytest.raises(CaseError, match="exists already"):
        CaseFile.create(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_strangers_interrupted_work_is_left_alone(path: Path) -> None:
    sqlite(path, 0x12345, 1)
    work = (
        f"import apsw, os; db = apsw.Connection({str(path)!r}); db.execute('PRAGMA cache_size = 1; BEGIN');"
    )
    work += (
        "[db.execute('INSERT INTO t VALUES (?)', ('x' * 3000,)) for _ in range(50)]; os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", work], check=False)
    journal = path.with_name(path.name + "-journal")
    before = path.read_bytes(), journal.read_bytes()
    for passphrase in (None, "guess"):
        with pytest.raises(CaseError, match="another application"):
            CaseFile.open(path, passphrase)
    assert (path.read_bytes(), journal.read_bytes()) == before


def test_a_path_that_is_no_file_is_refused(path: Path) -> None:
    with pytest.raises(CaseError, match=r"knee\.surgiplan: there is no such file"):
        CaseFile.open(path)
    assert not path.exists()
    path.mkdir()
    with pytest.raises(CaseError, match=r"there is no such file"):
        CaseFile.open(path)
    with pytest.raises(CaseError, match=r"nowhere"):
        CaseFile.create(path / "nowhere" / "a.surgiplan")


def test_an_odd_name_is_only_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (":memory:", "file:a?mode=ro", "käse 'x';--.surgiplan"):
        CaseFile.create(Path(name)).close()
        CaseFile.open(Path(name)).close()
        assert (tmp_path / name).stat().st_size > 0


# A disk that is full, failing, or not ours


def test_a_full_disk_is_said_and_what_was_committed_stays(case: CaseFile, path: Path) -> None:
    case.commit([step(1)], "before")
    case._database.rows(f"PRAGMA max_page_count = {case._database.rows('PRAGMA page_count')[0][0]}")
    with pytest.raises(CaseError, match="disk is full"):
        case.put_blob(bytes_of(100_000))
    with pytest.raises(CaseError, match="disk is full"):
        case.commit([step(n) for n in range(3000)], "too much")
    assert case.head().steps == (step(1),)
    case._database.rows("PRAGMA max_page_count = 100000")
    case.commit([step(2)], "after")
    case.close()
    case = CaseFile.open(path)
    assert case.head().steps == (step(2),)
    assert case.check() == []
    case.close()


FILL = """
import os, resource, signal, sys, pathlib
from surgiplan.casefile import CaseFile
from surgiplan.errors import CaseError
path, limit = pathlib.Path(sys.argv[1]), int(sys.argv[2])
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
case, number = CaseFile.create(path), 0
try:
    while True:
        number = case.commit([case.put_blob(os.urandom(20000))], "more")
except CaseError as problem:
    print(number, problem)
"""


def filled(path: Path, limit: int) -> tuple[int, str]:
    """The last acknowledged revision and the message when the disk gave out."""
    run = subprocess.run(
        [sys.executable, "-c", FILL, path, str(limit)], capture_output=True, text=True, check=True
    )
    number, words = run.stdout.split(maxsplit=1)
    return int(number), words


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_process_at_its_limit_loses_nothing_it_committed(path: Path) -> None:
    number, words = filled(path, 500_000)
    assert "what was committed before is kept" in words
    case = CaseFile.open(path)
    assert case.head().id == number > 10
    assert case.check() == []
    case.close()


def test_a_disk_that_is_really_full_loses_nothing_committed(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "none", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        number, words = filled(disk / "a.surgiplan", 0)
        assert "disk is full" in words
        case = CaseFile.open(disk / "a.surgiplan")
        assert case.head().id == number > 10
        assert case.check() == []
        case.close()
        with suppress(OSError):
            (disk / "filler").write_bytes(bytes(1_000_000))
        with pytest.raises(CaseError, match="disk is full"):
            CaseFile.create(disk / "b.surgiplan")
        assert not (disk / "b.surgiplan").exists()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        read_only_media(disk / "a.surgiplan", number)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def read_only_media(path: Path, number: int) -> None:
    with pytest.raises(CaseError, match="only be read"):
        CaseFile.open(path)
    case = CaseFile.open(path, read_only=True)
    assert case.head().id == number
    assert case.check() == []
    case.close()


@pytest.fixture
def shelf() -> Iterator[Path]:
    """A folder that another user could reach too, as the superuser may write everywhere."""
    if sys.platform == "win32":
        pytest.skip("rights are kept otherwise on Windows")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """Nothing in this folder can be written meanwhile, by the superuser neither."""
    superuser = os.geteuid() == 0
    for place in (*folder.iterdir(), folder):
        place.chmod(0o555)
    if superuser:
        os.seteuid(65534)
    try:
        yield
    finally:
        if superuser:
            os.seteuid(0)
        folder.chmod(0o755)


def test_what_cannot_be_written_can_be_read(shelf: Path) -> None:
    case = CaseFile.create(shelf / "a.surgiplan")
    number = case.commit([step(1)], "one")
    case.close()
    with without_rights(shelf):
        read_only_media(case.path, number)
        with pytest.raises(CaseError, match=r"b\.surgiplan"):
            CaseFile.create(shelf / "b.surgiplan")


def test_a_folder_that_becomes_read_only_is_said(shelf: Path) -> None:
    case = CaseFile.create(shelf / "a.surgiplan")
    case.commit([step(1)], "one")
    with without_rights(shelf), pytest.raises(CaseError, match="folder"):
        case.commit([step(2)], "two")
    case.commit([step(3)], "three")
    assert case.head().steps == (step(3),)
    assert case.check() == []
    case.close()


def test_nothing_of_the_case_lies_about(case: CaseFile, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLITE_TMPDIR", str(path.parent))
    seen: set[str] = set()
    case._database._db.set_commit_hook(
        lambda: seen.update(file.name for file in path.parent.iterdir()) or False
    )
    with case.atomically():
        case._database.rows("PRAGMA cache_size = 1")
        case.put_blob(bytes_of(3_000_000))
        case._database.rows("SELECT digest FROM text ORDER BY data").sort()
        case.commit([step(1)], "big")
    assert seen <= {path.name, path.name + "-journal"}
    assert case._database.rows("PRAGMA temp_store") == [(2,)]
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o077 == 0, "nobody else may read a case"


# Damage


def told(path: Path, whole: dict[str, Any]) -> bool:
    """Whether a damaged copy is noticed; anything it still gives away must be right."""
    try:
        case = CaseFile.open(path)
    except CaseError:
        return True
    try:
        faults = case.check()
        for digest, data in whole["blobs"].items():
            try:
                assert case.blob(digest) == data
            except CaseError:
                assert faults
        for ask in ("head", "history", "entries"):
            try:
                assert getattr(case, ask)() == whole[ask] or faults
            except CaseError:
                assert faults
        return bool(faults)
    finally:
        case.close()


@pytest.fixture
def whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(contents, "_PIECE", 20_000)
    case = CaseFile.create(path)
    blobs = {case.put_blob(bytes_of(size)): bytes_of(size) for size in (100, 5_000, 50_000)}
    for number in range(5):
        case.commit([step(n) for n in range(number)], "more")
    case.put_fact("side", "left")
    whole = {"blobs": blobs, "head": case.head(), "history": case.history(), "entries": case.entries()}
    case.close()
    return whole


@pytest.mark.parametrize("kind", ["flip", "zero", "cut", "swap", "noise"])
def test_damage_is_told_and_nothing_wrong_is_given_away(path: Path, whole: dict[str, Any], kind: str) -> None:
    good, rng, noticed, rounds = path.read_bytes(), random.Random(kind), 0, 60
    for _ in range(rounds):
        data, at = bytearray(good), rng.randrange(len(good))
        if kind == "flip":
            data[at] ^= 1 << rng.randrange(8)
        elif kind == "zero":
            data[at : at + 512] = bytes(len(data[at : at + 512]))
        elif kind == "cut":
            del data[at:]
        elif kind == "swap":
            one, two = rng.randrange(len(good) // 8192) * 8192, at // 8192 * 8192
            data[one : one + 8192], data[two : two + 8192] = data[two : two + 8192], data[one : one + 8192]
        else:
            data[at : at + 64] = rng.randbytes(len(data[at : at + 64]))
        path.write_bytes(data)
        noticed += told(path, whole) or data == good
    assert noticed > {"flip": 0.3, "zero": 0.6, "cut": 0.95, "swap": 0.6, "noise": 0.4}[kind] * rounds


def test_errors_keep_their_cause(path: Path) -> None:
    CaseFile.create(path).close()
    with pytest.raises(CaseError) as told:
        CaseFile.create(path)
    assert isinstance(told.value.__cause__, OSError)
    assert told.value.__cause__.errno == errno.EEXIST
