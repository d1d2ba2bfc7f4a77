"""The operation `source`."""

from collections.abc import Mapping
from typing import Literal

from ..errors import BadInput
from ..plan.operation import Operation, operation
from ..plan.work import Work
from ..values import Mask, Part, Volume, decode

_TYPES: Mapping[str, type[Volume | Mask | Part]] = {"volume": Volume, "part": Part, "mask": Mask}


@operation("source", group="Images")
class Source(Operation[Volume | Mask | Part]):
    """A scan, a mask or a shape that was imported; made by an import, not by hand.

    digest: the content of the stored data, by its hash
    kind: whether it is a scan, a mask or a shape
    """

    digest: str
    kind: Literal["volume", "part", "mask"] = "volume"

    def outputs(self) -> Mapping[str, type]:
        """A scan, a mask or a shape, as its kind says."""
        return {"": _TYPES[self.kind]}

    def run(self, work: Work) -> Volume | Mask | Part:
        """Read the stored data; BadInput when it is damaged, or of the other kind."""
        try:
            value = decode(work.blob(self.digest))
        except ValueError as problem:
            raise BadInput(f"The stored data cannot be read ({problem}): import it again.") from problem
        if not isinstance(value, self.outputs()[""]):
            raise BadInput(f"The stored data is not a {self.kind}: give this step the kind of its data.")
        assert isinstance(value, Volume | Mask | Part)
        return value
