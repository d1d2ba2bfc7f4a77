"""The files of presets."""

import json

import pytest

from surgiplan.algorithms.presets import presets, read_presets
from surgiplan.errors import BadInput

GOOD = {"unit": "HU", "source": "a book", "ranges": [{"name": "bone", "low": 226, "high": 3071}]}


def test_the_presets_of_the_house_have_a_source_and_lie_in_order() -> None:
    found = presets()
    assert {"bone", "cortical", "spongy", "enamel", "metal", "skin", "fat", "muscle", "air", "vessel"} <= set(
        found
    )
    for preset in found.values():
        assert preset.low < preset.high
        assert len(preset.source) > 20
    tissues = [
        found[name] for name in ("air", "skin", "fat", "muscle", "spongy", "cortical", "enamel", "metal")
    ]
    assert tissues == sorted(tissues, key=lambda preset: preset.high)


@pytest.mark.parametrize(
    "change",
    [
        {"ranges": [{"name": "bone", "low": 226}]},
        {"ranges": [{"name": "bone", "low": "226", "high": 3071}]},
        {"ranges": [{"name": "bone", "low": True, "high": 3071}]},
        {"ranges": 3},
    ],
)
def test_a_damaged_file_is_refused(change) -> None:
    assert read_presets(json.dumps(GOOD), "x.json")["bone"].low == 226
    with pytest.raises(BadInput, match=r"x\.json needs unit, source and ranges"):
        read_presets(json.dumps(GOOD | change), "x.json")


def test_words_that_are_no_json_and_an_exchanged_range_are_refused() -> None:
    with pytest.raises(BadInput, match=r"x\.json"):
        read_presets("bone", "x.json")
    swapped = GOOD | {"ranges": [{"name": "bone", "low": 3071, "high": 226}]}
    with pytest.raises(BadInput, match="begins above its end"):
        read_presets(json.dumps(swapped), "x.json")
