"""A table on a page of docs/ that a command makes, so that a test can tell when it is out of date."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_DATA = _ROOT.parent / "shared" / "data"
_END = "<!-- end -->"


@dataclass(frozen=True)
class Page:
    """Where a made table stands.

    name: of the page in docs/
    module: the one of benchmarks/ that makes the table
    """

    name: str
    module: str

    def shown(self) -> str:
        """The table as it stands in the page."""
        return self._parts()[1]

    def main(self, table: Callable[[Path], str]) -> None:
        """Print the table of the folder named on the command line; with --write put it into the page."""
        places = [word for word in sys.argv[1:] if word != "--write"]
        made = table(Path(places[0]) if places else _DATA)
        print(made, end="")
        if "--write" in sys.argv:
            before, _, after = self._parts()
            self._file.write_text(before + self._begin + made + _END + after, encoding="utf-8")

    @property
    def _file(self) -> Path:
        return _ROOT / "docs" / self.name

    @property
    def _begin(self) -> str:
        return f"<!-- made by: python -m benchmarks.{self.module} --write -->\n"

    def _parts(self) -> tuple[str, str, str]:
        before, rest = self._file.read_text(encoding="utf-8").split(self._begin)
        made, after = rest.split(_END)
        return before, made, after
