"""Foreign bytes are parsed in child processes that may die, hang or swell without harm to the program.

Two warm children serve the whole process, each one order at a time: they are started when needed, again
after their death, and ended at exit. They run functions of this room by name. One does for most; two share
the files of a long series, as threads of one would wait for its interpreter. What holds where:

- time: an order that is silent for too long ends with the child, on every system;
- memory: the child may take so many bytes above what it has when an order comes (RLIMIT_AS, enforced by
  Linux; macOS takes the call and may not enforce it, Windows has none: there only the caps on sizes hold
  that are checked before anything is decoded);
- arrays: host and child see one memory (`sharing`), which is anonymous on Linux and has a name elsewhere.

It is a wall against accidents, not a jail: the child runs with the rights of the user.
"""

import atexit
import gc
import pickle
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection
from threading import Lock
from time import monotonic
from typing import Any

from ..errors import BadInput, SurgiplanError
from ..progress import Report, silent
from ..spawned import Spawned
from .sharing import Ring, Shared

ROOMS = (f"{__package__}.",)
SECONDS, MEMORY = 8.0, 2 << 30
_START_SECONDS = 120.0
_HEAR_SECONDS = 0.05


class Lost(BadInput):
    """The child died, was silent for too long (then `hung`) or ran out of memory."""

    hung = False


def run(
    function: Callable[..., Any],
    *arguments: Any,
    name: str,
    report: Report = silent,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    child: int = 0,
) -> Any:
    """The answer of a function of this room, run in the child.

    function: called with the arguments and `report`, which it calls in its own thread
    arguments: picklable; `Shared` arrays are seen by both sides
    name: of the file, for messages
    report: told what the function reports; heard every 50 ms, so that a stop ends the child at once
    seconds: how long the function may be silent
    memory: bytes it may take beside the shared arrays
    child: which of the children obeys
    Raises what it raised when that is a SurgiplanError; Lost when it died, hung or took too much memory;
    RuntimeError when there is a fault in the function, or the child does not start.
    """
    answers = list[Any]()
    _CHILDREN[child].obey((function, None, arguments), report, seconds, memory, name, answers.append)
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
            _CHILDREN[0].obey(order, told, seconds, memory, "", answers.append)
        except Lost as problem:
            answers.append(BadInput(f"{names[len(answers)]}: {problem}"))
    return answers


def warm(module: str) -> None:
    """Start the children that do not wait, so that the next orders need not wait for them.

    module: of this room, whose functions will be asked for
    """
    for child in _CHILDREN:
        child.warm(module)


def ready() -> list[int]:
    """Which children wait for an order."""
    return [n for n, child in enumerate(_CHILDREN) if child.waits()]


class _Child:
    """The child process, as the host sees it."""

    def __init__(self) -> None:
        self._lock, self._process, self._ready = Lock(), Spawned(_serve), False

    def warm(self, module: str) -> None:
        if self._lock.acquire(blocking=False):
            try:
                self._started(module)
            finally:
                self._lock.release()

    def waits(self) -> bool:
        """Whether an order would be obeyed at once."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            pipe = self._process.pipe
            if pipe is None:
                return False
            if not self._ready and pipe.poll(0):
                pipe.recv_bytes()
                self._ready = True
            return self._ready
        except (EOFError, OSError):
            return False
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
            pipe = self._readied(report)
            try:
                pipe.send_bytes(message)
                for shared in given:
                    shared.give(pipe, self._process.pid)
                self._listen(pipe, report, seconds, take, given)
            except TimeoutError:
                self.end()
                problem = _lost(name, f"reading it was given up after {seconds:.0f} s")
                problem.hung = True
                raise problem from None
            except (EOFError, OSError):
                self.end()
                raise _lost(name, "reading it ended the reading process") from None
            except MemoryError:
                raise _lost(name, "reading it takes more memory than it can rightly need") from None
            except SurgiplanError as raised:
                if not getattr(raised, "of_the_child", False):
                    self.end()  # a stop
                raise
            except BaseException:
                self.end()
                raise

    def _readied(self, report: Report) -> Connection:
        """The pipe to a child that waits for orders."""
        try:
            pipe = self._started()
            if not self._ready:
                self._next(pipe, partial(report, 0.0, "starting the reader"), _START_SECONDS)
                self._ready = True
            return pipe
        except (EOFError, OSError) as problem:  # no fault of the file
            self.end()
            raise RuntimeError("the process that reads foreign files does not start") from problem
        except BaseException:
            self.end()
            raise

    def _listen(
        self,
        pipe: Connection,
        report: Report,
        seconds: float,
        take: Callable[[Any], object],
        given: Sequence[Shared],
    ) -> None:
        told = (0.0, "reading")
        while True:
            kind, content = self._next(pipe, partial(report, *told), seconds)
            if kind == "report":
                told = content
                report(*told)
            elif kind == "answer":
                take(content)
            elif kind == "place":
                next(ring for ring in given if isinstance(ring, Ring)).emptied(pipe, *content)
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

    def _started(self, module: str = __name__) -> Connection:
        if self._process.pipe is None:
            self._ready = False
        return self._process.started(module)

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.end()
        self._ready = False


def _lost(name: str, what: str) -> Lost:
    return Lost(f"{name + ': ' if name else ''}{what}: it is damaged or made to do harm, leave it out")


def _serve(pipe: Connection, module: str) -> None:
    """The life of the child: take orders, send reports and answers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the host hears it and ends us
    import_module(module)
    gc.freeze()  # what is loaded stays: to look through all of it while an order comes takes 10 ms

    sending = Lock()

    def send(kind: str, content: Any = None) -> None:
        with sending:
            pipe.send_bytes(pickle.dumps((kind, content)))

    send("ready")
    while True:
        try:
            order = pickle.loads(pipe.recv_bytes())
            for shared in order[2]:
                if isinstance(shared, Shared):
                    shared.take(pipe, send)
            send(*_obeyed(order, send))
            for shared in order[2]:
                if isinstance(shared, Shared):
                    shared.left()
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


_CHILDREN = (_Child(), _Child())
for _child in _CHILDREN:
    atexit.register(_child.end)
