"""MinAtar's five games, exact against version 1.0.15, on boards of single bits.

The rules are those of Young and Tian 2019, "MinAtar: An Atari-Inspired Testbed" (arXiv
1903.03176). The original is under the GPL; none of it is used here. What the paper leaves open
(the order of events, of random draws) was found by playing it, and the tests play ours against it.

- `boards`: sets of cells of the 10x10 board as integers, one bit a cell; images of them.
- `colours`: colours of the channels, for people who watch.
- `game`: what the five games share: sticky actions, scores, saving and loading.
- `asterix`: Asterix: collect gold, dodge enemies.
- `breakout`: Breakout: bounce a ball off a paddle into bricks.
- `freeway`: Freeway: cross a road of eight lanes.
- `seaquest`: Seaquest: a submarine, divers, enemies and oxygen.
- `space_invaders`: Space Invaders: shoot aliens that come nearer.
- `vec_env`: MinAtarVecEnv, SB3's vector environment over these.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
