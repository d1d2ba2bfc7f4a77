"""A warm child process for what would hold the interpreter, or could take it down."""

import os
import pickle
from collections.abc import Mapping
from multiprocessing.connection import Connection
from threading import Lock, Thread
from typing import Any

from ..errors import StepFailed, SurgiplanError
from ..spawned import Spawned
from ..values import decode, encode
from .operation import Operation
from .work import Work

_HEAR_SECONDS = 0.05


class Child:
    """Runs operations one at a time in a child that is started ahead and ended on a stop.

    Values travel as the bytes of the codec, so the child gets frozen copies.
    """

    def __init__(self) -> None:
        self._lock, self._closed, self._process = Lock(), False, Spawned(_serve)

    def warm(self) -> None:
        """Start the child if none is waiting; not after `close`."""
        with self._lock:
            if not self._closed:
                self._process.started()

    def run(self, operation: Operation[Any], values: Mapping[str, Any], work: Work) -> Any:
        """The result of the operation.

        Raises what it raised; StepFailed when the child died; Cancelled, at once, on a stop.
        """
        order, given = pickle.dumps(operation), encode(dict(values))
        with self._lock:
            pipe = self._process.started()
            try:
                pipe.send_bytes(order)
                pipe.send_bytes(given)
                answer = self._answer(pipe, work)
            except (EOFError, OSError) as problem:
                self._process.end()
                raise StepFailed(
                    f"{operation.spec.name} ended without an answer; the shapes may be too large for the"
                    " memory: simplify them and try again"
                ) from problem
            except BaseException:  # a stop, or a listener that fails: the answer to come must not be taken
                self._process.end()  # for that of the next operation
                Thread(target=self.warm, daemon=True).start()
                raise
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _answer(self, pipe: Connection, work: Work) -> Any:
        while True:
            while not pipe.poll(_HEAR_SECONDS):
                work.hear()
            kind, content = pickle.loads(pipe.recv_bytes())
            if kind == "report":
                work.report(*content)
            elif kind == "error":
                return content
            else:
                return decode(pipe.recv_bytes())

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._closed = True
            self._process.end()


def _serve(pipe: Connection) -> None:
    """The life of the child: take an operation and its values, send reports and one answer."""
    if hasattr(os, "nice"):
        os.nice(5)
    work = Work(watch=lambda fraction, text: pipe.send_bytes(pickle.dumps(("report", (fraction, text)))))
    while True:
        try:
            operation = pickle.loads(pipe.recv_bytes())
            values = decode(pipe.recv_bytes())
        except (EOFError, OSError):
            return
        try:
            answer = encode(operation.run(work, **values))
            pipe.send_bytes(pickle.dumps(("value", None)))
            pipe.send_bytes(answer)
        except SurgiplanError as problem:
            pipe.send_bytes(pickle.dumps(("error", type(problem)(str(problem)))))
        except Exception as problem:
            told = RuntimeError(f"{type(problem).__name__}: {problem}")
            pipe.send_bytes(pickle.dumps(("error", told)))
