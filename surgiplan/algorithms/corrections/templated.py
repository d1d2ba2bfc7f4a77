"""A templated hip as a function of its landmarks: what its figures become when those lie elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...values import FloatArray, Vec3
from .axes import Side
from .hip import Leg, Pelvis, Socket, Stem, fitted_socket, leg_after, tried_stems
from .shaft import Shaft

NAMES = (
    "right_asis",
    "left_asis",
    "right_pubic_tubercle",
    "left_pubic_tubercle",
    "head_centre",
    "canal_proximal",
    "canal_distal",
)
ROOM = "room "  # the figure of a stem, before its name


@dataclass(frozen=True, eq=False)
class Anatomy:
    """What the landmarks of a hip say.

    pelvis: its frame
    head: (3,) centre of the head, LPS mm
    canal: (2, 3) its proximal and distal end, LPS mm
    socket: the sphere through its wall
    """

    pelvis: Pelvis
    head: FloatArray
    canal: FloatArray
    socket: Socket

    @classmethod
    def of(cls, places: FloatArray, side: Side) -> "Anatomy":
        """From places in the order of NAMES, then those on the wall of the socket; (n, 3) LPS mm.

        side: the operated one
        Raises StepFailed for what is no pelvis or no socket.
        """
        pelvis = Pelvis.of(places[0], places[1], places[2], places[3], side)
        return cls(pelvis, places[4], places[5:7], fitted_socket(list(places[7:])))


@dataclass(frozen=True, eq=False)
class Templated:
    """What stays as it was planned when landmarks turn out to lie elsewhere.

    side: the operated one
    canal: its outlines: they are the bone's, its ends only say how far it is looked at
    stems: those that are tried
    longer_mm: how much longer the leg shall become
    cup: centre of the cup, LPS mm
    head: (3,) centre of the new head on the femur as it was, LPS mm
    """

    side: Side
    canal: Shaft
    stems: Sequence[Stem]
    longer_mm: float
    cup: Vec3
    head: FloatArray

    def leg(self, anatomy: Anatomy) -> Leg:
        """What components that are put where the plan has them do to the leg."""
        return leg_after(anatomy.head, self.head, self.cup, anatomy.canal, anatomy.pelvis)

    def figures(self, places: FloatArray) -> dict[str, float]:
        """The figures in mm by name, for landmarks at these places (see `Anatomy.of`).

        The socket, and the room of each stem ("room " and its name), are found anew; what becomes of the leg
        is what the planned components lead to.
        """
        anatomy = Anatomy.of(places, self.side)
        leg = self.leg(anatomy)
        near, far = (anatomy.canal - self.canal.origin) @ self.canal.axis
        tried = tried_stems(
            self.stems,
            self.canal,
            anatomy.head,
            anatomy.socket.centre,
            anatomy.pelvis,
            longer_mm=self.longer_mm,
            ends_mm=(float(near), float(far)),
        )
        return {
            "socket": anatomy.socket.diameter_mm,
            "leg_length": leg.lengthening_mm,
            "femoral_offset": leg.femoral_offset_mm,
            "hip_offset": leg.hip_offset_mm,
            **{ROOM + one.stem.item: one.room_mm for one in tried},
        }
