"""What the importer makes of every DICOM series of a folder of archives, as the table of docs/import.md.

python -m benchmarks.import_table [PATH] [--write]: PATH holds folders of archives and DICOM files, by
default the developers' data beside the checkout. Prints the table; --write puts it into docs/import.md.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from benchmarks.page import Page
from surgiplan.formats import dicom
from surgiplan.formats.dicom.series import Series

PAGE = Page("import.md", "import_table")
HEAD = "| file | series | slices x rows x columns | spacing, mm | verdict | reason, or what is told |\n"


def rows(data: Path) -> Iterator[tuple[str, str]]:
    """File and further cells of each of its series; equal neighbours once, with their number."""
    for path in sorted(data.glob("*/*")):
        if path.suffix not in (".zip", ".dcm") or path.parent.name.startswith(("mesh_", "step_", "vol_")):
            continue
        name = f"{path.parent.name}/{path.stem}"
        for cells, same in groupby(_cells(one) for one in dicom.scan(path).series):
            count = len(list(same))
            yield name, cells.replace("|", f" ({count} alike) |", 1) if count > 1 else cells


def _cells(one: Series) -> str:
    size = " x ".join(map(str, one.shape_kji)) if one.shape_kji[1] else ""
    spacing = " x ".join(f"{step:.4g}" for step in one.spacing_kji) if one.usable else ""
    verdict = "read" if one.usable else "refused"
    if one.choices:
        verdict = f"refused, unless `{' '.join(one.choices)}` is accepted"
    told = "; ".join(filter(None, (one.reason, *one.warnings))).replace("|", "/")
    title = f"{one.modality} {one.description}".strip()
    return " | ".join((title, size, spacing, verdict, told))


def table(data: Path) -> str:
    """The table in Markdown."""
    lines, last = [HEAD, "|---|---|---|---|---|---|\n"], ""
    for name, cells in rows(data):
        lines.append(f"| {'' if name == last else name} | {cells} |\n")
        last = name
    return "".join(lines)


if __name__ == "__main__":
    PAGE.main(table)
