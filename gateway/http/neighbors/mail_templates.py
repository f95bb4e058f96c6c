"""Mail templates: which texts there are, for whom, and how each reads."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.paging import Page
from gateway.http.plumbing.parameters import path_id
from oms.notifications.v1 import notifications_pb2 as pb

router = APIRouter(tags=["notifications"])

Kind = Annotated[str, path_id("A kind that the list names.", "order_accepted")]
Role = Annotated[str, path_id("A role that has a text of this kind.", "customer")]


class MailTemplate(BaseModel):
    """A kind of mail and the roles that have a text of it."""

    kind: str
    roles: list[str]


class MailPreview(BaseModel):
    """A mail as its reader would see it, about an order that never was."""

    kind: str
    role: str
    subject: str
    text: str
    html: str = Field(description="A whole page with its styles inlined.")


@router.get("/v1/mail-templates")
def list_mail_templates(deps: DepsOf, _who: CallerOf) -> Page[MailTemplate]:
    """Every kind of mail, by name; they all fit on one page."""
    found = deps.notifications.ListTemplates(pb.ListTemplatesRequest()).templates
    return Page(rows=[MailTemplate(kind=each.kind, roles=list(each.roles)) for each in found], next_cursor=None)


@router.get("/v1/mail-templates/{kind}/{role}")
def preview_mail_template(deps: DepsOf, _who: CallerOf, kind: Kind, role: Role) -> MailPreview:
    """How a mail reads, written from sample variables; nothing is kept or sent."""
    shown = deps.notifications.PreviewTemplate(pb.PreviewTemplateRequest(kind=kind, role=role))
    return MailPreview(kind=kind, role=role, subject=shown.subject, text=shown.text, html=shown.html)
