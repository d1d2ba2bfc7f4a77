"""The operation `walls`."""

from ..algorithms.wall import blur_of, walls
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..progress import part_of
from ..values import Part, Volume, WallMap
from .quantities import Millimetres


@operation("walls", group="Check")
class Walls(Operation[WallMap]):
    """Measure how thick the wall of a bone is, and warn where it is thinner than the scan can show.

    bone: the closed surface of the bone
    volume: the scan it was made from, to estimate its blur; empty when the blur is given
    blur: standard deviation of the blur of the scan; empty to estimate it from the edge of the bone
    resting: an implant or a guide; warns where it rests on a wall that the scan cannot show
    contact: bone so near to that body counts as touched
    reach: walls thicker than this are not looked for
    """

    bone: Ref[Part]
    volume: Ref[Volume] | None = None
    blur: Millimetres | None = None
    resting: Ref[Part] | None = None
    contact: Millimetres = 0.5
    reach: Millimetres = 10.0

    def run(
        self, work: Work, bone: Part, volume: Volume | None = None, resting: Part | None = None
    ) -> WallMap:
        """Thickness at each point, the share that is too thin to be trusted, and where a body rests on it."""
        blur = self.blur
        if blur is None and volume is not None:
            blur = blur_of(volume, bone, part_of(work.report, 0.0, 0.1))
        told = part_of(work.report, 0.1, 1.0)
        return walls(bone, blur, resting, self.contact, self.reach, told)
