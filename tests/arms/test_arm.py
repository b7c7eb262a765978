"""What an arm says: checked when it is made, equal by content, named for good."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from coordconv_rl.arms import CONVOLUTIONS, Arm, chosen_convolutions
from coordconv_rl.errors import InputError


@pytest.mark.parametrize(
    ("arm", "label"),
    [
        (Arm(), "cnn"),
        (Arm("first"), "coordconv"),
        (Arm("first", radius=True), "coordconv-r"),
        (Arm("all"), "coordconv-all"),
        (Arm("first", actor_only=True), "coordconv-actor"),
        (Arm("first", shuffled=True), "shuffled"),
        (Arm("first", head="pool"), "coordconv-pool"),
        (Arm("none", backbone="impala", head="pool"), "cnn-impala-pool"),
        (Arm("first", head="flatten"), "coordconv-flatten"),
        (Arm((2, 0)), "coordconv-0.2"),
        (Arm((0,)), "coordconv-0"),
        (Arm("all", True, True, True, "minatar"), "coordconv-all-r-actor-shuffled-minatar"),
        # sha256 of '["a.b:Mine", {}]' and of '["a.b:Mine", {"width": 3}]'
        (Arm(extractor="a.b:Mine"), "Mine-6c9da37d"),
        (Arm(extractor="a.b:Mine", kwargs={"width": 3}), "Mine-cfb9736f"),
        (Arm("first", name="mine"), "mine"),
    ],
)
def test_labels_never_change(arm, label):
    assert arm.label == label


def test_equal_by_content():
    assert Arm("first", name="a", summary="x") == Arm("first", name="b") != Arm("all", name="a")
    assert Arm((2, 0)) == Arm([0, 2]) == Arm((np.int64(0), np.int32(2)))
    assert Arm((np.int64(0),)).label == "coordconv-0"
    one = Arm(extractor="a:B", kwargs={"x": [1, {"z": 2, "y": 3}]})
    other = Arm(extractor="a:B", kwargs={"x": [1, {"y": 3, "z": 2}]})
    assert one == other
    assert one.label == other.label
    assert len({one, other, Arm(), Arm("none"), Arm("first"), pickle.loads(pickle.dumps(one))}) == 3


def test_keeps_its_own_copy_of_kwargs():
    kwargs = {"layers": [1]}
    arm = Arm(extractor="a:B", kwargs=kwargs)
    kwargs["layers"].append(2)
    assert arm.kwargs == {"layers": [1]}


def test_resolved_takes_what_the_arm_leaves_open():
    arm = Arm("first", head="pool")
    assert arm.resolved("impala", "flatten") == Arm("first", backbone="impala", head="pool")
    assert Arm("all").resolved("nature", "flatten").label == "coordconv-all-nature-flatten"
    own = Arm(extractor="a:B")
    assert own.resolved("nature", "flatten") is own
    with pytest.raises(InputError, match="nature's 3 convolutions: take some of 0 to 2"):
        Arm((3,)).resolved("nature", "flatten")


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ({"coords": "fist"}, "unknown coords 'fist': did you mean first"),
        ({"coords": (15,)}, "impala's 15 convolutions"),
        ({"coords": (3,), "backbone": "nature"}, "nature's 3 convolutions"),
        ({"coords": (1,), "backbone": "minatar"}, "minatar's 1 convolutions: take some of 0 to 0"),
        ({"coords": ()}, "not distinct indices"),
        ({"coords": (True,)}, "not distinct indices"),
        ({"coords": 1}, "not distinct indices"),
        ({"coords": None}, "not distinct indices"),
        ({"radius": True}, "radius but no coordinates"),
        ({"shuffled": True}, "shuffled but no coordinates"),
        ({"actor_only": True}, "actor_only but no coordinates"),
        ({"coords": "first", "radius": 1}, "radius is 1: it must be true or false"),
        ({"backbone": "resnet"}, "unknown backbone 'resnet'"),
        ({"head": "max"}, "unknown head 'max': choose from flatten, pool, spatial-softmax"),
        ({"kwargs": {"a": 1}}, "kwargs without extractor"),
        ({"extractor": "mine.Net"}, "write package.module:Class"),
        ({"extractor": "os; x:Net"}, "write package.module:Class"),
        ({"extractor": 3}, "write package.module:Class"),
        ({"extractor": "a:B", "coords": "first"}, "extractor of its own and coords"),
        ({"extractor": "a:B", "head": "pool"}, "extractor of its own and head"),
        ({"extractor": "a:B", "kwargs": {1: 2}}, "numbers, texts, lists or mappings"),
        ({"extractor": "a:B", "kwargs": {"x": {1}}}, "numbers, texts, lists or mappings"),
        ({"extractor": "a:B", "kwargs": [1]}, "numbers, texts, lists or mappings"),
        ({"name": "a/b"}, "use letters, digits"),
        ({"name": ".."}, "use letters, digits"),
        ({"name": 3}, "use letters, digits"),
    ],
)
def test_nonsense_is_refused_in_one_line(says, words):
    with pytest.raises(InputError, match=words) as caught:
        Arm(**says)
    assert "\n" not in str(caught.value)


def test_chosen_convolutions():
    for backbone, total in CONVOLUTIONS.items():
        assert chosen_convolutions("none", backbone) == frozenset()
        assert chosen_convolutions("first", backbone) == {0}
        assert chosen_convolutions("all", backbone) == set(range(total))
    assert chosen_convolutions([np.int64(2), 0], "nature") == {0, 2}
    for wrong in ([0.0], [np.float64(0)], ["0"], [-1], [0, np.int8(0)], [np.bool_(True)]):
        with pytest.raises(InputError, match="distinct indices"):
            chosen_convolutions(wrong, "nature")
