"""Games: their names and scores, and vector environments of Atari, MinAtar and Gymnasium.

Names are imported when first used: `games` needs neither torch nor Gymnasium.

- `families`: what differs between Atari, MinAtar and other games, in one protocol.
- `games`: names, suites and reference scores.
- `settings`: what an environment plays: game, protocol, training or evaluation.
- `screen`: two screens of palette indices to one square grey image.
- `loaded_game`: one of ALE's games, which begins anew by any seed without being loaded again.
- `emulator`: one game under SB3's Atari protocol.
- `tower`: what SB3's tower of wrappers answers when its attributes are asked for.
- `snapshot`: an emulator's whole state as plain data, and back.
- `atari`: AtariVecEnv, SB3's vector environment over all of this.
- `image_game`: what an experiment says of any other game with images.
- `images`: such games as SB3's vector environments, through Gymnasium's wrappers.
- `image_wrappers`: images of any kind to uint8, channels first.
- `minatar`: MinAtar's five games, exact and fast.
- `workers`: several emulators side by side, in this process and in others.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
