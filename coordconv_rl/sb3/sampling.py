"""Drawing actions with few calls: SB3's draws and log-probabilities, bit for bit."""

from __future__ import annotations

import copy
import threading

import stable_baselines3
from stable_baselines3.common import distributions
from stable_baselines3.common.distributions import (
    CategoricalDistribution,
    Distribution,
    StateDependentNoiseDistribution,
)
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor
from torch.distributions import Categorical

from coordconv_rl.fast import are_original, intercepted_by, is_exporting

_DISTRIBUTION = ActorCriticPolicy._get_action_dist_from_latent


def _methods() -> tuple[object, ...]:
    kind = CategoricalDistribution
    return kind.proba_distribution, kind.get_actions, kind.sample, kind.mode, kind.log_prob


def _chances() -> tuple[object, ...]:
    kind = Categorical
    return kind.__init__, kind.sample, kind.log_prob


_OWN_METHODS = _methods() if are_original((*_methods(), _DISTRIBUTION), stable_baselines3) else None
_OWN_CHANCES = _chances() if are_original(_chances()) else None


class _Distributions(threading.local):
    """A distribution for each thread: in the first one, the one that was given.

    One whose noise is drawn for all threads, and one of somebody's own, is everybody's, as in SB3.
    """

    def __init__(self, given: Distribution) -> None:
        has_noise = isinstance(given, StateDependentNoiseDistribution)
        is_sb3s = type(given).__module__ == distributions.__name__
        self.given = given
        self.own = copy.copy(given) if is_sb3s and not has_noise else given

    def __reduce__(self) -> tuple[type[_Distributions], tuple[Distribution]]:
        return _Distributions, (self.own,)

    def current(self) -> Distribution:
        """Return this thread's, with the settings that the given one has by now."""
        if self.own is not self.given:
            for name, value in vars(self.given).items():
                if name not in _OF_A_PASS:
                    setattr(self.own, name, value)
        return self.own


_OF_A_PASS = {"distribution", "gaussian_actions"}  # what a pass writes; all else is a setting


class OwnDistributions:
    """Gives each thread that asks a policy a distribution of its own.

    SB3's policies have one object, into which each pass writes and from which it then reads; of
    two threads, one may get the other's actions.
    """

    @property
    def action_dist(self) -> Distribution:
        """The distribution into which this thread's passes write; a module is all threads' own."""
        modules = self.__dict__.get("_modules", {})
        if (module := modules.get("action_dist")) is not None:  # torch's setter put it there
            return module  # type: ignore[no-any-return]
        found: _Distributions = self.__dict__["_distributions"]
        return found.current()

    @action_dist.setter
    def action_dist(self, given: Distribution) -> None:
        self.__dict__["_distributions"] = made = _Distributions(given)
        made.own = given


def draw(
    policy: ActorCriticPolicy, latent: Tensor, *, deterministic: bool
) -> tuple[Tensor, Tensor]:
    """Choose actions from the actor's last features.

    The policy's `action_dist` is left with the distribution, as SB3 leaves it.

    Args:
        policy: Whose distribution it is.
        latent: Shape (N, K).
        deterministic: Whether to take the most probable actions instead of drawing them.

    Returns:
        The actions, (N, *action shape), and their log-probabilities, (N,).
    """
    drawn = not deterministic and intercepted_by(latent.device) is None
    if has_own_distribution(policy) and (drawn or is_exporting()):
        # SB3's asks whether a logit is NaN: so does the draw, and an exported graph cannot.
        chances = Categorical(logits=policy.action_net(latent), validate_args=False)
        policy.action_dist.distribution = chances
        try:
            return draw_discrete(chances, deterministic=deterministic)
        except RuntimeError:  # NaN: what follows is SB3's, and raises what its callers know
            pass
    distribution = policy._get_action_dist_from_latent(latent)
    actions = distribution.get_actions(deterministic=deterministic)
    log_prob = distribution.log_prob(actions)
    shape = policy.action_space.shape or ()
    return actions.reshape((-1, *shape)), log_prob


def draw_discrete(chances: Categorical, *, deterministic: bool) -> tuple[Tensor, Tensor]:
    """Choose an action for each row, as SB3's `CategoricalDistribution` does.

    The distribution's own methods check their arguments, broadcast them and reshape what comes
    out; for few rows that takes longer than the draw.

    Args:
        chances: Of shape (N,).
        deterministic: Whether to take the most probable action instead of drawing one.

    Returns:
        The actions, (N,) int64, and their log-probabilities, (N,).

    Raises:
        RuntimeError: Actions are to be drawn and a probability is not a number.
    """
    if deterministic:
        actions = chances.probs.argmax(1, keepdim=True)
    else:
        actions = chances.probs.multinomial(1, replacement=True)
    return actions.squeeze(1), chances.logits.gather(1, actions).squeeze(1)


def has_own_distribution(policy: ActorCriticPolicy) -> bool:
    """Tell whether actions are drawn by SB3's own categorical distribution and nothing else."""
    found = policy.action_dist
    return (
        type(found) is CategoricalDistribution
        and _methods() == _OWN_METHODS
        and vars(distributions)["Categorical"] is Categorical
        and _chances() == _OWN_CHANCES
        and found.__dict__.keys() <= {"action_dim", "distribution"}
        and type(policy)._get_action_dist_from_latent is _DISTRIBUTION
        and "_get_action_dist_from_latent" not in policy.__dict__
    )
