"""Arrays that the program and its quarantined child both see."""

import mmap
import os
import pickle
from collections import deque
from collections.abc import Callable, Iterator, Sequence
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
    """Places at which the child does pieces of work, and hands the host what came out; one in an order.

    A place goes to and fro. The host gives it to the child with the number of the next piece of work, which
    it chooses only then: children that work for one end share the work as fast as each of them is.
    What is handed over so may be far larger than the ring, and lies in the end in memory of the host alone.
    To write it into one large shared memory costs several times as much: its fresh pages come singly.

    places: how many there are; more than threads of the child that fill them
    shape, dtype: of what one place holds
    works: the pieces of work, pickled one by one: the first is begun before the last is unpickled
    choose: called in the host for the number of the next piece of work; gives None when none is left
    empty: called in the host with the number of a piece of work, the place that it filled, and the list of
        notes on it; it copies what it keeps
    """

    def __init__(
        self,
        places: int,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        works: Sequence[bytes],
        choose: Callable[[], int | None],
        empty: Callable[[int, NDArray[Any], list[Any]], object],
    ) -> None:
        super().__init__((places, *shape), dtype)
        self._works, self._choose, self._empty = works, choose, empty

    def __getstate__(self) -> tuple[Any, ...]:
        return (super().__getstate__(), self._works)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        super().__setstate__(state[0])
        self._works = state[1]

    def give(self, pipe: Connection, pid: int) -> None:
        """Hand the memory over, behind the order that holds it, and each place with a piece of work."""
        super().give(pipe, pid)
        for _ in range(self._shape[0]):
            self._hand(pipe)

    def emptied(self, pipe: Connection, place: int, number: int, notes: list[Any]) -> None:
        """Take in the host what lies at a place, and give the place back with the next piece of work."""
        self._empty(number, self.array[place], notes)
        self._hand(pipe)

    def _hand(self, pipe: Connection) -> None:
        number = self._choose()
        pipe.send_bytes(b"" if number is None else b"%d" % number)  # so short that it never waits

    def take(self, pipe: Connection, send: Callable[..., None]) -> None:
        """See, in the child, the memory of the host; it gives all places."""
        super().take(pipe, send)
        self._pipe, self._send = pipe, send
        self._free, self._with_host = deque[tuple[int, int]](), deque(range(self._shape[0]))
        self._waiting, self._handing = Lock(), Lock()
        while self._with_host:
            self._come_back()

    def work(self) -> Iterator[tuple[Any, NDArray[Any], list[Any]]]:
        """Pieces of work, each with a place to fill and a list for notes, in any thread of the child.

        All three are done with when the next piece is asked for.
        """
        while (free := self._next_free()) is not None:
            (place, number), notes = free, list[Any]()
            yield pickle.loads(self._works[number]), self.array[place], notes
            with self._handing:
                self._with_host.append(place)
                self._send("place", (place, number, notes))

    def left(self) -> None:
        """See it no more, in the child, once the host has emptied all places."""
        while self._with_host:
            self._come_back()
        super().left()

    def _next_free(self) -> tuple[int, int] | None:
        with self._waiting:
            while self._with_host and not self._free:
                self._come_back()
            return self._free.popleft() if self._free else None

    def _come_back(self) -> None:
        """Wait until the host gives a place; it does so in the order in which it got them."""
        number = self._pipe.recv_bytes()
        place = self._with_host.popleft()
        if number:
            self._free.append((place, int(number)))
