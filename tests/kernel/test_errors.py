"""Refusals keep their reason, their status and their sentence wherever they travel."""

import pickle

import pytest

from services.kernel.errors import FAMILY, Conflict, DomainError, Refused, error_for


def test_a_refusal_reads_as_its_sentence_and_carries_its_reason() -> None:
    refusal = Refused("STOCK_ALLOCATED", "3 units are promised to orders; release them first", sku="PUMP-100")

    assert str(refusal) == "3 units are promised to orders; release them first"
    assert (refusal.reason, refusal.detail) == ("STOCK_ALLOCATED", {"sku": "PUMP-100"})


def test_the_statuses_are_those_of_the_table() -> None:
    table = {kind.__name__: (kind.code, kind.http_status, kind.is_final) for kind in FAMILY}

    assert table == {
        "InvalidArgument": ("INVALID_ARGUMENT", 422, True),
        "AlreadyExists": ("ALREADY_EXISTS", 422, True),
        "NotFound": ("NOT_FOUND", 404, True),
        "NotPermitted": ("PERMISSION_DENIED", 403, True),
        "Refused": ("FAILED_PRECONDITION", 409, True),
        "Conflict": ("ABORTED", 409, False),
    }


@pytest.mark.parametrize("kind", FAMILY)
def test_a_refusal_made_again_from_its_status_is_the_same_kind(kind: type[DomainError]) -> None:
    again = error_for(kind.code, "SOME_REASON", "Do this instead.", order_id="ord_1")

    assert type(again) is kind
    assert (again.reason, again.message, again.detail) == ("SOME_REASON", "Do this instead.", {"order_id": "ord_1"})


def test_a_status_outside_the_family_is_not_a_refusal() -> None:
    with pytest.raises(KeyError):
        error_for("UNAVAILABLE", "R", "m")


def test_a_refusal_survives_pickling() -> None:
    again = pickle.loads(pickle.dumps(Conflict("STALE", "Read it again.", version="3")))

    assert (again.reason, again.message, again.detail) == ("STALE", "Read it again.", {"version": "3"})
