"""What the ciphers, page sizes and journal modes of SQLite cost a case, as tables for docs/benchmarks.md.

python -m benchmarks.casefile [FOLDER]: measures on the disk of FOLDER, by default the temporary folder.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from surgiplan.casefile import CaseFile, database

PASSPHRASE = "correct horse battery staple"
BLOB = random.Random(1).randbytes(100_000_000)  # noise, so that the disk and the cipher see all of it
CIPHERS = {
    "none": "",
    "aegis, chosen costs": database._CIPHER,
    **{
        name: f"PRAGMA cipher='{name}'; PRAGMA hexkey='{{}}'"
        for name in ("aegis", "chacha20", "aes256cbc", "ascon128", "sqlcipher")
    },
}
SETTINGS = database._SETTINGS


def seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def plans(count: int) -> list[list[str]]:
    """Plans of 60 steps, each with one step unlike the one before."""
    steps = [step(number, 0) for number in range(60)]
    made = []
    for change in range(count):
        steps[change % 60] = step(change % 60, change)
        made.append(list(steps))
    return made


def step(number: int, change: int) -> str:
    fields = {"volume": "scan", "low": change, "high": 3071, "seed_lps": [1.25 * number, -20.5, 311.0]}
    return json.dumps({"name": f"step-{number}", "operation": "threshold", "version": 1, "fields": fields})


def row(folder: Path, cipher: str, page: int) -> str:
    database._CIPHER = CIPHERS[cipher]
    database._SETTINGS = SETTINGS.replace("page_size=8192", f"page_size={page}")
    path = folder / "benchmark.surgiplan"
    passphrase = PASSPHRASE if CIPHERS[cipher] else None
    start = time.perf_counter()
    case = CaseFile.create(path, passphrase)
    commits = [seconds(partial(case.commit, plan, "edit")) for plan in plans(200)]
    whole = time.perf_counter() - start
    small = path.stat().st_size
    into = seconds(lambda: case.put_blob(BLOB))
    out = seconds(lambda: case.blob(case.blobs()[0]))
    case.close()
    large = path.stat().st_size
    opened = seconds(lambda: CaseFile.open(path, passphrase).close())
    path.unlink()
    return (
        f"| {cipher} | {page} | {whole:.2f} | {1000 * median(commits):.1f} | {into:.2f} | {out:.2f} "
        f"| {opened:.3f} | {small / 1e6:.2f} | {large / 1e6:.1f} |"
    )


def journal_row(folder: Path, mode: str, synchronous: str) -> str:
    database._SETTINGS = SETTINGS
    path = folder / "benchmark.surgiplan"
    case = CaseFile.create(path)
    case._database.rows(f"ROLLBACK; PRAGMA journal_mode={mode}; PRAGMA synchronous={synchronous}")
    commits = sorted(seconds(partial(case.commit, plan, "edit")) for plan in plans(200))
    case.close()
    path.unlink()
    return f"| {mode} | {synchronous} | {1000 * median(commits):.1f} | {1000 * commits[190]:.1f} |"


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else None) as name:
        folder = Path(name)
        print("| cipher | page | 200 commits s | commit ms | 100 MB in s | out s | open s | MB | MB after |")
        print("|---|---|---|---|---|---|---|---|---|")
        for cipher in CIPHERS:
            for page in (4096, 8192, 16384, 65536):
                print(row(folder, cipher, page), flush=True)
        print("\n| journal | synchronous | commit ms | p95 ms |\n|---|---|---|---|")
        for mode, synchronous in (
            ("delete", "extra"),
            ("truncate", "full"),
            ("persist", "full"),
            ("wal", "full"),
        ):
            print(journal_row(folder, mode, synchronous), flush=True)


if __name__ == "__main__":
    main()
