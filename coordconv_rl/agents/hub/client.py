"""The library of the Hugging Face Hub, and what it answers in our words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from coordconv_rl.errors import InputError, missing_extra

if TYPE_CHECKING:
    from huggingface_hub import HfApi

HUB_EXTRA = "hub"
TRANSPORTS = {"httpx", "httpx2"}  # the library changed from one to the other
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


def hub_api(endpoint: str | None = None) -> HfApi:
    """Return the library's client.

    Args:
        endpoint: A server other than the library's own choice (its HF_ENDPOINT).

    Raises:
        InputError: The library is not installed.
    """
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise missing_extra(HUB_EXTRA, error) from error
    return HfApi(endpoint=endpoint, library_name="coordconv_rl")


def check_repo(repo: str) -> None:
    """Raise `InputError` unless it is the name of a repository, OWNER/NAME."""
    if not _NAME.fullmatch(repo):
        raise InputError(f"{repo!r} is no repository of the Hub: write OWNER/NAME")


def _package(error: Exception) -> str:
    return type(error).__module__.partition(".")[0]


@contextmanager
def said_by_the_hub(repo: str) -> Iterator[None]:
    """Raise what the library raises in a `with` block as an `InputError` of one line."""
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        LocalTokenNotFoundError,
    )

    try:
        yield
    except LocalTokenNotFoundError as error:
        raise InputError(f"{repo}: nobody is logged in: hf auth login, or set HF_TOKEN") from error
    except HfHubHTTPError as error:
        code = getattr(error.response, "status_code", None)
        hint = {
            401: "log in (hf auth login, or HF_TOKEN), and look at the name",
            403: "this token may not do that: take one that may write there",
            404: "there is none, or you may not see it: look at the name, or log in",
        }.get(code or 0, " ".join(str(error).split())[:200])
        raise InputError(f"{repo}: the Hub answers {code}: {hint}") from error
    except Exception as error:
        own = isinstance(error, (HFValidationError, LocalEntryNotFoundError))
        if not own and _package(error) not in TRANSPORTS:
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{repo}: the Hub cannot be asked: {reason}") from error
