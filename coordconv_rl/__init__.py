"""CoordConv for reinforcement learning agents."""
