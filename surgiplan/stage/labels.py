"""Where labels stand beside their places without covering each other."""

from collections.abc import Sequence

Pair = tuple[float, float]


def spread(anchors: Sequence[Pair], sizes: Sequence[Pair], width: float, gap: float) -> list[Pair]:
    """Left edge and middle height of each label, pixels, x right and y down.

    A label stands to the right of its place, to the left where there is no room, and below it in a view
    narrower than itself. Of two that would cover each other the lower one gives way downwards.

    anchors: the places; sizes: width and height of the labels
    width: of the view
    gap: pixels between a place and its label
    """
    stand = [_beside(anchor, size, width, gap) for anchor, size in zip(anchors, sizes, strict=True)]
    order = sorted(range(len(stand)), key=lambda n: (stand[n][1], stand[n][0]))
    done: list[int] = []
    for n in order:
        left, middle = stand[n]
        for m in done:  # from top to bottom, so one pass is enough
            apart = (sizes[n][1] + sizes[m][1]) / 2
            aside = left >= stand[m][0] + sizes[m][0] or stand[m][0] >= left + sizes[n][0]
            if not aside and abs(middle - stand[m][1]) < apart:
                middle = stand[m][1] + apart
        stand[n] = (left, middle)
        done = sorted([*done, n], key=lambda m: stand[m][1])
    return stand


def _beside(anchor: Pair, size: Pair, width: float, gap: float) -> Pair:
    x, y = anchor
    if x + gap + size[0] <= width:
        return x + gap, y
    if x - gap - size[0] >= 0:
        return x - gap - size[0], y
    return max(width - size[0], 0.0), y + gap + size[1] / 2
