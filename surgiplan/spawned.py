"""A process of our own at the other end of a pipe, which may be ended at any time."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection


class Spawned:
    """Starts a process when it is asked for and none lives.

    serve: its life; a function of a module, called with its end of the pipe and what `started` is given
    """

    def __init__(self, serve: Callable[..., None]) -> None:
        self._serve = serve
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    @property
    def pipe(self) -> Connection | None:
        """To the process; None when it does not live."""
        return self._pipe if self._process is not None and self._process.is_alive() else None

    @property
    def pid(self) -> int:
        """The number of the process that was started."""
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    def started(self, *given: object) -> Connection:
        """The pipe to the process that lives, or to a new one."""
        if self.pipe is None:
            self.end()
            spawn = multiprocessing.get_context("spawn")
            self._pipe, theirs = spawn.Pipe()
            process = spawn.Process(target=self._serve, args=(theirs, *given), daemon=True)
            process.start()
            self._process = process
            theirs.close()
        assert self._pipe is not None
        return self._pipe

    def end(self) -> None:
        """End the process, if there is one, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None
