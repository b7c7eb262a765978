"""The notebooks of `examples/` run, on a part of their steps, and are stored with pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
jupyter_client = pytest.importorskip("jupyter_client", reason="jupyter_client is not installed")
run_sync = pytest.importorskip("jupyter_core.utils").run_sync
EXAMPLES = Path(__file__).parents[2] / "examples"
if not EXAMPLES.is_dir():
    pytest.skip("not a checkout", allow_module_level=True)
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


def outputs(notebook):
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [output for cell in cells for output in cell.outputs]


def kinds(notebook):
    return {kind for output in outputs(notebook) for kind in output.get("data", ())}


@pytest.fixture(scope="module")
def execute(tmp_path_factory):
    """Run notebooks in one kernel, for torch's import takes 3 s: names are forgotten in between."""
    manager = jupyter_client.AsyncKernelManager(kernel_name="python3")
    clients = []

    def run(notebook, folder):
        forget = nbformat.v4.new_code_cell(f"%reset -f\n%cd -q {folder}")
        whole = nbformat.from_dict(notebook | {"cells": [forget, *notebook.cells]})
        one = nbclient.NotebookClient(whole, km=manager, timeout=240)
        one.kc = clients[0] if clients else None
        one.execute()
        clients[:] = [one.kc]
        return whole

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COORDCONV_EXAMPLES", "small")
        patch.chdir(tmp_path_factory.mktemp("kernel"))
        yield run
    for client in clients:
        client.stop_channels()
    if manager.has_kernel:
        run_sync(manager.shutdown_kernel)(now=True)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path, execute):
    notebook = nbformat.read(path, as_version=4)
    assert kinds(execute(notebook, tmp_path)) == kinds(notebook)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_with_pictures_of_a_whole_run(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert kinds(notebook) & {"image/png", "image/gif"}
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))  # from top to bottom, once
    assert not [output for output in outputs(notebook) if output.output_type == "error"]
    text = path.read_text()
    assert "/root" not in text
    assert "/home" not in text
    assert len(text) < 3_000_000
