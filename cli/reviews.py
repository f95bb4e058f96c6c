"""`oms reviews`: what is waiting for approval, deciding it, and delegating approvals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import httpx
import typer

from cli.client import VAR, Api, JsonOption, LimitOption, Refusal, VarOption, default_sub, segment
from cli.directory import names
from cli.orders import find_order, reference
from cli.output import console, print_json, print_rows, words, zoned
from cli.refusals import CommandRefused

app = typer.Typer(help="Reviews: list and show what is waiting for approval, decide, delegate.", no_args_is_help=True)

OrderArgument = Annotated[str, typer.Argument(metavar="ORDER", help="Its number (SO-1001) or id (ord_…).")]
AsOption = Annotated[str | None, typer.Option("--as", help="Act as this person of the directory.")]
RoleOption = Annotated[str, typer.Option(help="Act in this role.")]
CompanyOption = Annotated[str | None, typer.Option(help="The customer account, for the role customer.")]
StepOption = Annotated[str | None, typer.Option("--step", help="Which step, when several are open: step_….")]

_COLUMNS = (
    ("Due", "due"), ("Order", "number"), ("Customer", "customer_name"), ("Total", "total>"), ("Approval", "asks"),
    ("Waiting on", "who"), ("Hours", "age_hours>"), ("Step", "step_id"), ("Why not you", "why_not"),
)  # fmt: skip

_DECIDED = {"approve": "approved", "reject": "rejected", "request_changes": "requested changes"}


@app.command("list")
def list_reviews(
    wanted: Annotated[str, typer.Option("--for", help="me, team or all.")] = "all",
    sub: AsOption = None,
    role: RoleOption = "approver",
    company: CompanyOption = None,
    limit: LimitOption = 50,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List what is waiting for approval, what is due first."""
    rows = Api(var, role, company=company, sub=sub).rows("/v1/reviews", limit, **{"for": wanted})
    print_rows(rows, _COLUMNS, as_json=as_json, none="nothing is waiting for approval")


@app.command()
def show(
    order: OrderArgument,
    step: StepOption = None,
    sub: AsOption = None,
    role: RoleOption = "approver",
    company: CompanyOption = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Show why an order needs approval, who has decided, and who is next."""
    api = Api(var, role, company=company, sub=sub)
    found = api.get(f"/v1/reviews/{segment(step or _waiting(api, order, 'all')['step_id'])}")
    if as_json:
        print_json(found)
        return
    out, waiting = console(), found["waiting"]
    out.print(f"{waiting['number']} · {waiting['customer_name']}: {found['step']['asks']}")
    for reason in found["step"]["reasons"]:
        out.print(f"  {reason}")
    known = names(api)
    for each in found["review"]["steps"]:
        out.print(f"  level {each['level']} {each['asks']}: {words(each['state'])}")
        for decision in each["decisions"]:
            by, of = (known.get(decision[who], decision[who]) for who in ("decided_by", "acting_for"))
            whose = f" for {of}" if of else ""
            note = f": {decision['note']}" if decision["note"] else ""
            out.print(
                f"    {by}{whose}: {_DECIDED.get(decision['decision'], words(decision['decision']))}{note}",
            )
    out.print(waiting["why_not"] or "You may decide it.")


@app.command()
def approve(
    order: OrderArgument,
    note: Annotated[str, typer.Option(help="For the history.")] = "",
    ready_on: Annotated[str | None, typer.Option(help="The plant's own day, such as 2026-12-24.")] = None,
    step: StepOption = None,
    sub: AsOption = None,
    role: RoleOption = "approver",
    company: CompanyOption = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Approve the step of an order that is waiting for you."""
    api = Api(var, role, company=company, sub=sub)
    _decide(api, order, step, {"decision": "approve", "note": note, "ready_on": ready_on}, as_json=as_json)


@app.command()
def reject(
    order: OrderArgument,
    note: Annotated[str, typer.Option(help="Why; staff reads it, the customer does not.")],
    step: StepOption = None,
    sub: AsOption = None,
    role: RoleOption = "approver",
    company: CompanyOption = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Reject an order, or a change to it."""
    api = Api(var, role, company=company, sub=sub)
    _decide(api, order, step, {"decision": "reject", "note": note}, as_json=as_json)


@app.command("request-changes")
def request_changes(
    order: OrderArgument,
    note: Annotated[str, typer.Option(help="What has to change first.")],
    step: StepOption = None,
    sub: AsOption = None,
    role: RoleOption = "approver",
    company: CompanyOption = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Send an order back until it is changed."""
    api = Api(var, role, company=company, sub=sub)
    _decide(api, order, step, {"decision": "request_changes", "note": note}, as_json=as_json)


@app.command()
def answer(
    order: OrderArgument,
    note: Annotated[str, typer.Option(help="The answer to what the review asked.")],
    sub: AsOption = None,
    role: RoleOption = "sales_rep",
    company: CompanyOption = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Answer a request for changes without a change. The review opens again."""
    api = Api(var, role, company=company, sub=sub)
    found = api.post(f"/v1/orders/{segment(reference(order))}/resubmission", {"note": note})
    if as_json:
        print_json(found)
    else:
        console().print(f"{found['number']} is {words(found['status'])}")


@app.command()
def delegate(
    to: Annotated[str, typer.Argument(help="Who stands in: a person of the directory.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="For this many days from now.")],
    position: Annotated[
        list[str] | None, typer.Option(help="Only decisions of this position; may be repeated.")
    ] = None,
    maximum: Annotated[str | None, typer.Option(help='At most this, such as "5000.00 USD".')] = None,
    note: Annotated[str, typer.Option(help="Why.")] = "",
    sub: AsOption = None,
    role: RoleOption = "approver",
    company: CompanyOption = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Delegate your approvals to somebody for some days."""
    now = datetime.now(UTC).replace(microsecond=0)
    body: dict[str, Any] = {
        "to_sub": to,
        "valid_from": now.isoformat(),
        "valid_to": (now + timedelta(days=days)).isoformat(),
        "positions": position or [],
        "note": note,
    }
    if maximum:
        amount, _, currency = maximum.partition(" ")
        if not currency:
            raise CommandRefused(f'{maximum!r} is no amount with its currency: write it as "5000.00 USD"')
        body["maximum"] = {"amount": amount, "currency": currency}
    api = Api(var, role, company=company, sub=sub)
    try:
        made = api.post("/v1/delegations", body)
    except Refusal as refusal:
        if refusal.code == "PERSON_UNKNOWN" and sub is None:
            sentence = (
                f"{to} or {default_sub()} is not in the directory: check the name, and say with --as who delegates"
            )
            raise CommandRefused(sentence) from refusal
        raise
    if as_json:
        print_json(made)
    else:
        known = names(api)
        stand_in, giver = (known.get(made[who], made[who]) for who in ("to_sub", "from_sub"))
        console().print(f"{stand_in} decides for {giver} until {zoned(made['valid_to'])}")


def _decide(api: Api, order: str, step: str | None, decision: dict[str, Any], *, as_json: bool) -> None:
    waiting = api.get(f"/v1/reviews/{segment(step)}")["waiting"] if step else _waiting(api, order, "me")
    given = {name: value for name, value in decision.items() if value is not None}
    body = {"step_id": waiting["step_id"], "version": waiting["version"], **given}
    done = api.post(f"/v1/orders/{waiting['order_id']}/decisions", body)
    if as_json:
        print_json(done)
    else:
        console().print(f"{done['number']} is {words(done['status'])}")


def _waiting(api: Api, order: str, wanted: str) -> dict[str, Any]:
    """The one open step of an order; refused with who is asked when it is none of mine, or when there are several."""
    named = reference(order)
    found = [
        row for row in api.rows("/v1/reviews", 1_000, **{"for": wanted}) if named in (row["number"], row["order_id"])
    ]
    if len(found) == 1:
        return found[0]
    if found:
        steps = ", ".join(f"{row['step_id']} ({row['asks']})" for row in found)
        raise CommandRefused(f"several steps of {order} are open: name one with --step: {steps}")
    if wanted != "all":
        return _waiting(api, order, "all")
    _check_exists(api, order)
    raise CommandRefused(f"nothing of {order} is waiting for approval: `oms reviews list` shows what is")


def _check_exists(api: Api, order: str) -> None:
    """Refused when there is no such order. A role that may not read orders cannot know."""
    try:
        find_order(api, order)
    except Refusal as refusal:
        if refusal.status != httpx.codes.FORBIDDEN:
            raise
