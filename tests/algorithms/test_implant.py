import json
import math

import numpy as np
import pytest

from surgiplan.algorithms.clearance import collide
from surgiplan.algorithms.distance import SignedDistance
from surgiplan.algorithms.implant import catalogue, implant_mesh, read_implant
from surgiplan.algorithms.solid import require_solid
from surgiplan.errors import BadInput
from surgiplan.shipped import resource_folder
from surgiplan.values import Part, Pose

from .bodies import box, rod

IMPLANTS = tuple(catalogue().values())
SCREWS = [one for one in IMPLANTS if one.kind == "screw"]
PLATES = [one for one in IMPLANTS if one.kind == "plate"]


def entry(name: str, **changes):
    """A catalogue entry with changed dimensions; None takes one out."""
    read = json.loads(resource_folder("implants").joinpath(f"{name}.json").read_text(encoding="utf-8"))
    for key, value in changes.items():
        if value is None:
            del read["dimensions_mm"][key]
        else:
            read["dimensions_mm"][key] = value
    return json.dumps(read)


# --- the catalogue


def test_what_there_is_to_choose_from():
    assert len(SCREWS) >= 3
    assert len(PLATES) >= 1
    assert [key for key, one in catalogue().items() if key != one.id] == []
    assert len({one.digest for one in IMPLANTS}) == len(IMPLANTS)
    assert any(one.dimensions["thread_length"] < one.dimensions["length"] for one in SCREWS)


def test_a_file_is_named_by_its_id_and_says_where_its_dimensions_come_from():
    for file in resource_folder("implants").iterdir():
        read = json.loads(file.read_text(encoding="utf-8"))
        assert file.name == f"{read['id']}.json"
        assert "not" in read["source"]


def test_the_digest_follows_the_content():
    same, other = entry("cortical-3.5x40"), entry("cortical-3.5x40", length=41, thread_length=41)
    assert read_implant(same, "x").digest == catalogue()["cortical-3.5x40"].digest
    assert read_implant(other, "x").digest != catalogue()["cortical-3.5x40"].digest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "must hold exactly"),
        ('{"id": "x"}', "must hold exactly"),
        (entry("cortical-3.5x40").replace('"screw"', '"nail"'), "unknown kind"),
        (entry("cortical-3.5x40").replace('"cortical-3.5x40"', '" "'), "empty entry"),
        (entry("cortical-3.5x40", diameter=None), r"missing \['diameter'\]"),
        (entry("cortical-3.5x40", colour=3), r"unknown \['colour'\]"),
        (entry("cortical-3.5x40", diameter="3.5"), "diameter in bad.json"),
        (entry("cortical-3.5x40", length=-40), "length in bad.json"),
        (entry("cortical-3.5x40", length=math.nan), "length in bad.json"),
        (entry("cortical-3.5x40", length=True), "length in bad.json"),
        (entry("cortical-3.5x40", core_diameter=3.6), "core"),
        (entry("cancellous-6.5x80", shaft_diameter=7), "shaft"),
        (entry("cortical-3.5x40", thread_length=50), "thread is longer"),
        (entry("cortical-3.5x40", tip_length=40), "tip"),
        (entry("cortical-3.5x40", head_diameter=3.0), "head is not wider"),
        (entry("cortical-3.5x40", hexagon_depth=2.7), "hexagon is as deep"),
        (entry("cortical-3.5x40", hexagon_width=5.9), "hexagon is wider"),
        (entry("cortical-3.5x40", underside_radius=2.0), "underside is rounder"),
        (entry("cortical-3.5x40", head_height=2.0), "underside is higher"),
        (entry("plate-4.5x8", width=200), "wider than long"),
        (entry("plate-4.5x8", hole_spacing=17), "evenly"),
        (entry("plate-4.5x8", hole_diameter=12, countersink_diameter=13), "no material"),
        (entry("plate-4.5x8", countersink_depth=None), "needs width and depth"),
        (entry("plate-4.5x8", countersink_diameter=4), "not wider than the hole"),
        (entry("plate-4.5x8", countersink_depth=3.6), "through the plate"),
    ],
)
def test_a_damaged_entry_is_refused_with_the_reason(text, words):
    with pytest.raises(BadInput, match=words) as refused:
        read_implant(text, "bad.json")
    assert "bad.json" in str(refused.value)


# --- shapes


@pytest.mark.parametrize("implant", IMPLANTS, ids=lambda one: one.id)
def test_every_implant_is_a_solid_and_always_the_same(implant):
    mesh = implant_mesh(implant)
    require_solid(mesh, implant.name)
    assert mesh.digest == implant_mesh(implant).digest
    corners = mesh.points[mesh.triangles].astype(float)
    assert np.linalg.norm(np.roll(corners, 1, axis=1) - corners, axis=2).min() > 1e-5


@pytest.mark.parametrize("screw", SCREWS, ids=lambda one: one.id)
def test_a_screw_lies_along_z_from_its_head_seat(screw):
    d, mesh = screw.dimensions, implant_mesh(screw)
    low, high = mesh.bounds
    assert high[2] == pytest.approx(d["length"], abs=1e-5)
    assert low[2] == pytest.approx(-d["head_height"], abs=1e-5)
    assert high[0] == pytest.approx(d["head_diameter"] / 2, abs=0.002)
    assert mesh.euler_number == 2
    outside_head = mesh.points[mesh.points[:, 2] > 1e-6]
    reach = np.hypot(outside_head[:, 0], outside_head[:, 1])
    assert d["diameter"] / 2 <= reach.max() + 1e-6 <= d["diameter"] / 2 + 0.002


@pytest.mark.parametrize("screw", SCREWS, ids=lambda one: one.id)
def test_the_envelope_of_the_thread_holds_the_true_radius(screw):
    """At the middle of the thread the surface is never inside the true cylinder, and hardly outside."""
    d, surface = screw.dimensions, SignedDistance(implant_mesh(screw))
    z = d["length"] - d["tip_length"] - (d["thread_length"] - d["tip_length"]) / 2
    angle = np.linspace(0, 2 * math.pi, 1000)
    radius = d["diameter"] / 2
    ring = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full(1000, z)], axis=1)
    depth = -surface.at(ring)
    assert depth.min() > -1e-6
    assert depth.max() < 0.002


def test_a_partly_threaded_screw_has_a_thin_shaft():
    screw = catalogue()["cancellous-6.5x80"]
    signed = SignedDistance(implant_mesh(screw)).at([[2.2, 0, 20], [2.3, 0, 20], [3.2, 0, 60], [3.3, 0, 60]])
    assert (signed < 0).tolist() == [True, False, True, False]


def test_the_hexagon_is_open_towards_the_driver():
    d = catalogue()["cortical-4.5x44"].dimensions
    surface = SignedDistance(implant_mesh(catalogue()["cortical-4.5x44"]))
    bottom = -d["head_height"] + d["hexagon_depth"]
    assert surface.at([[0, 0, bottom - 0.1]])[0] == pytest.approx(0.1, abs=1e-5)
    assert surface.at([[0, 0, bottom + 0.1]])[0] == pytest.approx(-0.1, abs=1e-5)


@pytest.mark.parametrize("plate", PLATES, ids=lambda one: one.id)
def test_a_plate_lies_on_its_bone_side(plate):
    d, mesh = plate.dimensions, implant_mesh(plate)
    half = np.array([d["length"], d["width"]]) / 2
    assert np.allclose(mesh.bounds, [[*-half, 0], [*half, d["thickness"]]], atol=1e-5)
    holes = round((d["length"] - 2 * d["end_to_hole"]) / d["hole_spacing"]) + 1
    assert mesh.euler_number == 2 - 2 * holes


def test_a_hole_lets_its_full_diameter_pass():
    plate = catalogue()["plate-4.5x8"]
    d = plate.dimensions
    first = d["length"] / 2 - d["end_to_hole"]
    peg = Part(rod(d["hole_diameter"] / 2 - 0.05, 30, 64), Pose.of_shift((first, 0, 0)))
    found = collide(peg, Part(implant_mesh(plate)))
    assert found.depth_mm == 0
    assert found.clearance_mm == pytest.approx(0.05, abs=0.005)


def test_the_eight_holes_are_where_they_should_be():
    plate = catalogue()["plate-4.5x8"]
    surface = SignedDistance(implant_mesh(plate))
    x = np.arange(-7, 8) * 8.0
    signed = surface.at(np.stack([x, np.zeros(15), np.full(15, 0.9)], axis=1))
    assert (signed > 0).tolist() == [True, False] * 7 + [True]


def test_a_screw_in_a_flat_bone_is_as_deep_as_it_was_put():
    """A 3.5 mm screw whose thread reaches 0.4 mm beyond a plane."""
    bone = Part(box((1.75 - 0.4, -30, 5), (30, 30, 60)))
    found = collide(Part(implant_mesh(catalogue()["cortical-3.5x40"])), bone)
    assert found.depth_mm == pytest.approx(0.4, abs=0.01)
