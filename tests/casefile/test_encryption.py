import subprocess
import sys
import unicodedata
from pathlib import Path

import apsw
import pytest

from surgiplan.casefile import CaseFile, database
from surgiplan.errors import CaseError

CANARY = "Anneliese Musterpatientin"
CHOSEN = database._CIPHER
QUICK = CHOSEN.replace("tcost=3", "tcost=1").replace("mcost=65536", "mcost=64")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_CIPHER", QUICK)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hip.surgiplan"


def filled(path: Path, passphrase: str) -> CaseFile:
    case = CaseFile.create(path, passphrase)
    case.put_fact("patient", CANARY)
    case.put_blob(CANARY.encode())
    case.commit([CANARY], CANARY)
    case.journal("import", patient=CANARY)
    return case


def test_the_passphrase_opens_the_case_and_nothing_of_it_can_be_read_without(path: Path) -> None:
    case = filled(path, "correct horse")
    assert case.encrypted
    case.close()
    data = path.read_bytes()
    for word in (CANARY, CANARY.split()[0], "CREATE TABLE", "SQLite", "commit", "correct horse"):
        assert word.encode() not in data
    case = CaseFile.open(path, "correct horse")
    assert case.encrypted
    assert case.head().steps == (CANARY,)
    assert case.fact("patient") == CANARY
    assert case.check() == []
    case.close()


def test_the_chosen_costs_of_guessing_are_paid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_CIPHER", CHOSEN)
    filled(path, "pass").close()
    CaseFile.open(path, "pass").close()
    for cheaper in (
        QUICK,
        CHOSEN.replace("tcost=3", "tcost=2"),
        CHOSEN.replace("mcost=65536", "mcost=32768"),
    ):
        monkeypatch.setattr(database, "_CIPHER", cheaper)
        with pytest.raises(CaseError, match="does not open"):
            CaseFile.open(path, "pass")


def test_two_cases_of_one_passphrase_have_nothing_in_common(tmp_path: Path) -> None:
    pages = set()
    for name in "ab":
        case = CaseFile.create(tmp_path / name, "same")
        case.close()
        pages.add((tmp_path / name).read_bytes()[:16])
    assert len(pages) == 2, "each case has a salt of its own"


@pytest.mark.parametrize("passphrase", ["wrong", "correct Horse", "correct horse "])
def test_a_wrong_passphrase_is_said_and_changes_nothing(path: Path, passphrase: str) -> None:
    filled(path, "correct horse").close()
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(CaseError, match="the passphrase does not open this case"):
            CaseFile.open(path, passphrase, read_only=read_only)
    for none in (None, ""):
        with pytest.raises(CaseError, match="encrypted, its passphrase is needed"):
            CaseFile.open(path, none)
    with pytest.raises(CaseError, match="exists already"):
        CaseFile.create(path, "correct horse")
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    CaseFile.open(path, "correct horse").close()


def test_a_passphrase_for_a_case_that_has_none_is_refused(path: Path) -> None:
    CaseFile.create(path).close()
    with pytest.raises(CaseError, match="not encrypted"):
        CaseFile.open(path, "guess")
    with pytest.raises(CaseError, match="empty passphrase"):
        CaseFile.create(path.with_name("other"), "")
    assert not path.with_name("other").exists()


@pytest.mark.parametrize(
    "passphrase", ["'; DROP TABLE text; --", 'a"b', "\0", "raw:" + "00" * 32, "x" * 5000, "日本 🦴"]
)
def test_any_text_is_a_passphrase(path: Path, passphrase: str) -> None:
    filled(path, passphrase).close()
    with pytest.raises(CaseError, match="does not open"):
        CaseFile.open(path, passphrase + "!")
    case = CaseFile.open(path, passphrase)
    assert case.head().steps == (CANARY,)
    case.close()


def test_the_same_word_typed_on_another_keyboard_opens_the_case(path: Path) -> None:
    filled(path, unicodedata.normalize("NFC", "Hüfte")).close()
    CaseFile.open(path, unicodedata.normalize("NFD", "Hüfte")).close()


def test_two_may_look_at_an_encrypted_case_and_one_may_write(path: Path) -> None:
    writer = filled(path, "pass")
    with pytest.raises(CaseError, match="in use elsewhere"):
        CaseFile.open(path, "pass")
    reader = CaseFile.open(path, "pass", read_only=True)
    writer.commit(["later"], "later")
    assert reader.head().steps == ("later",)
    reader.close()
    writer.close()


def test_an_encrypted_file_of_another_application_or_a_newer_one_is_refused(path: Path) -> None:
    for application, layout, words in (
        (1, 1, "not a case file"),
        (database.APPLICATION, 9, "newer surgiplan"),
    ):
        path.unlink(missing_ok=True)
        db = apsw.Connection(str(path))
        db.execute(database._CIPHER.format(b"pass".hex())).fetchall()
        db.execute(
            f"CREATE TABLE t (x); PRAGMA application_id = {application}; PRAGMA user_version = {layout}"
        )
        db.close()
        before = path.read_bytes()
        with pytest.raises(CaseError, match=words):
            CaseFile.open(path, "pass")
        assert path.read_bytes() == before


def test_any_damage_to_an_encrypted_case_is_noticed(path: Path) -> None:
    filled(path, "pass").close()
    good = path.read_bytes()
    for page in range(len(good) // 8192):
        data = bytearray(good)
        data[page * 8192 + 4000] ^= 1
        path.write_bytes(data)
        try:
            case = CaseFile.open(path, "pass")
        except CaseError:
            continue
        assert case.check()
        case.close()


INTERRUPTED = """
import os, pathlib, sys
from surgiplan.casefile import CaseFile, database
database._CIPHER = sys.argv[3]
case = CaseFile.open(pathlib.Path(sys.argv[1]), "pass")
with case.atomically():
    case._database.rows("PRAGMA cache_size = 1")
    case.put_fact("patient", sys.argv[2] + " the second")
    for number in range(30):
        case.commit([sys.argv[2] + str(number) * 3000], "interrupted")
    os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows")
def test_the_traces_of_an_interrupted_commit_are_encrypted_and_survive_wrong_passphrases(path: Path) -> None:
    case = filled(path, "pass")
    entries = case.entries()
    case.close()
    size = path.stat().st_size
    subprocess.run([sys.executable, "-c", INTERRUPTED, path, CANARY, QUICK], check=False)
    journal = path.with_name(path.name + "-journal")
    begun, left = path.read_bytes(), journal.read_bytes()
    assert len(left) > 8192
    assert len(begun) > size, "the commit was under way in the file itself"
    assert CANARY.encode() not in left + begun
    for passphrase in (None, "wrong", "wrong again"):
        for read_only in (False, True):
            with pytest.raises(CaseError, match="passphrase"):
                CaseFile.open(path, passphrase, read_only=read_only)
    assert journal.read_bytes() == left
    assert path.read_bytes() == begun[:size], "at most what was never committed is cut off"
    case = CaseFile.open(path, "pass")
    assert case.check() == []
    assert case.entries() == entries
    assert case.fact("patient") == CANARY
    case.close()
    assert not journal.exists()
