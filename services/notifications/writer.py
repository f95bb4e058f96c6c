"""Writes a mail: renders text and HTML of a delivery from its templates, and adds the headers."""

from __future__ import annotations

import re
from datetime import datetime
from email.errors import MessageError
from email.utils import format_datetime

import css_inline
from jinja2 import ChainableUndefined, Environment, PackageLoader, TemplateError, Undefined, select_autoescape

from services.notifications import domain
from services.notifications.domain import Delivery
from services.notifications.envelope import File, Mailbox, seal
from services.notifications.filters import filters
from services.notifications.settings import NotificationsSettings

_BLANK_LINES = re.compile(r"\n{3,}")
_NOTHING = "\N{EM DASH}"
# what variables of a wrong shape raise in a template and in a header
_MISFITS = (
    TemplateError,
    MessageError,
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


class Unwritable(Exception):
    """The variables do not fit the template; the message says why."""


class _Dash(ChainableUndefined):
    """A missing variable: prints as a dash, has no rows, and is false in a condition."""

    def __str__(self) -> str:
        return _NOTHING


class MailWriter:
    """Renders deliveries with the company's templates, address, signature and formats.

    `undefined` decides what a missing variable does: tests are strict, the service is lenient.
    """

    def __init__(self, settings: NotificationsSettings, undefined: type[Undefined] = _Dash) -> None:
        self._from = Mailbox(domain.one_line(settings.sender_display_name), settings.mail_from)
        self._company = settings.company
        self._domain = settings.mail_domain
        self._environment = Environment(
            loader=PackageLoader("services.notifications", "templates"),
            # plain text is not escaped; templates that end in .html escape every variable
            autoescape=select_autoescape(["html"]),
            undefined=undefined,
            auto_reload=False,  # otherwise each mail checks a dozen files for changes
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(filters(settings.formats))
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False)

    def write(self, delivery: Delivery, now: datetime, file: File | None = None) -> bytes:
        """The finished mail as it goes to the mail server, with its document. Raises Unwritable when the variables do not fit."""
        try:
            return self._compose(delivery, now, file)
        except _MISFITS as fault:
            raise Unwritable(
                f"this {delivery.kind} mail cannot be written from its variables: {type(fault).__name__}: {fault}"
            ) from fault

    def _compose(self, delivery: Delivery, now: datetime, file: File | None) -> bytes:
        recipient = Mailbox(domain.one_line(delivery.recipient.name), delivery.recipient.email)
        headers = {
            "Subject": delivery.subject,
            "Date": format_datetime(now),
            "Message-ID": domain.message_id(delivery.delivery_id, self._domain),
            "Auto-Submitted": "auto-generated",
            "X-Oms-Kind": delivery.kind,
        }
        if delivery.order_id:
            # mail programs put all mails of an order into one conversation
            headers |= {
                "References": domain.message_id(delivery.order_id, self._domain),
                "X-Oms-Order": delivery.order_number,
            }
        text, page = self.bodies(delivery, file.name if file else "")
        return seal(self._from, recipient, headers, text=text, page=page, boundary=delivery.delivery_id, file=file)

    def bodies(self, delivery: Delivery, attached: str = "") -> tuple[str, str]:
        """(the plain text, the HTML page with its styles inlined); `attached` is the name of the file that goes with it."""
        text = _BLANK_LINES.sub("\n\n", self._render(delivery, "txt", attached))
        return text, self._inliner.inline(self._render(delivery, "html", attached))

    def _render(self, delivery: Delivery, suffix: str, attached: str) -> str:
        names = domain.template_names(delivery.kind, delivery.recipient.role, suffix)
        ours = {
            "number": delivery.order_number,
            "subject": delivery.subject,
            "salutation": domain.salutation(delivery.recipient),
            "is_customer": delivery.recipient.role == "customer",
            "company": self._company,
            "attached": attached,
            "sees_money": delivery.recipient.role not in domain.ROLES_WITHOUT_PRICES,
        }
        return self._environment.select_template(names).render({**delivery.variables, **ours})
