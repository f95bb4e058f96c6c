"""The QR code that a banking app pays an invoice by: EPC069-12, for euros to an account with an IBAN."""

from __future__ import annotations

import io

from segno import helpers

from services.billing.documents.bank import account_of
from services.billing.documents.seller import Seller
from services.kernel.money import Money

_LONGEST_NAME = 70
_MOST_MINOR = 99_999_999_999


def payment_qr(seller: Seller, asked: Money, naming: str) -> str:
    """The code as SVG, for an amount to be sent with a text; empty where it is no amount in euros, or there is no IBAN to send it to."""
    account = account_of(seller.bank)
    if account is None or asked.currency != "EUR" or not 0 < asked.minor <= _MOST_MINOR:
        return ""
    code = helpers.make_epc_qr(
        name=seller.name[:_LONGEST_NAME],
        iban=account.iban,
        amount=asked.amount,
        text=naming,
        bic=account.bic or None,
        encoding="utf-8",
    )
    drawn = io.BytesIO()
    code.save(drawn, kind="svg", border=4, xmldecl=False, nl=False)
    return drawn.getvalue().decode()
