"""T96, T97 and T103: which accounts are of one person, and how many may be on one address."""

# ruff: noqa: E501
from __future__ import annotations

import pytest
from case_table import Case, CaseTable
from resolution_kit import identities, seen

G1, G2 = "0a~0100-12f4-4e74-af7c-3b54377d00~", "0a~0200-12f4-4e74-af7c-3b54377d00~"
T1, T2 = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
LONG_AGO = {"first_seen": "2024-01-01T00:00:00Z", "observed_at": "2025-01-01T00:00:00Z"}
JOINED = {"employee_id": "E~9", "upn": "joiner~@corp.com", "first_seen": "2026-06-01T00:00:00Z"}

CASES = {
    "two invitations of one address to two tenants": Case(
        {"entra.a": {"entra_object_id": G1, "entra_tenant_id": T1, "emails": ["bob~@partner.com"]}, "entra.b": {"entra_object_id": G2, "entra_tenant_id": T2, "emails": ["bob~@partner.com"]}}, "a b", links=("a same person b",), review="ab"
    ),
    "guest, and an account of that address in another tenant, which may be the one at home": Case(
        {"entra.a": {"entra_object_id": G1, "entra_tenant_id": T1, "upn": "bob~_partner.com#EXT#@t.onmicrosoft.com"}, "entra.b": {"entra_object_id": G2, "entra_tenant_id": T2, "emails": ["bob~@partner.com"]}}, "a b", links=("a same person b",), words={"a": "the other its home account"}
    ),
    "employee id used again long after the last look at whom it was of": Case(
        {"hr.a": {"employee_id": "E~9", "upn": "leaver~@corp.com", "state": "retired", **LONG_AGO}, "hr.b": JOINED}, "a b", unlinked=("a same person b",)
    ),
    "employee id of an account of which one product lists nothing but what is retired": Case(
        {"ad.a": {"ad_object_guid": G1, "employee_id": "E~9", "state": "retired", **LONG_AGO}, "entra.c": {"ad_object_guid": G1, "state": "active", **LONG_AGO}, "hr.b": JOINED}, "ac b", links=("a same person b",)
    ),
}  # fmt: skip

TABLE = CaseTable("identity", CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    TABLE.check(name)


@pytest.mark.parametrize(("count", "linked"), [(64, True), (65, False)])
@pytest.mark.parametrize("known_by", ["an invitation", "a guest account", "an account at home"])
def test_an_address_of_very_many_accounts_is_no_persons(known_by: str, count: int, linked: bool) -> None:
    def account(number: int) -> dict[str, str | list[str]]:
        own: dict[str, str | list[str]] = {"entra_object_id": f"0a000000-12f4-4e74-af7c-{number:012}"}
        if known_by == "a guest account":
            return own | {"upn": f"bob_partner.com#EXT#@t{number}.onmicrosoft.com"}
        return (
            own
            | {"emails": ["bob@partner.com"]}
            | ({} if known_by == "an invitation" else {"upn": f"u{number}@corp.com"})
        )

    rows = [seen(f"entra:p:{number}", **account(number)) for number in range(count)]
    if known_by == "an account at home":
        rows.append(
            seen(
                "entra:t:guest",
                entra_object_id="0b000000-12f4-4e74-af7c-3b54377d0000",
                upn="bob_partner.com#EXT#@x.onmicrosoft.com",
            )
        )
    out = identities(*rows)
    assert bool(out.links(rows[-1]["record"])) is linked
