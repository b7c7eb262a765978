"""The comparison in TensorBoard, while it runs and afterwards.

- `events`: event files without torch: scalars that may be corrected, layouts, hyperparameters.
- `writer`: one chart a game, one line an arm, from the runs' own files.
- `server`: TensorBoard itself, on the loopback address.
"""

from coordconv_rl.comparison.tensorboard.server import serve
from coordconv_rl.comparison.tensorboard.writer import Aggregates

__all__ = ["Aggregates", "serve"]
