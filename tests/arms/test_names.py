"""Arms by name and from mappings, and back."""

from __future__ import annotations

import json

import pytest

from coordconv_rl.arms import ARMS, Arm, arm_value, get_arm, parse_arm
from coordconv_rl.errors import InputError


def test_built_in_arms_are_called_by_their_labels():
    assert [arm.label for arm in ARMS.values()] == list(ARMS) == [
        "cnn", "coordconv", "coordconv-r", "coordconv-all", "coordconv-actor", "shuffled",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "arm", "summary"),
    [
        ("coordconv", Arm("first"), "x and y in the first convolution"),
        (
            "coordconv-pool",
            Arm("first", head="pool"),
            "x and y in the first convolution, pool head",
        ),
        ("cnn-impala", Arm(backbone="impala"), "no coordinates, impala backbone"),
        (
            "shuffled-nature-spatial-softmax",
            Arm("first", shuffled=True, backbone="nature", head="spatial-softmax"),
            "control: x and y at permuted pixels, nature backbone, spatial-softmax head",
        ),
    ],
)
def test_names_may_go_on_with_backbone_and_head(name, arm, summary):
    assert get_arm(name) == parse_arm(name) == arm
    assert get_arm(name).label == name
    assert get_arm(name).summary == summary


@pytest.mark.parametrize(
    "value",
    [
        "cnn",
        "coordconv-all-impala-pool",
        {"coords": [0, 2], "radius": True, "backbone": "impala", "name": "two-layers"},
        {"coords": "all", "shuffled": True},
        {"extractor": "mine.networks:Net", "kwargs": {"width": 3, "sizes": [1, 2]}},
    ],
)
def test_values_go_through_json_and_back(value):
    arm = parse_arm(value)
    assert arm_value(arm) == value
    assert parse_arm(json.loads(json.dumps(arm_value(arm)))) == arm
    assert parse_arm(arm) is arm


def test_mappings_with_a_name_of_their_own():
    assert arm_value(parse_arm({})) == "cnn"
    assert arm_value(parse_arm({"coords": "first", "head": "pool"})) == "coordconv-pool"
    assert parse_arm({"coords": "first"}).summary == ARMS["coordconv"].summary
    assert arm_value(parse_arm({"name": "coordconv", "coords": "first"})) == "coordconv"
    assert parse_arm({"extractor": "a.b:Net"}).summary == "a.b:Net"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("cordconv", "unknown arm 'cordconv': did you mean coordconv"),
        ("coordconv-pol", "did you mean coordconv-pool"),
        ("zzz", "choose from cnn, coordconv, coordconv-actor"),
        (3, "an arm is 3: write a name"),
        (None, "an arm is None"),
        (["cnn"], "an arm is"),
        ({"coord": "first"}, "unknown key of an arm 'coord': did you mean coords"),
        ({"summary": "x"}, "unknown key of an arm"),
        ({1: 2}, "unknown key of an arm 1"),
        ({"coords": "first", "name": "cnn"}, "name is cnn, but that is another arm"),
        ({"coords": "all", "name": "cnn-pool"}, "name is cnn-pool, but that is another arm"),
    ],
)
def test_what_is_no_arm_is_refused_in_one_line(value, words):
    with pytest.raises(InputError, match=words) as caught:
        parse_arm(value)
    assert "\n" not in str(caught.value)
