"""The operation `mirror`."""

from collections.abc import Mapping
from typing import Annotated, Any

from ..algorithms.mirror import mirrored
from ..algorithms.registering.symmetry import plane_of_symmetry
from ..algorithms.space import require_one_frame
from ..errors import StepFailed
from ..plan.operation import Hand, Operation, Ref, operation
from ..plan.work import Work
from ..values import Part, Plane

_UNLIKE_MM = 1.5  # a body that differs more from its mirror image has no midline to trust unseen


@operation("mirror", version=2, group="Operate")
class Mirror(Operation[Part]):
    """Mirror a part at a plane, such as the healthy side at the midsagittal plane.

    part: the part to mirror
    plane: the plane of symmetry, laid by hand
    symmetric: a body with both sides, such as the whole skull; while no plane is laid by hand, its own
        plane of symmetry is taken, if it lies within 1.5 mm (RMS) of its mirror image there
    """

    part: Ref[Part]
    plane: Annotated[Plane | None, Hand("lay the plane through the midline")] = None
    symmetric: Ref[Part] | None = None

    @classmethod
    def upgrade(cls, version: int, parameters: dict[str, Any]) -> dict[str, Any]:
        """Version 1 had no body to find the plane from."""
        return parameters

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand while there is neither a plane nor a body to find it from."""
        if self.symmetric is None:
            super().require_placed(step)

    def suggest(self, work: Work, part: Part, symmetric: Part | None = None) -> Mapping[str, Any]:
        """The plane of symmetry, to be adjusted by hand."""
        found = plane_of_symmetry(part if symmetric is None else symmetric, report=work.report)
        return {"symmetry": {"plane": found.plane}}

    def run(self, work: Work, part: Part, symmetric: Part | None = None) -> Part:
        """A new shape of the other handedness, facing outwards."""
        plane = self.plane
        if plane is None:
            assert symmetric is not None
            require_one_frame(part, symmetric)
            plane = _trusted_plane(symmetric, work)
        return mirrored(part, plane)


def _trusted_plane(body: Part, work: Work) -> Plane:
    """Its plane of symmetry; StepFailed when it differs too much from its mirror image there."""
    found = plane_of_symmetry(body, report=work.report)
    if found.residual_mm > _UNLIKE_MM:
        raise StepFailed(
            f"The body that shall give the plane differs by {found.residual_mm:.1f} mm from its mirror "
            f"image, more than {_UNLIKE_MM:g} mm: choose one with both sides, or lay the plane by hand "
            "(the suggestion symmetry gives the one found, to be adjusted)."
        )
    return found.plane
