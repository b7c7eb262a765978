from __future__ import annotations

import copy

import pytest
import torch
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike as Reference

from coordconv_rl.sb3 import optimizers
from coordconv_rl.sb3.optimizers import ADAM, Adam, RMSpropTFLike


def weights(seed: int = 0) -> list[torch.nn.Parameter]:
    random = torch.Generator().manual_seed(seed)
    shapes = [(7, 5), (11,), (3, 2, 4, 4), (1,)]
    return [torch.nn.Parameter(torch.randn(s, generator=random)) for s in shapes]


def give_gradients(parameters: list[torch.nn.Parameter], step: int) -> None:
    random = torch.Generator().manual_seed(100 + step)
    for p in parameters:
        p.grad = torch.randn(p.shape, generator=random) * 10.0 ** (step % 5 - 3)
    if step == 3:
        parameters[1].grad = None


@pytest.mark.parametrize(
    "settings",
    [
        {"eps": 1e-5},
        {"momentum": 0.9},
        {"centered": True, "eps": 1e-3},
        {"weight_decay": 0.01},
        {"centered": True, "momentum": 0.5, "weight_decay": 0.1, "alpha": 0.9, "eps": 1e-2},
    ],
)
@pytest.mark.parametrize("portion", [optimizers.PORTION, 16])
def test_rmsprop_computes_what_sb3s_does(settings, portion, monkeypatch):
    monkeypatch.setattr(optimizers, "PORTION", portion)
    ours, theirs = weights(), weights()
    optimizer, reference = (
        RMSpropTFLike(ours, 7e-4, **settings),
        Reference(theirs, 7e-4, **settings),
    )
    for step in range(60):
        give_gradients(ours, step)
        give_gradients(theirs, step)
        optimizer.param_groups[0]["lr"] = reference.param_groups[0]["lr"] = 7e-4 * (1 - step / 60)
        optimizer.step()
        reference.step()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)
    assert optimizer.state[ours[1]]["step"] == reference.state[theirs[1]]["step"] == 59


@pytest.mark.parametrize(
    ("first", "second"), [(Reference, RMSpropTFLike), (RMSpropTFLike, Reference)]
)
def test_rmsprop_goes_on_from_sb3s_state_and_back(first, second):
    one = weights()
    begun = first(one, 1e-3, momentum=0.9)
    for step in range(3):
        give_gradients(one, step)
        begun.step()
    other = copy.deepcopy(one)
    resumed = second(other, 1e-3, momentum=0.9)
    resumed.load_state_dict(copy.deepcopy(begun.state_dict()))
    for step in range(4, 8):
        give_gradients(one, step)
        give_gradients(other, step)
        begun.step()
        resumed.step()
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)


def test_rmsprop_returns_the_closures_loss():
    (weight,) = parameters = [torch.nn.Parameter(torch.ones(1))]
    optimizer = RMSpropTFLike(parameters, 0.1)

    def closure() -> float:
        optimizer.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        return float(loss.detach())

    assert optimizer.step(closure) == 1.0
    assert weight.item() < 1.0


def test_adam_computes_what_sb3s_does():
    ours, theirs = weights(), weights()
    optimizer = Adam(ours, 2.5e-4, **ADAM)
    reference = torch.optim.Adam(theirs, 2.5e-4, eps=1e-5)
    assert optimizer.defaults["fused"]
    for step in range(60):
        give_gradients(ours, step)
        give_gradients(theirs, step)
        optimizer.step()
        reference.step()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)


def test_adam_takes_gradients_in_any_order_of_memory():
    ours, theirs = weights(), weights()
    optimizer = Adam(ours, 2.5e-4, **ADAM)
    reference = torch.optim.Adam(theirs, 2.5e-4, eps=1e-5)
    for step in range(3):
        give_gradients(ours, step)
        give_gradients(theirs, step)
        for weight in ours:
            if weight.dim() > 1:
                order = weight.grad.movedim(1, -1).contiguous().movedim(-1, 1)
                weight.grad = torch.empty_like(order, memory_format=torch.preserve_format)
                weight.grad.copy_(order)
        assert any(weight.grad.stride() != weight.stride() for weight in ours)
        optimizer.step()
        reference.step()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)


def test_adam_lays_out_what_a_closure_made():
    weight = torch.nn.Parameter(torch.arange(24.0).view(2, 3, 2, 2) / 24)
    expected = torch.nn.Parameter(weight.detach().clone())
    scale = torch.linspace(1, 2, 24).view(2, 3, 2, 2)

    def closure() -> float:
        weight.grad = (scale * weight.detach()).contiguous(memory_format=torch.channels_last)
        return 7.0

    assert Adam([weight], 0.1, **ADAM).step(closure) == 7.0
    expected.grad = scale * expected.detach()
    torch.optim.Adam([expected], 0.1, eps=1e-5).step()
    torch.testing.assert_close(weight, expected)


def test_hooks_on_adams_steps_are_called_once_each():
    torch.optim.Adam(weights())  # its class has torch's own wrapper from now on
    ours, called = weights(), []
    optimizer = Adam(ours, 0.1, **ADAM)
    optimizer.register_step_pre_hook(lambda *_: called.append("before"))
    optimizer.register_step_post_hook(lambda *_: called.append("after"))
    give_gradients(ours, 0)
    optimizer.step()
    assert called == ["before", "after"]


def test_an_interrupted_first_step_of_rmsprop_leaves_no_half_made_state(monkeypatch):
    ours, theirs = weights(), weights()
    settings = {"lr": 7e-4, "momentum": 0.9}
    optimizer, reference = RMSpropTFLike(ours, **settings), Reference(theirs, **settings)
    for parameters in (ours, theirs):
        give_gradients(parameters, 0)

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(torch, "zeros_like", interrupted)
        with pytest.raises(KeyboardInterrupt):
            optimizer.step()
    for each in (optimizer, reference):
        each.step()
    assert all(map(torch.equal, ours, theirs))


@pytest.mark.parametrize("amsgrad", [False, True])
def test_adam_follows_weights_whose_order_of_memory_changes(amsgrad):
    weight = torch.nn.Parameter(torch.arange(24.0).view(2, 3, 2, 2) / 24)
    expected = torch.nn.Parameter(weight.detach().clone())
    ours = Adam([weight], 0.1, **ADAM, amsgrad=amsgrad)
    theirs = torch.optim.Adam([expected], 0.1, eps=1e-5, amsgrad=amsgrad)
    for step in range(6):
        if step == 3:  # as `to(memory_format=torch.channels_last)` of a module does
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        for one, optimizer in ((weight, ours), (expected, theirs)):
            one.grad = (one.detach() * torch.linspace(-1, 1, 24).view(2, 3, 2, 2)).contiguous()
            optimizer.step()
    assert not weight.is_contiguous()
    torch.testing.assert_close(weight, expected)


def test_adam_leaves_what_lies_between_a_weights_numbers():
    whole = torch.ones(4, 6)
    weight, expected = torch.nn.Parameter(torch.zeros(4, 3)), torch.nn.Parameter(torch.ones(4, 3))
    weight.data = whole[:, :3]
    weight.grad, expected.grad = torch.rand(4, 3), None
    expected.grad = weight.grad.clone()
    Adam([weight], 0.1, **ADAM).step()
    torch.optim.Adam([expected], 0.1, eps=1e-5).step()
    torch.testing.assert_close(weight, expected)
    assert torch.equal(whole[:, 3:], torch.ones(4, 3))


def test_adam_takes_complex_weights():
    weight = torch.nn.Parameter(torch.full((3,), 1 + 2j))
    expected = torch.nn.Parameter(weight.detach().clone())
    weight.grad = torch.full((3,), 0.5 - 1j)
    expected.grad = weight.grad.clone()
    Adam([weight], 0.1, **ADAM).step()
    torch.optim.Adam([expected], 0.1, eps=1e-5).step()
    torch.testing.assert_close(weight, expected)


def test_sparse_gradients_are_refused_as_by_torch():
    table = torch.nn.Embedding(4, 3, sparse=True)
    optimizer = Adam(table.parameters(), 0.1, **ADAM)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match="does not support sparse gradients"):
        optimizer.step()


def test_adams_choice_of_a_kernel_is_not_handed_on():
    ours, theirs = Adam(weights(), 1e-3, **ADAM), torch.optim.Adam(weights(), 1e-3)
    theirs.load_state_dict(ours.state_dict())
    assert theirs.param_groups[0]["fused"] is None
    ours.load_state_dict(theirs.state_dict())
    assert ours.param_groups[0]["fused"]
