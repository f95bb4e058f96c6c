"""An address is written as its own country writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.console.addresses import lines_of
from services.orders.domain.order import Address


def place(city: str, region: str, postal_code: str, country: str, street: str = "1 Main St") -> Address:
    return Address("Acme", street, city, region, postal_code, country)


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        (place("Dallas", "TX", "75001", "US"), ("Acme", "1 Main St", "Dallas, TX 75001")),
        (place("Dallas", "", "75001", "DE"), ("Acme", "1 Main St", "75001 Dallas", "Germany")),
        (place("London", "", "SW1A 1AA", "GB"), ("Acme", "1 Main St", "London", "SW1A 1AA", "United Kingdom")),
        (place("Paris", "", "75001", "FR"), ("Acme", "1 Main St", "75001 Paris", "France")),
        (place("Toronto", "ON", "M5V 2T6", "CA"), ("Acme", "1 Main St", "Toronto ON M5V 2T6", "Canada")),
        (place("Zürich", "", "8001", "CH"), ("Acme", "1 Main St", "CH-8001 Zürich", "Switzerland")),
        (place("São Paulo", "SP", "01310", "BR"), ("Acme", "1 Main St", "São Paulo-SP", "01310", "Brazil")),
        (place("Chiyoda", "Tokyo", "100-0001", "JP"), ("Acme", "1 Main St, Tokyo", "100-0001", "Japan")),
        (
            place("千代田区", "東京都", "100-0001", "JP", "丸の内1-1"),
            ("〒100-0001", "東京都", "丸の内1-1", "Acme", "Japan"),
        ),
    ],
)
def test_each_country_orders_its_lines_and_is_named_when_it_is_another_than_ours(
    address: Address, lines: tuple[str, ...]
) -> None:
    assert lines_of(address, "US") == lines


def test_our_own_country_is_not_named() -> None:
    munich = place("München", "", "80331", "DE")

    assert lines_of(munich, "DE")[-1] == "80331 München"
    assert lines_of(munich, "US")[-1] == "Germany"


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        (place("Dallas", "", "75001", "US"), ("Acme", "1 Main St", "Dallas, 75001")),
        (place("", "TX", "75001", "US"), ("Acme", "1 Main St", "TX 75001")),
        (place("Dallas", "TX", "", "US"), ("Acme", "1 Main St", "Dallas, TX")),
        (place("Dallas", "", "", "US"), ("Acme", "1 Main St", "Dallas")),
        (place("Far", "", "1", "QQ"), ("Acme", "1 Main St", "Far, 1", "QQ")),
        (place("Far", "", "1", "no country"), ("Acme", "1 Main St", "Far, 1", "NO COUNTRY")),
        (place("Far", "", "1", "ZZ"), ("Acme", "1 Main St", "Far, 1", "ZZ")),
        (place("Far", "R", "1", ""), ("Acme", "1 Main St", "Far, R 1")),
        (place("Dallas", "TX", "75001", " us "), ("Acme", "1 Main St", "Dallas, TX 75001")),
        (
            place("Dallas", "TX", "75001", "US", "Dock 4\nGate B\n\n1 Main St"),
            ("Acme", "Dock 4", "Gate B", "1 Main St", "Dallas, TX 75001"),
        ),
        (Address(), ()),
    ],
)
def test_what_is_missing_leaves_no_gap_and_what_is_unknown_is_written_as_it_came(
    address: Address, lines: tuple[str, ...]
) -> None:
    assert lines_of(address, "US") == lines


_ANY = st.text(max_size=12)


@given(
    st.builds(Address, _ANY, _ANY, _ANY, _ANY, _ANY, st.one_of(_ANY, st.sampled_from(["US", "CN", "HK", "..", "zz"])))
)
def test_no_address_raises_and_no_line_is_empty(address: Address) -> None:
    assert all(line.strip() for line in lines_of(address, "US"))
