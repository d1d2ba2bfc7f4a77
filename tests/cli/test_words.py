import pytest

from surgiplan.cli import words
from surgiplan.errors import Usage
from surgiplan.ops import OPERATIONS
from surgiplan.ops.cut import Cut
from surgiplan.ops.measure import Measure
from surgiplan.ops.move import Move
from surgiplan.ops.paint import Paint
from surgiplan.plan.operation import Ref
from surgiplan.values import Bits, Plane, Pose


def test_fields_are_pairs_of_name_and_value() -> None:
    assert words.split_fields(["--kerf-side", "a", "--kerf=1.2", "--plane", "-1,0,0;0,0,1"]) == {
        "kerf_side": "a",
        "kerf": "1.2",
        "plane": "-1,0,0;0,0,1",
    }
    with pytest.raises(Usage, match="'b' is not expected here"):
        words.split_fields(["b"])
    with pytest.raises(Usage, match="--kerf needs a value"):
        words.split_fields(["--kerf"])
    with pytest.raises(Usage, match="--part needs a value"):
        words.split_fields(["--part", "--kerf", "1"])
    with pytest.raises(Usage, match="--kerf-side is given twice"):
        words.split_fields(["--kerf_side", "a", "--kerf-side=b"])


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3;0,0,2",
        "1 2 3; 0 0 2",
        "1, 2, 3, 0, 0, 2",
        "[[1,2,3],[0,0,2]]",
        "[1,2,3,0,0,2]",
        '{"point": [1,2,3], "normal": [0,0,1]}',
    ],
)
def test_a_plane_is_a_point_and_a_normal(text: str) -> None:
    made = words.made(OPERATIONS["cut"], {"part": "bone", "plane": text, "kerf": "0.8"})
    assert made == Cut(part=Ref("bone"), plane=Plane((1, 2, 3), (0, 0, 1)), kerf=0.8)


def test_a_pose_is_a_shift_after_a_turn() -> None:
    made = words.made(OPERATIONS["move"], {"part": "b", "pose": "1,2,3"})
    assert made == Move(part=Ref("b"), pose=Pose.of_shift((1, 2, 3)))
    made = words.made(OPERATIONS["move"], {"part": "b", "pose": "1,2,3;0,0,1;90;10,0,0"})
    expected = Pose.of_shift((1, 2, 3)).after(Pose.of_rotation((0, 0, 1), 90, (10, 0, 0)))
    assert made.pose.array == pytest.approx(expected.array)  # type: ignore[attr-defined]
    numbers = "1,0,0,4,0,1,0,5,0,0,1,6,0,0,0,1"
    made = words.made(OPERATIONS["move"], {"part": "b", "pose": numbers})
    assert made.pose == Pose.of_shift((4, 5, 6))  # type: ignore[attr-defined]


def test_points_references_and_empty_values() -> None:
    made = words.made(
        OPERATIONS["measure"], {"kind": "distance", "points": "0,0,0; 3,4,0", "landmark_sd": "none"}
    )
    assert made == Measure(kind="distance", points=((0, 0, 0), (3, 4, 0)))
    bits = Bits.of([[1, 2, 3], [4, 5, 6]])
    for text in ("[[1,2,3],[4,5,6]]", "1,2,3;4,5,6", bits.to_text()):
        paint = words.made(OPERATIONS["paint"], {"mask": "m", "added": text})
        assert paint == Paint(mask=Ref("m"), added=bits)


@pytest.mark.parametrize(
    ("operation", "fields", "message"),
    [
        ("cut", {"part": "b", "plane": "1,2"}, "plane"),
        ("cut", {"part": "b", "plane": "a,b,c;0,0,1"}, "plane: 'a,b,c;0,0,1' cannot be read"),
        ("cut", {"part": "b", "plane": "0,0,0;0,0,0"}, "normal of a plane must not be zero"),
        ("cut", {"part": "b", "blade": "3"}, "cut has no field 'blade'"),
        ("cut", {"part": "b", "plane": "0,0,1"}, "3 numbers, not 0"),
        ("cut", {"part": "b", "plane": "0,0,5;0,0,1;0,0,1"}, "3 groups of numbers, 2 would be right"),
        ("cut", {"part": "b", "kerf": "thick"}, "cut.kerf: a number is needed, not 'thick'"),
        ("cut", {"part": "b", "kerf": "true"}, "cut.kerf: a number is needed, not True"),
        ("cut", {"part": "b", "kerf": "-1"}, "^cut: kerf must lie between 0 and 1000 mm"),
        ("cut", {"part": "b", "kerf_side": "c"}, "^cut: kerf_side must be one of a, b, both, not 'c'"),
        ("surface", {"volume": "v", "mask": "m", "level": "grey"}, "level"),
        ("grow", {"volume": "v", "seed": "1,2"}, "seed: '1,2' cannot be read .*3 numbers, not 2"),
        ("paint", {"mask": "m", "added": "7"}, "added"),
        ("paint", {"mask": "m", "added": "1,2"}, "added"),
        ("move", {"part": "b", "pose": "0,0,0;0,0,1"}, "its groups have 3, 3 numbers"),
        ("move", {"part": "b", "pose": "0,0,0;0,0,1;90;0,0,0;7"}, "its groups have 3, 3, 1, 3, 1 numbers"),
        ("cut", {}, "the field part is missing"),
        ("move", {"part": "b", "pose": "[[1,0,0,0],[0,1,0,0],[0,0,-1,0],[0,0,0,1]]"}, "mirror"),
    ],
)
def test_what_does_not_fit_is_told(operation: str, fields: dict[str, str], message: str) -> None:
    with pytest.raises(Usage, match=message):
        words.made(OPERATIONS[operation], fields)


def test_a_change_is_checked_with_the_rest() -> None:
    old = Cut(part=Ref("b"), kerf=1)
    assert words.changed(old, {"kerf": "2"}) == {"kerf": 2.0}
    with pytest.raises(Usage):
        words.changed(old, {"kerf": "2000"})
