"""Foreign bytes are parsed in a child process that may die, hang or swell without harm to the program.

One warm child serves the whole process, one order at a time: it is started when first needed, again
after its death, and ended at exit. It runs functions of this room by name. What holds where:

- time: an order that is silent for too long ends with the child, on every system;
- memory: the child may take so many bytes above what it has when an order comes (RLIMIT_AS, enforced by
  Linux; macOS takes the call and may not enforce it, Windows has none: there only the caps on sizes hold
  that are checked before anything is decoded);
- arrays: on Linux host and child see one anonymous memory and nothing is copied; elsewhere the host
  copies once out of named shared memory.

It is a wall against accidents, not a jail: the child runs with the rights of the user.
"""

import atexit
import mmap
import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing import reduction
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..errors import BadInput, SurgiplanError
from ..progress import Report, silent

ROOMS = (f"{__package__}.",)
SECONDS, MEMORY = 8.0, 2 << 30
_START_SECONDS = 120.0
_HEAR_SECONDS = 0.05
_ONE_MEMORY = hasattr(os, "memfd_create")  # an array without a name, handed over as a file descriptor


class Lost(BadInput):
    """The child died, was silent for too long (then `hung`) or ran out of memory."""

    hung = False


class Shared:
    """An array that host and child both see; an argument of `run` and `each`. Use it in a `with`.

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

    def kept(self) -> NDArray[Any]:
        """The array, to outlive the `with`."""
        return self.array if _ONE_MEMORY else self.array.copy()

    def __enter__(self) -> "Shared":
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

    def store(self, k: int, values: NDArray[Any]) -> None:
        """Fill in `array[k]`; cheaper than to write into pages of the array that were never touched."""
        if self._fd < 0:
            self.array[k] = values
            return
        rest = np.ascontiguousarray(values, self._dtype).data.cast("B")
        at = k * len(rest)
        while rest:
            try:
                written = os.pwrite(self._fd, rest, at)
            except OSError:
                raise MemoryError from None
            rest, at = rest[written:], at + written

    def give(self, pipe: Connection, pid: int) -> None:
        """Hand the memory over, behind the order that holds it."""
        if _ONE_MEMORY:
            reduction.send_handle(pipe, self._fd, pid)

    def take(self, pipe: Connection) -> None:
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


def run(
    function: Callable[..., Any],
    *arguments: Any,
    name: str,
    report: Report = silent,
    seconds: float = SECONDS,
    memory: int = MEMORY,
) -> Any:
    """The answer of a function of this room, run in the child.

    function: called with the arguments and `report`, which it calls in its own thread
    arguments: picklable; `Shared` arrays are seen by both sides
    name: of the file, for messages
    report: told what the function reports; heard every 50 ms, so that a stop ends the child at once
    seconds: how long the function may be silent
    memory: bytes it may take beside the shared arrays
    Raises what it raised when that is a SurgiplanError; Lost when it died, hung or took too much memory;
    RuntimeError when there is a fault in the function, or the child does not start.
    """
    answers = list[Any]()
    _CHILD.obey((function, None, arguments), report, seconds, memory, name, answers.append)
    return answers[0]


def each(
    function: Callable[..., Any],
    items: Sequence[Any],
    *,
    names: Sequence[str],
    report: Report = silent,
    seconds: float = SECONDS,
    memory: int = MEMORY,
) -> list[Any]:
    """For each item the answer of a function of this room, or the BadInput that it met.

    One order for all; an item that ends the child costs the others nothing.

    function: called with one item
    items: picklable
    names: of the files, for messages
    report: told the share that is done
    seconds: how long an item may take
    memory: bytes that it may take
    """
    answers = list[Any]()

    def told(fraction: float, text: str) -> None:
        report(len(answers) / len(items), "looking at the files")

    while len(answers) < len(items):
        order = (function, items[len(answers) :], ())
        try:
            _CHILD.obey(order, told, seconds, memory, "", answers.append)
        except Lost as problem:
            answers.append(BadInput(f"{names[len(answers)]}: {problem}"))
    return answers


def warm() -> None:
    """Start the child if none is waiting, so that the next order need not wait for it."""
    _CHILD.warm()


class _Child:
    """The child process, as the host sees it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        self._ready = False

    def warm(self) -> None:
        if self._lock.acquire(blocking=False):
            try:
                self._started()
            finally:
                self._lock.release()

    def obey(
        self,
        order: tuple[Callable[..., Any], Sequence[Any] | None, tuple[Any, ...]],
        report: Report,
        seconds: float,
        memory: int,
        name: str,
        take: Callable[[Any], object],
    ) -> None:
        """Send an order and take its answers."""
        function, _, arguments = order
        if not function.__module__.startswith(ROOMS):
            raise ValueError(f"{function.__module__} is not of this room")
        given = [argument for argument in arguments if isinstance(argument, Shared)]
        allowed = memory + sum(shared.nbytes for shared in given)
        message = pickle.dumps((*order, allowed))
        with self._lock:
            pipe, pid = self._readied(report)
            try:
                pipe.send_bytes(message)
                for shared in given:
                    shared.give(pipe, pid)
                self._listen(pipe, report, seconds, take)
            except TimeoutError:
                self._end()
                problem = _lost(name, f"reading it was given up after {seconds:.0f} s")
                problem.hung = True
                raise problem from None
            except (EOFError, OSError):
                self._end()
                raise _lost(name, "reading it ended the reading process") from None
            except MemoryError:
                raise _lost(name, "reading it takes more memory than it can rightly need") from None
            except SurgiplanError as raised:
                if not getattr(raised, "of_the_child", False):
                    self._end()  # a stop
                raise
            except BaseException:
                self._end()
                raise

    def _readied(self, report: Report) -> tuple[Connection, int]:
        """The pipe to a child that waits for orders, and its number."""
        try:
            pipe, pid = self._started()
            if not self._ready:
                self._next(pipe, partial(report, 0.0, "starting the reader"), _START_SECONDS)
                self._ready = True
            return pipe, pid
        except (EOFError, OSError) as problem:  # no fault of the file
            self._end()
            raise RuntimeError("the process that reads foreign files does not start") from problem
        except BaseException:
            self._end()
            raise

    def _listen(
        self, pipe: Connection, report: Report, seconds: float, take: Callable[[Any], object]
    ) -> None:
        told = (0.0, "reading")
        while True:
            kind, content = self._next(pipe, partial(report, *told), seconds)
            if kind == "report":
                told = content
                report(*told)
            elif kind == "answer":
                take(content)
            elif kind == "error":
                content.of_the_child = True
                raise content
            else:
                return

    def _next(self, pipe: Connection, hear: Callable[[], object], seconds: float) -> Any:
        latest = monotonic() + seconds
        while not pipe.poll(_HEAR_SECONDS):
            hear()
            if monotonic() > latest:
                raise TimeoutError
        return pickle.loads(pipe.recv_bytes())

    def _started(self) -> tuple[Connection, int]:
        if self._process is None or self._pipe is None or not self._process.is_alive():
            self._end()
            spawn = multiprocessing.get_context("spawn")
            self._pipe, theirs = spawn.Pipe()
            process = spawn.Process(target=_serve, args=(theirs,), daemon=True)
            process.start()
            self._process = process
            theirs.close()
        assert self._process.pid is not None
        return self._pipe, self._process.pid

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None
        self._ready = False


def _lost(name: str, what: str) -> Lost:
    return Lost(f"{name + ': ' if name else ''}{what}: it is damaged or made to do harm, leave it out")


_CHILD = _Child()
atexit.register(_CHILD._end)


def _serve(pipe: Connection) -> None:
    """The life of the child: take orders, send reports and answers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the host hears it and ends us

    def send(kind: str, content: Any = None) -> None:
        pipe.send_bytes(pickle.dumps((kind, content)))

    send("ready")
    while True:
        try:
            order = pickle.loads(pipe.recv_bytes())
            for shared in order[2]:
                if isinstance(shared, Shared):
                    shared.take(pipe)
            last = _obeyed(order, send)
            for shared in order[2]:
                if isinstance(shared, Shared):
                    shared.left()
            send(*last)
        except (EOFError, OSError):
            return
        del order


def _obeyed(order: Any, send: Callable[..., None]) -> tuple[str, Any]:
    """Do what is ordered and give the last message: that it is done, or what was raised."""
    function, items, arguments, allowed = order
    _limit_memory(allowed)
    try:
        if items is None:
            send("answer", function(*arguments, report=lambda *told: send("report", told)))
        for item in items or ():
            send("answer", _answer(function, item))
    except MemoryError:
        return "error", MemoryError()
    except SurgiplanError as problem:
        return "error", type(problem)(str(problem))
    except Exception as problem:
        return "error", RuntimeError(f"{type(problem).__name__}: {problem}")
    return "done", None


def _answer(function: Callable[[Any], Any], item: Any) -> Any:
    try:
        return function(item)
    except MemoryError:
        return BadInput("it takes more memory than it can rightly need: leave it out")
    except BadInput as problem:
        return BadInput(str(problem))


def _limit_memory(allowed: int) -> None:
    """Let the child take no more than so many bytes above what it has."""
    if sys.platform != "linux":
        return
    import resource

    with open("/proc/self/statm", "rb") as file:
        has = int(file.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = has + allowed if hard == resource.RLIM_INFINITY else min(has + allowed, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
