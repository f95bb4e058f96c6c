"""Money adds up, whatever it is split by."""

from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import InvalidArgument
from services.kernel.money import MAX_MINOR, Money, UnitPrice, extend, share, tax_on

minors = st.integers(-MAX_MINOR, MAX_MINOR)
modest = st.integers(-(10**12), 10**12)
weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=60)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


@given(minors, st.sampled_from(["USD", "JPY", "KWD"]))
def test_an_amount_written_out_reads_back_the_same(minor: int, currency: str) -> None:
    money = Money(minor, currency)

    assert Money.parse(money.text, currency) == money


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("12.34", "USD", 1234), ("12.3", "USD", 1230), ("-0.05", "USD", -5), ("500", "JPY", 500), ("1.234", "KWD", 1234)],
)
def test_an_amount_counts_minor_units_of_its_currency(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency).minor == minor


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NaN", "NOT_AN_AMOUNT"),
        ("1e400", "NOT_AN_AMOUNT"),
        ("Infinity", "NOT_AN_AMOUNT"),
        ("+1.00", "NOT_AN_AMOUNT"),
        ("", "NOT_AN_AMOUNT"),
        (" 1.00", "NOT_AN_AMOUNT"),
        ("1.00\n", "NOT_AN_AMOUNT"),
        ("1,00", "NOT_AN_AMOUNT"),
        ("1_000", "NOT_AN_AMOUNT"),
        ("١٢", "NOT_AN_AMOUNT"),
        ("9" * 100_000, "NOT_AN_AMOUNT"),
        ("1.001", "TOO_MANY_DECIMALS"),
        ("10000000000000.01", "AMOUNT_TOO_LARGE"),
        ("9007199254740993", "AMOUNT_TOO_LARGE"),
    ],
)
def test_what_is_no_amount_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        Money.parse(text, "USD")

    assert refusal.value.reason == reason
    assert len(refusal.value.message) < 200


@pytest.mark.parametrize("currency", ["usd", "XXX", "", "US", "DOGE" * 1000])
def test_an_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(InvalidArgument, match="no ISO 4217"):
        Money(1, currency)
    with pytest.raises(InvalidArgument, match="no ISO 4217"):
        UnitPrice.parse("1.00", currency)


def test_a_sum_beyond_the_bound_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="must not exceed"):
        Money(MAX_MINOR, "USD") + Money(1, "USD")


def test_the_largest_amount_price_and_tax_rate_are_allowed() -> None:
    assert Money.parse("10000000000000.00", "USD").minor == 10**15
    assert UnitPrice.parse("1000000000000", "USD").amount == 10**12
    assert tax_on(usd("1.00"), Decimal(1)) == usd("1.00")


def test_money_is_made_of_whole_numbers_only() -> None:
    with pytest.raises(TypeError):
        Money(1.0, "USD")  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(TypeError):
        Money(True, "USD")


@given(modest, modest)
def test_money_adds_subtracts_and_orders_like_its_minor_units(a: int, b: int) -> None:
    one, other = Money(a, "USD"), Money(b, "USD")

    assert (one + other).minor == a + b
    assert (one - other).minor == a - b
    assert (-one).minor == -a
    assert (one < other, one <= other, one > other, one >= other) == (a < b, a <= b, a > b, a >= b)
    assert Money.total([one, other, one], "USD").minor == 2 * a + b


def test_mixed_currencies_neither_add_nor_compare() -> None:
    dollars, euros = Money(1, "USD"), Money(1, "EUR")

    for attempt in (
        lambda: dollars + euros,
        lambda: dollars - euros,
        lambda: dollars < euros,
        lambda: dollars >= euros,
    ):
        with pytest.raises(InvalidArgument, match="USD and EUR"):
            attempt()
    with pytest.raises(InvalidArgument, match="EUR and USD"):
        Money.total([dollars], "EUR")


def test_a_total_of_nothing_is_zero() -> None:
    assert Money.total([], "EUR") == Money.zero("EUR")


@pytest.mark.parametrize(
    ("given_text", "text"), [("129", "129.00"), ("0.125000", "0.125"), ("33.33", "33.33"), ("0", "0.00")]
)
def test_a_unit_price_is_written_without_needless_zeros(given_text: str, text: str) -> None:
    assert UnitPrice.parse(given_text, "USD").text == text


@pytest.mark.parametrize("text", ["NaN", "1e400", "-0.01", "0.0000001", "1000000000000.01", "sNaN"])
def test_what_is_no_unit_price_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        UnitPrice.parse(text, "USD")


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity"), Decimal(-1), Decimal("0.0000001")])
def test_a_unit_price_cannot_be_made_from_what_is_none(amount: Decimal) -> None:
    with pytest.raises(InvalidArgument):
        UnitPrice(amount, "USD")


@given(st.decimals(0, 10**6, places=6), st.integers(0, 10**6), st.sampled_from(["USD", "JPY", "KWD"]))
def test_an_extended_price_is_rounded_half_up_once(amount: Decimal, quantity: int, currency: str) -> None:
    extended = extend(UnitPrice(amount, currency), quantity)

    smallest = Money(1, currency).amount
    assert extended.amount == (amount * quantity).quantize(smallest, ROUND_HALF_UP)


def test_half_a_cent_is_rounded_up_and_only_after_multiplying() -> None:
    price = UnitPrice.parse("0.005", "USD")

    assert [extend(price, n).text for n in (1, 2, 3)] == ["0.01", "0.01", "0.02"]


@given(modest, st.decimals(0, 1, places=6))
def test_tax_is_rounded_half_up_and_mirrors_for_a_credit(minor: int, rate: Decimal) -> None:
    net = Money(minor, "USD")

    assert tax_on(net, rate).amount == (net.amount * rate).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert tax_on(-net, rate) == -tax_on(net, rate)


@pytest.mark.parametrize("rate", [Decimal("8.25"), Decimal("-0.01"), Decimal("NaN")])
def test_a_tax_rate_is_a_fraction(rate: Decimal) -> None:
    with pytest.raises(InvalidArgument):
        tax_on(usd("1.00"), rate)


def shared(total: Money, parts_by: list[int]) -> list[Money]:
    """A total shared over parts that come one after the other."""
    parts: list[Money] = []
    for number, part in enumerate(parts_by):
        before, given = sum(parts_by[:number]), Money.total(parts, total.currency)
        parts.append(share(total, part, sum(parts_by), before=before, given=given))
    return parts


@given(minors, weights)
def test_shares_sum_to_the_whole_and_never_change_sign(minor: int, parts_by: list[int]) -> None:
    parts = shared(Money(minor, "USD"), parts_by)

    assert sum(part.minor for part in parts) == (minor if parts else 0)
    assert all(part.minor * minor >= 0 for part in parts)


@given(minors, weights)
def test_the_running_sum_of_shares_is_within_one_minor_unit_of_its_exact_share(minor: int, parts_by: list[int]) -> None:
    whole = sum(parts_by)
    parts = shared(Money(minor, "USD"), parts_by)

    for number in range(len(parts)):
        running, reached = sum(part.minor for part in parts[: number + 1]), sum(parts_by[: number + 1])
        assert abs(running * whole - minor * reached) < max(whole, 1)


@given(minors, weights)
def test_a_credit_is_shared_as_its_invoice_was(minor: int, parts_by: list[int]) -> None:
    charged, credited = shared(Money(minor, "USD"), parts_by), shared(Money(-minor, "USD"), parts_by)

    assert credited == [-part for part in charged]


def test_the_whole_of_nothing_bears_the_total() -> None:
    assert share(usd("1.00"), 0, 0, before=0, given=usd("0.00")) == usd("1.00")


def test_a_total_that_shrank_below_what_was_given_gives_nothing() -> None:
    assert share(usd("1.00"), 1, 4, before=2, given=usd("5.00")) == usd("0.00")
    assert share(usd("1.00"), 2, 4, before=2, given=usd("5.00")) == usd("0.00")
    assert share(usd("-1.00"), 2, 4, before=2, given=usd("-5.00")) == usd("0.00")


def test_a_share_outside_the_whole_is_a_bug() -> None:
    for part, before in ((-1, 3), (4, 0), (2, 2), (1, -1)):
        with pytest.raises(ValueError, match="no share"):
            share(usd("1.00"), part, 3, before=before, given=usd("0.00"))


def test_a9_three_shipments_share_a_discount_and_its_tax_to_the_cent() -> None:
    rate = Decimal("0.0725")
    line = extend(UnitPrice.parse("33.33", "USD"), 1)

    discounts = shared(usd("10.00"), [line.minor] * 3)

    # nets 30.00, 30.00, 29.99; tax on the running net 2.175 → 2.18, 4.35, 6.524 → 6.52
    nets = [line - discount for discount in discounts]
    taxed = [tax_on(Money.total(nets[:n], "USD"), rate) for n in range(4)]
    taxes = [after - before for before, after in pairwise(taxed)]
    invoices = [net + tax for net, tax in zip(nets, taxes, strict=True)]
    assert [discount.text for discount in discounts] == ["3.33", "3.33", "3.34"]
    assert [tax.text for tax in taxes] == ["2.18", "2.17", "2.17"]
    assert [invoice.text for invoice in invoices] == ["32.18", "32.17", "32.16"]
    assert Money.total(invoices, "USD") == usd("96.51")


def test_a9_rounding_each_invoice_by_itself_is_a_cent_off() -> None:
    rate = Decimal("0.0725")

    naive = [usd(net) + tax_on(usd(net), rate) for net in ("30.00", "30.00", "29.99")]

    # 32.18 + 32.18 + 32.16: two half cents went up where the running net lets only one
    assert Money.total(naive, "USD").text == "96.52"
