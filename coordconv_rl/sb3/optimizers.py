"""Optimizers that compute what Stable-Baselines3's do, in fewer passes over the weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike as _Reference
from torch import Tensor

ADAM = {"eps": 1e-5, "fused": True}
"""Settings of `Adam`: SB3's epsilon for actor-critics, in torch's fused kernel."""

RMSPROP = {"alpha": 0.99, "eps": 1e-5, "weight_decay": 0.0}
"""Settings of `RMSpropTFLike`: RL Zoo's epsilon for Atari, SB3's A2C's smoothing constant."""

PORTION = 1 << 18  # weights updated together: 1 MB each of weights, gradients and averages


class Adam(torch.optim.Adam):
    """torch's `Adam` for weights and gradients in any order of memory; settings are torch's.

    torch's fused kernel on a processor reads weights, gradients and averages side by side as they
    lie in memory, whatever their strides say. `backward` lays gradients out like their weights.
    Those of `torch.autograd.grad`, which changes of gradients begin with (between tasks, of second
    order), it does not, and averages stay as they were where a network's memory format changes:
    both would be taken for other weights'. So they are laid out here first. A group whose weights
    have gaps, or are complex, is left to torch's other kernel. (Seen with torch 2.13.)
    """

    def _init_group(self, group: dict[str, Any], *lists: Any) -> bool:
        """Lay a group's gradients and averages out like their weights, then gather all as torch.

        `step` calls it once the gradients are there. A `step` of our own around torch's would call
        the hooks of both: torch wraps each class's.
        """
        if group["fused"] and not all(map(_is_plain, group["params"])):
            group["fused"] = False
        for weight in group["params"]:
            gradient = weight.grad
            if gradient is None or gradient.is_sparse:  # which torch refuses, and says so
                continue
            if gradient.stride() != weight.stride():
                weight.grad = _laid_out(gradient, weight)
            kept = self.state.get(weight, {})
            for name in _AVERAGES & kept.keys():
                if kept[name].stride() != weight.stride():
                    kept[name] = _laid_out(kept[name], weight)
        return bool(super()._init_group(group, *lists))  # type: ignore[no-untyped-call]

    def state_dict(self) -> dict[str, Any]:
        """Return torch's, without the choice of a kernel: who loads it has made his own."""
        found = super().state_dict()
        for group in found["param_groups"]:
            group["fused"] = None
        return found

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load torch's, and keep the kernels that were chosen for each group."""
        chosen = [group["fused"] for group in self.param_groups]
        super().load_state_dict(state_dict)
        for group, fused in zip(self.param_groups, chosen, strict=True):
            group["fused"] = fused


_AVERAGES = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"}


def _is_plain(weight: Tensor) -> bool:
    """Return whether a weight's numbers are real and lie side by side, in whatever order."""
    if weight.is_complex() or weight.is_contiguous():
        return not weight.is_complex()
    steps = zip(weight.shape, weight.stride(), strict=True)
    span = 1 + sum((size - 1) * stride for size, stride in steps)
    return span == weight.numel()


def _laid_out(values: Tensor, weight: Tensor) -> Tensor:
    """Return values in the weight's order of memory."""
    return torch.empty_like(weight, dtype=values.dtype).copy_(values)


class RMSpropTFLike(_Reference):
    """SB3's `RMSpropTFLike`, the same arithmetic for all small parameters in one call each.

    On a processor large parameters are updated in portions that stay in its cache.

    Settings and state are SB3's, so that a state_dict fits both.
    """

    @torch.no_grad()
    def step(  # type: ignore[override]
        self, closure: Callable[[], float] | None = None
    ) -> float | None:
        """Do one step on the parameters that have gradients.

        Args:
            closure: Evaluates the model again and returns the loss.

        Returns:
            The closure's loss, if there is one.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            used = [p for p in group["params"] if p.grad is not None]
            if used:
                self._step_group(group, used)
        return loss

    def _step_group(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Update one group's parameters; the order of operations is SB3's."""
        states = [self._state(p, group) for p in parameters]
        grads = [p.grad for p in parameters if p.grad is not None]
        if group["weight_decay"] != 0:
            grads = list(torch._foreach_add(grads, parameters, alpha=group["weight_decay"]))
        names = ["square_avg"]
        names += ["grad_avg"] if group["centered"] else []
        names += ["momentum_buffer"] if group["momentum"] > 0 else []
        kept = [[state[name] for state in states] for name in names]
        for weights, slopes, *averages in _portions([parameters, grads, *kept]):
            _update(group, weights, slopes, dict(zip(names, averages, strict=True)))

    def _state(self, parameter: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """Return a parameter's state with this step counted; as SB3 does, squares start at one."""
        state: dict[str, Any] = self.state[parameter]
        if len(state) == 0:
            fresh: dict[str, Any] = {"step": 0, "square_avg": torch.ones_like(parameter)}
            if group["momentum"] > 0:
                fresh["momentum_buffer"] = torch.zeros_like(parameter)
            if group["centered"]:
                fresh["grad_avg"] = torch.zeros_like(parameter)
            state.update(fresh)  # all at once: Ctrl-C may come between two lines
        state["step"] += 1
        return state


def _update(
    group: dict[str, Any],
    parameters: list[Tensor],
    grads: list[Tensor],
    averages: dict[str, list[Tensor]],
) -> None:
    """Update some parameters and their averages; the order of operations is SB3's."""
    square_avg = averages["square_avg"]
    torch._foreach_mul_(square_avg, group["alpha"])
    torch._foreach_addcmul_(square_avg, grads, grads, value=1 - group["alpha"])
    if group["centered"]:
        grad_avg = averages["grad_avg"]
        torch._foreach_mul_(grad_avg, group["alpha"])
        torch._foreach_add_(grad_avg, grads, alpha=1 - group["alpha"])
        average = torch._foreach_addcmul(square_avg, grad_avg, grad_avg, value=-1)
        torch._foreach_add_(average, group["eps"])
    else:
        average = torch._foreach_add(square_avg, group["eps"])
    torch._foreach_sqrt_(average)
    if group["momentum"] > 0:
        buffers = averages["momentum_buffer"]
        torch._foreach_mul_(buffers, group["momentum"])
        torch._foreach_addcdiv_(buffers, grads, average)
        torch._foreach_add_(parameters, buffers, alpha=-group["lr"])
    else:
        torch._foreach_addcdiv_(parameters, grads, average, value=-group["lr"])


def _portions(columns: Sequence[list[Tensor]]) -> Iterator[list[list[Tensor]]]:
    """Divide columns of tensors: all small ones together, then views of each large one."""
    rows = list(zip(*columns, strict=True))
    large = [row for row in rows if row[0].numel() > PORTION and _divisible(row)]
    small = [row for row in rows if row[0].numel() <= PORTION or not _divisible(row)]
    if small:
        yield [list(column) for column in zip(*small, strict=True)]
    for row in large:
        for piece in zip(*(tensor.view(-1).split(PORTION) for tensor in row), strict=True):
            yield [[part] for part in piece]


def _divisible(row: Sequence[Tensor]) -> bool:
    return all(t.device.type == "cpu" and t.is_contiguous() for t in row)
