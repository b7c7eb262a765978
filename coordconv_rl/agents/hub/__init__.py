"""Agents on the Hugging Face Hub, by its own library (the extra "hub").

- `push`: a run's agent to a repository: card, score, video, configuration and checkpoint.
- `card`: the page of such a repository.
- `fetch`: an agent from a repository to a run's folder.
- `client`: the client of `huggingface_hub`, and what it answers in our words.
"""

from coordconv_rl.agents.hub.fetch import fetch_agent
from coordconv_rl.agents.hub.push import Parcel, push_agent

__all__ = ["Parcel", "fetch_agent", "push_agent"]
