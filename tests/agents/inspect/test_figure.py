from __future__ import annotations

import numpy as np
from PIL import Image

from coordconv_rl.agents.inspect.figure import write_figure


def test_the_figure_is_a_picture_with_the_heat_in_it(tmp_path):
    scores = {name: {"scores": [1.0, 2.0], "mean": 1.5} for name in ("trained", "zeroed")}
    result = {"run": "ppo/Pong/coordconv/seed-1", "share": 0.25, "scores": scores}
    path = tmp_path / "inspection.png"
    write_figure(path, result, np.full((20, 20), 0.5, np.float32))
    with Image.open(path) as image:
        first = np.asarray(image.convert("RGB"))
    assert first.std() > 10
    heat = np.zeros((20, 20), np.float32)
    heat[:10] = 1.0
    write_figure(path, result, heat)
    with Image.open(path) as image:
        assert not np.array_equal(np.asarray(image.convert("RGB")), first)
