from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean

from services.fulfillment.domain import shipment as steps
from services.fulfillment.domain.carrier_event import CarrierEvent, CarrierStatus, delivers, is_exception
from services.fulfillment.domain.packages import Content, Package, packed, tracked, without
from services.fulfillment.domain.shipment import Consignment, Shipment, State
from services.fulfillment.domain.sscc import check_digit, is_sscc, sscc
from services.kernel.errors import DomainError, Refused
from services.kernel.money import Money
from tests.fulfillment.test_domain_shipment import NOW, shipment


def box(*contents: tuple[str, str, int], weight_grams: int = 0, tracking_number: str = "") -> Package:
    return Package(0, tuple(Content(*each) for each in contents), weight_grams, tracking_number=tracking_number)


def units(packages: tuple[Package, ...]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for package in packages:
        found.update({(each.line_id, each.sku): each.quantity for each in package.contents})
    return found


def test_the_check_digit_is_that_of_the_standards_example() -> None:
    # from the right 6 + 4 + 2 + 2 + 0 + 2 + 0 + 6 + 3 = 25 three times, and the others 26: 101, so that 9 is missing to 110
    assert check_digit("37610425002123456") == "9"


@given(st.from_regex(r"\A[0-9]{17}\Z"))
def test_the_check_digit_is_the_one_of_every_gs1_number(digits: str) -> None:
    assert check_digit(digits) == ean.calc_check_digit(digits)


@pytest.mark.parametrize(
    ("prefix", "sequence", "digits"),
    [
        ("9521321", 1, "09521321000000001"),
        ("9521321", 10**9, "19521321000000000"),
        ("123456789012", 7, "01234567890120007"),
    ],
)
def test_a_code_has_extension_prefix_serial_and_check_digit(prefix: str, sequence: int, digits: str) -> None:
    code = sscc(prefix, sequence)

    assert (code[:-1], is_sscc(code)) == (digits, True)


@given(st.sampled_from(["952132", "9521321", "952132123456"]), st.integers(0, 10**5 - 1), st.integers(0, 10**5 - 1))
def test_two_packages_have_two_codes_that_are_codes(prefix: str, one: int, other: int) -> None:
    assert is_sscc(sscc(prefix, one))
    assert (sscc(prefix, one) == sscc(prefix, other)) == (one == other)


@given(st.integers(0, 10**9), st.integers(0, 17), st.integers(1, 9))
def test_one_misread_digit_of_a_code_is_noticed(sequence: int, place: int, shift: int) -> None:
    code = sscc("9521321", sequence)

    assert not is_sscc(code[:place] + str((int(code[place]) + shift) % 10) + code[place + 1 :])


def test_a_prefix_that_is_used_up_is_refused() -> None:
    assert sscc("123456789012", 10**5 - 1).startswith("9")
    with pytest.raises(Refused) as refusal:
        sscc("123456789012", 10**5)

    assert refusal.value.reason == "SSCC_USED_UP"


def test_without_packages_everything_is_in_one_that_weighs_what_is_in_it() -> None:
    (one,) = packed(shipment(), [])

    assert units((one,)) == {("L1", "A"): 5, ("L2", "B"): 2}
    assert (one.number, one.weight_grams) == (1, 5 * 500 + 2 * 10)


def test_packages_are_counted_and_a_content_without_sku_is_the_lines() -> None:
    first, second = packed(
        shipment(), [box(("L1", "", 2), ("L1", "A", 1), weight_grams=1600), box(("L1", "", 2), ("L2", "B", 2))]
    )

    assert (first.number, first.contents, first.weight_grams) == (1, (Content("L1", "A", 3),), 1600)
    assert (second.number, second.weight_grams) == (2, 2 * 500 + 2 * 10)


@pytest.mark.parametrize(
    ("given_packages", "reason", "sentence"),
    [
        ([box(("L1", "", 4), ("L2", "", 2))], "UNITS_NOT_PACKED", "say in which package the other 1 are"),
        ([box(("L1", "", 5))], "UNITS_NOT_PACKED", "2 B of line L2 and 0 are in its packages"),
        ([box(("L1", "", 5), ("L2", "", 2)), box(("L1", "", 1))], "PACKED_TWICE", "take 1 out of one of them"),
        ([box(("L1", "", 5), ("L2", "", 2)), box()], "PACKAGE_EMPTY", "package 2"),
        ([box(("L9", "", 5))], "UNKNOWN_LINE", "pack what is on its list"),
        ([box(("L1", "B", 5))], "UNKNOWN_LINE", "pack what is on its list"),
    ],
)
def test_packages_that_are_not_the_shipment_say_what_to_do(
    given_packages: list[Package], reason: str, sentence: str
) -> None:
    with pytest.raises(DomainError, match=sentence) as refusal:
        packed(shipment(), given_packages)

    assert refusal.value.reason == reason


def test_one_number_is_on_one_package() -> None:
    twice = [box(("L1", "", 5), tracking_number="1Z1"), box(("L2", "", 2), tracking_number="1Z1")]

    with pytest.raises(DomainError) as at_pack:
        packed(shipment(), twice)
    with pytest.raises(DomainError) as at_ship:
        tracked(packed(shipment(), [replace(each, tracking_number="") for each in twice]), ["1Z1", "1Z1"], None)

    assert (at_pack.value.reason, at_ship.value.reason) == ("TRACKING_NUMBER_TWICE", "TRACKING_NUMBER_TWICE")


def test_a_kit_needs_the_sku_of_its_part() -> None:
    kit = replace(shipment(), lines=(*shipment().lines, replace(shipment().lines[0], sku="C")))

    with pytest.raises(DomainError, match="line L1 is A and C: name the SKU"):
        packed(kit, [box(("L1", "", 5))])


def test_numbers_are_those_given_now_else_at_packing_else_made_up() -> None:
    packages = packed(shipment(), [box(("L1", "", 5), tracking_number="1Z1"), box(("L2", "", 2))])
    made_up = iter(["OMS1", "OMS2"])

    assert [each.tracking_number for each in tracked(packages, ["A1", "A2"], None)] == ["A1", "A2"]
    assert [each.tracking_number for each in tracked(packages, [], lambda: next(made_up))] == ["1Z1", "OMS1"]
    with pytest.raises(Refused, match="package 2 has no tracking number: enter the number"):
        tracked(packages, [], None)
    with pytest.raises(DomainError, match="there are 2 packages and 1 tracking numbers"):
        tracked(packages, ["A1"], None)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.data())
def test_units_that_leave_a_shipment_leave_its_last_packages(sizes: list[int], data: st.DataObject) -> None:
    goods = replace(shipment(quantity=sum(sizes)), lines=shipment(quantity=sum(sizes)).lines[:1])
    packages = packed(goods, [box(("L1", "", size)) for size in sizes])
    left = data.draw(st.integers(1, sum(sizes)))

    after = without(packages, [replace(goods.lines[0], quantity=left)])

    assert units(after) == {("L1", "A"): left}
    assert [each.number for each in after] == list(range(1, len(after) + 1))
    assert after[:-1] == packages[: len(after) - 1]
    assert sum(each.weight_grams for each in after) == 500 * left


def sent() -> Shipment:
    """Two packages on their way."""
    goods = steps.pack(steps.pick(shipment(), [], "Pat", NOW), NOW, [box(("L1", "", 5)), box(("L2", "", 2))])
    return steps.ship(goods, Consignment("slow", tracked(goods.packages, ["1Z1", "1Z2"], None), Money(900, "USD")), NOW)


def test_a_shipment_is_delivered_with_its_last_package_when_that_was() -> None:
    late, early = NOW + timedelta(hours=9), NOW + timedelta(hours=3)

    one = steps.deliver_package(sent(), sent().packages[0], late, late)
    both = steps.deliver_package(one, one.packages[1], early, late)

    assert (one.state, one.delivered_at) == (State.SHIPPED, None)
    assert (both.state, both.delivered_at) == (State.DELIVERED, late)


def test_what_is_said_of_a_delivered_package_changes_nothing() -> None:
    one = steps.deliver_package(sent(), sent().packages[0], NOW, NOW)
    again = CarrierEvent("slow", "e1", "1Z1", CarrierStatus.DELIVERED, NOW)
    lost = replace(again, status=CarrierStatus.EXCEPTION)

    assert not delivers(again, one, one.packages[0])
    assert not is_exception(lost, one, one.packages[0])
    assert is_exception(replace(lost, tracking_number="1Z2"), one, one.packages[1])
