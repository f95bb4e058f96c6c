"""Customers: accounts with their terms, tax, contacts and credit limit."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from gateway.http.masterdata.exemptions import ExemptionInput, ExemptionShape, exemption, exemption_shape
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.editing import ETAG, ReadOnly, SeenVersion, StoredVersion, merged, on_newest, partial, tag
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import (
    PRINTABLE,
    TIDY,
    AddressInput,
    Amount,
    Country,
    Currency,
    Fraction,
    Identity,
    Input,
    Name,
    OptionalEmail,
    PaymentTerms,
    Sku,
    Switch,
    example,
)
from gateway.http.plumbing.paging import Page, PagingOf, cut, sealed
from gateway.http.plumbing.parameters import path_id
from gateway.http.plumbing.shapes import AddressShape, MoneyShape, proto_money
from oms.billing.v1 import billing_pb2 as billing
from oms.types.v1 import types_pb2 as types
from services.kernel.errors import InvalidArgument, NotFound
from services.kernel.money import Money
from services.kernel.terms import Terms
from services.orders.access.matrix import Caller
from services.orders.approvals import enough_people
from services.orders.domain.masterdata import AllowedShipTo, Customer
from services.orders.domain.order import Address
from services.orders.masterdata import customers
from services.runtime.business_days import check_place

router = APIRouter(tags=["master data"])


class ShipToInput(Input):
    """A destination that is allowed; blank members match everything."""

    country: Country
    region: Annotated[str, StringConstraints(max_length=64, pattern=PRINTABLE), TIDY] = ""
    postal_code: Annotated[str, StringConstraints(max_length=20, pattern=PRINTABLE), TIDY] = ""


class CustomerInput(Input):
    """A customer account; the same id replaces it."""

    customer_id: Identity = Field(examples=["cus_acme"])
    name: Name
    currency: Currency
    is_active: Switch = True
    tier: Identity = Field(default="standard", description="A word of yours, for the predicates of a policy.")
    net_days: Annotated[int, Field(strict=True, ge=0, le=365)] = Field(
        default=30, description="Days until an invoice is due; `terms` say from when on."
    )
    terms: PaymentTerms | None = Field(
        default=None,
        description="When its invoices are due: `net 30`, `eom 15` (the end of the month and so many days), `delivery 10` (days after "
        "the goods are delivered) or installments such as `50%@30 50%@60`. `2/10 ` before them gives 2 % off what is paid "
        "within 10 days. Without them net_days after the invoice date.",
        examples=["2/10 net 30"],
    )
    calendar: Annotated[str, StringConstraints(max_length=10, pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,6})?)?$")] = Field(
        default="",
        description="A country, or a part of one (US-TX): what falls due on a weekend or public holiday there is due on "
        "the next business day. Empty moves nothing.",
        examples=["US-TX"],
    )
    invoicing: Literal["per_shipment", "per_delivery", "weekly", "monthly", "manual", "at_order"] = Field(
        default="per_shipment",
        description="When what has shipped of its orders on terms or with a deposit is invoiced: with each shipment, with each "
        "delivery, at the end of the week or month (one invoice over all orders of the period that may be together), when accounting "
        "does it by hand, or whole as soon as it is accepted, before anything ships (at_order). All other orders are invoiced per shipment, and placed orders keep theirs.",
    )
    tax_rate: Fraction = Field(
        default="0", description="Of merchandise less discount, where goods go to a place that no tax rate knows."
    )
    tax_id: Annotated[str, StringConstraints(max_length=40, pattern=PRINTABLE), TIDY] = Field(
        default="",
        description="Its tax number, on its invoices. An EU VAT number is checked: a seller in the EU charges a registered "
        "buyer in another member state no VAT.",
        examples=["DE136695976"],
    )
    tax_exemptions: Annotated[list[ExemptionInput], Field(max_length=100)] = Field(
        default=[], description="Certificates under which it is not taxed where they cover an order."
    )
    contact_email: OptionalEmail = Field(default="", description="Where mails about its orders go.")
    accounting_email: OptionalEmail = Field(default="", description="Where its invoices go; else to the contact.")
    sales_rep: Annotated[str, StringConstraints(max_length=64, pattern=PRINTABLE), TIDY] = Field(
        default="", description="The `sub` of the representative it is assigned to."
    )
    sales_rep_email: OptionalEmail = ""
    allowed_ship_tos: Annotated[list[ShipToInput], Field(max_length=200)] = Field(
        default=[], description="Where it may have goods sent; anywhere, when empty."
    )
    free_multiple_skus: Annotated[list[Sku], Field(max_length=500)] = Field(
        default=[], description="SKUs that it may buy in any number, whatever their pack."
    )
    duplicate_po: Literal["allow", "warn", "hold", "block"] = Field(
        default="hold", description="What becomes of an order under a purchase order number that it used before."
    )
    customer_group: Identity | Literal[""] = Field(
        default="", description="A group that prices are agreed with; its own agreements win over the group's."
    )
    bill_to_id: Identity | Literal[""] = Field(
        default="",
        description="Who is billed for what it orders, on whose credit that is; itself when empty. Placed orders keep theirs.",
    )
    billing_address: AddressInput | None = Field(
        default=None,
        description="Where its invoices are addressed to, its own and those of accounts that are billed to it. Posted invoices keep theirs.",
    )
    credit_limit: Amount | None = Field(
        default=None,
        description="Most it may owe, open orders included, in its currency; a new account needs one, another keeps its own.",
    )
    version: SeenVersion = None
    credit: ReadOnly = None

    model_config = example(
        customer_id="cus_acme",
        name="ACME Process Systems",
        currency="USD",
        tier="gold",
        tax_rate="0.0825",
        contact_email="purchasing@acme-process.example",
        sales_rep="rep.maria",
        allowed_ship_tos=[{"country": "US", "region": "TX"}],
        credit_limit="60000.00",
    )


if TYPE_CHECKING:
    CustomerPatch = Input
else:
    CustomerPatch = partial(
        "CustomerPatch", CustomerInput, ("customer_id",), customer_id="cus_acme", credit_limit="75000.00"
    )


class CustomerShape(BaseModel):
    """A customer account."""

    customer_id: str
    name: str
    currency: str
    is_active: bool
    tier: str
    net_days: int
    terms: str = Field(examples=["2/10 net 30"])
    calendar: str
    invoicing: Literal["per_shipment", "per_delivery", "weekly", "monthly", "manual", "at_order"]
    tax_rate: str
    tax_id: str
    tax_exemptions: list[ExemptionShape]
    contact_email: str
    accounting_email: str
    sales_rep: str
    sales_rep_email: str
    allowed_ship_tos: list[dict[str, str]]
    free_multiple_skus: list[str]
    duplicate_po: str
    customer_group: str
    bill_to_id: str
    billing_address: AddressShape | None
    version: StoredVersion


class CreditShape(BaseModel):
    """How a customer's credit stands."""

    limit: MoneyShape
    committed: MoneyShape = Field(description="Accepted orders not yet invoiced.")
    receivable: MoneyShape = Field(description="Open invoices less unapplied cash.")
    headroom: MoneyShape = Field(
        description="limit - committed - receivable, less cash that is held for orders beyond what they have committed."
    )


class CustomerWithCredit(CustomerShape):
    """A customer account and its credit."""

    credit_limit: str | None = Field(description="Null while it has no credit account.")
    credit: CreditShape | None = Field(description="Null while it has no credit account.")


@router.get("/v1/customers")
def list_customers(deps: DepsOf, who: CallerOf, paging: PagingOf) -> Page[CustomerShape]:
    """Customer accounts by id; a sales representative sees the assigned ones."""
    with deps.database.reading() as session:
        found = customers.list_customers(session, who.scope, after=paging.after("customers"), limit=paging.limit + 1)
    page, next_cursor = cut(found, paging.limit, lambda row: sealed("customers", row.customer_id))
    return Page(rows=[CustomerShape.model_validate(_members(row)) for row in page], next_cursor=next_cursor)


@router.get("/v1/customers/{customer_id}", responses=ETAG)
def get_customer(
    deps: DepsOf,
    who: CallerOf,
    customer_id: Annotated[str, path_id("The customer account's id.", "cus_acme")],
    response: Response,
) -> CustomerWithCredit:
    """One account, and how its credit stands now."""
    with deps.database.reading() as session:
        customer = customers.get_customer(session, customer_id, who.scope)
    tag(response, customer.version)
    return _shape(customer, _account(deps, customer_id, customer.currency))


@router.post("/v1/customers", response_model=CustomerWithCredit)
def put_customer(deps: DepsOf, who: CallerOf, body: CustomerInput, once: OnceOf, if_match: IfMatch) -> Response:
    """Create or replace an account with its credit limit; placed orders keep the terms they were placed under.

    Another currency is refused while the customer owes or has ordered something in the one it has.
    """

    def act(_request_id: str) -> CustomerWithCredit:
        return _put(deps, who, body, expected_version(body.version, if_match))

    return once.answer(body, act)


@router.patch("/v1/customers", responses=ETAG)
def change_customer(
    deps: DepsOf, who: CallerOf, body: CustomerPatch, if_match: IfMatch, response: Response
) -> CustomerWithCredit:
    """Change what is named of an account; everything else of it stays. A list that is named is the whole list."""
    sent = body.model_dump(exclude_unset=True)
    expected = expected_version(sent.get("version"), if_match)

    def edit() -> CustomerWithCredit:
        with deps.database.reading() as session:
            stands = customers.get_customer(session, sent["customer_id"], who.scope)
        whole = merged(_shape(stands, None), body, CustomerInput)
        if "net_days" not in sent or "terms" not in sent:  # who names one of the two means it
            whole = whole.model_copy(update={"terms": None} if "net_days" in sent else _net_days(whole))
        return _put(deps, who, whole, stands.version if expected is None else expected)

    changed = on_newest(edit, expected)
    tag(response, changed.version)
    return changed


def _put(deps: Deps, who: Caller, body: CustomerInput, expected: int | None) -> CustomerWithCredit:
    customer = _customer(body)
    _check_currency(deps, customer)
    with deps.database.reading() as session:
        customers.check_bill_to(session, customer)
    before = _account(deps, body.customer_id, body.currency)
    limit = _limit(body, before)
    with deps.database.reading() as session:
        known = customers.find_customer(session, body.customer_id)
    is_new = known is None and expected is None
    if limit is None and (is_new or (known is not None and known.currency != body.currency)):
        raise InvalidArgument("CREDIT_LIMIT_MISSING", "name the credit limit in this currency: 0 gives no credit")
    if is_new and limit is not None:
        # the limit first: an account without one would let its first order through unchecked
        _put_limit(deps, body, limit)
    is_other = limit != (before.limit if before else None)
    with deps.database.transaction() as session:
        kept = customers.put_customer(
            session, customer, who.principal.sub, deps.clock(), expected, has_new_limit=is_other
        )
        enough_people.recheck(session, deps.contacts, deps.clock(), customer.customer_id)
    # behind the account, so that who has seen another version changes no limit either
    return _shape(kept, _put_limit(deps, body, limit) if limit else None)


def _limit(body: CustomerInput, before: billing.CreditAccount | None) -> types.Money | None:
    if body.credit_limit is not None:
        return proto_money(Money.parse(body.credit_limit, body.currency))
    return before.limit if before else None


def _put_limit(deps: Deps, body: CustomerInput, limit: types.Money) -> billing.CreditAccount:
    wanted = billing.PutCreditAccountRequest(customer_id=body.customer_id, limit=limit, net_days=_terms(body).days)
    return deps.billing.PutCreditAccount(wanted).account


def _account(deps: Deps, customer_id: str, currency: str) -> billing.CreditAccount | None:
    wanted = billing.GetCreditAccountRequest(customer_id=customer_id, currency=currency)
    try:
        return deps.billing.GetCreditAccount(wanted).account
    except NotFound:
        return None


def _check_currency(deps: Deps, wanted: Customer) -> None:
    """What a customer owes and has ordered is counted in its currency: another one would leave that out of its exposure."""
    with deps.database.reading() as session:
        known = customers.other_currency(session, wanted)
    if known is None:
        return
    account = _account(deps, known.customer_id, known.currency)
    if account is not None and (account.committed.minor_units or account.receivable.minor_units):
        raise customers.currency_in_use(known)


def _customer(body: CustomerInput) -> Customer:
    own = {
        "version",
        "credit_limit",
        "tax_rate",
        "tax_exemptions",
        "allowed_ship_tos",
        "free_multiple_skus",
        "billing_address",
        "terms",
        "net_days",
    }
    plain = body.model_dump(exclude=own)
    terms = _terms(body)
    check_place(body.calendar)
    return Customer(
        **plain,
        net_days=terms.days,
        terms="" if terms == Terms.net(terms.days) else terms.text,
        billing_address=Address(**body.billing_address.model_dump()) if body.billing_address else None,
        tax_rate=Decimal(body.tax_rate),
        tax_exemptions=tuple(exemption(one) for one in body.tax_exemptions),
        allowed_ship_tos=tuple(AllowedShipTo(**place.model_dump()) for place in body.allowed_ship_tos),
        free_multiple_skus=tuple(body.free_multiple_skus),
    )


def _terms(body: CustomerInput) -> Terms:
    """The terms of a body; InvalidArgument TERMS_CONTRADICT when it says others in net_days."""
    terms = Terms.parse(body.terms) if body.terms else Terms.net(body.net_days)
    if "net_days" in body.model_fields_set and terms.days != body.net_days:
        raise InvalidArgument(
            "TERMS_CONTRADICT", f"terms {terms.text} and net_days {body.net_days} differ: name one of them"
        )
    return terms


def _net_days(body: CustomerInput) -> dict[str, int]:
    return {"net_days": Terms.parse(body.terms).days} if body.terms else {}


def _members(customer: Customer) -> dict[str, Any]:
    exemptions = [exemption_shape(one) for one in customer.tax_exemptions]
    plain = {**asdict(customer), "tax_rate": f"{customer.tax_rate:f}", "terms": customer.payment_terms.text}
    return {**plain, "tax_exemptions": exemptions}


def _shape(customer: Customer, account: billing.CreditAccount | None) -> CustomerWithCredit:
    credit = _credit(account) if account else None
    limit = credit.limit.amount if credit else None
    return CustomerWithCredit.model_validate({**_members(customer), "credit_limit": limit, "credit": credit})


def _credit(account: billing.CreditAccount) -> CreditShape:
    def money(minor: int) -> MoneyShape:
        return MoneyShape.of_minor(minor, account.limit.currency)

    return CreditShape(
        limit=money(account.limit.minor_units),
        committed=money(account.committed.minor_units),
        receivable=money(account.receivable.minor_units),
        headroom=money(account.headroom.minor_units),
    )
