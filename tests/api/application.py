"""create_app() for a test: FastAPI prepares routes at an application's first requests, a tenth of a second that all tests share."""

from __future__ import annotations

from fastapi import FastAPI

from gateway.app import create_app
from gateway.http.plumbing.deps import Deps

_first: list[FastAPI] = []  # the first application of this process; its prepared routes hold nothing of it


def app_over(deps: Deps) -> FastAPI:
    """An application of its own over these dependencies, with the routes of the first."""
    app = create_app(deps)
    if not _first:
        _first.append(app)
    for part, first in ((app, _first[0]), (_console(app), _console(_first[0]))):
        part.router.routes[:] = first.router.routes
    return app


def _console(app: FastAPI) -> FastAPI:
    consoles = [added.kwargs["console"] for added in app.user_middleware if "console" in added.kwargs]
    assert len(consoles) == 1
    assert isinstance(consoles[0], FastAPI)
    return consoles[0]
