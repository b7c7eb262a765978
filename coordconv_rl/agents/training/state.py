"""Everything that a run's future depends on, as a checkpoint and back.

Taken between two rollouts, where SB3 holds no half-filled buffer: weights, optimiser, step
counts, every random generator, the environments and the observations that they returned last.
Learning rate and clip range follow from the step count. Environments whose state cannot be saved
(any but Atari's and MinAtar's) begin new games instead, of seeds that were not played before.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv

from coordconv_rl.agents.build import Model
from coordconv_rl.agents.training.checkpoint import Checkpoint
from coordconv_rl.envs import SavesState
from coordconv_rl.errors import InputError

NUMPY_WORDS = 624  # of NumPy's MT19937, which reads wherever its position says
_NO_SNAPSHOT: dict[str, Any] = {"json": None, "arrays": {}}
COUNTERS = ("num_timesteps", "_episode_num", "_n_updates", "_current_progress_remaining")


def capture(model: Model, env: VecEnv, extra: dict[str, Any]) -> Checkpoint:
    """Copy the run's state.

    Args:
        model: The SB3 model, between two rollouts.
        env: Its environments.
        extra: Further plain data to keep under "extra".
    """
    snapshot = env.snapshot() if isinstance(env, SavesState) else _NO_SNAPSHOT
    optimizer, moments = _pack_optimizer(model.policy.optimizer.state_dict())
    numpy_state = np.random.get_state(legacy=False)
    assert isinstance(numpy_state, dict)
    tensors = {f"policy/{name}": value for name, value in _weights(model).items()}
    tensors |= {f"optimizer/{name}": value for name, value in moments.items()}
    tensors |= {f"env/{name}": _tensor(array) for name, array in snapshot["arrays"].items()}
    tensors["rng/torch"] = torch.get_rng_state()
    tensors["rng/numpy"] = _tensor(numpy_state["state"]["key"].astype(np.int64))
    if model.device.type == "cuda":
        tensors["rng/cuda"] = torch.cuda.get_rng_state(model.device)
    if model._last_obs is not None and snapshot is not _NO_SNAPSHOT:
        tensors["last/observations"] = _tensor(np.asarray(model._last_obs))
        tensors["last/starts"] = _tensor(np.asarray(model._last_episode_starts, dtype=np.uint8))
    state = {
        "counters": {name: getattr(model, name) for name in COUNTERS},
        "optimizer": optimizer,
        "env": snapshot["json"],
        "numpy": {
            "pos": numpy_state["state"]["pos"],
            "has_gauss": numpy_state["has_gauss"],
            "gauss": numpy_state["gauss"],
        },
        "python": _plain(random.getstate()),
        "extra": extra,
    }
    return Checkpoint(state, tensors)


def restore(model: Model, env: VecEnv, checkpoint: Checkpoint) -> None:
    """Put a freshly built model and its environments into the checkpoint's state.

    Raises:
        InputError: The checkpoint belongs to another architecture or environment.
    """
    restore_weights(model, checkpoint)
    state, tensors = checkpoint.state, checkpoint.tensors
    moments = _below(tensors, "optimizer/")
    try:
        _check_state(model, state, tensors)
        model.policy.optimizer.load_state_dict(_unpack_optimizer(state["optimizer"], moments))
        for name in COUNTERS:
            setattr(model, name, state["counters"][name])
        if isinstance(env, SavesState):
            arrays = {name: value.numpy() for name, value in _below(tensors, "env/").items()}
            env.restore({"json": state["env"], "arrays": arrays})
        else:
            env.seed(_new_seed(model))
        if "last/observations" in tensors:
            model._last_obs = tensors["last/observations"].numpy().copy()
            model._last_episode_starts = tensors["last/starts"].numpy().astype(bool)
        _restore_generators(model, state, tensors)
    except InputError:
        raise
    except (
        LookupError,
        TypeError,
        ValueError,
        RuntimeError,
        ArithmeticError,
        AttributeError,
    ) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"the checkpoint does not fit this run: {reason}") from error


def _new_seed(model: Model) -> int:
    """Return a seed for games from here on: of the run's seed and the step, and like no other."""
    words = np.random.SeedSequence([model.seed or 0, model.num_timesteps]).generate_state(1)
    return int(words[0]) >> 1


def _check_state(model: Model, state: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    """Raise where torch or NumPy would take what does not fit, and fail later or not at all."""
    for name in COUNTERS:
        value = state["counters"][name]
        if type(value) is not type(getattr(model, name)) or (isinstance(value, int) and value < 0):
            raise ValueError(f"{name} is {value!r}")
    groups = model.policy.optimizer.param_groups
    for group in state["optimizer"]["param_groups"]:
        _check_group(groups[0], group)
    parameters = [value for group in groups for value in group["params"]]
    for name, value in _below(tensors, "optimizer/").items():
        if value.ndim and value.shape != parameters[int(name.split("/")[0])].shape:
            raise ValueError(f"optimizer/{name} has shape {tuple(value.shape)}")
    if not 0 <= state["numpy"]["pos"] <= NUMPY_WORDS:
        raise ValueError(f"NumPy's generator is at {state['numpy']['pos']!r}")
    if "last/observations" in tensors:
        expected = (model.n_envs, *model.observation_space.shape)  # type: ignore[misc]
        found = tensors["last/observations"]
        if tuple(found.shape) != expected or found.dtype != torch.uint8:
            raise ValueError(f"the last observations have shape {tuple(found.shape)}")


def _check_group(expected: dict[str, Any], group: dict[str, Any]) -> None:
    for name, value in expected.items():
        chosen_here = name in ("params", "fused")  # the kernel is the optimizer's own
        if not chosen_here and type(group[name]) is not type(_plain(value)):
            raise ValueError(f"the optimizer's {name} is {group[name]!r}")


def episodes_kept(checkpoint: Checkpoint, run: str) -> tuple[int, str | None]:
    """Return how long `episodes.csv` was when the checkpoint was made, and its digest if it says.

    Raises:
        InputError: It is a checkpoint of another run, or does not say.
    """
    extra = checkpoint.state.get("extra")
    kept = extra.get("episodes_bytes") if isinstance(extra, dict) else None
    if not isinstance(extra, dict) or type(kept) is not int or kept < 0:
        raise InputError("the checkpoint does not say where its episodes.csv ended: use another")
    if extra.get("run") != run:
        raise InputError(
            f"the checkpoint is of the run {extra.get('run')!r}, not of {run}: two are mixed; "
            "move the foreign checkpoints away"
        )
    found = extra.get("episodes_sha256")
    return kept, found if isinstance(found, str) else None


def restore_weights(model: Model, checkpoint: Checkpoint) -> None:
    """Load the policy's weights only.

    Raises:
        InputError: Names or shapes do not fit the policy.
    """
    weights = _below(checkpoint.tensors, "policy/")
    expected = _weights(model)
    different = sorted(set(weights) ^ set(expected))
    if different:
        raise InputError(f"the checkpoint is of another network: {different[0]} does not fit")
    for name, value in expected.items():
        if weights[name].shape != value.shape or weights[name].dtype != value.dtype:
            raise InputError(
                f"the checkpoint is of another network: {name} is {weights[name].dtype} of shape "
                f"{tuple(weights[name].shape)}, not {value.dtype} of shape {tuple(value.shape)}"
            )
    with torch.no_grad():
        for name, value in expected.items():
            value.copy_(weights[name])


def _weights(model: Model) -> dict[str, torch.Tensor]:
    """Return the policy's own tensors by name, each once: SB3 names a shared extractor thrice."""
    first: dict[int, str] = {}
    tensors: dict[str, torch.Tensor] = model.policy.state_dict(keep_vars=True)
    for name, value in tensors.items():
        first.setdefault(id(value), name)
    return {name: tensors[name] for name in first.values()}


def _restore_generators(
    model: Model, state: dict[str, Any], tensors: dict[str, torch.Tensor]
) -> None:
    torch.set_rng_state(tensors["rng/torch"])
    if "rng/cuda" in tensors and model.device.type == "cuda":
        torch.cuda.set_rng_state(tensors["rng/cuda"], model.device)
    key = tensors["rng/numpy"].numpy().astype(np.uint32)
    kept = state["numpy"]
    np.random.set_state(("MT19937", key, kept["pos"], kept["has_gauss"], kept["gauss"]))
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))


def _pack_optimizer(state: dict[str, Any]) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    plain: dict[str, Any] = {}
    moments: dict[str, torch.Tensor] = {}
    for index, values in state["state"].items():
        plain[str(index)] = {}
        for name, value in values.items():
            if isinstance(value, torch.Tensor):
                moments[f"{index}/{name}"] = value
            else:
                plain[str(index)][name] = value
    return {"state": plain, "param_groups": _plain(state["param_groups"])}, moments


def _unpack_optimizer(plain: dict[str, Any], moments: dict[str, torch.Tensor]) -> dict[str, Any]:
    state = {int(index): dict(values) for index, values in plain["state"].items()}
    for name, value in moments.items():
        index, key = name.split("/")
        state.setdefault(int(index), {})[key] = value
    return {"state": state, "param_groups": plain["param_groups"]}


def _below(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {
        name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)
    }


def _tensor(array: np.ndarray[Any, Any]) -> torch.Tensor:
    return torch.from_numpy(np.array(array))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
