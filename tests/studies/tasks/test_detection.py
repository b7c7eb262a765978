"""The study of detection: its parts share no digit, and it is judged by each digit's best box."""

from __future__ import annotations

import pytest
import torch
from idx_files import write_mnist

from coordconv_rl.errors import InputError
from coordconv_rl.studies import StudyOptions
from coordconv_rl.studies.tasks import detection, proposals
from coordconv_rl.studies.tasks.boxes import encode_boxes

TRUTH = torch.tensor(
    [
        [[32.0, 32.0, 20.0, 20.0], [0.0, 0.0, 0.0, 0.0]],
        [[20.0, 20.0, 16.0, 24.0], [44.0, 40.0, 24.0, 16.0]],
    ]
)


@pytest.fixture
def tiny(monkeypatch):
    size = detection.DetectionSize(6, 4, 3, epochs=1, batch=2)
    monkeypatch.setattr(detection, "SMALL", size)


def knowing(truth):
    """Outputs whose best-scored anchors are the true boxes, and no others are near."""
    outputs = torch.zeros(len(truth), 1521, 6)
    outputs[..., 5] = 20.0
    anchors = proposals.make_anchors()
    for image, box in (truth[..., 2] > 0).nonzero().tolist():
        index = (anchors[:, :2] - truth[image, box, :2]).abs().sum(1).argmin()
        outputs[image, index, :4] = encode_boxes(anchors[index], truth[image, box])
        outputs[image, index, 4:] = torch.tensor([20.0, 0.0])
    return outputs


def test_a_network_that_knows_scores_1_for_each_digit():
    assert detection.judge(knowing(TRUTH), TRUTH).tolist() == pytest.approx([1, 1, 1])
    found = detection.measures(knowing(TRUTH), TRUTH)
    assert found["digits found (IoU 0.5)"] == 1
    assert 0 < found["IoU of all proposals"] < 1


def test_a_digit_that_is_missed_counts():
    seen = TRUTH.clone()
    seen[1, 1] = 0.0
    outputs = knowing(seen)
    outputs[..., :4] += (outputs[..., 4:5] == 0) * torch.tensor([-50.0, 0, 0, 0])  # out of sight
    judged = detection.judge(outputs, TRUTH)
    assert judged.tolist() == pytest.approx([1, 1, 0], abs=1e-5)
    assert detection.measures(outputs, TRUTH)["digits found (IoU 0.5)"] == pytest.approx(2 / 3)


def test_bundled_digits_or_mnist_by_the_options(tmp_path):
    pytest.importorskip("sklearn")
    assert detection.choose(StudyOptions()) == ("digits",)
    assert detection.choose(StudyOptions(full=True)) == ("digits-full",)
    write_mnist(tmp_path)
    assert detection.choose(StudyOptions(mnist=tmp_path)) == ("mnist",)
    with pytest.raises(InputError, match="cannot be read"):
        detection.choose(StudyOptions(mnist=tmp_path / "nowhere"))
    with pytest.raises(InputError, match="holds out no positions"):
        detection.choose(StudyOptions(split="uniform"))


def test_parts_are_made_of_different_digits(tiny, tmp_path):
    write_mnist(tmp_path)  # each digit of one grey: 0 to 9, 10 and 11, 100 to 102 of 255
    parts = detection.data("mnist", 0, tmp_path)
    assert [len(inputs) for inputs, _ in parts] == [6, 4, 3]
    brightest = [round(255 * float(inputs.max())) for inputs, _ in parts]
    assert brightest[0] <= 20  # two of at most 9, where they overlap
    assert 10 <= brightest[1] <= 22
    assert brightest[2] >= 100
    with pytest.raises(InputError, match="--mnist FOLDER again"):
        detection.data("mnist", 0, None)


def test_the_papers_size():
    (setting, *_) = detection.settings("coordconv", "digits-full", True)
    size = detection.size_of("digits-full")
    assert (size.train + size.validation, size.test) == (9000, 1000)
    assert setting.batch == 1


def test_models_choose_from_the_same_settings():
    ours = detection.settings("coordconv", "digits", False)
    assert len(ours) > 1
    for model in ("convolution", "shuffled"):
        assert detection.settings(model, "digits", False) == ours


def test_the_pictures_get_canvases_digits_and_proposals():
    canvases = torch.rand(2, 1, 64, 64)
    kept = detection.samples(torch.nn.Identity(), canvases, knowing(TRUTH), TRUTH)
    shapes = {name: tuple(tensor.shape) for name, tensor in kept.items()}
    assert shapes == {
        "canvases": (2, 64, 64),
        "truth": (2, 2, 4),
        "proposals": (2, 10, 4),
        "chances": (2, 10),
    }
