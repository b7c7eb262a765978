"""Games of a trained agent as a video.

- `film`: games to frames, one after another or side by side, and the video that they make.
- `grad_cam`: where an agent looks when it chooses: a heat map for each image.
- `frames`: screens with captions and heat, and several of them as one picture.
- `video`: frames to a file that browsers play.
"""

from coordconv_rl.agents.watch.film import Film, check_film, watch_games
from coordconv_rl.agents.watch.frames import overlay
from coordconv_rl.agents.watch.grad_cam import grad_cam

__all__ = ["Film", "check_film", "grad_cam", "overlay", "watch_games"]
