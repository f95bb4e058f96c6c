"""Names of people: what a person reads instead of a login."""

from __future__ import annotations

from collections.abc import Mapping

from cli.client import Api, Refusal

Names = Mapping[str, str]
"""Login → name."""

_ALL = 1_000_000


def names(api: Api) -> Names:
    """Everybody of the directory; nobody for whom the directory is not open, who then reads logins."""
    try:
        return {row["sub"]: row["name"] for row in api.rows("/v1/people", _ALL)}
    except Refusal:
        return {}
