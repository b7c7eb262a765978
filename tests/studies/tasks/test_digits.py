"""Digits: files of the idx format that the test writes, and scikit-learn's in parts."""

from __future__ import annotations

import gzip
import sys

import numpy as np
import pytest
from idx_files import write_idx, write_mnist

from coordconv_rl.errors import InputError
from coordconv_rl.studies.tasks.digits import MNIST_FILES, bundled_digits, read_idx, read_mnist


@pytest.fixture
def mnist(tmp_path):
    write_mnist(tmp_path)
    return tmp_path


def test_idx_files_are_read_as_they_are_or_packed(tmp_path):
    values = np.arange(24).reshape(2, 3, 4)
    path = tmp_path / "some"
    write_idx(path, values)
    assert (read_idx(path) == values).all()
    (tmp_path / "some.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert (read_idx(path) == values).all()


@pytest.mark.parametrize("damage", ["missing", "empty", "short", "kind", "packed", "stream"])
def test_a_damaged_idx_file_is_refused_in_one_line(tmp_path, damage):
    path = tmp_path / "some"
    write_idx(path, np.zeros((2, 3)))
    whole = path.read_bytes()
    path.unlink()
    if damage == "packed":
        (tmp_path / "some.gz").write_bytes(b"not gzip")
    elif damage == "stream":
        packed = gzip.compress(whole)
        (tmp_path / "some.gz").write_bytes(packed[:10] + b"\xff" * (len(packed) - 10))
    elif damage != "missing":
        texts = {"empty": b"", "short": whole[:-1], "kind": b"\0\0\x0d\1" + whole[4:]}
        path.write_bytes(texts[damage])
    with pytest.raises(
        InputError, match=r"some cannot be read .*train-images-idx3-ubyte"
    ) as caught:
        read_idx(path)
    assert "\n" not in str(caught.value)


def test_mnist_is_split_into_three_parts_that_share_no_digit(mnist):
    digits = read_mnist(mnist)
    greys = [sorted({round(255 * float(v)) for v in part.unique()}) for part in digits]
    assert greys == [list(range(10)), [10, 11], [100, 101, 102]]
    assert digits.test.shape == (3, 28, 28)


def test_images_and_labels_must_be_as_many(mnist):
    write_idx(mnist / MNIST_FILES[1], np.zeros(5))
    with pytest.raises(InputError, match="but 5 labels"):
        read_mnist(mnist)


def test_a_folder_without_mnist_is_refused(tmp_path):
    with pytest.raises(InputError, match="train-images-idx3-ubyte cannot be read"):
        read_mnist(tmp_path)


def test_bundled_digits_are_split_by_image():
    pytest.importorskip("sklearn")
    one, again, other = (bundled_digits(seed) for seed in (0, 0, 1))
    assert [len(part) for part in one] == [1079, 359, 359]
    assert float(one.train.max()) == 1
    assert one.test.equal(again.test)
    assert not one.test.equal(other.test)
    train = {part.numpy().tobytes() for part in one.train}
    assert not train & {part.numpy().tobytes() for part in (*one.test, *one.validation)}


def test_without_scikit_learn_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(InputError, match=r"pip install .*--mnist FOLDER"):
        bundled_digits(0)
