"""What a running operation may ask of the house."""

from collections.abc import Callable
from threading import Event

from ..errors import Cancelled


def _no_blobs(digest: str) -> bytes:
    raise KeyError(digest)


class Work:
    """Say how far the work is, hear a stop, read a stored blob.

    blob: gives the bytes of a blob of the case by its digest
    watch: is told the fraction done (0 to 1) and what is being done
    stop: once set, the next report raises Cancelled
    """

    def __init__(
        self,
        blob: Callable[[str], bytes] = _no_blobs,
        watch: Callable[[float, str], None] | None = None,
        stop: Event | None = None,
    ) -> None:
        self.blob = blob
        self.stop = stop or Event()
        self._watch = watch

    def hear(self) -> None:
        """Raise Cancelled when a stop was asked."""
        if self.stop.is_set():
            raise Cancelled("stopped on request")

    def report(self, fraction: float, text: str) -> None:
        """Tell how far the work is; raises Cancelled when a stop was asked."""
        self.hear()
        if self._watch is not None:
            self._watch(min(max(fraction, 0.0), 1.0), text)
