"""What was made once is kept within its bound."""

from surgiplan.scene.cache import Cache


def test_a_value_is_made_once() -> None:
    cache: Cache[bytes] = Cache(100)
    first = cache.get("a", lambda: bytes(10), len)
    assert cache.get("a", lambda: bytes(20), len) is first


def test_the_longest_unused_is_forgotten_and_the_newest_kept_whatever_its_size() -> None:
    cache: Cache[bytes] = Cache(100)
    made: list[str] = []

    def ask(key: str, size: int) -> None:
        def make() -> bytes:
            made.append(key)
            return bytes(size)

        cache.get(key, make, len)

    for key in ("a", "b"):
        ask(key, 45)
    ask("a", 45)
    ask("c", 45)
    ask("a", 45)
    assert made == ["a", "b", "c"]
    ask("b", 45)
    assert made[-1] == "b"
    ask("huge", 1000)
    ask("huge", 1000)
    assert made[-1] == "huge"
    ask("a", 45)
    assert made[-1] == "a"
    assert "a" in cache
    assert "never" not in cache
