import pytest

from surgiplan.errors import BadInput
from surgiplan.ops.source import Source
from surgiplan.plan.work import Work
from surgiplan.values import Part, Value, Volume, digest, encode
from tests.ops.shapes import ball, ball_scan, no_mask


def holding(value: Value) -> Work:
    return Work(blob={"d": encode(value)}.__getitem__)


@pytest.mark.parametrize(("kind", "value"), [("volume", ball_scan()), ("part", ball())])
def test_what_was_stored_comes_back(kind: str, value: Value) -> None:
    source = Source(digest="d", kind=kind)  # type: ignore[arg-type]
    assert digest(source.run(holding(value))) == digest(value)


def test_its_kind_says_what_it_gives() -> None:
    assert Source(digest="d").outputs() == {"": Volume}
    assert Source(digest="d", kind="part").outputs() == {"": Part}


@pytest.mark.parametrize(
    ("kind", "value"), [("part", ball_scan()), ("volume", ball()), ("volume", no_mask())]
)
def test_data_of_another_kind_is_refused(kind: str, value: Value) -> None:
    with pytest.raises(BadInput, match=f"not a {kind}: give this step the kind of its data"):
        Source(digest="d", kind=kind).run(holding(value))  # type: ignore[arg-type]


def test_damaged_data_is_refused() -> None:
    whole = encode(ball())
    for damaged in (b"", b"junk", whole[:-1], whole.replace(b"Mesh", b"Mush")):
        with pytest.raises(BadInput, match=r"cannot be read .*: import it again"):
            Source(digest="d", kind="part").run(Work(blob={"d": damaged}.__getitem__))
