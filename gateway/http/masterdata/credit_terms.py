"""Credit terms: whose limit a customer's credit counts in too, and what overdue invoices stop."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Amount, Identity, Input, Switch, example
from gateway.http.plumbing.parameters import path_id
from gateway.http.plumbing.shapes import MoneyShape, instant, proto_money
from oms.billing.v1 import billing_pb2 as billing
from services.kernel.money import Money
from services.orders.access.matrix import Caller
from services.orders.masterdata import customers

router = APIRouter(tags=["master data"])

CustomerId = Annotated[str, path_id("The customer account's id.", "cus_acme")]


class OverdueHold(Input):
    """A customer that owes this much on invoices overdue by more than so many days gets no more credit."""

    days: Annotated[int, Field(strict=True, ge=0, le=3650)] = Field(description="Past the due date.")
    amount: Amount = Field(description="Least that is overdue, in the customer's currency; more than 0.")


class CreditTermsInput(Input):
    """Credit terms, which replace those that stand."""

    parent_id: Identity | Literal[""] = Field(
        default="",
        description="The account whose limit counts what this one owes too, as all limits above it do. It has a limit in the "
        "same currency.",
    )
    overdue_hold: OverdueHold | None = Field(
        default=None, description="Holds new orders on credit until enough is paid; orders paid ahead pass."
    )

    ships_what_fits: Switch = Field(
        default=False,
        description="true: what of an order on terms fits under the limits ships, and the rest waits for room. false: the order waits whole.",
    )

    model_config = example(parent_id="cus_acme_group", overdue_hold={"days": 10, "amount": "500.00"})


class CreditTerms(BaseModel):
    """Credit terms as they stand."""

    customer_id: str
    currency: str
    parent_id: str
    overdue_hold: OverdueHold | None
    ships_what_fits: bool
    changed_by: str = Field(description="Who put them last; empty when nobody did.")
    changed_at: str | None


@router.get("/v1/customers/{customer_id}/credit-terms")
def get_credit_terms(deps: DepsOf, who: CallerOf, customer_id: CustomerId) -> CreditTerms:
    """Whose limit counts too, what overdue invoices stop, whether what fits ships, and who said so."""
    currency = _currency(deps, who, customer_id)
    wanted = billing.GetCreditAccountRequest(customer_id=customer_id, currency=currency)
    return _terms(deps.billing.GetCreditAccount(wanted).account)


@router.post("/v1/customers/{customer_id}/credit-terms", response_model=CreditTerms)
def put_credit_terms(
    deps: DepsOf, who: CallerOf, customer_id: CustomerId, body: CreditTermsInput, once: OnceOf
) -> Response:
    """Replace the terms. Orders that they let go do so by themselves; those that were accepted stay so."""

    def act(_request_id: str) -> CreditTerms:
        currency = _currency(deps, who, customer_id)
        rule = None
        if body.overdue_hold is not None:
            least = proto_money(Money.parse(body.overdue_hold.amount, currency))
            rule = billing.OverdueRule(days=body.overdue_hold.days, least=least)
        wanted = billing.PutCreditTermsRequest(
            customer_id=customer_id,
            currency=currency,
            parent_id=body.parent_id,
            overdue_rule=rule,
            ships_what_fits=body.ships_what_fits,
            changed_by=who.principal.sub,
        )
        return _terms(deps.billing.PutCreditTerms(wanted).account)

    return once.answer(body, act)


def _currency(deps: Deps, who: Caller, customer_id: str) -> str:
    with deps.database.reading() as session:
        return customers.get_customer(session, customer_id, who.scope).currency


def _terms(account: billing.CreditAccount) -> CreditTerms:
    hold = None
    if account.HasField("overdue_rule"):
        least = account.overdue_rule.least
        amount = MoneyShape.of_minor(least.minor_units, least.currency).amount
        hold = OverdueHold(days=account.overdue_rule.days, amount=amount)
    return CreditTerms(
        customer_id=account.customer_id,
        currency=account.limit.currency,
        parent_id=account.parent_id,
        overdue_hold=hold,
        ships_what_fits=account.ships_what_fits,
        changed_by=account.terms_changed_by,
        changed_at=instant(account.terms_changed_at_micros),
    )
