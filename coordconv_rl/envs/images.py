"""Any Gymnasium environment with images, through Gymnasium's own wrappers."""

from __future__ import annotations

import functools
import importlib
import signal
from collections.abc import Callable
from typing import Any

import gymnasium as gym
from gymnasium import wrappers
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.preprocessing import is_image_space_channels_first
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv

from coordconv_rl.envs.image_game import ImageGame
from coordconv_rl.envs.image_wrappers import AnyEnv, ByteImages, ChannelsFirst, check_actions
from coordconv_rl.errors import InputError, as_integer
from coordconv_rl.signals import stop_signal_numbers


def maker(game: ImageGame, *, trust: bool = False) -> Callable[[], AnyEnv]:
    """Return a function that makes one environment; it can be sent to other processes.

    Args:
        game: What to make.
        trust: Whether the user named `game` himself, so that a module of his may be imported.

    Raises:
        InputError: It needs an import that nobody trusts, or the id does not exist.
    """
    if game.own_code and not trust:
        raise InputError(
            f"the game {game.label} is made by {game.make}, which is code to be imported: "
            "add --trust-code if you know where it comes from"
        )
    game.check()
    return functools.partial(_make, game)


def make_image_env(
    game: ImageGame,
    n_envs: int = 8,
    seed: int | None = 0,
    *,
    processes: bool = False,
    trust: bool = False,
) -> VecEnv:
    """Return SB3's vector environment of a game: channels-first uint8 images, Monitor's scores.

    Args:
        game: What to play.
        n_envs: Environments stepped together.
        seed: Environment i plays with seed + i from the first reset on.
        processes: Whether each environment has a process of its own (`SubprocVecEnv`).
        trust: As in `maker`.

    Returns:
        Environments of observations (channels, height, width), and the game's own actions.

    Raises:
        InputError: As `maker`; an argument makes no sense, the environment cannot be made, or has
            no images.
    """
    n_envs = as_integer("n_envs", n_envs)
    seed = seed if seed is None else as_integer("seed", seed)
    if seed is not None and seed < 0:
        raise InputError(f"seed is {seed}: use at least 0, or None for a random one")
    if n_envs < 1:
        raise InputError(f"n_envs is {n_envs}: use at least 1")
    makers = [maker(game, trust=trust)] * n_envs
    if processes and n_envs > 1:
        makers[0]().close()  # what is wrong with it is said here, not by a child that dies
        env: VecEnv = SubprocVecEnv([_deaf(make) for make in makers])
    else:
        env = DummyVecEnv(list(makers))
    env.seed(seed)
    return env


def _deaf(make: Callable[[], AnyEnv]) -> Callable[[], AnyEnv]:
    """Return what makes an environment in a process of its own, which leaves signals alone.

    A terminal's Ctrl-C reaches all processes; the training one saves, and needs the others for it.
    SB3's worker ends with its pipe.
    """

    def made() -> AnyEnv:
        for number in stop_signal_numbers():
            signal.signal(number, signal.SIG_IGN)
        return make()

    return made


def _make(game: ImageGame) -> AnyEnv:
    """Make an environment and wrap it."""
    try:
        env = _function(game.make)(**game.kwargs) if game.own_code else _registered(game)
    except InputError:
        raise
    except Exception as error:  # the environment's own, of whatever kind, about its arguments
        given, reason = dict(game.kwargs), f"{type(error).__name__}: {_line(error)}"
        raise InputError(f"{game.make} with {given} cannot be made: {reason}") from error
    if not isinstance(env, gym.Env):
        raise InputError(f"{game.make} returns {type(env).__name__}, wanted a gymnasium.Env")
    return _wrapped(env, game)


def _registered(game: ImageGame) -> AnyEnv:
    """Make an environment that Gymnasium knows, which can be watched if it offers that."""
    creator: Any = gym.spec(game.make).entry_point
    if not callable(creator):
        creator = gym.envs.registration.load_env_creator(str(creator))
    modes = getattr(creator, "metadata", {}).get("render_modes", ())
    watched = {"render_mode": "rgb_array"} if "rgb_array" in modes else {}
    return gym.make(game.make, disable_env_checker=True, **{**watched, **game.kwargs})


def _function(path: str) -> Callable[..., Any]:
    """Import the user's function."""
    module_name, _, name = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise InputError(
            f"{path} cannot be imported: {_line(error)}; install it, or put its folder into "
            "PYTHONPATH"
        ) from error
    except Exception as error:  # the module's own, of whatever kind
        reason = f"{type(error).__name__}: {_line(error)}"
        raise InputError(
            f"{path} cannot be imported: {reason}; try python -m {module_name}"
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        raise InputError(f"{path} cannot be called: {module_name} has no function {name}")
    made: Callable[..., Any] = function
    return made


def _wrapped(env: AnyEnv, game: ImageGame) -> AnyEnv:
    """Apply what the game names, in the order of `ImageGame`'s attributes."""
    check_actions(env, game.label)
    env = monitor = Monitor(wrappers.TimeLimit(env, game.max_steps))
    env = ByteImages(env, game.label)
    if game.skip > 1:
        env = wrappers.MaxAndSkipObservation(env, game.skip)
    if game.resize is not None:
        shape = (game.resize, game.resize, env.observation_space.shape[-1])  # type: ignore[index]
        # Gymnasium before 1.4 hands out what OpenCV returns: without the axis of one channel.
        env = wrappers.ReshapeObservation(wrappers.ResizeObservation(env, shape[:2]), shape)
    if game.grey:
        env = _grey(env, game.label)
    if game.stack > 1:
        env = wrappers.FrameStackObservation(env, game.stack)
    made = ChannelsFirst(env, monitor)
    if not is_image_space_channels_first(made.observation_space):  # type: ignore[arg-type]
        raise InputError(
            f"{game.label} comes to images of shape {made.observation_space.shape} (channels, "
            "height, width), and SB3 takes the smallest axis for the channels: stack fewer images, "
            "or make them larger"
        )
    return made


def _grey(env: AnyEnv, label: str) -> AnyEnv:
    """Make colours grey; grey images are that already."""
    channels = env.observation_space.shape[-1]  # type: ignore[index]
    if channels == 1:
        return env
    if channels != 3:
        raise InputError(f"{label} has images of {channels} channels, no colours: leave out grey")
    return wrappers.GrayscaleObservation(env, keep_dim=True)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
