"""The client of the tax engine against its stand-in: what it asks, what it understands, and that nothing of what comes hangs or misleads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.kernel.money import Money
from services.orders.domain.order import Address
from services.orders.domain.tax_engine import EngineAway, EngineRefused, QueriedLine, TaxAnswer, TaxQuery
from services.orders.fake_avatax.server import FakeAvaTax
from services.orders.settings import Settings
from services.orders.tax_engine.avatax import Account, AvaTax
from services.orders.tax_engine.codes import STANDARD_CODES, parse_codes
from services.orders.tax_engine.desk import REST_S, EngineDesk
from services.runtime.settings import UnusableSettings, read_settings

KEY = "1100012345:4F5E6D7C8B9A"
HERE = Address("", "4100 Irving Blvd", "Dallas", "", "75247", "US")
DALLAS = Address("Acme", "1 Main St", "Dallas", "TX", "75001", "US")


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def asking(*nets: str, **changes: Any) -> TaxQuery:
    lines = tuple(
        QueriedLine(str(number), f"SKU-{number}", 1, usd(net), "standard") for number, net in enumerate(nets, 1)
    )
    return replace(TaxQuery("cus_acme", "USD", date(2026, 11, 30), DALLAS, lines), **changes)


ONE = asking("100.00")


@pytest.fixture
def fake() -> Iterator[FakeAvaTax]:
    fake = FakeAvaTax(key=KEY)
    fake.start()
    yield fake
    fake.stop()


PATIENT_S, HASTY_S = 30.0, 0.5


@pytest.fixture
def client(fake: FakeAvaTax) -> Iterator[AvaTax]:
    """It waits for an answer as long as a busy machine may take."""
    client = AvaTax(Account(fake.url, KEY, "DEFAULT", HERE, parse_codes("clothing=PC040100"), PATIENT_S))
    client.start()
    yield client
    client.stop()


@pytest.fixture
def hasty(fake: FakeAvaTax) -> Iterator[AvaTax]:
    client = AvaTax(Account(fake.url, KEY, "DEFAULT", HERE, STANDARD_CODES, HASTY_S))
    client.start()
    yield client
    client.stop()


def test_it_asks_for_a_sales_order_that_the_engine_does_not_keep(fake: FakeAvaTax, client: AvaTax) -> None:
    client.ask(asking("100.00", freight=usd("11.00"), exemption="TX-88", tax_id="75-2904417"))

    [asked] = fake.asked
    assert asked["addresses"] == {
        "shipFrom": {"line1": "4100 Irving Blvd", "city": "Dallas", "postalCode": "75247", "country": "US"},
        "shipTo": {"line1": "1 Main St", "city": "Dallas", "region": "TX", "postalCode": "75001", "country": "US"},
    }
    assert asked["lines"] == [
        {"number": "1", "quantity": 1, "amount": 100.0, "itemCode": "SKU-1", "taxCode": "P0000000"},
        {"number": "freight", "quantity": 1, "amount": 11.0, "taxCode": "FR020100"},
    ]
    plain = ("type", "companyCode", "customerCode", "date", "currencyCode", "exemptionNo", "businessIdentificationNo")
    assert [asked[name] for name in plain] == [
        "SalesOrder", "DEFAULT", "cus_acme", "2026-11-30", "USD", "TX-88", "75-2904417",
    ]  # fmt: skip
    assert "Acme" not in json.dumps(asked)


def test_the_same_question_has_the_same_code_and_another_one_another(fake: FakeAvaTax, client: AvaTax) -> None:
    for query in (ONE, ONE, asking("100.01")):
        client.ask(query)

    first, again, other = (asked["code"] for asked in fake.asked)
    assert first == again
    assert other != first


def test_what_goes_nowhere_is_taxed_where_it_is_sold_from(fake: FakeAvaTax, client: AvaTax) -> None:
    client.ask(replace(ONE, place=Address()))

    assert fake.asked[0]["addresses"]["shipTo"]["postalCode"] == "75247"


def test_each_line_has_its_own_tax_and_the_rate_that_the_engine_names(client: AvaTax) -> None:
    """0.50 at 6.25 %, 1 % and 1 % are 0.03 + 0.01 + 0.01, though 8.25 % of it is 0.04."""
    answer = client.ask(asking("100.00", "0.50", freight=usd("11.00")))

    taxes = {name: (one.tax.text, one.rate) for name, one in answer.lines.items()}
    assert taxes == {"1": ("8.25", Decimal("0.0825")), "2": ("0.05", Decimal("0.0825"))}
    assert answer.freight is not None
    assert answer.freight.tax == usd("0.91")


def test_a_category_without_a_code_is_taxed_as_no_other(fake: FakeAvaTax, client: AvaTax) -> None:
    food = replace(ONE, lines=(replace(ONE.lines[0], category="food"),))

    with pytest.raises(EngineRefused, match="'food' has no code in OMS_TAX_ENGINE_CODES"):
        client.ask(food)
    assert fake.asked == []


def test_an_address_that_it_refuses_is_told_from_other_refusals(client: AvaTax) -> None:
    with pytest.raises(EngineRefused, match="postal code 00000 cannot be found") as refused:
        client.ask(replace(ONE, place=replace(DALLAS, postal_code="00000")))
    with pytest.raises(EngineRefused, match="customerCode and lines are required") as other:
        client.ask(replace(ONE, lines=()))

    assert refused.value.is_address
    assert not other.value.is_address


def answering(**changes: Any) -> bytes:
    line = {"lineNumber": "1", "tax": 8.25, "details": [{"rate": 0.0825, "tax": 8.25}], **changes.pop("line", {})}
    return json.dumps({"currencyCode": "USD", "totalTax": 8.25, "lines": [line], **changes}).encode()


GARBAGE = {
    "nothing": b"",
    "no JSON": b"<html>Bad gateway</html>",
    "half of it": answering()[:40],
    "a list": b"[]",
    "a number": b"8.25",
    "too deep": b"[" * 100_000,
    "no lines": answering(lines=None),
    "lines of text": answering(lines=["1"]),
    "another line": answering(line={"lineNumber": "2"}),
    "a line too many": answering(lines=[{"lineNumber": "1", "tax": 8.25}, {"lineNumber": "2", "tax": 0}]),
    "tax as text": answering(line={"tax": "8.25"}),
    "tax is true": answering(line={"tax": True}),
    "no tax": answering(line={"tax": None}),
    "tax is no number": answering().replace(b'"tax": 8.25, "details"', b'"tax": NaN, "details"'),
    "endless tax": answering().replace(b'"tax": 8.25, "details"', b'"tax": Infinity, "details"'),
    "huge tax": answering().replace(b'"tax": 8.25, "details"', b'"tax": 1e999999, "details"'),
    "negative tax": answering(line={"tax": -8.25}, totalTax=-8.25),
    "more tax than goods": answering(line={"tax": 100.01}, totalTax=100.01),
    "another sum": answering(totalTax=9.25),
    "no sum": answering(totalTax=None),
    "another currency": answering(currencyCode="EUR"),
    "rate as text": answering(line={"details": [{"rate": "0.0825", "tax": 8.25}]}),
    "details of text": answering(line={"details": ["x"]}),
    "details are none": answering(line={"details": 7}),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_an_answer_that_cannot_be_right_is_no_answer(fake: FakeAvaTax, client: AvaTax, garbage: bytes) -> None:
    fake.wrong, fake.garbage = "garbage", garbage

    with pytest.raises(EngineAway, match=r"gives an? (answer|tax)"):
        client.ask(ONE)


def test_an_answer_as_it_should_be_is_one(fake: FakeAvaTax, client: AvaTax) -> None:
    fake.wrong, fake.garbage = "garbage", answering()

    assert client.ask(ONE).lines["1"].tax == usd("8.25")


def test_an_answer_without_details_has_its_taxes_all_the_same(fake: FakeAvaTax, client: AvaTax) -> None:
    fake.wrong, fake.garbage = "garbage", answering(line={"details": None})

    assert client.ask(ONE).lines["1"].tax == usd("8.25")


@pytest.mark.parametrize(("wrong", "says"), [("away", "cannot be reached"), ("error", "answers 500")])
def test_an_engine_that_breaks_off_or_fails_has_given_no_answer(
    fake: FakeAvaTax, client: AvaTax, wrong: str, says: str
) -> None:
    fake.wrong = wrong

    with pytest.raises(EngineAway, match=says):
        client.ask(ONE)


@pytest.mark.parametrize("wrong", ["slow", "drip"])
def test_an_engine_that_does_not_answer_keeps_nobody_longer_than_its_time(
    fake: FakeAvaTax, hasty: AvaTax, wrong: str
) -> None:
    """The stand-in would take ten seconds and more, and answer then."""
    fake.wrong = wrong

    with pytest.raises(EngineAway, match=r"has not answered within 0\.5 s"):
        hasty.ask(ONE)


def test_nobody_at_the_address_is_an_engine_that_is_away() -> None:
    fake = FakeAvaTax()
    client = AvaTax(Account(fake.url, KEY, "DEFAULT", HERE, STANDARD_CODES, PATIENT_S))
    fake._server.server_close()
    client.start()

    with pytest.raises(EngineAway, match="cannot be reached"):
        client.ask(ONE)
    client.stop()


def test_a_key_that_it_does_not_know_is_said_and_neither_said_nor_logged_itself(fake: FakeAvaTax) -> None:
    client = AvaTax(Account(fake.url, "1:wrong-license", "DEFAULT", HERE, STANDARD_CODES, PATIENT_S))
    client.start()

    with capture_logs() as logs:
        quote = EngineDesk(client).quote(ONE)
    client.stop()

    assert quote.problem == "does not accept our key"
    assert "wrong-license" not in repr(logs)
    assert [line["event"] for line in logs] == ["tax_engine.away"]


class Counting:
    """An engine that is away as long as it is told so."""

    def __init__(self) -> None:
        self.is_away, self.asked = True, 0

    def ask(self, query: TaxQuery) -> TaxAnswer:
        self.asked += 1
        if self.is_away:
            raise EngineAway("is away")
        return TaxAnswer({})


def test_an_engine_that_was_away_is_left_alone_a_moment_but_for_retries() -> None:
    engine, clock = Counting(), [0.0]
    desk = EngineDesk(engine, lambda: clock[0])

    quotes = [desk.quote(ONE), desk.quote(ONE), desk.quote(ONE, is_retry=True)]
    asked = engine.asked
    clock[0] = REST_S + 1
    engine.is_away = False
    desk.quote(ONE)

    assert {quote.problem for quote in quotes} == {"is away"}
    assert asked == 2
    assert engine.asked == 3


def test_an_engine_that_answers_a_retry_is_asked_by_everybody_again() -> None:
    engine = Counting()
    desk = EngineDesk(engine, lambda: 0.0)

    desk.quote(ONE)
    engine.is_away = False
    desk.quote(ONE, is_retry=True)

    assert desk.quote(ONE).answer is not None


@pytest.mark.parametrize("given", ["food", "food=", "=P1", "food=P1;drink=P2", "food=P 1"])
def test_codes_that_cannot_be_read_are_refused(given: str) -> None:
    with pytest.raises(ValueError, match="write category=code"):
        parse_codes(given)


def test_codes_are_added_to_the_standard_ones() -> None:
    assert parse_codes("food=PF050001, standard=P1") == {**STANDARD_CODES, "food": "PF050001", "standard": "P1"}


WHOLE = {"OMS_TAX_ENGINE_URL": "https://rest.avatax.com", "OMS_TAX_ENGINE_KEY": KEY, "OMS_COMPANY_POSTAL_CODE": "75247"}


@pytest.mark.parametrize(
    ("variable", "value", "names"),
    [
        ("OMS_TAX_ENGINE_URL", "rest.avatax.com", "OMS_TAX_ENGINE_URL"),
        ("OMS_TAX_ENGINE_URL", "https://me:secret@rest.avatax.com", "OMS_TAX_ENGINE_URL"),
        ("OMS_TAX_ENGINE_KEY", "", "set OMS_TAX_ENGINE_KEY too"),
        ("OMS_TAX_ENGINE_KEY", "4F5E6D7C8B9A", "set OMS_TAX_ENGINE_KEY too"),
        ("OMS_COMPANY_POSTAL_CODE", "", "set OMS_COMPANY_POSTAL_CODE too"),
        ("OMS_TAX_ENGINE_COMPANY", "", "OMS_TAX_ENGINE_COMPANY"),
        ("OMS_TAX_ENGINE_CODES", "food:PF050001", "OMS_TAX_ENGINE_CODES"),
        ("OMS_TAX_ENGINE_TIMEOUT_S", "0", "OMS_TAX_ENGINE_TIMEOUT_S"),
        ("OMS_TAX_ENGINE_TIMEOUT_S", "60", "OMS_TAX_ENGINE_TIMEOUT_S"),
    ],
)
def test_settings_that_would_have_every_order_held_keep_the_process_from_starting(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, names: str
) -> None:
    for name, given in {**WHOLE, variable: value}.items():
        monkeypatch.setenv(name, given)

    with pytest.raises(UnusableSettings) as refused:
        read_settings(Settings)

    assert names in str(refused.value)
    assert "4F5E6D7C8B9A" not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_settings_say_where_goods_are_taxed_from(monkeypatch: pytest.MonkeyPatch) -> None:
    address = {"OMS_COMPANY_ADDRESS": "4100 Irving Blvd|Dallas, TX 75247", "OMS_COMPANY_CITY": "Dallas"}
    for name, given in {**WHOLE, **address, "OMS_TAX_ENGINE_CODES": "food=PF050001"}.items():
        monkeypatch.setenv(name, given)

    settings = read_settings(Settings)

    assert settings.ships_from == HERE
    assert settings.tax_codes["food"] == "PF050001"
    assert KEY not in repr(settings)
