"""Ids rise, never repeat, and say of what they are."""

from uuid import RFC_4122

import pytest

from services.kernel import ids
from tests.threads import at_once


def test_ids_of_one_process_rise_strictly() -> None:
    made = [ids.new_id("ord") for _ in range(20_000)]

    assert made == sorted(set(made))


def test_ids_made_at_once_by_many_threads_differ() -> None:
    made = at_once([lambda: [ids.new_id("ord") for _ in range(2_000)]] * 8)

    assert len({each for of_one in made for each in of_one}) == 16_000


def test_ids_rise_when_the_clock_steps_back() -> None:
    clock = iter([5_000_000_000, 1_000_000_000, 5_001_000_000])
    sequence = ids.Uuid7Sequence(lambda: next(clock))

    made = [sequence.next() for _ in range(3)]

    assert made == sorted(set(made))
    assert [each.int >> 80 for each in made] == [5_000, 5_000, 5_001]


def test_an_exhausted_millisecond_borrows_the_next() -> None:
    after = ids.Uuid7Sequence(lambda: 0, last_random=(1 << 74) - 1).next()

    assert after.int >> 80 == 1
    assert (after.version, after.variant) == (7, RFC_4122)


def test_an_id_holds_its_milliseconds_and_every_random_bit() -> None:
    started = ids.Uuid7Sequence(lambda: 1_700_000_000_123_456_789).next()
    counted_on = ids.Uuid7Sequence(lambda: 0, last_random=(1 << 73) | (1 << 62) | (1 << 61)).next()

    assert started.int >> 80 == 1_700_000_000_123
    assert (counted_on.version, counted_on.variant) == (7, RFC_4122)
    # twelve bits stand before the variant, sixty-two behind it
    assert (counted_on.int >> 64 & 0xFFF, counted_on.int >> 61 & 1) == (0x801, 1)
    assert 0 < counted_on.int & ((1 << 61) - 1) <= 1 << 32


def test_an_id_names_its_kind() -> None:
    kind, _, digits = ids.new_id("shp").partition("_")

    assert (kind, len(digits)) == ("shp", 32)


@pytest.mark.parametrize("kind", ["", "Ord", "ord_", "o1", "ördr"])
def test_a_kind_is_a_lower_case_word(kind: str) -> None:
    with pytest.raises(ValueError, match="kind of an id"):
        ids.new_id(kind)


def test_numbers_for_people() -> None:
    assert ids.sales_order_number(1001) == "SO-1001"
    assert ids.shipment_number(1001) == "SH-1001"
    assert ids.support_case_number(1001) == "CASE-1001"
    assert ids.invoice_number(1) == "INV-000001"
    assert ids.invoice_number(1_234_567) == "INV-1234567"
