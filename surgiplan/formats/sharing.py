"""Arrays that the program and its quarantined child both see."""

import mmap
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import reduction
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from threading import Lock
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

_ONE_MEMORY = hasattr(os, "memfd_create")  # an array without a name, handed over as a file descriptor


class Shared:
    """An array that host and child both see; an argument of `quarantine.run`. Use it in a `with`.

    shape, dtype: of the array, which begins with zeros
    """

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._shape, self._dtype = shape, np.dtype(dtype)
        self.nbytes = max(int(np.prod(shape)) * self._dtype.itemsize, 1)
        self._name, self._fd = "", -1
        self._memory: SharedMemory | None = None
        if _ONE_MEMORY:
            self._fd = os.memfd_create("surgiplan")
            os.ftruncate(self._fd, self.nbytes)
            self.array: NDArray[Any] = self._seen(mmap.mmap(self._fd, self.nbytes))
        else:
            self._memory = SharedMemory(create=True, size=self.nbytes)
            self._name = self._memory.name
            self.array = self._seen(self._memory.buf)

    def _seen(self, memory: Any) -> NDArray[Any]:
        count = int(np.prod(self._shape))
        return np.frombuffer(memory, self._dtype, count).reshape(self._shape)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        del self.array
        if self._fd >= 0:
            os.close(self._fd)
        if self._memory is not None:
            self._memory.close()
            self._memory.unlink()

    def __getstate__(self) -> tuple[Any, ...]:
        return (self._shape, self._dtype, self.nbytes, self._name)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._shape, self._dtype, self.nbytes, self._name = state
        self._fd, self._memory = -1, None

    def give(self, pipe: Connection, pid: int) -> None:
        """Hand the memory over, behind the order that holds it."""
        if _ONE_MEMORY:
            reduction.send_handle(pipe, self._fd, pid)

    def take(self, pipe: Connection, send: Callable[..., None]) -> None:
        """See, in the child, the memory of the host."""
        if _ONE_MEMORY:
            self._fd = reduction.recv_handle(pipe)
            self.array = self._seen(mmap.mmap(self._fd, self.nbytes))
        else:
            self._memory = SharedMemory(self._name)
            self.array = self._seen(self._memory.buf)

    def left(self) -> None:
        """See it no more, in the child."""
        del self.array
        if self._fd >= 0:
            os.close(self._fd)


class Ring(Shared):
    """Places through which the child hands arrays to the host, used again and again; one in an order.

    What is handed over so may be far larger than the ring, and lies in the end in memory of the host alone.
    To write it into one large shared memory costs several times as much: its fresh pages come singly.

    places: how many there are; at least as many as threads of the child that fill them
    shape, dtype: of what one place holds
    empty: called in the host with a filled place and the list of notes on it; it copies what it keeps
    """

    def __init__(
        self,
        places: int,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        empty: Callable[[NDArray[Any], list[Any]], object],
    ) -> None:
        super().__init__((places, *shape), dtype)
        self._empty = empty

    def emptied(self, pipe: Connection, place: int, notes: list[Any]) -> None:
        """Take in the host what lies at a place, and give the place back."""
        self._empty(self.array[place], notes)
        pipe.send_bytes(b"")

    def take(self, pipe: Connection, send: Callable[..., None]) -> None:
        """See, in the child, the memory of the host; all places are free."""
        super().take(pipe, send)
        self._pipe, self._send = pipe, send
        self._free, self._with_host = list(range(self._shape[0])), deque[int]()
        self._waiting, self._handing = Lock(), Lock()

    @contextmanager
    def place(self) -> Iterator[tuple[NDArray[Any], list[Any]]]:
        """A place to fill, in any thread of the child, and a list for notes; both are then handed over."""
        with self._waiting:
            while not self._free:
                self._come_back()
            place, notes = self._free.pop(), list[Any]()
        try:
            yield self.array[place], notes
        except BaseException:
            self._free.append(place)
            raise
        with self._handing:
            self._with_host.append(place)
            self._send("place", (place, notes))

    def left(self) -> None:
        """See it no more, in the child, once the host has emptied all places."""
        while self._with_host:
            self._come_back()
        super().left()

    def _come_back(self) -> None:
        """Wait until the host gives a place back; it does so in the order in which it got them."""
        self._pipe.recv_bytes()
        self._free.append(self._with_host.popleft())
