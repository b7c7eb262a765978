"""The fast image policy for A2C and PPO: SB3's computation, in less time.

uint8 frames go straight to the network's precision and memory layout; the weights and the
optimizer stay float32. In float32 an update gives SB3's own weights up to rounding.

Only features are computed in another way, and only those of a network that the gate knows; what
is made of them, and in which calls, is SB3's. So what a subclass or a hook changes is in effect.
"""

from __future__ import annotations

import inspect
import logging
import warnings
from typing import Any, Literal

import torch
from gymnasium import spaces
from stable_baselines3.common.distributions import Distribution
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.type_aliases import PyTorchObs, Schedule
from torch import Tensor, nn

from coordconv_rl.errors import InputError, unknown
from coordconv_rl.fast import (
    ActingCache,
    KnownLayers,
    LazyImages,
    Observations,
    Resolved,
    StepsAside,
    check_precision,
    detect_precision,
    features,
    prepare,
    split_features,
)
from coordconv_rl.layers import CoordConv2d
from coordconv_rl.sb3.extractors import CoordConvExtractor
from coordconv_rl.sb3.features import (
    are_divided,
    computation_of,
    describe,
    has_coordinates,
    layers_of,
    plain_features,
)
from coordconv_rl.sb3.optimizers import ADAM, Adam
from coordconv_rl.sb3.sampling import OwnDistributions, draw

CoordinatesFor = Literal["shared", "actor"]

_OVERRIDES = {"forward", "evaluate_actions", "extract_features", "_features", "predict_values"}

_STOCK = inspect.signature(ActorCriticCnnPolicy.__init__).parameters
_POSITIONAL = inspect.Signature(list(_STOCK.values())[4:])  # behind what every policy takes

_log = logging.getLogger(__name__)


class CoordConvPolicy(OwnDistributions, ActorCriticCnnPolicy):
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
        *positional: Further arguments of `ActorCriticCnnPolicy`, in its order.
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
        *positional: Any,
        precision: str = "auto",
        coordinates_for: CoordinatesFor = "shared",
        **settings: Any,
    ) -> None:
        """Check the options and build as SB3 does; see the class."""
        check_precision(precision)
        settings = dict(**_POSITIONAL.bind_partial(*positional).arguments, **settings)
        if coordinates_for not in ("shared", "actor"):
            raise unknown("coordinates_for", coordinates_for, ("shared", "actor"))
        settings.setdefault("features_extractor_class", CoordConvExtractor)
        if "optimizer_class" not in settings and settings.get("optimizer_kwargs") is None:
            settings |= {"optimizer_class": Adam, "optimizer_kwargs": dict(ADAM)}
        if settings.get("net_arch") is None:
            settings["net_arch"] = []
        self.precision = precision
        self.coordinates_for: CoordinatesFor = coordinates_for
        self.acting_cache = ActingCache()
        self._reasons: set[str] = set()  # why the fast path stepped aside, as far as it was said
        super().__init__(observation_space, action_space, lr_schedule, **settings)
        are_divided(self)  # remembers the answer, which no graph can that is recorded later
        self._check_actor_only()

    def _check_actor_only(self) -> None:
        """Raise `InputError` if only the actor should see coordinates, but cannot."""
        if self.coordinates_for == "shared":
            return
        needs = None
        if not self.share_features_extractor:
            needs = "share_features_extractor=True: the critic's features come from shared weights"
        elif not has_coordinates(self.features_extractor):
            needs = (
                "an extractor with coordinates: choose coords other than 'none', or "
                "coordinates_for='shared'"
            )
        if needs is not None:
            raise InputError(f"coordinates_for='actor' needs {needs}")

    def _get_constructor_parameters(self) -> dict[str, Any]:
        own = {"precision": self.precision, "coordinates_for": self.coordinates_for}
        return super()._get_constructor_parameters() | own

    @property
    def resolved_precision(self) -> Resolved:
        """The arithmetic of the extractor on the device where the policy lives now."""
        return detect_precision(self.precision, self.device)

    def known_layers(self, image: torch.Size) -> KnownLayers:
        """Return the layers for images of a shape (C, H, W), or raise `StepsAside`."""
        if not _OVERRIDES.isdisjoint(self.__dict__):
            raise StepsAside(f"the policy was changed: {_OVERRIDES & self.__dict__.keys()}")
        images = Observations(torch.Size((1, *image)), torch.uint8, self.device)
        return layers_of(self.features_extractor, images)

    def _layers_of(self, extractor: nn.Module, obs: PyTorchObs) -> KnownLayers | None:
        """Return the layers of the fast path, or None and say once why not."""
        try:
            return layers_of(extractor, describe(obs))
        except StepsAside as reason:
            if not torch.compiler.is_compiling() and str(reason) not in self._reasons:
                self._reasons.add(str(reason))
                _log.info("computed as SB3 does, in %s: %s", self.resolved_precision, reason)
            return None

    def _features(
        self,
        extractor: BaseFeaturesExtractor,
        obs: PyTorchObs,
        *,
        blind: bool = False,
        noted: bool = False,
    ) -> Tensor:
        """Return features, without coordinates if `blind`; a recording keeps `noted` ones."""
        layers = self._layers_of(extractor, obs)
        if layers is None or not isinstance(obs, Tensor):
            return plain_features(self, extractor, obs, blind=blind)
        computation = computation_of(self, describe(obs), blind=blind)
        if isinstance(obs, LazyImages):
            return obs.features(layers, computation)
        if torch.is_grad_enabled():
            return features(prepare(layers, computation), obs)
        return self.acting_cache.features(layers, computation, obs, noted=noted)

    def _split_features(self, obs: PyTorchObs) -> tuple[Tensor, Tensor]:
        """Return features with coordinates for the actor and without them for the critic."""
        extractor = self.features_extractor
        layers = self._layers_of(extractor, obs)
        upper = () if layers is None else layers.convolutions[1:]
        if layers is None or any(isinstance(conv, CoordConv2d) for conv in upper):
            return self._features(extractor, obs), self._features(extractor, obs, blind=True)
        images = obs.images() if isinstance(obs, LazyImages) else obs
        assert isinstance(images, Tensor)
        get = prepare if torch.is_grad_enabled() else self.acting_cache.get
        kind = describe(obs)
        sighted, bare = (get(layers, computation_of(self, kind, blind=b)) for b in (False, True))
        return split_features(sighted, bare, images)

    def set_training_mode(self, mode: bool) -> None:
        """Switch between training and acting; SB3 calls it whenever either begins."""
        if mode:
            self.acting_cache.clear()  # what training changes needs no room
        super().set_training_mode(mode)

    def extract_features(  # type: ignore[override]
        self, obs: PyTorchObs, features_extractor: BaseFeaturesExtractor | None = None
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Return features as SB3 does; a pair for actor and critic where the two differ."""
        if not self.share_features_extractor:
            if features_extractor is not None:
                text = "features_extractor is ignored: actor and critic have their own"
                warnings.warn(text, UserWarning, stacklevel=2)
            actor = self._features(self.pi_features_extractor, obs)
            return actor, self._features(self.vf_features_extractor, obs)
        if features_extractor is not None:
            return self._features(features_extractor, obs)
        if self.coordinates_for == "actor":
            return self._split_features(obs)
        return self._features(self.features_extractor, obs, noted=True)

    def _latents(self, obs: PyTorchObs) -> tuple[Tensor, Tensor]:
        """Return the last features of actor and critic, through the calls that SB3 makes."""
        found = self.extract_features(obs)
        if not self.share_features_extractor or self.coordinates_for == "actor":
            actor, critic = found
            mlp = self.mlp_extractor
            return mlp.forward_actor(actor), mlp.forward_critic(critic)
        latents: tuple[Tensor, Tensor] = self.mlp_extractor(found)
        return latents

    def forward(self, obs: Tensor, deterministic: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        """Return actions, values of shape (N, 1) and the actions' log-probabilities.

        Without gradients, weights stay prepared from call to call; see `ActingCache`.
        """
        latent, critic = self._latents(obs)
        values: Tensor = self.value_net(critic)
        actions, log_prob = draw(self, latent, deterministic=deterministic)
        return actions, values, log_prob

    def evaluate_actions(
        self, obs: PyTorchObs, actions: Tensor
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return values of shape (N, 1), the actions' log-probabilities and the entropies."""
        latent, critic = self._latents(obs)
        distribution = self._get_action_dist_from_latent(latent)
        log_prob = distribution.log_prob(actions)
        return self.value_net(critic), log_prob, distribution.entropy()

    def get_distribution(self, obs: PyTorchObs) -> Distribution:
        """Return the distribution of actions."""
        found = self._features(self.pi_features_extractor, obs)
        return self._get_action_dist_from_latent(self.mlp_extractor.forward_actor(found))

    def predict_values(self, obs: PyTorchObs) -> Tensor:
        """Return the values, shape (N, 1)."""
        blind = self.coordinates_for == "actor"
        found = self._features(self.vf_features_extractor, obs, blind=blind)
        values: Tensor = self.value_net(self.mlp_extractor.forward_critic(found))
        return values
