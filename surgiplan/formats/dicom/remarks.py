"""What the planner should know of a series before using it, from its headers alone."""

from collections.abc import Sequence

from ...values import Grid
from .geometry import Layout
from .headers import Slice
from .plausible import side_doubts


def remarks(slices: Sequence[Slice], layout: Layout, whole_series: bool) -> list[str]:
    """The warnings of a volume.

    slices: along k
    layout: how they are read
    whole_series: whether these are all images of their series
    """
    one = slices[0].header
    told = [*_on_geometry(slices, layout), *_on_values(slices), *_on_side(slices, layout)]
    if not one.frame_uid:
        told.append("no Frame of Reference UID: it shares its space with no other series")
    if whole_series:
        told += _on_number(slices)
    return told


def in_hounsfield(slices: Sequence[Slice]) -> bool:
    """Whether the values are stated to be Hounsfield units."""
    return slices[0].header.modality == "CT" and all(picture.hounsfield for picture in slices)


def _on_geometry(slices: Sequence[Slice], layout: Layout) -> list[str]:
    told = list[str]()
    if layout.tilt_degrees:
        told.append(
            f"the gantry was tilted by {layout.tilt_degrees:.1f} degrees:"
            " the pictures are moved within their planes to put the scan upright"
        )
    if layout.spacing.unevenness:
        told.append(
            f"the slices are unevenly spaced, {layout.spacing.unevenness}:"
            f" resampled to one every {layout.spacing.step:.3f} mm, linear between slices"
        )
    if len(slices) == 1:
        told.append(f"a single slice: its thickness of {slices[0].thickness:g} mm stands for the spacing")
    return told


def _on_number(slices: Sequence[Slice]) -> list[str]:
    """Whether slices may lack where positions cannot show it: at an end, or every other one."""
    expected = slices[0].header.expected
    if expected > len(slices):
        return [f"the scanner made {expected} images and {len(slices)} are here: an end may be missing"]
    numbers = {picture.header.instance for picture in slices if picture.header.frames == 1}
    known = sorted(number for number in numbers if number is not None)
    if len(known) == len(slices) and (lacking := known[-1] - known[0] + 1 - len(known)):
        return [
            f"its images are numbered {known[0]} to {known[-1]} and {lacking} of these are not here:"
            " slices may be missing where positions do not show it"
        ]
    return []


def _on_side(slices: Sequence[Slice], layout: Layout) -> list[str]:
    stated = {picture.header.identity.laterality for picture in slices} - {""}
    if len(stated) > 1:
        return [f"its images state different sides ({', '.join(sorted(stated))}): make sure of the side"]
    where = Grid(layout.shape_kji, layout.kji_to_lps).corners_lps
    return list(side_doubts("".join(stated), where))


def _on_values(slices: Sequence[Slice]) -> list[str]:
    one, told = slices[0].header, list[str]()
    if one.photometric == "MONOCHROME1":
        told.append("stored for inverted display (MONOCHROME1); the values are kept as they are measured")
    if any(picture.slope == 0 for picture in slices):
        told.append("a rescale slope of 0 is taken as 1")
    if one.modality == "CT" and not in_hounsfield(slices):
        told.append("its values are not stated to be Hounsfield units: choose thresholds by eye")
    if any(picture.header.lossy for picture in slices):
        told.append("compressed with loss: fine detail may be changed")
    if any(picture.header.burned_in for picture in slices):
        told.append("text is burned into the pixels")
    return told
