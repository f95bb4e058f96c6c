from __future__ import annotations

import pytest

from services.runtime import roles


def test_every_list_of_roles_is_a_part_of_the_one_definition() -> None:
    derived = [
        roles.DIRECTORY_ROLES,
        roles.HOLD_OWNERS,
        roles.SELLER_DECIDERS,
        roles.ANSWERS_OWN,
        roles.KNOWLEDGE_ROLES,
    ]

    assert all(set(each) <= roles.ROLE_NAMES for each in derived)
    assert len({role.rank for role in roles.ROLES}) == len(roles.ROLES)


def test_machines_and_auditors_own_nothing_and_decide_nothing() -> None:
    for name in ("auditor", "channel", "service"):
        role = roles.role_of(name)

        assert (role.owns_holds, role.decides, role.mail_role) == (False, False, "")


def test_the_event_log_names_the_highest_of_several_roles() -> None:
    assert roles.highest(frozenset({"sales_rep", "approver"})) == "approver"
    assert roles.highest(frozenset({"customer"})) == "customer"
    assert roles.highest(frozenset()) == "none"


@pytest.mark.parametrize("name", ["auditor", "channel", "boss", ""])
def test_who_no_mail_is_for_never_reads_a_customers_text(name: str) -> None:
    with pytest.raises(ValueError, match=r"no mail is for|is no role"):
        roles.mail_role(name)


def test_the_warehouse_reads_its_managers_mail_without_prices() -> None:
    assert roles.mail_role("warehouse") == "warehouse_manager"
    assert {"warehouse_manager", "manufacturing"} == roles.MAIL_ROLES_WITHOUT_PRICES
