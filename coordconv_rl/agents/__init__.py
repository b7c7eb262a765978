"""One agent, from a configuration to a folder.

- `build`: the environment and the SB3 model of a configuration.
- `train`: training that records, checkpoints, and goes on exactly where it was.
- `callbacks`: what happens at each rollout; `record`: `run.json`; `episodes`: `episodes.csv`.
- `checkpoint`: everything that the future depends on, in one file without pickle.
- `evaluate`, `watch`: fresh games of a trained agent, as numbers and as a video.
"""
