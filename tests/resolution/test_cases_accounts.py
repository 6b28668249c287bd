"""Identities and applications: T91 to T106."""

from __future__ import annotations

import pytest
from resolution_kit import applications, identities, seen

GUID = "8f2d1c34-5a6b-4c7d-9e8f-001122334455"


def guid(number: int) -> str:
    return f"0b5b7a39-0000-4000-8000-{number:012}"


def test_t91_two_people_of_one_name() -> None:
    assert identities(
        seen("ad:p:1", ad_object_guid=guid(1), sam_account_name="jsmith", domain="CORP"),
        seen("ad:p:2", ad_object_guid=guid(2), sam_account_name="jsmith2", domain="CORP"),
    ).apart("ad:p:1", "ad:p:2")


@pytest.mark.parametrize(
    "stable", [{"entra_object_id": guid(1)}, {"immutable_id": "NBwtj2tafUyejwARIjNEVQ=="}, {"okta_id": "00u1abc"}]
)
def test_t92_changed_upn_keeps_the_account(stable: dict[str, str]) -> None:
    assert identities(
        seen("entra:p:1", upn="jdoe@corp.com", **stable), seen("mde:p:2", upn="jsmith@corp.com", **stable)
    ).together("entra:p:1", "mde:p:2")


def test_t93_upn_given_to_a_new_person() -> None:
    assert identities(
        seen("entra:p:1", upn="jsmith@corp.com", entra_object_id=guid(1)),
        seen("mde:p:2", upn="jsmith@corp.com", entra_object_id=guid(2)),
    ).apart("entra:p:1", "mde:p:2")


def test_t94_immutable_id_is_the_object_guid() -> None:
    assert identities(
        seen("ad:p:1", ad_object_guid=GUID),
        seen("entra:p:2", immutable_id="NBwtj2tafUyejwARIjNEVQ==", entra_object_id=guid(9)),
    ).together("ad:p:1", "entra:p:2")


def test_an_account_that_could_be_of_either_of_two_waits_for_a_person_and_guids_read_as_they_are_written() -> None:
    out = identities(
        seen("ad:p:1", ad_object_guid=GUID),
        *(seen(f"entra:t{i}:1", immutable_id="NBwtj2tafUyejwARIjNEVQ==", entra_object_id=guid(i)) for i in (1, 2)),
    )
    assert out.review("ad:p:1") == {"entra:t1:1", "entra:t2:1"}
    assert "a person has to decide" in out.lines["ad:p:1"]["held_because"]
    assert f"{GUID} identifies nothing here: seen with 2 different values of Entra object id" in out.words("ad:p:1")
    app = applications(seen("entra:p:1", app_id=guid(1)), seen("casb:p:2", app_id=guid(1).upper()))
    assert f"same application id {guid(1)} as casb:p:2" in app.words("entra:p:1")


@pytest.mark.parametrize("mail", [[], ["bob@partner.com"]])
def test_t96_guest_and_home_account_are_one_person_in_two_accounts(mail: list[str]) -> None:
    out = identities(
        seen("entra:p:g", upn="bob_partner.com#EXT#@t.onmicrosoft.com", emails=mail, entra_object_id=guid(1)),
        seen("okta:p:h", upn="bob@partner.com", okta_id="00u1", emails=["bob@partner.com"]),
    )
    assert out.apart("entra:p:g", "okta:p:h")
    assert ("same person", "okta:p:h") in out.links("entra:p:g")


def test_t97_admin_account_is_linked_by_employee_id_only() -> None:
    admin, user = (
        {"upn": "a-jsmith@corp.com", "emails": ["jsmith@corp.com"]},
        {"upn": "jsmith@corp.com", "emails": ["jsmith@corp.com"]},
    )
    out = identities(seen("entra:p:a", **admin, employee_id="4711"), seen("entra:p:u", **user, employee_id="4711"))
    assert out.apart("entra:p:a", "entra:p:u")
    assert ("same person", "entra:p:u") in out.links("entra:p:a")
    without = identities(seen("entra:p:a", **admin), seen("entra:p:u", **user))
    assert without.apart("entra:p:a", "entra:p:u")
    assert not without.links("entra:p:a")


def test_t99_one_logon_name_in_two_domains() -> None:
    assert identities(
        seen("ad:p:1", login_names=["CORP\\svc_sql"]), seen("ad:p:2", login_names=["DEV\\svc_sql"])
    ).apart("ad:p:1", "ad:p:2")
    assert identities(
        seen("ad:p:1", sam_account_name="svc_sql", domain="CORP"),
        seen("mdi:p:2", login_names=["corp\\SVC_SQL"]),
        seen("x:p:3", sam_account_name="svc_sql", domain="corp.example"),
    ).together("ad:p:1", "mdi:p:2", "x:p:3")


@pytest.mark.parametrize("field", ["upn", "emails", "login_names"])
def test_t101_addresses_compare_without_case_and_exactly(field: str) -> None:
    def one(record: str, address: str) -> dict[str, object]:
        return seen(record, **{field: address if field == "upn" else [address]})

    assert identities(one("a:p:1", "J.Smith@CORP.com"), one("b:p:2", "j.smith@corp.com")).together("a:p:1", "b:p:2")
    assert identities(one("a:p:1", "jsmith@corp.com"), one("b:p:2", "j.smith@corp.com")).apart("a:p:1", "b:p:2")


def test_t102_sid_history_survives_a_domain_migration() -> None:
    assert identities(
        seen("ad:old:1", "ad", ad_sid="S-1-5-21-1-2-3-1001", ad_object_guid=guid(1)),
        seen(
            "ad:new:2", "ad", ad_sid="S-1-5-21-9-8-7-2001", ad_object_guid=guid(2), sid_history=["s-1-5-21-1-2-3-1001"]
        ),
    ).together("ad:old:1", "ad:new:2")


@pytest.mark.parametrize("upn", ["bob_partner.com#EXT#@t.onmicrosoft.com", None])
def test_t103_two_invitations_of_one_person(upn: str | None) -> None:
    out = identities(
        seen("entra:p:1", upn=upn, emails=["bob@partner.com"], entra_object_id=guid(1)),
        seen("entra:p:2", upn=upn and upn.replace("bob_", "Bob_"), emails=["bob@partner.com"], entra_object_id=guid(2)),
    )
    assert out.apart("entra:p:1", "entra:p:2")
    assert ("same person", "entra:p:2") in out.links("entra:p:1")
    assert out.review("entra:p:1") == {"entra:p:2"}


def test_employee_id_links_and_never_merges() -> None:
    out = identities(seen("hr:p:1", employee_id="E1"), seen("ad:p:2", employee_id="E1", ad_object_guid=guid(1)))
    assert out.apart("hr:p:1", "ad:p:2")
    assert ("same person", "ad:p:2") in out.links("hr:p:1")


@pytest.mark.parametrize("principal", ["service_principal_id", "object_id"])
def test_t104_registration_and_its_principals_are_linked_nodes(principal: str) -> None:
    rows = [seen("entra:home:reg", "entra", app_id=guid(1), object_id=guid(2), tenant_id=guid(10), name="Payroll")]
    rows += [
        seen(
            f"entra:t{i}:sp",
            "entra",
            app_id=guid(1),
            tenant_id=guid(10 + i),
            name="Payroll",
            **{principal: guid(20 + i)},
        )
        for i in range(3)
    ]
    out = applications(*rows)
    assert len(out.groups()) == 4
    assert all(out.links(f"entra:t{i}:sp") for i in range(3))


def test_t104_one_principal_in_two_products_is_one_node() -> None:
    assert applications(
        seen("entra:p:1", app_id=guid(1), service_principal_id=guid(3)),
        seen("mdc:p:2", app_id=guid(1), service_principal_id=guid(3).upper()),
    ).together("entra:p:1", "mdc:p:2")


def test_t105_equal_names_are_for_review() -> None:
    out = applications(
        seen("cmdb:p:1", cmdb_id="a1", name="SAP"), seen("okta:p:2", name="SAP", entity_id="https://sap.corp.example")
    )
    assert out.apart("cmdb:p:1", "okta:p:2")
    assert out.review("cmdb:p:1") == {"okta:p:2"}


def test_entity_id_joins_across_products_unless_every_customer_has_it() -> None:
    assert applications(
        seen("okta:p:1", entity_id="https://Acme.my.salesforce.com/"),
        seen("ping:p:2", entity_id="https://acme.my.salesforce.com"),
    ).together("okta:p:1", "ping:p:2")
    assert applications(
        seen("okta:p:1", entity_id="urn:amazon:webservices", name="AWS prod"),
        seen("ping:p:2", entity_id="urn:amazon:webservices", name="AWS dev"),
    ).apart("okta:p:1", "ping:p:2")
