"""The commands, one dataclass each: its fields are the command's options, `run` does it."""
