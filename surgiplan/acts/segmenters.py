"""Segmenters of others that may be installed: how each is called, told in small JSON files."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import PurePath
from string import Formatter
from typing import Any

from ..errors import BadInput, Usage

PLACES = ("scan", "labels", "scan_folder", "labels_folder")
ALWAYS = "always"
_VALUE = re.compile(r"[^\s-]\S{0,499}")
_FIELDS = {
    "title", "model", "command", "version", "scan", "labels", "options", "names", "licence",
    "separate_licences", "minutes",
}  # fmt: skip


@dataclass(frozen=True)
class Option:
    """What a person may choose.

    words: what is put on the command, with {value} for what was chosen
    choices: what may be chosen; empty for anything that is one word
    default: what holds when nothing is chosen; "" for nothing
    """

    words: tuple[str, ...]
    choices: tuple[str, ...]
    default: str


@dataclass(frozen=True)
class Segmenter:
    """A program that finds labels in a scan.

    name: how it is asked for
    title: what its makers call it
    model: the words that are kept beside its masks, with {option} for what was chosen
    command: the words of the command, with {scan}, {labels}, {scan_folder}, {labels_folder}, {option}
    version: the command that tells its version; empty when there is none
    scan: the file it reads, in a folder of its own
    labels: the file it writes there; may hold * and ** when its name is not known
    options: what may be chosen, by name
    names: of labels, by what they hold for ("always" or "option=value")
    licence: of program and model, in a sentence
    separate_licences: what must be accepted besides, by what it holds for
    minutes: how long it may take
    """

    name: str
    title: str
    model: str
    command: tuple[str, ...]
    version: tuple[str, ...]
    scan: str
    labels: str
    options: Mapping[str, Option]
    names: Mapping[str, Mapping[int, str]]
    licence: str
    separate_licences: Mapping[str, str]
    minutes: float


@dataclass(frozen=True)
class Order:
    """A segmenter with what was chosen.

    chosen: every option that has a value
    """

    segmenter: Segmenter
    chosen: Mapping[str, str]

    @property
    def model(self) -> str:
        """The words that are kept beside its masks."""
        return self.segmenter.model.format_map({name: _short(text) for name, text in self.chosen.items()})

    @property
    def told(self) -> dict[str, str]:
        """What was chosen, to be kept; a path by its last name alone, the rest of it may say whose it is."""
        return {name: _short(text) for name, text in self.chosen.items()}

    @property
    def separate_licences(self) -> tuple[str, ...]:
        """What must be accepted before it runs."""
        return tuple(t for when, t in self.segmenter.separate_licences.items() if self._holds(when))

    @property
    def names(self) -> dict[int, str]:
        """The names of its labels, as far as they are known."""
        return {
            n: name
            for when, held in self.segmenter.names.items()
            if self._holds(when)
            for n, name in held.items()
        }

    def words(self, places: Mapping[str, str]) -> list[str]:
        """The command, word by word; no shell ever reads it.

        places: what stands for scan, labels and their folders
        """
        known = {**self.chosen, **places}
        words = [word.format_map(known) for word in self.segmenter.command]
        for name, text in self.chosen.items():
            words += [word.format_map({"value": text}) for word in self.segmenter.options[name].words]
        return words

    def _holds(self, when: str) -> bool:
        name, _, text = when.partition("=")
        return when == ALWAYS or self.chosen.get(name) == text


def ordered(segmenter: Segmenter, chosen: Mapping[str, str]) -> Order:
    """The segmenter with these options and the defaults of the others.

    Raises Usage for an option or a value that it does not have, and for one that is missing.
    """
    for name, text in chosen.items():
        if name not in segmenter.options:
            there = ", ".join(segmenter.options) or "none"
            raise Usage(f"{segmenter.title} has no option {name!r} here; there are: {there}")
        choices = segmenter.options[name].choices
        if choices and text not in choices:
            raise Usage(f"{name} is {', '.join(choices)}, not {text!r}")
        if not _VALUE.fullmatch(text):
            raise Usage(f"{name}: {text!r} is not one word that begins without a dash")
    all_chosen = {
        name: chosen.get(name, option.default)
        for name, option in segmenter.options.items()
        if chosen.get(name, option.default)
    }
    for name, option in segmenter.options.items():
        needed = "{value}" in option.words and not option.choices
        if name not in all_chosen and (needed or name in _placeholders(segmenter.command)):
            raise Usage(f"{segmenter.title} needs --option {name}=VALUE")
    return Order(segmenter, all_chosen)


def catalogue(folders: Iterable[Traversable]) -> dict[str, Segmenter]:
    """All segmenters that are described, by name; a later folder goes before an earlier one.

    folders: with a file NAME.json for each; one that does not exist is passed over
    Raises BadInput that names a file which is no description.
    """
    found = dict[str, Segmenter]()
    for folder in folders:
        if folder.is_dir():
            for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
                if file.name.endswith(".json"):
                    name = file.name.removesuffix(".json")
                    found[name] = read_segmenter(name, file.read_text(encoding="utf-8"))
    return found


def read_segmenter(name: str, text: str) -> Segmenter:
    """Read one description.

    name: of its file, without the suffix
    text: JSON with the fields of `Segmenter` but the name
    Raises BadInput that says what is wrong.
    """
    try:
        content = json.loads(text)
        if not isinstance(content, dict) or set(content) != _FIELDS:
            raise ValueError(f"it must hold exactly {', '.join(sorted(_FIELDS))}")
        made = Segmenter(
            name=name,
            title=_text(content["title"]),
            model=_text(content["model"]),
            command=_texts(content["command"]),
            version=_texts(content["version"]),
            scan=_inside(content["scan"]),
            labels=_inside(content["labels"]),
            options={key: _option(given) for key, given in content["options"].items()},
            names={
                when: {int(n): _text(label) for n, label in held.items()}
                for when, held in content["names"].items()
            },
            licence=_text(content["licence"]),
            separate_licences={when: _text(t) for when, t in content["separate_licences"].items()},
            minutes=float(content["minutes"]),
        )
        _require_known_words(made)
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise BadInput(f"the segmenter {name}.json cannot be used: {problem}") from problem
    return made


def _option(given: Any) -> Option:
    if not set(given) <= {"words", "choices", "default"}:
        raise ValueError("an option holds words, choices and default")
    return Option(_texts(given["words"]), _texts(given.get("choices", [])), str(given.get("default", "")))


def _require_known_words(one: Segmenter) -> None:
    if not one.command or one.minutes <= 0:
        raise ValueError("it needs a command, and minutes above 0")
    unknown = _placeholders((*one.command, one.model)) - {*PLACES, *one.options}
    unknown |= {name for option in one.options.values() for name in _placeholders(option.words)} - {"value"}
    if unknown:
        raise ValueError(f"nothing is known of {', '.join(sorted(unknown))} in braces")
    if {*PLACES} & {*one.options}:
        raise ValueError(f"an option cannot be called {', '.join(PLACES)}")
    for when in (*one.names, *one.separate_licences):
        if when != ALWAYS and when.partition("=")[0] not in one.options:
            raise ValueError(f"{when!r} is neither {ALWAYS} nor option=value")


def _placeholders(words: Iterable[str]) -> set[str]:
    return {name for word in words for _, name, _, _ in Formatter().parse(word) if name is not None}


def _text(given: Any) -> str:
    if not isinstance(given, str) or not given.strip():
        raise ValueError(f"a text is needed, not {given!r}")
    return given


def _texts(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list):
        raise ValueError(f"a list of words is needed, not {given!r}")
    return tuple(map(_text, given))


def _inside(given: Any) -> str:
    """A path below the folder of a run."""
    path = PurePath(_text(given))
    if path.is_absolute() or ".." in path.parts or not given.endswith(".nii.gz"):
        raise ValueError(f"a .nii.gz file inside its folder is needed, not {given!r}")
    return str(given)


def _short(text: str) -> str:
    return PurePath(text).name or text
