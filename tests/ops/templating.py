"""Landmarks and shapes for the operations that solve corrections, from phantoms of known measures."""

import numpy as np

from surgiplan.ops.align_leg import AlignLeg
from surgiplan.phantoms import Femur, Fibula, Hip, Mandible, Tibia, Vertebra, mesh_of
from surgiplan.plan.operation import Ref
from surgiplan.values import FloatArray, Landmarks, Part, Places, Vec3, vec3

MANDIBLE = Mandible()
JAW = tuple(vec3(MANDIBLE.pose.apply(at)) for at in ((-22, 18, 0), (-14, -17, 0), (14, -17, 0), (22, 15, 0)))
TONGUE, CHIN = (vec3(MANDIBLE.pose.apply(at)) for at in ((0, 0, 2), (0, -22, 0)))
TIBIA, FIBULA, VERTEBRA, HIP, FEMUR = Tibia(), Fibula(), Vertebra(), Hip(), Femur()


def osteotomy_places(bone: Tibia = TIBIA) -> dict[str, Vec3]:
    """Landmarks of the template tibial_osteotomy."""
    names = ("head_centre", "medial_plateau_edge", "lateral_plateau_edge", "ankle_centre")
    return {name: bone.landmarks[name] for name in names} | {"hinge": bone.hinge, "cortex": bone.cortex}


def bone_cut_places(femur: Femur = FEMUR) -> dict[str, Vec3]:
    """Landmarks of the template bone_cut on a femur."""
    marks = femur.landmarks
    return {
        "axis_proximal": marks["shaft_proximal"],
        "axis_distal": marks["shaft_distal"],
        "joint_medial": marks["medial_condyle_posterior"],
        "joint_lateral": marks["lateral_condyle_posterior"],
        "level": vec3(np.mean([marks["shaft_proximal"], marks["shaft_distal"]], axis=0)),
    }


def jaw_places(pieces: int = 2) -> dict[str, Vec3]:
    """Landmarks of the template jaw_defect."""
    return {f"jaw_{n}": place for n, place in enumerate(JAW[: pieces + 1], 1)} | {"tongue": TONGUE}


def socket_wall(hip: Hip = HIP, count: int = 6) -> FloatArray:
    """Places spread over the wall of a socket."""
    turn = np.arange(count) * 2.4
    height = np.linspace(0.15, 0.95, count)
    across = np.cross(hip.axis, (0.2, 0.9, 0.3))
    across /= np.linalg.norm(across)
    aside = np.cross(hip.axis, across)
    flat = np.sqrt(1 - height**2)[:, None]
    ways = -height[:, None] * hip.axis + flat * (
        np.cos(turn)[:, None] * across + np.sin(turn)[:, None] * aside
    )
    places: FloatArray = np.asarray(hip.centre) + hip.rim_radius_mm * ways
    return places


def hip_places(hip: Hip = HIP, femur: Femur = FEMUR) -> dict[str, Vec3]:
    """Landmarks of the template hip_replacement."""
    low, high = femur.canal_ends
    names = ("right_asis", "left_asis", "right_pubic_tubercle", "left_pubic_tubercle")
    wall = {f"socket_{n}": vec3(place) for n, place in enumerate(socket_wall(hip), 1)}
    marks = {name: hip.landmarks[name] for name in names} | {"head_centre": femur.head_centre_lps}
    return marks | wall | {"canal_proximal": high, "canal_distal": low}


def canal_of(femur: Femur = FEMUR, spacing_mm: float = 2.0) -> Part:
    """The marrow canal as a closed shape."""
    return Part(mesh_of(femur.canal, femur.canal.box, spacing_mm), frame_uid=femur.frame_uid)


def screw_places(
    bone: Vertebra = VERTEBRA, side: str = "R", off: tuple[float, float] = (0.0, 0.0)
) -> dict[str, Vec3]:
    """Landmarks of the template pedicle, for a screw parallel to the axis of a pedicle."""
    entry, target = bone.way(side, off)
    middle = vec3(bone.axis(side)[0])
    return {"entry": entry, "isthmus": middle, "target": target, "spinal_canal": bone.canal_centre}


def marked(places: dict[str, Vec3], template: str, frame_uid: str, side: str = "right") -> Landmarks:
    """Those places as the value that the operation `landmarks` gives."""
    return Landmarks(Places(places), template, side, frame_uid)  # type: ignore[arg-type]


def osteotomy() -> tuple[AlignLeg, Landmarks]:
    """The operation on the default leg."""
    return AlignLeg(landmarks=Ref("m")), marked(osteotomy_places(), "tibial_osteotomy", TIBIA.frame_uid)
