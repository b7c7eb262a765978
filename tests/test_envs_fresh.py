"""A restored beginning is a real one: in every byte, and in what follows."""

from __future__ import annotations

import ale_py
import numpy as np
import pytest

from coordconv_rl.envs import fresh
from coordconv_rl.envs.games import GAMES, ROM_IDS

pytestmark = pytest.mark.skipif(
    ale_py.__version__ != fresh.RELEASE, reason="other releases reset for real"
)


def emulator(game: str, seed: int) -> ale_py.ALEInterface:
    ale = ale_py.ALEInterface()
    ale.setInt("random_seed", seed)
    ale.setFloat("repeat_action_probability", 0.0)
    ale.loadROM(ale_py.roms.get_rom_path(ROM_IDS[game]))
    ale.reset_game()
    return ale


def state(ale: ale_py.ALEInterface) -> bytes:
    """Return the serialised state without the system's random generator, a text in its midst."""
    whole = bytes(ale.cloneState().serialize())
    start = whole.index(b"System") + 10  # its name, and the cycles
    length = int.from_bytes(whole[start : start + 4], "little")
    return whole[:start] + whole[start + 4 + length :]


def observed(ale: ale_py.ALEInterface) -> list[bytes]:
    numbers = (ale.lives(), ale.game_over(), ale.getFrameNumber(), ale.getEpisodeFrameNumber())
    return [ale.getRAM().tobytes(), ale.getScreen().tobytes(), repr(numbers).encode()]


@pytest.mark.parametrize("game", sorted(fresh.GAMES))
def test_a_restored_beginning_is_a_real_one(game: str) -> None:
    real, restored = emulator(game, 1), emulator(game, 2)
    rng = np.random.default_rng(3)
    actions = real.getMinimalActionSet()
    ahead = real.getFrameNumber()
    for _ in range(2):
        for ale in (real, restored):
            for _ in range(rng.integers(1, 150)):
                ale.act(rng.choice(actions))
        while real.getFrameNumber() != restored.getFrameNumber():  # equal counts, to compare states
            behind = min(real, restored, key=lambda ale: ale.getFrameNumber())
            if behind.game_over():
                behind.reset_game()
            behind.act(actions[0])
        real.reset_game()
        fresh.begin(restored, game)
        assert state(restored) == state(real)
        for action in rng.choice(actions, 30):
            assert restored.act(action) == real.act(action)
            assert observed(restored) == observed(real)
        assert state(restored) == state(real)
    assert real.getFrameNumber() > ahead


def test_other_games_reset_for_real() -> None:
    """Seaquest's beginning differs from reset to reset, so only a real one gives these bytes."""
    real, ours = emulator("Seaquest", 1), emulator("Seaquest", 1)
    for _ in range(3):
        real.reset_game()
        fresh.begin(ours, "Seaquest")
        assert ours.cloneState(include_rng=True).serialize() == (
            real.cloneState(include_rng=True).serialize()
        )


def test_the_list_has_games_only() -> None:
    assert set(fresh.GAMES) < set(GAMES)
