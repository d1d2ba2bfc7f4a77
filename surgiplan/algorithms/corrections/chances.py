"""How likely another grade or size is, when the number it follows from errs."""

from collections.abc import Mapping, Sequence

from scipy.special import ndtr

_SAID_FROM = 0.005  # what is less likely is not told


def between(value: float, sd: float, limits: Sequence[float]) -> list[float]:
    """How likely a normal number lies below the first limit, between two of them, and above the last.

    value, sd: its expectation and standard deviation
    limits: n of them, rising
    Gives n + 1 shares; without an error the number lies where it is.
    """
    below = [float(value <= limit) if sd <= 0 else float(ndtr((limit - value) / sd)) for limit in limits]
    return [high - low for low, high in zip([0.0, *below], [*below, 1.0], strict=True)]


def nested(rooms: Mapping[str, float], errors: Mapping[str, float], least: float) -> dict[str, float]:
    """How likely each of some sizes is the largest that fits, where a larger one has less room.

    rooms: mm of room of each, from the smallest to the largest
    errors: standard deviation of each
    least: mm of room it must have
    Gives the share of each; "none" for that not even the smallest fits. All err alike: a larger one fits only
    where a smaller one does.
    """
    fits, most = [], 1.0
    for name, room in rooms.items():
        most = min(most, between(room, errors[name], [least])[1])
        fits.append(most)
    shares = [here - further for here, further in zip(fits, [*fits[1:], 0.0], strict=True)]
    return {"none": 1 - fits[0], **dict(zip(rooms, shares, strict=True))}


def told(shares: Mapping[str, float]) -> str:
    """Shares in words, the likeliest first, such as "cup-52 84 %, cup-54 16 %"."""
    ordered = sorted(shares.items(), key=lambda one: -one[1])
    return ", ".join(f"{name} {100 * share:.0f} %" for name, share in ordered if share >= _SAID_FROM)
