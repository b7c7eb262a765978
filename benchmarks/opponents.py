"""What others would pick instead: ale_py's and EnvPool's environments, and CleanRL.

Their preprocessing is set as SB3's is (84 x 84, grey, four frames, maximum of two, 1 to 30 no-ops,
FIRE after a reset, life loss ends an episode, signs of rewards, no sticky actions). What cannot be
set differs: see `README.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from ale_py.vector_env import AtariVectorEnv
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn


class AleVecEnv(VecEnv):
    """ale_py's vector environment behind SB3's interface; no episode statistics are kept.

    Args:
        game: The game's name, as in "UpNDown".
        n_envs: Number of environments.
        threads: Threads that emulate.
    """

    def __init__(self, game: str, n_envs: int, threads: int) -> None:
        self._envs = AtariVectorEnv(
            gymnasium.spec(f"ALE/{game}-v5").kwargs["game"],
            n_envs,
            num_threads=threads,
            autoreset_mode=gymnasium.vector.AutoresetMode.SAME_STEP,  # as SB3's environments
            episodic_life=True,
        )
        spaces = self._envs.single_observation_space, self._envs.single_action_space
        super().__init__(n_envs, *spaces)

    def reset(self) -> NDArray[np.uint8]:
        """Start all games; images of shape (n_envs, 4, 84, 84)."""
        images, _ = self._envs.reset(seed=0)
        return images

    def step_async(self, actions: NDArray[Any]) -> None:
        """Send one action for each environment."""
        self._envs.send(actions.astype(np.int64, copy=False))

    def step_wait(self) -> VecEnvStepReturn:
        """Return images, rewards, dones and infos as SB3 expects them."""
        images, rewards, terminated, truncated, told = self._envs.recv()
        dones = terminated | truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in dones.nonzero()[0]:
            only_truncated = bool(truncated[i] and not terminated[i])
            infos[i] = {
                "terminal_observation": told["final_obs"][i],
                "TimeLimit.truncated": only_truncated,
            }
        return images, rewards.astype(np.float32), dones, infos

    def close(self) -> None:
        """Close the environments."""
        self._envs.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return the vector environment's attribute, once for each environment."""
        return [getattr(self._envs, attr_name, None)] * len(self._get_indices(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refuse: the emulators are out of reach."""
        raise AttributeError(f"ale_py's vector environment lets nobody set {attr_name}")

    def env_method(self, method_name: str, *_: Any, indices: Any = None, **__: Any) -> list[Any]:
        """Refuse: the emulators are out of reach."""
        raise AttributeError(f"ale_py's vector environment lets nobody call {method_name}")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Return False for each: nothing is wrapped."""
        return [False] * len(self._get_indices(indices))


class EnvPool:
    """EnvPool's environments, with as much of SB3's interface as playing needs.

    Args:
        game: The game's name, as in "UpNDown".
        n_envs: Number of environments.
        threads: Threads that emulate.
    """

    def __init__(self, game: str, n_envs: int, threads: int) -> None:
        import envpool

        self.num_envs = n_envs
        self._envs = envpool.make(
            f"{game}-v5",
            env_type="gymnasium",
            num_envs=n_envs,
            num_threads=threads,
            episodic_life=True,
            reward_clip=True,
            seed=0,
        )
        self.action_space = self._envs.action_space

    def reset(self) -> NDArray[np.uint8]:
        """Start all games; images of shape (n_envs, 4, 84, 84)."""
        return self._envs.reset()[0]

    def step(self, actions: Sequence[int]) -> Any:
        """Play one step in each environment."""
        return self._envs.step(actions)

    def close(self) -> None:
        """Close the environments."""
        self._envs.close()
