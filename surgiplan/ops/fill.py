"""The operation `fill`."""

from typing import Literal

from ..algorithms.masks.filling import filled, filled_slices, wrapped
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask
from .quantities import Millimetres


@operation("fill", group="Segment")
class Fill(Operation[Mask]):
    """Fill the holes of a mask, or wrap it into a solid without holes and pores.

    mask: the voxels to fill
    kind: cavities (what is enclosed on all sides); axial, coronal, sagittal (what is enclosed within each
        such slice, as an open marrow canal is); wrap (pores and clefts are closed, then all is filled)
    pore: width of the widest pore that is closed, for wrap
    """

    mask: Ref[Mask]
    kind: Literal["cavities", "axial", "coronal", "sagittal", "wrap"] = "cavities"
    pore: Millimetres = 6.0

    def run(self, work: Work, mask: Mask) -> Mask:
        """The mask and what it encloses; nothing is taken away."""
        if self.kind == "cavities":
            return filled(mask, work.report)
        if self.kind == "wrap":
            return wrapped(mask, self.pore, work.report)
        return filled_slices(mask, self.kind, work.report)
