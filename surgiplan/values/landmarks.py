"""Named places on a body."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ..errors import NeedsHand
from .arrays import FloatArray, Vec3, vec3
from .frames import Pose

Side = Literal["", "left", "right"]


class Places(Mapping[str, Vec3]):
    """Places by name, in the order in which they were put down; never changed once made.

    given: name -> LPS mm
    Raises ValueError when a place is not three finite numbers, or a name has a blank or is empty.
    """

    __slots__ = ("_by_name",)

    def __init__(self, given: Mapping[str, ArrayLike] | None = None) -> None:
        self._by_name = {str(name): vec3(place) for name, place in (given or {}).items()}
        for name in self._by_name:
            if not name or any(letter in name for letter in " ;,="):
                raise ValueError(f"the name of a landmark is one word, not {name!r}")

    def __getitem__(self, name: str) -> Vec3:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __hash__(self) -> int:
        return hash(frozenset(self._by_name.items()))

    def __repr__(self) -> str:
        return f"Places({self._by_name!r})"

    def put(self, name: str, place: ArrayLike) -> "Places":
        """These places with one of them put down, or put elsewhere."""
        return Places({**self._by_name, name: place})

    def without(self, name: str) -> "Places":
        """These places without one of them."""
        return Places({one: place for one, place in self._by_name.items() if one != name})


@dataclass(frozen=True)
class Landmarks:
    """Places on a body that have a name each.

    places: name -> LPS mm
    template: the list the names are from, such as "femur"; "" for names of one's own
    side: the side of the body they lie on, "" where both or neither
    frame_uid: frame of reference of the places
    errors_mm: how far each coordinate is typically off (standard deviation), one for each place in order,
        None where it is not known; empty when none is known
    """

    places: Places
    template: str = ""
    side: Side = ""
    frame_uid: str = ""
    errors_mm: tuple[float | None, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", Places(self.places))
        errors = tuple(self.errors_mm)
        if errors and len(errors) != len(self.places):
            raise ValueError(f"{len(self.places)} landmarks need as many errors, not {len(errors)}")
        if any(error is not None and not 0 <= error < np.inf for error in errors):
            raise ValueError("the error of a landmark is 0 mm or more")
        object.__setattr__(self, "errors_mm", errors)

    def at(self, *names: str) -> FloatArray:
        """(n, 3) LPS mm, the places of these names; NeedsHand, naming those that nobody has placed."""
        missing = [name for name in names if name not in self.places]
        if missing:
            many = "landmarks {} are" if len(missing) > 1 else "landmark {} is"
            placed = ", ".join(self.places) or "none"
            raise NeedsHand(f"the {many.format(', '.join(missing))} not placed yet (placed: {placed})")
        return np.array([self.places[name] for name in names], np.float64).reshape(-1, 3)

    def error_of(self, name: str) -> float | None:
        """How far each coordinate of one landmark is typically off, mm; None when it is not known."""
        return dict(zip(self.places, self.errors_mm, strict=False)).get(name)

    def moved(self, pose: Pose) -> "Landmarks":
        """These landmarks carried along by a rigid motion."""
        return replace(self, places=Places({name: pose.apply(place) for name, place in self.places.items()}))
