"""A process of our own at the other end of a pipe."""

import os
import time
from multiprocessing.connection import Connection

import pytest

from surgiplan.spawned import Spawned


def echo(pipe: Connection, word: str) -> None:
    while True:
        pipe.send((word, os.getpid(), pipe.recv()))


def test_it_lives_until_it_is_ended_and_can_be_started_again() -> None:
    process = Spawned(echo)
    assert process.pipe is None
    pipe = process.started("one")
    assert process.started("other") is pipe  # which lives
    pipe.send(7)
    assert pipe.recv() == ("one", process.pid, 7)
    assert process.pid != os.getpid()
    first = process.pid
    process.end()
    process.end()
    assert process.pipe is None
    pipe = process.started("two")
    pipe.send(8)
    assert pipe.recv() == ("two", process.pid, 8)
    assert process.pid != first
    process.end()


def test_one_that_died_is_started_anew() -> None:
    process = Spawned(echo)
    pipe, first = process.started("one"), process.pid
    os.kill(first, 9)
    with pytest.raises((EOFError, ConnectionResetError)):
        pipe.recv()
    while process.pipe is not None:
        time.sleep(0.01)
    process.started("two").send(2)
    assert process.pid != first
    process.end()
