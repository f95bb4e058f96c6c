"""The page of a Checkout Session, as a browser opens it: a form for a test card, and a way back."""

from __future__ import annotations

from html import escape
from string import Template

from services.billing.cards.stripe_money import ours
from services.billing.fake_stripe.sessions import CARDS
from services.billing.fake_stripe.state import Document
from services.kernel.money import Money

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><title>$heading · Stripe's stand-in</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:30rem;margin:2rem auto;padding:0 1rem;color:#1a1f36;background:#fff}
label,input,button{display:block;width:100%;box-sizing:border-box;font:inherit}input{margin:4px 0 12px;padding:8px;border:1px solid #697386}
button{margin:16px 0;padding:12px;border:0;background:#0f4c9c;color:#fff}.refused{color:#a51d2d;font-weight:600}td,th{text-align:left;padding:0 12px 4px 0;font-weight:400}th{white-space:nowrap}</style>
</head>
<body><main>
<p>Stripe's stand-in: no card is charged and no money moves.</p>
<h1>$heading</h1>
$body
</main></body></html>
""")
_FORM = Template("""$refusal<p>$what</p>
<form method="post">
<label for="number">Card number</label><input id="number" name="number" inputmode="numeric" autocomplete="off" required value="4242 4242 4242 4242">
<label for="expiry">Expiry</label><input id="expiry" name="expiry" autocomplete="off" required value="12 / 34">
<label for="cvc">CVC</label><input id="cvc" name="cvc" autocomplete="off" required value="123">
<button type="submit">$button</button>
</form>
<p><a href="$back">Back without a card</a></p>
<h2>Test cards</h2>
<table><tbody>$cards</tbody></table>
""")


def render(session: Document, refusal: str = "") -> str:
    """The page of a session; `refusal` says why a card was not taken."""
    if session["status"] != "open":
        back = escape(session["success_url"], quote=True)
        return _PAGE.substitute(heading="This page has ended", body=f'<p><a href="{back}">Back</a></p>')
    is_paying = session["mode"] == "payment"
    cards = "".join(
        f'<tr><th scope="row">{_spaced(one)}</th><td>{escape(does)}</td></tr>' for one, (does, *_) in CARDS.items()
    )
    body = _FORM.substitute(
        refusal=f'<p class="refused" role="alert">{escape(refusal)}</p>' if refusal else "",
        what=escape(f"{session['_label']}: {_amount(session)}" if is_paying else "The card is charged later."),
        button="Pay" if is_paying else "Save card",
        back=escape(session["cancel_url"] or session["success_url"], quote=True),
        cards=cards,
    )
    return _PAGE.substitute(heading="Pay by card" if is_paying else "Enter a card", body=body)


def _amount(session: Document) -> str:
    currency = session["currency"].upper()
    return f"{Money(ours(session['amount_total'], currency), currency).amount:,f} {currency}"


def _spaced(number: str) -> str:
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))
