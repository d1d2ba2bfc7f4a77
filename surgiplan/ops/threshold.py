"""The operation `threshold`."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ..algorithms import segment
from ..algorithms.presets import presets
from ..errors import StepFailed
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask, Volume
from .quantities import HU, Points

Limits = Mapping[str, float]


@operation("threshold", version=2, group="Segment")
class Threshold(Operation[Mask]):
    """Keep the voxels whose intensity lies between two values.

    volume: the scan to look at
    low: the faintest intensity that is kept
    high: the brightest intensity that is kept
    line: two points, from beside the cortex into it or across it, LPS mm; the suggestion half-maximum-line
        reads the edge between them, the result does not depend on it
    """

    volume: Ref[Volume]
    low: HU = 226
    high: HU = 3071
    line: Points = ()

    def run(self, work: Work, volume: Volume) -> Mask:
        """The voxels between both values, those included."""
        return segment.threshold(volume, self.low, self.high, work.report)

    def suggest(self, work: Work, volume: Volume) -> Mapping[str, Limits]:
        """What the scan itself says (what it does not show is left out), then the presets of its unit.

        half-maximum: half-way between cortex and soft tissue, the unbiased place of a bone edge; with -line
        the same on the line alone. otsu parts two classes, multi-otsu three.
        """
        found = self._on_line(volume)
        ways: tuple[Callable[[], dict[str, Limits]], ...] = (
            lambda: {"half-maximum": {"low": round(segment.half_maximum(volume, work.report), 1)}},
            lambda: {"otsu": {"low": round(segment.otsu(volume), 1)}},
            lambda: _three_classes(volume),
        )
        for way in ways:
            with suppress(StepFailed):
                found |= way()
        for name, preset in presets().items():
            if preset.unit == volume.unit:
                found[name] = {"low": preset.low, "high": preset.high}
        return found

    def _on_line(self, volume: Volume) -> dict[str, Limits]:
        if not self.line:
            return {}
        if len(self.line) != 2:
            raise StepFailed(
                f"The line has {len(self.line)} points, not 2: one beside the cortex, one in or beyond it."
            )
        low = segment.half_maximum_across(volume, (self.line[0], self.line[1]))
        return {"half-maximum-line": {"low": round(low, 1)}}

    @classmethod
    def upgrade(cls, version: int, parameters: dict[str, Any]) -> dict[str, Any]:
        """Version 1 had no line."""
        return parameters


def _three_classes(volume: Volume) -> dict[str, Limits]:
    darker, brighter = (round(value, 1) for value in segment.multi_otsu(volume))
    return {
        "multi-otsu-middle": {"low": darker, "high": brighter},
        "multi-otsu-bright": {"low": brighter},
    }
