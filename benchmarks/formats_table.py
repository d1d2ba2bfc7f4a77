"""What the doors for volumes and meshes make of every file of a folder, as the table of docs/formats.md.

python -m benchmarks.formats_table [PATH] [--write]: PATH holds folders of archives and files, by default the
developers' data beside the checkout. Prints the table; --write puts it into docs/formats.md.
"""

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from surgiplan.acts import intake
from surgiplan.errors import BadInput
from surgiplan.values import Mask, Part, Volume

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "formats.md"
DATA = ROOT.parent / "shared" / "data"
FOLDERS = ("mesh_", "step_", "vol_", "ct_totalseg")
BEGIN, END = "<!-- made by: python -m benchmarks.formats_table --write -->", "<!-- end -->"
HEAD = "| file | what it is | size, mm | verdict | reason, or what is told |\n|---|---|---|---|---|\n"
_DATA_FILE = ("quarter.",)


def files(data: Path, room: Path) -> Iterator[tuple[str, Path]]:
    """Name and place of each file, those of archives unpacked into a room."""
    for path in sorted(data.glob("*/*")):
        if not path.parent.name.startswith(FOLDERS):
            continue
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                archive.extractall(room / path.stem)
            inside = sorted(p for p in (room / path.stem).rglob("*") if p.is_file())
            yield from ((f"{path.parent.name}/{p.relative_to(room / path.stem)}", p) for p in inside)
        elif path.suffix == ".gz":
            yield f"{path.parent.name}/{path.name}", path


def cells(path: Path) -> str:
    """The cells of one file."""
    kind = intake.kind_of(path)
    if kind == "dicom":
        return f"{path.suffix or 'no suffix'} | | refused | no suffix of a volume or mesh"
    try:
        if kind == "mesh":
            loaded = intake.load(path)
        elif "seg" in path.name:
            found = intake.load_segments(path)
            return f"{len(found)} masks | {_size(found[0].value)} | read | {'; '.join(found[0].warnings)}"
        else:
            loaded = intake.load(path, modality="CT")
    except BadInput as problem:
        said = str(problem).removeprefix(f"{path.name}: ").replace("|", "/")
        return f"{path.suffix} | | {'asks' if '--unit' in said else 'refused'} | {said}"
    return f"{_what(loaded.value)} | {_size(loaded.value)} | read | {'; '.join(loaded.warnings)}"


def _what(value: Volume | Mask | Part) -> str:
    if isinstance(value, Part):
        return f"{len(value.mesh.triangles)} triangles, {'closed' if value.mesh.watertight else 'open'}"
    return " x ".join(map(str, value.grid.shape_kji)) + " voxels"


def _size(value: Volume | Mask | Part) -> str:
    box = value.mesh.bounds if isinstance(value, Part) else value.grid.corners_lps
    return " x ".join(f"{length:.4g}" for length in np.ptp(box, axis=0))


def table(data: Path) -> str:
    """The table in Markdown."""
    with TemporaryDirectory() as room:
        found = [
            f"| {name} | {cells(path)} |\n"
            for name, path in files(data, Path(room))
            if not path.name.startswith(_DATA_FILE) or path.suffix == ".nhdr"
        ]
    return HEAD + "".join(found)


def shown() -> str:
    """The table as it stands in the page."""
    return _parts()[1]


def _parts() -> tuple[str, str, str]:
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN + "\n")
    made, after = rest.split(END)
    return before, made, after


def main() -> None:
    places = [word for word in sys.argv[1:] if word != "--write"]
    made = table(Path(places[0]) if places else DATA)
    print(made, end="")
    if "--write" in sys.argv:
        before, _, after = _parts()
        PAGE.write_text(before + BEGIN + "\n" + made + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
