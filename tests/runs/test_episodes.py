from __future__ import annotations

import pytest

from coordconv_rl.errors import InputError
from coordconv_rl.runs import EpisodeLog, read_episodes, read_kept, sum_of


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "episodes.csv"
    log = EpisodeLog(path)
    log.add(100, 1.5, 400, True)
    log.add(120, -3.0, 800, True)
    log.close()
    assert read_episodes(path).tolist() == [(100, 1.5, 400, 1), (120, -3.0, 800, 1)]
    assert log.sum == sum_of(path.read_bytes(), 2)
    assert (log.recent_score, log.recent_frames) == (-0.75, 600)


def test_going_on_cuts_what_came_after_the_checkpoint(tmp_path):
    path = tmp_path / "episodes.csv"
    log = EpisodeLog(path)
    log.add(100, 1.0, 400, True)
    kept = log.sum
    log.add(120, 2.0, 400, True)
    log.close()
    again = EpisodeLog(path, read_kept(path, kept.bytes, kept.sha256))
    assert again.sum == kept
    assert path.stat().st_size == kept.bytes
    again.add(130, 5.0, 400, True)
    again.close()
    assert read_episodes(path)["score"].tolist() == [1.0, 5.0]


def test_what_a_checkpoint_goes_on_from_must_be_what_it_was(tmp_path):
    path = tmp_path / "episodes.csv"
    log = EpisodeLog(path)
    log.add(100, 1.0, 400, True)
    log.close()
    kept, data = log.sum, path.read_bytes()
    path.write_bytes(data.replace(b"100,1,", b"100,7,"))
    with pytest.raises(InputError, match=f"was changed in its first {kept.bytes} bytes"):
        read_kept(path, kept.bytes, kept.sha256)
    path.write_bytes(data[:-3])
    with pytest.raises(InputError, match=f"holds {kept.bytes - 3} bytes, but the checkpoint"):
        read_kept(path, kept.bytes, kept.sha256)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -1e300])
def test_a_score_that_no_reader_would_believe_is_not_written(tmp_path, score):
    log = EpisodeLog(tmp_path / "episodes.csv")
    log.add(100, 1.0, 400, True)
    with pytest.raises(InputError, match=r"a game ended with the score .* look at the rewards"):
        log.add(120, score, 400, True)
    log.close()
    assert read_episodes(tmp_path / "episodes.csv")["score"].tolist() == [1.0]
    assert log.recent_score == 1.0


def test_a_link_is_neither_cut_nor_written(tmp_path):
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / "episodes.csv").symlink_to(other)
    with pytest.raises(InputError, match="link"):
        read_kept(tmp_path / "episodes.csv", 4)
    log = EpisodeLog(tmp_path / "episodes.csv")  # takes the link's place
    log.add(1, 1.0, 4, True)
    log.close()
    assert other.read_text() == "mine"


@pytest.mark.parametrize("row", ["-1,1,400,1", "1,1e999,400,1", "1,1e300,400,1", "1,1,-4,1",
                                 f"{10**30},1,400,1", "1,nan,400,1", "1,1,400,x"])  # fmt: skip
def test_rows_out_of_bounds_are_damage(tmp_path, row):
    path = tmp_path / "episodes.csv"
    path.write_text(f"step,score,frames,life_loss\n{row}\n")
    with pytest.raises(InputError, match=r"episodes\.csv is damaged"):
        read_episodes(path)


def test_what_is_written_anew_leaves_no_packed_file_of_before(tmp_path):
    packed = tmp_path / "episodes.csv.bz2"
    packed.write_bytes(b"of an export")
    EpisodeLog(tmp_path / "episodes.csv").close()
    assert not packed.exists()
