from __future__ import annotations

import pytest
from hub_server import hub_server

from coordconv_rl.agents.hub import fetch_agent
from coordconv_rl.errors import InputError

pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")


def test_what_is_no_agent_leaves_no_folder(tmp_path):
    with hub_server() as hub:
        hub.repos["me/other"] = {"README.md": b"# Hello", "model.bin": b"\x80\x04."}
        with pytest.raises(InputError, match="holds no agent that coordconv_rl pushed"):
            fetch_agent("me/other", tmp_path / "other", endpoint=hub.address)
        with pytest.raises(InputError, match="the Hub answers 404: there is none, or you may not"):
            fetch_agent("me/none", tmp_path / "none", endpoint=hub.address)
    assert not list(tmp_path.iterdir())
