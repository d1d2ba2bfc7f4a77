"""Functional groups: where a multi-frame object keeps what a single-frame file keeps in its root."""

from pydicom.dataset import Dataset

from .elements import Elements, items

MACROS = (
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "PixelMeasuresSequence",
    "PixelValueTransformationSequence",
    "FrameContentSequence",
    "MREchoSequence",
    "MRDiffusionSequence",
    "CTReconstructionSequence",
    "CardiacSynchronizationSequence",
    "CTImageFrameTypeSequence",
    "MRImageFrameTypeSequence",
)


def frame_groups(dataset: Elements, frames: int) -> list[Dataset] | None:
    """For each frame one flat data set with its position, orientation, spacing, rescale and marks.

    frames: number of frames the object says it has
    Gives None when the object has no functional groups for exactly so many frames.
    """
    each = items(dataset, "PerFrameFunctionalGroupsSequence")
    if not each or len(each) != frames:
        return None
    shared = (items(dataset, "SharedFunctionalGroupsSequence") or [Dataset()])[0]
    common = _flat(shared)
    return [_joined(common, _flat(own)) for own in each]


def _flat(group: Dataset) -> Dataset:
    flat = Dataset()
    for macro in MACROS:
        for item in items(group, macro)[:1]:
            flat.update(item)
    for item in items(flat, "DiffusionGradientDirectionSequence")[:1]:
        flat.update(item)
    return flat


def _joined(common: Dataset, own: Dataset) -> Dataset:
    joined = Dataset()
    joined.update(common)
    joined.update(own)
    return joined
