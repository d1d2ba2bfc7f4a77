"""What a result is called, and whether a hand may change it."""

import re
from dataclasses import dataclass

_COLOUR = re.compile("#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Label:
    """How the result of a step is told and guarded; it changes no result.

    title: what it is, in words of the planner
    colour: "#rrggbb"; empty for the usual one
    code: what it is, in a standard terminology, as "scheme:value", such as "SCT:71341001"
    locked: whether a hand is kept from changing it
    """

    title: str = ""
    colour: str = ""
    code: str = ""
    locked: bool = False

    def __post_init__(self) -> None:
        if self.colour and not _COLOUR.fullmatch(self.colour):
            raise ValueError(f"a colour is written #rrggbb, not {self.colour!r}")
        if not all(isinstance(text, str) for text in (self.title, self.colour, self.code)):
            raise ValueError("title, colour and code of a label are texts")


NO_LABEL = Label()
