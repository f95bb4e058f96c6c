"""Who is at a page: the login behind the cookie, admitted by the same role matrix as the API's callers."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from gateway.console.forms import read_form
from gateway.console.notices import Notice, take
from gateway.http.plumbing.body import check_target
from gateway.http.plumbing.deps import ConsoleSettings, Deps, deps_of
from gateway.http.plumbing.problems import ApiError
from services.kernel.errors import InvalidArgument, NotPermitted
from services.orders.access import logins
from services.orders.access.logins import Login
from services.orders.access.matrix import Caller

_LONGEST_WAY = 400
_LOGIN_PATHS = ("/login", "/logout", "/static")


class LoginNeeded(Exception):
    """Nobody is logged in, or no longer; `back` is where to go after logging in."""

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.back = back


@dataclass(frozen=True, slots=True)
class Returned:
    """A form that comes back to its page: what was typed, and why it was refused; empty when it only comes back to be changed."""

    fields: Mapping[str, str]
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A caller at a page; `may` says which other pages its role opens, `returned` what it has typed there before.

    `notice` is what its last act did, to be said on this page.
    """

    caller: Caller
    login: Login
    deps: Deps
    returned: Returned | None = None
    notice: Notice | None = None

    @property
    def name(self) -> str:
        """Who it is, as the event log names them: a login, for which pages show the name."""
        return self.caller.principal.sub

    @property
    def csrf(self) -> str:
        """What every form of this login carries."""
        return self.login.csrf

    def may(self, operation: str) -> bool:
        """Whether one of its roles opens an operation such as "GET /dead-letters"."""
        return any(self.deps.matrix.reach(operation, role) for role in self.caller.principal.roles)

    def typed(self, name: str, otherwise: object = "") -> str:
        """What a field shows: what was typed into it before, else what stands."""
        kept = self.returned.fields.get(name) if self.returned else None
        return str(otherwise) if kept is None else kept


@dataclass(frozen=True, slots=True)
class Form:
    """What a visitor posted, its CSRF token checked; single lines, trimmed."""

    visitor: Visitor
    fields: dict[str, str]

    def text(self, name: str, *, most: int = 500) -> str:
        """A field, empty when it was left out; InvalidArgument when it is too long."""
        value = self.fields.get(name, "")
        if len(value) > most:
            raise InvalidArgument("TEXT_TOO_LONG", f"enter at most {most} characters")
        return value

    def version(self) -> int | None:
        """The version of the order that the page showed."""
        given = self.fields.get("version", "")
        return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def session_cookie(settings: ConsoleSettings) -> str:
    """The cookie's name; over https the browser itself ties it to this host."""
    return "__Host-oms_session" if settings.is_secure else "oms_session"


def visitor(request: Request) -> Visitor:
    """The visitor within this operation; LoginNeeded without a good login, NotPermitted when the matrix has no row for it."""
    check_target(request.scope)
    deps = deps_of(request)
    login = login_of(request, deps)
    if login is None:
        raise LoginNeeded(_way_back(request))
    operation = f"{request.method} {request.scope['route'].path_format}"
    returned = getattr(request.state, "returned", None)
    notice = None if returned else take(request, deps.console)
    return Visitor(deps.matrix.admit(login.principal, operation), login, deps, returned, notice)


def visitor_anywhere(request: Request) -> Visitor | None:
    """Whoever is logged in, at a page that takes no part in the matrix, such as one that only says what is wrong."""
    deps = deps_of(request)
    login = login_of(request, deps)
    return Visitor(Caller(login.principal, "own"), login, deps) if login else None


def login_of(request: Request, deps: Deps) -> Login | None:
    """The login of this request's cookie, if it is good."""
    cookie = request.cookies.get(session_cookie(deps.console), "")
    if not cookie:
        return None
    with deps.database.reading() as session:
        return logins.find_login(session, cookie, deps.clock())


VisitorOf = Annotated[Visitor, Depends(visitor)]


async def form(request: Request, who: VisitorOf) -> Form:
    """The posted form; NotPermitted when it does not carry this login's token."""
    fields = await read_form(request)
    if not hmac.compare_digest(fields.pop("csrf", "").encode(), who.csrf.encode()):
        raise NotPermitted(
            "FORM_OUT_OF_DATE", "this form belongs to another login: go back, reload the page and send it again"
        )
    request.state.form = fields
    return Form(who, fields)


FormOf = Annotated[Form, Depends(form)]


def _way_back(request: Request) -> str:
    """The page to come back to: this one if it was asked for, else the one the form was on; a long query is left behind."""
    path, query = str(request.url.path), request.url.query
    if request.method == "GET":
        return f"{path}?{query}" if query and len(path) + len(query) < _LONGEST_WAY else path[:_LONGEST_WAY]
    return urlsplit(request.headers.get("Referer", "/")).path or "/"


def safe_path(given: str) -> str:
    """A path of this console to go on to; "/" for anything that leads elsewhere or back to the login."""
    try:
        parts = urlsplit(given)
        check_target({"path": given, "raw_path": given.encode(), "query_string": b""})
    except (ValueError, ApiError):
        return "/"
    is_ours = given.startswith("/") and not given.startswith(("//", "/\\")) and not (parts.scheme or parts.netloc)
    return given if is_ours and "\\" not in given and not parts.path.startswith(_LOGIN_PATHS) else "/"
