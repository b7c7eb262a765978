"""What the Hub or its library refuses is one line."""

from __future__ import annotations

import sys

import pytest
from hub_server import hub_server

from coordconv_rl.agents.hub.client import check_repo, hub_api, said_by_the_hub
from coordconv_rl.errors import InputError


def test_names_have_an_owner():
    check_repo("me/mine-1.0")
    for name in ("mine", "me/mine/more", "me/", "https://huggingface.co/me/mine", "me/../mine"):
        with pytest.raises(InputError, match="write OWNER/NAME"):
            check_repo(name)


def test_without_the_library_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(InputError, match=r"pip install 'coordconv_rl\[hub\]'$"):
        hub_api()


@pytest.mark.parametrize(("code", "hint"), [(401, "log in"), (403, "token"), (500, "500")])
def test_refusals_are_one_line(code, hint, monkeypatch):
    pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")
    monkeypatch.setattr("time.sleep", lambda _: None)
    with hub_server() as hub:
        hub.refuse = code
        api = hub_api(hub.address)
        refused = pytest.raises(InputError, match=f"the Hub answers {code}")
        with refused as said, said_by_the_hub("me/mine"):
            api.create_repo("me/mine", token="hf_test")
    assert hint in str(said.value)
    assert "\n" not in str(said.value)


def test_a_server_that_is_not_there_is_one_line(monkeypatch):
    pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")
    monkeypatch.setattr("time.sleep", lambda _: None)
    api = hub_api("http://127.0.0.1:9")
    refused = pytest.raises(InputError, match="me/mine: the Hub cannot be asked: ")
    with refused, said_by_the_hub("me/mine"):
        api.create_repo("me/mine", token="hf_test")


def test_other_errors_are_no_input_errors():
    pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")
    with pytest.raises(ZeroDivisionError), said_by_the_hub("me/mine"):
        1 / 0  # noqa: B018
