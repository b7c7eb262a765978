"""Policies that play side by side without learning: one pass for those that share their weights.

While agents are judged nobody trains them. So what `CoordConvPolicy` looks at anew before every
pass, the layers and their weights, is looked at once; and policies that differ in nothing but what
coordinates add to the first convolution, as those of an inspection do, share all products.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.distributions import CategoricalDistribution
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

from coordconv_rl.fast import Network, Observations, StepsAside, features, for_acting, prepare
from coordconv_rl.sb3.features import computation_of
from coordconv_rl.sb3.policy import CoordConvPolicy
from coordconv_rl.sb3.sampling import has_own_distribution


@dataclasses.dataclass(frozen=True)
class _Team:
    """Policies with one network, and what coordinates add for each, (policies, K, H', W')."""

    members: tuple[int, ...]
    network: Network
    shares: Tensor

    def features(self, who: NDArray[np.intp], images: Tensor) -> Tensor:
        """Return features as each one's own network gives them."""
        first, *upper = self.network.convolutions
        share = self.shares
        if len(self.members) > 1:
            share = share[torch.from_numpy(np.searchsorted(self.members, who))]
        first = dataclasses.replace(first, share=share)
        return features(dataclasses.replace(self.network, convolutions=(first, *upper)), images)


class Judged:
    """Policies that nobody trains or changes as long as this is used, with discrete actions.

    Args:
        policies: The policies.
    """

    def __init__(self, policies: Sequence[ActorCriticPolicy]) -> None:
        """Prepare the networks that the fast path knows."""
        self.policies = list(policies)
        for policy in self.policies:
            policy.set_training_mode(False)
        networks = [_prepare(policy) for policy in self.policies]
        self._teams = list(_teams(self.policies, networks))
        self._alone = [place for place, network in enumerate(networks) if network is None]

    def logits(self, who: NDArray[np.intp], observations: NDArray[np.generic]) -> Tensor:
        """Return the logarithms of the actions' probabilities, (N, actions), float32.

        Args:
            who: For each observation the policy's place, (N,).
            observations: Shape (N, ...).
        """
        found: Tensor | None = None
        with torch.no_grad():
            for rows, logits in self._parts(who, observations):
                if len(rows) == len(who):
                    return logits
                if found is None:
                    found = logits.new_empty(len(who), logits.shape[1])
                found[torch.from_numpy(rows)] = logits
        assert found is not None
        return found

    def _parts(
        self, who: NDArray[np.intp], observations: NDArray[np.generic]
    ) -> Iterator[tuple[NDArray[np.intp], Tensor]]:
        """Yield the rows of each pass, and their logits."""
        for team in self._teams:
            rows = np.flatnonzero(np.isin(who, team.members))
            if len(rows):
                policy = self.policies[team.members[0]]
                images, _ = policy.obs_to_tensor(observations[rows])
                assert isinstance(images, Tensor)
                latent = policy.mlp_extractor.forward_actor(team.features(who[rows], images))
                scores = policy.action_net(latent)
                yield rows, scores - scores.logsumexp(dim=-1, keepdim=True)
        for place in self._alone:
            rows = np.flatnonzero(who == place)
            if len(rows):
                policy = self.policies[place]
                found = policy.get_distribution(policy.obs_to_tensor(observations[rows])[0])
                assert isinstance(found, CategoricalDistribution)
                yield rows, found.distribution.logits


def _prepare(policy: ActorCriticPolicy) -> Network | None:
    """Return a policy's network, or None where it is not the fast path's, as it was written."""
    changed = {"get_distribution", "obs_to_tensor"} & policy.__dict__.keys()
    if type(policy) is not CoordConvPolicy or changed or not has_own_distribution(policy):
        return None
    if not policy.share_features_extractor:
        return None
    shape = torch.Size(policy.observation_space.shape or ())
    try:
        layers = policy.known_layers(shape)
    except StepsAside:
        return None
    kind = Observations(torch.Size((1, *shape)), torch.uint8, policy.device)
    with torch.no_grad():
        return for_acting(prepare(layers, computation_of(policy, kind, blind=False)))


def _teams(
    policies: Sequence[ActorCriticPolicy], networks: Sequence[Network | None]
) -> Iterator[_Team]:
    """Put networks together that differ in nothing but the first convolution's map."""
    left = [place for place, network in enumerate(networks) if network is not None]
    while left:
        leader = networks[left[0]]
        assert leader is not None
        members = [
            place
            for place in left
            if place == left[0]
            or (_are_equal(leader, networks[place]) and _have_equal_heads(policies, left[0], place))
        ]
        shares = [
            network.convolutions[0].share
            for network in map(networks.__getitem__, members)
            if network
        ]
        joined = shares[0] if len(shares) == 1 else torch.cat(shares)
        yield _Team(tuple(members), leader, joined)
        left = [place for place in left if place not in members]


def _are_equal(one: Network, other: Network | None) -> bool:
    """Return whether two networks are the same but for the first convolution's map."""
    if other is None or one.is_pooled != other.is_pooled:
        return False
    ours, theirs = one.convolutions, other.convolutions
    if any(layers[0].share.dim() != 4 for layers in (ours, theirs)):
        return False
    same = [a.stride == b.stride for a, b in zip(ours, theirs, strict=True)]
    pairs = [(a.weight, b.weight) for a, b in zip(ours, theirs, strict=True)]
    pairs += [(a.share, b.share) for a, b in zip(ours[1:], theirs[1:], strict=True)]
    pairs += [(one.weight, other.weight), (one.bias, other.bias)]
    return all(same) and all(a.dtype == b.dtype and torch.equal(a, b) for a, b in pairs)


def _have_equal_heads(policies: Sequence[ActorCriticPolicy], one: int, other: int) -> bool:
    """Return whether two policies make the same of the same features."""
    pairs = []
    for name in ("mlp_extractor", "action_net"):
        ours, theirs = (getattr(policies[place], name) for place in (one, other))
        if repr(ours) != repr(theirs) or _is_changed(ours) or _is_changed(theirs):
            return False
        pairs += list(zip(ours.parameters(), theirs.parameters(), strict=True))
        pairs += list(zip(ours.buffers(), theirs.buffers(), strict=True))
    return all(torch.equal(a, b) for a, b in pairs)


def _is_changed(head: nn.Module) -> bool:
    """Tell whether a module in it has hooks or methods of its own, which `repr` does not show."""
    return any(
        module._forward_hooks
        or module._forward_pre_hooks
        or not module.__dict__.keys().isdisjoint({"forward", "_call_impl"})
        for module in head.modules()
    )
