"""What the tests of the quarantine let its child do."""

import ctypes
import os
import signal
import time

import numpy as np

from surgiplan.errors import BadInput
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


def judged(item):
    if item == "abort":
        os.abort()
    if item == "refuse":
        raise BadInput("no")
    if item == "swell":
        return swell(4 << 30)
    return item * 10
