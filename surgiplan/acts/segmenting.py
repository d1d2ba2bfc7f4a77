"""A scan goes to an installed segmenter as a nameless copy; what it finds comes back as masks."""

from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, StepFailed, Usage
from ..formats.volumes import read_lattice, write_volume
from ..formats.volumes.lattice import SNAP_MM, Lattice, moved_to, on_grid
from ..progress import Report, part_of, silent
from ..values import Grid, Mask, Volume, given_away
from . import outside
from .intake import Loaded
from .segmenters import Order

ORIGIN = "segmenter"
NOT_STATED = "not stated"
_VERSION_SECONDS = 120.0
_MOST_LABELS = 1000


def version_of(order: Order, report: Report = silent) -> str:
    """What the program says of its version; "not stated" when it has no way to say it, or fails to.

    Raises StepFailed when the program is not there.
    """
    if not order.segmenter.version:
        return NOT_STATED
    with outside.private_folder() as folder:
        try:
            return (
                outside.run(order.segmenter.version, folder, _VERSION_SECONDS, report, order.segmenter.title)
                or NOT_STATED
            )
        except StepFailed as problem:
            if "cannot be started" in str(problem):
                raise
            return NOT_STATED


def segmented(
    volume: Volume,
    order: Order,
    keep: Collection[str] = (),
    *,
    scan: str = "",
    version: str = NOT_STATED,
    seconds: float | None = None,
    report: Report = silent,
) -> Iterator[Loaded]:
    """Run a segmenter on a copy of a scan; gives its labels, each a mask on the voxels of the scan.

    volume: the scan; the copy holds its voxels and their place in mm and nothing of the patient
    order: which segmenter, with its options
    keep: which labels, by name or "label_N"; all that it found when empty
    scan: what the copy was made from, to be kept beside the masks
    version: what the program said of it
    seconds: how long it may take; what its description allows when None
    report: told the progress; a stop ends the program at once
    The copy is gone before the first mask is given.
    Raises StepFailed when the program fails, BadInput when what it wrote is no label map of this scan,
    Usage when a wanted label is not in it.
    """
    title = order.segmenter.title
    limit = 60 * order.segmenter.minutes if seconds is None else seconds
    with outside.private_folder() as folder:
        report(0.0, "making a nameless copy of the scan")
        source = folder / order.segmenter.scan
        source.parent.mkdir(parents=True, exist_ok=True)
        write_volume(volume, source)
        outside.run(order.words(_places(order, folder)), folder, limit, part_of(report, 0.1, 0.9), title)
        report(0.9, "reading its labels")
        labels = _checked(read_lattice(_written(order, folder)), volume.grid, title)
    about: dict[str, Any] = {
        "origin": ORIGIN,
        "segmenter": title,
        "model": order.model,
        "version": version,
        "licence": order.segmenter.licence,
        "accepted_licences": list(order.separate_licences),
        "date": date.today().isoformat(),
        "options": order.told,
        "scan": scan,
    }
    return _masks(labels, volume.grid, order.names, keep, about, title)


def _places(order: Order, folder: Path) -> dict[str, str]:
    scan, labels = folder / order.segmenter.scan, folder / order.segmenter.labels
    parent = next(p for p in labels.parents if "*" not in p.name)
    parent.mkdir(parents=True, exist_ok=True)
    return {
        "scan": str(scan),
        "labels": str(labels),
        "scan_folder": str(scan.parent),
        "labels_folder": str(parent),
    }


def _written(order: Order, folder: Path) -> Path:
    """The label map, found in the folder and nowhere else."""
    title, pattern = order.segmenter.title, order.segmenter.labels
    found = [path for path in folder.glob(pattern) if path.is_file() or path.is_symlink()]
    if len(found) != 1:
        raise BadInput(
            f"{title} has written {len(found) or 'no'} label map{'s' if found else ''} where one was asked"
            f" for ({pattern}): what lies elsewhere is not taken"
        )
    if folder.resolve() not in found[0].resolve().parents:
        raise BadInput(f"{title} has put a link to another place where its label map should be")
    return found[0]


def _checked(lattice: Lattice, grid: Grid, title: str) -> tuple[Grid, NDArray[np.int64]]:
    """The labels as whole numbers and where they lie.

    Raises BadInput unless they fill the grid of the scan, and are whole numbers from nought on.
    """
    if lattice.voxels.ndim != 3:
        raise BadInput(f"{title} has written layers, not one label map")
    try:
        place, voxels = on_grid(lattice.kji_to_lps, lattice.voxels)
    except BadInput as problem:
        raise BadInput(f"the label map of {title} has no place that a scan can have: {problem}") from None
    apart = np.linalg.norm(grid.corners_lps[:, None] - place.corners_lps[None], axis=2).min(axis=1).max()
    if apart > SNAP_MM:
        raise BadInput(
            f"the label map of {title} does not fill the scan: a corner lies {apart:.2f} mm off."
            " It must be on the voxels of the scan it was given"
        )
    if not np.isfinite(voxels).all() or np.any(voxels % 1) or voxels.min() < 0:
        raise BadInput(f"{title} has written numbers that are no labels (whole, from 0 on)")
    return place, voxels.astype(np.int64)


def _masks(
    labels: tuple[Grid, NDArray[np.int64]],
    grid: Grid,
    names: dict[int, str],
    keep: Collection[str],
    about: dict[str, Any],
    title: str,
) -> Iterator[Loaded]:
    place, voxels = labels
    found = {int(n): names.get(int(n), f"label_{n}") for n in np.unique(voxels) if n}
    if not found or len(found) > _MOST_LABELS:
        raise BadInput(
            f"{title} has found {len(found) or 'nothing'}{' labels' if found else ' in this scan'}"
        )
    if missing := [name for name in keep if name not in found.values()]:
        raise Usage(f"{title} has found no {', '.join(missing)}; it has found: {', '.join(found.values())}")
    for n, name in found.items():
        if not keep or name in keep:
            mask = moved_to(Mask(place, given_away(voxels == n)), grid)
            yield Loaded(mask, about | {"label": n, "warnings": []}, {}, (), name)
