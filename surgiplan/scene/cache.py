"""What was made once and may be asked for again, within a bound."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


class Cache(Generic[V]):
    """Remembers values by key; forgets the longest unused first. Safe to use from several threads.

    limit_bytes: bound of all it holds (the newest value is always kept)
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit, self._held = limit_bytes, 0
        self._values: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._lock = Lock()

    def __contains__(self, key: Hashable) -> bool:
        """Whether a value is held."""
        with self._lock:
            return key in self._values

    def get(self, key: Hashable, make: Callable[[], V], size: Callable[[V], int]) -> V:
        """The value of a key, made now if it is not held; two threads may make the same one at once.

        key: content, never an object that would be kept alive by it
        size: bytes that a value holds
        """
        with self._lock:
            if (found := self._values.get(key)) is not None:
                self._values.move_to_end(key)
                return found[0]
        value = make()
        with self._lock:
            if key not in self._values:
                self._values[key] = (value, size(value))
                self._held += self._values[key][1]
            self._values.move_to_end(key)
            while self._held > self._limit and len(self._values) > 1:
                self._held -= self._values.popitem(last=False)[1][1]
            return self._values[key][0]
