"""Atari games: their names and scores, and a fast vector environment.

games.py       names, suites and reference scores; imports neither torch nor Gymnasium
listing.py     the table of games that `coordconv-rl games` prints
settings.py    what an environment plays: game, protocol, training or evaluation
screen.py      two screens of palette indices to one grey image of 84x84
fresh.py       new games without ALE's long reset, where they all begin alike
emulator.py    one game under SB3's Atari protocol
buffers.py     the arrays that environments write into, shared between processes or not
group.py       several emulators that step one after another
pool.py        groups in worker processes, seen from the parent
worker.py      such a process; imports neither torch nor SB3
snapshot.py    an emulator's whole state as plain data, and back
atari.py       AtariVecEnv, SB3's vector environment over all of this
"""
