"""The fast image policy for A2C and PPO: SB3's computation, in less time.

uint8 frames go straight to the network's precision and memory layout; the weights and the
optimizer stay float32. In float32 an update gives SB3's own weights up to rounding.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from gymnasium import spaces
from stable_baselines3.common.distributions import Distribution
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from stable_baselines3.common.preprocessing import preprocess_obs
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.type_aliases import PyTorchObs, Schedule
from torch import Tensor
from torch.func import functional_call

from coordconv_rl.errors import InputError, unknown
from coordconv_rl.fast import (
    Kept,
    KnownPass,
    Minibatch,
    Resolved,
    check_precision,
    detect_precision,
)
from coordconv_rl.fast import network as fast_network
from coordconv_rl.sb3 import optimizers
from coordconv_rl.sb3.extractors import CoordConvExtractor
from coordconv_rl.sb3.rollout_buffer import DeviceRolloutBuffer
from coordconv_rl.sb3.sampling import draw

CoordinatesFor = Literal["shared", "actor"]


class CoordConvPolicy(ActorCriticCnnPolicy):
    """Actor and critic over one extractor, for SB3's A2C and PPO.

    Everything that `ActorCriticCnnPolicy` takes works here too. `net_arch` is empty by default, as
    it is with SB3's `NatureCNN`.

    With `coordinates_for="actor"` the parameters are those of `"shared"`, and so are the actor's
    features; the critic's features come from the same weights with the coordinates' share set to
    zero. So the arms differ in what the critic sees and in nothing else, as they would not if each
    had a network of its own.

    Args:
        observation_space: Images.
        action_space: As in SB3.
        lr_schedule: As in SB3.
        precision: Arithmetic of the extractor: "auto", "float32" or "bfloat16"; see
            `detect_precision`. Actor's and critic's last layers are always float32.
        coordinates_for: Who sees coordinates: "shared" (actor and critic) or "actor".
        **settings: What else `ActorCriticCnnPolicy` takes.

    Raises:
        InputError: If an option does not exist or does not go with another.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        *,
        precision: str = "auto",
        coordinates_for: CoordinatesFor = "shared",
        **settings: Any,
    ) -> None:
        check_precision(precision)
        if coordinates_for not in ("shared", "actor"):
            raise unknown("coordinates_for", coordinates_for, ("shared", "actor"))
        settings.setdefault("features_extractor_class", CoordConvExtractor)
        if settings.setdefault("optimizer_class", torch.optim.Adam) is torch.optim.Adam:
            settings["optimizer_kwargs"] = settings.get("optimizer_kwargs") or dict(optimizers.ADAM)
        if settings.get("net_arch") is None:
            settings["net_arch"] = []
        self.precision = precision
        self.coordinates_for: CoordinatesFor = coordinates_for
        self.kept = Kept()
        self.known: KnownPass | None = None  # of the observations that come, while it is set
        self.rollout: DeviceRolloutBuffer | None = None  # whose minibatches come, while it is set
        super().__init__(observation_space, action_space, lr_schedule, **settings)
        self._check_actor_only()

    def _check_actor_only(self) -> None:
        """Raise `InputError` if only the actor should see coordinates, but cannot."""
        if self.coordinates_for == "shared":
            return
        if not self.share_features_extractor:
            raise InputError(
                "coordinates_for='actor' needs share_features_extractor=True: the critic's "
                "features come from the actor's weights"
            )
        if not fast_network.coordinate_weights(self.features_extractor):
            raise InputError(
                "coordinates_for='actor' needs an extractor with coordinates: choose coords other "
                "than 'none', or coordinates_for='shared'"
            )

    def _get_constructor_parameters(self) -> dict[str, Any]:
        own = {"precision": self.precision, "coordinates_for": self.coordinates_for}
        return super()._get_constructor_parameters() | own

    @property
    def resolved_precision(self) -> Resolved:
        """The arithmetic of the extractor on the device where the policy lives now."""
        return detect_precision(self.precision, self.device)

    def _features(
        self,
        extractor: BaseFeaturesExtractor,
        obs: PyTorchObs,
        *,
        blind: bool = False,
        keep: bool = False,
    ) -> Tensor:
        """Return one extractor's features, float32; blind ones without the coordinates' share."""
        dtype = self._dtype()
        if fast_network.is_fast(extractor) and fast_network.is_bytes(obs):
            compute = self.kept.features if keep else fast_network.features
            return compute(self._network(extractor, obs, blind, keep), obs)
        inputs = preprocess_obs(obs, self.observation_space, self.normalize_images)
        with torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32):
            features: Tensor
            if blind:
                zeros = {
                    k: torch.zeros_like(w)
                    for k, w in fast_network.coordinate_weights(extractor).items()
                }
                features = functional_call(extractor, zeros, (inputs,))
            else:
                features = extractor(inputs)
        return features.float()

    def _both_features(self, obs: PyTorchObs, *, keep: bool = False) -> tuple[Tensor, Tensor]:
        """Return the actor's and the critic's features, each of shape (N, features_dim)."""
        if self.coordinates_for == "actor":
            extractor = self.features_extractor
            if fast_network.is_bytes(obs) and fast_network.may_split(extractor):
                sighted, bare = (
                    self._network(extractor, obs, blind, keep) for blind in (False, True)
                )
                return fast_network.split_features(sighted, bare, obs)
            return self._features(extractor, obs), self._features(extractor, obs, blind=True)
        actor = self._features(self.pi_features_extractor, obs, keep=keep)
        if self.share_features_extractor:
            return actor, actor
        return actor, self._features(self.vf_features_extractor, obs, keep=keep)

    def _dtype(self) -> torch.dtype:
        dtype: torch.dtype = getattr(torch, self.resolved_precision)
        return dtype

    def known_pass(self, rollout: DeviceRolloutBuffer) -> KnownPass | None:
        """Return what acting kept of this rollout, if it is that and the weights still stand."""
        extractor = self.features_extractor
        if not fast_network.is_fast(extractor):
            return None
        with torch.no_grad():
            network = self._network(extractor, rollout.observations[0], False, True)
        return self.kept.take(network, rollout.values)

    def _network(
        self, extractor: CoordConvExtractor, obs: Tensor, blind: bool, keep: bool
    ) -> fast_network.Network:
        """Return the extractor's weights, ready to compute."""
        prepare = self.kept.get if keep else fast_network.prepare
        scale = 1 / 255 if self.normalize_images else 1.0
        return prepare(extractor, obs.shape[2:], self._dtype(), scale=scale, blind=blind)

    def set_training_mode(self, mode: bool) -> None:
        """Switch between training and acting; SB3 calls it whenever either begins."""
        self.kept.clear()
        super().set_training_mode(mode)

    def extract_features(  # type: ignore[override]
        self, obs: PyTorchObs, features_extractor: BaseFeaturesExtractor | None = None
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Return features as SB3 does; a pair for actor and critic where the two differ."""
        if features_extractor is not None:
            return self._features(features_extractor, obs)
        actor, critic = self._both_features(obs)
        return actor if critic is actor else (actor, critic)

    def _repeats_of(self, obs: PyTorchObs) -> Minibatch | None:
        """Return what the images of a minibatch have in common, if `rollout` knows."""
        if self.rollout is None or not isinstance(obs, Tensor):
            return None
        return self.rollout.repeats_of(obs)

    def _outputs(self, obs: PyTorchObs, *, keep: bool = False) -> tuple[Tensor, Tensor]:
        """Return the actor's last features, (N, K), and the values, shape (N, 1)."""
        if (known := self.known) is not None and isinstance(obs, Tensor):
            actor = critic = fast_network.features(known.network, obs, known.outputs, known.repeats)
        elif (repeats := self._repeats_of(obs)) is not None:
            extractor = self.features_extractor
            assert fast_network.is_fast(extractor)
            assert isinstance(obs, Tensor)
            network = self._network(extractor, obs, False, False)
            actor = critic = fast_network.features(network, obs, repeats=repeats)
        else:
            actor, critic = self._both_features(obs, keep=keep)
        latent = self.mlp_extractor.forward_actor(actor)
        values: Tensor = self.value_net(self.mlp_extractor.forward_critic(critic))
        return latent, values

    def forward(self, obs: Tensor, deterministic: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        """Return actions, values of shape (N, 1) and the actions' log-probabilities.

        Weights are kept in the network's precision from call to call; see `Kept`.
        """
        latent, values = self._outputs(obs, keep=not torch.is_grad_enabled())
        self.kept.note(values)
        actions, log_prob = draw(self, latent, deterministic=deterministic)
        return actions, values, log_prob

    def evaluate_actions(
        self, obs: PyTorchObs, actions: Tensor
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return values of shape (N, 1), the actions' log-probabilities and the entropies."""
        latent, values = self._outputs(obs)
        distribution = self._get_action_dist_from_latent(latent)
        return values, distribution.log_prob(actions), distribution.entropy()

    def get_distribution(self, obs: PyTorchObs) -> Distribution:
        """Return the distribution of actions."""
        features = self._features(self.pi_features_extractor, obs)
        return self._get_action_dist_from_latent(self.mlp_extractor.forward_actor(features))

    def predict_values(self, obs: PyTorchObs) -> Tensor:
        """Return the values, shape (N, 1)."""
        blind = self.coordinates_for == "actor"
        keep = not torch.is_grad_enabled()
        features = self._features(self.vf_features_extractor, obs, blind=blind, keep=keep)
        values: Tensor = self.value_net(self.mlp_extractor.forward_critic(features))
        return values
