"""What the doors for volumes and meshes make of every file of a folder, as the table of docs/formats.md.

python -m benchmarks.formats_table [PATH] [--write]: PATH holds folders of archives and files, by default the
developers' data beside the checkout. Prints the table; --write puts it into docs/formats.md.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.page import Page
from surgiplan.acts import intake
from surgiplan.errors import BadInput
from surgiplan.values import Mask, Part, Volume

PAGE = Page("formats.md", "formats_table")
FOLDERS = ("mesh_", "step_", "vol_", "ct_totalseg")
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


if __name__ == "__main__":
    PAGE.main(table)
