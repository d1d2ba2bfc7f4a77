"""Whether the images of one series are of one patient. No text made here holds a name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from .groups import series_key
from .headers import Identity, Slice


def mixed_series(slices: Iterable[Slice]) -> Mapping[tuple[str, str], str]:
    """The series (study and series UID) that hold several patients, and by what they differ."""
    together: dict[tuple[str, str], list[Slice]] = {}
    for picture in slices:
        together.setdefault(series_key(picture), []).append(picture)
    return {key: by for key, of_one in together.items() if (by := told_apart_by(of_one))}


def told_apart_by(slices: Sequence[Slice]) -> str:
    """By what the pictures are of several patients, such as "patient ID"; "" when they are of one."""
    people = _stated_in(slices)
    by = {
        "patient ID": {person.patient_id for person in people},
        "patient name": {_plain(person.patient_name) for person in people},
        "birth date": {person.birth_date for person in people},
    }
    return ", ".join(what for what, values in by.items() if len(values - {""}) > 1)


def whose(slices: Sequence[Slice]) -> Identity:
    """The identity that pictures of one patient state together: each part from the first that states it."""
    people = _stated_in(slices)
    return Identity(
        *(
            next(filter(None, (getattr(person, part.name) for person in people)), "")
            for part in fields(Identity)
        )
    )


def _stated_in(slices: Sequence[Slice]) -> list[Identity]:
    """The identities of pictures, each once; most pictures of a scan share the very object."""
    objects = {id(picture.header.identity): picture.header.identity for picture in slices}
    return list(dict.fromkeys(objects.values()))


def _plain(name: str) -> str:
    """A name without the differences that writing it makes."""
    return " ".join(name.replace("^", " ").replace("=", " ").split()).casefold()
