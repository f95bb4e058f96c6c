"""How each mail reads, before anybody gets one: the list, and one mail as text and as its reader's mail program shows it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from gateway.console.headers import POLICY
from gateway.console.pages import render
from gateway.console.visitor import VisitorOf
from gateway.http.plumbing.inputs import IDENTITY
from oms.notifications.v1 import notifications_pb2 as pb

router = APIRouter()

WordOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]

# A mail brings its styles in its elements, as mail programs demand: it alone may, and it may do nothing else.
_MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"
_MAIL_HEADERS = {"Content-Security-Policy": _MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN"}
_FRAMING_HEADERS = {"Content-Security-Policy": f"{POLICY}; frame-src 'self'"}


@router.get("/notifications/preview")
def previews_page(who: VisitorOf) -> Response:
    """Every kind of mail, and whom it is written for."""
    found = who.deps.notifications.ListTemplates(pb.ListTemplatesRequest())
    return render("previews.html", who, templates=found.templates)


@router.get("/notifications/preview/{kind}/{role}")
def preview_page(
    who: VisitorOf, kind: WordOf, role: WordOf, part: Annotated[Literal["text", "html"] | None, Query()] = None
) -> Response:
    """One mail, written from its samples; `part` gives its text or its HTML alone."""
    shown = who.deps.notifications.PreviewTemplate(pb.PreviewTemplateRequest(kind=kind, role=role))
    if part == "text":
        return Response(shown.text, media_type="text/plain; charset=utf-8")
    if part == "html":
        return Response(shown.html, media_type="text/html; charset=utf-8", headers=_MAIL_HEADERS)
    page = render("preview.html", who, kind=kind, role=role, shown=shown)
    page.headers.update(_FRAMING_HEADERS)
    return page
