"""Where an agent looks when it chooses an action: Grad-CAM.

Selvaraju, Cogswell, Das, Vedantam, Parikh and Batra 2017, "Grad-CAM: Visual explanations from deep
networks via gradient-based localization" (ICCV, arXiv 1610.02391), section 3: the last feature
maps, weighed by the mean gradient of what is explained with respect to each of them, added up, and
only what speaks for it. It shows which places weigh in the choice, not what the agent makes of
them; and since each value of a map saw a field of the image, it is coarse, as the paper's are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.preprocessing import preprocess_obs
from torch import Tensor, nn

from coordconv_rl.errors import InputError


def grad_cam(
    policy: ActorCriticPolicy, observations: NDArray[Any], actions: NDArray[Any]
) -> NDArray[np.float32]:
    """Return how much each place of each observation speaks for the action that was chosen.

    Explained is the chosen action's logit (before the softmax), and where actions have several
    parts, the sum of theirs; of continuous actions the mean, counted towards the side of the middle
    of its range on which the action lies. The network is called as SB3 does, in its own precision.

    Args:
        policy: The agent's.
        observations: Images, shape (N, C, H, W), as the environment gives them.
        actions: Shape (N, ...), as the environment takes them.

    Returns:
        Heat, 0 or more, shape (N, H', W'), of the last feature maps' size.

    Raises:
        InputError: The extractor has no feature maps with more than one place.
    """
    tensor, _ = policy.obs_to_tensor(observations)
    chosen = torch.as_tensor(actions, device=policy.device)
    extractor = policy.pi_features_extractor
    with torch.enable_grad(), _last_maps(extractor) as seen:
        images = preprocess_obs(
            tensor, policy.observation_space, normalize_images=policy.normalize_images
        )
        assert isinstance(images, Tensor)
        latent = policy.mlp_extractor.forward_actor(extractor(images.requires_grad_()))
        explained = _scores(policy.action_space, policy.action_net(latent), chosen)
    if not seen:
        raise InputError(
            f"{type(extractor).__name__} has no feature maps (N, K, H, W) of more than one place, "
            "so there is no heat map: leave --grad-cam out"
        )
    maps = seen[-1]
    (slopes,) = torch.autograd.grad(explained.sum(), maps)
    weights = slopes.mean(dim=(2, 3), keepdim=True)
    heat: NDArray[np.float32] = (weights * maps).sum(1).relu().detach().float().cpu().numpy()
    return heat


@contextmanager
def _last_maps(extractor: nn.Module) -> Iterator[list[Tensor]]:
    """Yield a list in which the newest feature maps are that a module of the extractor put out.

    Not only convolutions': what a ReLU or a residual block makes of a convolution is what the
    network goes on with.
    """
    seen: list[Tensor] = []

    def note(_: nn.Module, __: Any, found: Any) -> None:
        if isinstance(found, Tensor) and found.dim() == 4 and found.shape[2:].numel() > 1:
            seen[:] = [found]

    hooks = [module.register_forward_hook(note) for module in extractor.modules()]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _scores(space: spaces.Space[Any], logits: Tensor, actions: Tensor) -> Tensor:
    """Return what is explained for each action, shape (N,)."""
    if isinstance(space, spaces.Discrete):
        return logits.gather(1, actions.long().reshape(-1, 1))[:, 0]
    if isinstance(space, spaces.MultiDiscrete):
        first = np.concatenate([[0], np.cumsum(space.nvec)[:-1]])  # of each part among the logits
        return logits.gather(1, actions.long() + torch.as_tensor(first, device=logits.device)).sum(
            1
        )
    if isinstance(space, spaces.Box):
        middle = torch.as_tensor((space.low + space.high) / 2, device=logits.device)
    else:  # MultiBinary: 0 or 1
        middle = torch.tensor(0.5, device=logits.device)
    sides = (actions - middle).sign().reshape(len(logits), -1)
    return (logits * sides).sum(1)
