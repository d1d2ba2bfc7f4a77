"""What the tests of the quarantine let its child do."""

import ctypes
import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from surgiplan.errors import BadInput
from surgiplan.formats.dicom import decoding
from surgiplan.formats.dicom.codecs import quickly_decoded
from surgiplan.formats.dicom.decoding import decoded_into
from surgiplan.progress import Report, silent


def counted(steps: int, seconds: float = 0.0, *, report: Report) -> int:
    for step in range(steps):
        report(step / steps, f"step {step}")
        time.sleep(seconds)
    return steps


def process_number(*, report: Report) -> int:
    return os.getpid()


def die(how: str, *, report: Report) -> None:
    if how == "abort":
        os.abort()
    elif how == "exit":
        os._exit(3)
    elif how == "kill":
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    ctypes.string_at(8)


def hang(*, report: Report) -> None:
    time.sleep(100)


def swell(size: int, *, report: Report = silent) -> int:
    return len(np.ones(size, np.uint8))


def refuse(text: str, *, report: Report) -> None:
    raise BadInput(text)


def stumble(*, report: Report) -> float:
    return 1 / 0


def doubled(memory, *, report: Report) -> int:
    total = int(memory.array.sum())
    memory.array[:] = memory.array * 2
    return total


def squared(ring, bad: int = -1, *, report: Report) -> None:
    """Hand over the squares of numbers, some at a time, with three threads; all beyond the bad one fail."""

    def fill(_: int) -> None:
        for numbers, room, notes in ring.work():
            for n in numbers:
                if 0 <= bad <= n:
                    raise BadInput(f"no {bad}")
                room[len(notes)] = n * n
                notes.append(n)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(fill, range(3)))


def judged(item):
    if item == "abort":
        os.abort()
    if item == "refuse":
        raise BadInput("no")
    if item == "swell":
        return swell(4 << 30)
    return item * 10


def dies(ring, notes, threads, *, report: Report) -> bool:
    return spoiled(os.abort, ring, notes, threads, report)


def hangs(ring, notes, threads, *, report: Report) -> bool:
    """A decoder hangs, and lets no other thread go on."""
    return spoiled(lambda: re.match("(a+)+$", "a" * 50 + "b"), ring, notes, 1, report)


def hangs_without_the_interpreter(ring, notes, threads, *, report: Report) -> bool:
    """One decoder of several hangs, and lets all other threads go on."""
    return spoiled(lambda: time.sleep(100), ring, notes, threads, report)


def spoiled(end, ring, notes, threads, report: Report) -> bool:
    """Decode as it should be; one file ends it."""

    def decode(picture, header, room):
        if header.member.name == "S1_IM00004.dcm":
            end()
        return quickly_decoded(picture, header, room)

    decoding.quickly_decoded = decode
    return decoded_into(ring, notes, threads, report)


def bears_one(ring, notes, threads, *, report: Report) -> bool:
    if len(ring.array) > 1:
        os.abort()
    return decoded_into(ring, notes, threads, report)
