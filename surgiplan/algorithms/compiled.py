"""Loops over millions of numbers, compiled for this machine when they are first called (decision 0011)."""

import gc
from collections.abc import Callable
from functools import cache, update_wrapper
from threading import RLock
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
_ONE_AT_A_TIME = RLock()


class Compiled(Generic[P, R]):
    """A loop over arrays, compiled at its first call; while it runs, other threads run too.

    What was compiled is kept beside the file, or in the user's cache folder, until the file changes. The
    numbers are those that numpy would find: no fused or reordered arithmetic. Indices are *not* checked and
    whole numbers wrap, so a loop takes arrays of the house, never bytes of a foreign file. It may call other
    compiled loops of its own file, and uses no constant of another: their changes would not be seen.

    function: takes and returns arrays and numbers; each kind of argument (dtype, dimensions, contiguous or
        not, writeable or not) is compiled anew, which takes a second or more, so callers keep to one, and
        `rehearsal` has it compiled before someone waits
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self._function, self._quick = function, None
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the compiled loop."""
        found: R = self._loop()(*args, **kwargs)
        return found

    def kinds(self) -> list[Any]:
        """The kinds of arguments that it is compiled for in this process."""
        return [] if self._quick is None else list(self._quick.signatures)

    def _loop(self) -> Any:
        """The function as the compiler knows it; the compiler takes a third of a second to load."""
        if self._quick is None:
            with _ONE_AT_A_TIME:
                self._quick = self._quick or self._prepared()
        return self._quick

    def _prepared(self) -> Any:
        njit = _compiler()
        source: Any = self._function
        names = {name: source.__globals__.get(name) for name in source.__code__.co_names}
        others = {name: one for name, one in names.items() if isinstance(one, Compiled)}
        for name, one in others.items():
            if one.__module__ != source.__module__:
                raise TypeError(f"{source.__qualname__} calls {name}, a compiled loop of another file")
        known = source.__globals__ | {name: one._loop() for name, one in others.items()}
        alone = FunctionType(source.__code__, known, source.__name__, source.__defaults__)
        try:
            return njit(alone, cache=True, nogil=True)
        except RuntimeError:  # there is no folder to keep it in
            return njit(alone, nogil=True)


def compiled(function: Callable[P, R]) -> Compiled[P, R]:
    """Have a loop compiled at its first call, see `Compiled`."""
    return Compiled(function)


@cache
def _compiler() -> Any:
    """numba's compiler, loaded.

    What the program has loaded by then stays, so the collector of garbage need not look through it again: it
    would stop all threads for 0.1 seconds and more, several times while loops are compiled.
    """
    gc.freeze()
    from numba import njit

    gc.freeze()
    return njit
