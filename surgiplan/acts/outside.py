"""A program of others runs beside this one: in a folder of its own, for a bounded time, and ends whole."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import IO

from ..errors import StepFailed
from ..progress import Report

_HEAR_SECONDS = 0.05
_LINES, _LINE = 3, 160
_TAIL = 1 << 16
_NOWHERE = "http://127.0.0.1:9"  # the discard port: who asks a proxy there gets no answer
_NOT_HANDED_ON = ("SURGIPLAN_PASSPHRASE",)
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@contextmanager
def private_folder() -> Iterator[Path]:
    """A temporary folder that nobody else can read; all that lies in it is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="surgiplan-"))
    try:
        yield folder
    finally:
        _wipe(folder)


def run(words: Sequence[str], folder: Path, seconds: float, report: Report, what: str) -> str:
    """Run a program and wait for its end; gives the end of what it printed.

    words: of its command; no shell reads them
    folder: where it works; its temporary files go there too
    seconds: how long it may take
    report: told every 50 ms that it runs; what it raises (Cancelled) ends the program
    what: name of the program, for messages
    Whatever happens, the program and all it has started (in its group of processes) are ended.
    Raises StepFailed when it is not found, takes too long or fails, with the last three lines it said.
    """
    started, printed, said = monotonic(), deque[bytes](), deque[bytes]()
    try:
        process = _started(words, folder)
    except OSError as problem:
        raise StepFailed(
            f"{what}: {words[0]} cannot be started ({problem.strerror}): install it, or put it on the PATH"
        ) from None
    drains = [_drained(process.stdout, printed), _drained(process.stderr, said)]
    try:
        while process.poll() is None:
            report(0.5, f"{what} runs, {monotonic() - started:.0f} s")
            if monotonic() - started > seconds:
                raise StepFailed(
                    f"{what} was ended after {seconds:.0f} s: give it more time, or choose a faster model"
                )
            sleep(_HEAR_SECONDS)
    finally:
        _end(process)
        for drain in drains:
            drain.join(1.0)
    if process.returncode:
        told = "\n".join(_last_lines(said) or _last_lines(printed) or ["it said nothing"])
        raise StepFailed(f"{what} failed ({_ending(process.returncode)}):\n{told}")
    return "\n".join(_last_lines(printed) or _last_lines(said))


def _started(words: Sequence[str], folder: Path) -> "subprocess.Popen[bytes]":
    program = shutil.which(words[0])
    if program is None:
        raise FileNotFoundError(2, "it is not on this computer")
    return subprocess.Popen(
        [program, *words[1:]],
        cwd=folder,
        env=_surroundings(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # a group of its own, which can be ended whole
    )


def _surroundings(folder: Path) -> Mapping[str, str]:
    """The environment it gets: no passphrase, its own temporary folder, no way to the network by a proxy."""
    kept = {name: text for name, text in os.environ.items() if name not in _NOT_HANDED_ON}
    kept |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        kept |= {name: _NOWHERE, name.upper(): _NOWHERE}
    for name in ("no_proxy", "NO_PROXY"):
        kept.pop(name, None)
    return kept | {"HF_HUB_OFFLINE": "1"}


def _drained(stream: IO[bytes] | None, kept: deque[bytes]) -> threading.Thread:
    """Read a stream to its end in a thread, and keep its last stretch."""
    assert stream is not None

    def drain() -> None:
        with suppress(OSError, ValueError), stream:
            while data := os.read(stream.fileno(), _TAIL):
                kept.append(data)
                while sum(map(len, kept)) - len(kept[0]) > _TAIL:
                    kept.popleft()

    thread = threading.Thread(target=drain, daemon=True)
    thread.start()
    return thread


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the program and its group, whether it has ended by itself or not."""
    if sys.platform == "win32":
        if process.poll() is None:
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True)
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_lines(kept: deque[bytes]) -> list[str]:
    """The last lines, each as a terminal would leave it, without control characters."""
    text = b"".join(kept).decode("utf-8", "replace").replace("\r\n", "\n")
    plain = [_CONTROL.sub("", line.rstrip("\r").rpartition("\r")[2]).strip() for line in text.split("\n")]
    return [line[:_LINE] for line in plain if line][-_LINES:]


def _ending(code: int) -> str:
    return f"code {code}" if code > 0 else f"ended by signal {-code}"


def _wipe(folder: Path) -> None:
    """Remove a folder; links are removed and never followed, and what is locked is unlocked first."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        os.chmod(folder, 0o700)
        for place, below, _ in os.walk(folder):
            for locked in (Path(place, name) for name in below):
                if not locked.is_symlink():
                    locked.chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise StepFailed(f"the temporary copy of the scan in {folder} cannot be removed: remove it by hand")
