"""An extractor of one's own, beside the experiment's file: from the command line to the report."""

from __future__ import annotations

import json
import shutil
import sys

import pytest
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from waiting import LIMIT

from coordconv_rl.agents import load_agent, train_agent
from coordconv_rl.comparison.plan import expand
from coordconv_rl.comparison.report import write_report
from coordconv_rl.configs import load_experiment
from coordconv_rl.errors import InputError

MODULE = """
from pathlib import Path
from torch import nn
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

with Path(__file__).with_name("imports.txt").open("a") as file:
    file.write("x")

class Tiny(BaseFeaturesExtractor):
    def __init__(self, space, width):
        super().__init__(space, width)
        self.net = nn.Sequential(
            nn.Conv2d(space.shape[0], 4, 8, 8), nn.ReLU(), nn.Flatten(), nn.Linear(400, width)
        )

    def forward(self, images):
        return self.net(images)
"""
EXPERIMENT = """
name: own
description: An extractor of one's own against the pooled network.
algos: [ppo]
games: [Breakout]
arms: [coordconv-pool, {extractor: "my_nets:Tiny", kwargs: {width: 16}, name: tiny}]
seeds: [0]
steps: 32
overrides: {ppo: {n_envs: 2, n_steps: 16, batch_size: 16, n_epochs: 1}}
evaluation: {episodes: 0, greedy: false}
"""
PARAMETERS = 4 * 8 * 8 * 4 + 4 + 400 * 16 + 16 + 16 * 4 + 4 + 16 + 1  # tiny, four actions, a value


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished comparison; its file lies in the working folder, as a user's does.

    The package's own arm is trained here, before the command starts: so its speed is known.
    """
    from coordconv_rl.processes import package_command, start_group

    here = tmp_path_factory.mktemp("own")
    (here / "my_nets.py").write_text(MODULE)
    (here / "json.py").write_text("raise RuntimeError('a module beside the file hides none')")
    (here / "own.yaml").write_text(EXPERIMENT)
    own = here / "runs" / "own"
    pooled = expand(load_experiment(str(here / "own.yaml")))[0]
    assert pooled.arm_label == "coordconv-pool"
    train_agent(pooled, own / pooled.run_id)
    with (here / "said.txt").open("w") as said:
        command = package_command("compare", "own.yaml", "--jobs", "1", "--no-inspect")
        child = start_group(command, cwd=here, stdout=said, stderr=said)
        assert child.wait(LIMIT) == 0, (here / "said.txt").read_text()
    return own


def test_all_arms_train_on_sb3s_path_and_the_report_says_so(folder):
    records = {
        arm: json.loads((folder / f"ppo/Breakout/{arm}/seed-0/run.json").read_text())
        for arm in ("coordconv-pool", "tiny")
    }
    assert [(one["status"], one["path"], one["precision"]) for one in records.values()] == [
        ("done", "plain", "float32"), ("done", "plain", "float32"),
    ]  # fmt: skip
    assert records["tiny"]["parameters"] == PARAMETERS
    page = (folder / "report" / "report.md").read_text()
    assert "plain path: SB3's own policy" in page
    assert "my_nets:Tiny" in (folder / "report" / "index.html").read_text()


def test_the_report_of_a_strangers_folder_imports_nothing(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "stranger")
    imports = (folder.parents[1] / "imports.txt").read_text()
    write_report(tmp_path / "stranger")
    assert (folder.parents[1] / "imports.txt").read_text() == imports


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--resume", "RUN"],
        ["train", "--config", "RUN/config.yaml"],
        ["evaluate", "RUN"],
        ["watch", "RUN", "--video", "game.gif"],
        ["inspect", "RUN"],
        ["push", "RUN", "me/mine"],
        ["export-sb3", "RUN", "agent.zip"],
        ["compare", "FOLDER/experiment.yaml", "--folder", "again"],
    ],
)
def test_a_folders_code_is_not_imported_without_a_word(
    folder, words, monkeypatch, tmp_path, capsys
):
    from coordconv_rl.cli.main import main

    if words[0] == "push":
        pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder.parents[1])])
    imports = (folder.parents[1] / "imports.txt").read_text()
    run = folder / "ppo/Breakout/tiny/seed-0"
    typed = [word.replace("RUN", str(run)).replace("FOLDER", str(folder)) for word in words]
    assert main(typed) == 2
    said = capsys.readouterr().err.strip()
    assert "--trust-code" in said
    assert len(said.splitlines()) == 1
    assert (folder.parents[1] / "imports.txt").read_text() == imports


def test_with_the_word_it_opens_where_its_module_is_found(folder, monkeypatch):
    run = folder / "ppo/Breakout/tiny/seed-0"
    with pytest.raises(InputError, match=r"cannot import the extractor my_nets:Tiny.*PYTHONPATH"):
        load_agent(run, trust_code=True)
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder.parents[1])])
    model, config, step = load_agent(run, trust_code=True)
    assert (type(model.policy.features_extractor).__name__, step) == ("Tiny", 32)
    assert type(model.policy) is ActorCriticCnnPolicy
    assert config.arm_label == "tiny"
