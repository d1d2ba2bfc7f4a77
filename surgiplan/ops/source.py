"""The operation `source`."""

from collections.abc import Mapping
from typing import Literal

from ..errors import BadInput
from ..plan.operation import Operation, operation
from ..plan.work import Work
from ..values import Part, Volume, decode


@operation("source", group="Images")
class Source(Operation[Volume | Part]):
    """A scan or a shape that was imported; made by an import, not by hand.

    digest: the content of the stored data, by its hash
    kind: whether it is a scan or a shape
    """

    digest: str
    kind: Literal["volume", "part"] = "volume"

    def outputs(self) -> Mapping[str, type]:
        """A scan or a shape, as its kind says."""
        return {"": Volume if self.kind == "volume" else Part}

    def run(self, work: Work) -> Volume | Part:
        """Read the stored data; BadInput when it is damaged, or of the other kind."""
        try:
            value = decode(work.blob(self.digest))
        except ValueError as problem:
            raise BadInput(f"The stored data cannot be read ({problem}): import it again.") from problem
        if not isinstance(value, self.outputs()[""]):
            raise BadInput(f"The stored data is not a {self.kind}: give this step the kind of its data.")
        assert isinstance(value, Volume | Part)
        return value
