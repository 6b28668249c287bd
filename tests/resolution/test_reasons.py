"""What people are told is true and whole: the reasons of a run make up its assets, and no two that agree stay without an answer."""

from __future__ import annotations

import collections

import pytest
from resolution_kit import Outcome, applications, devices, identities, seen, table

from dbt_like_transforms.resolution.resolve import resolve

BOARD, OTHER_BOARD = "11f6e606-84d1-4e74-af7c-3b54377d15e3", "f2265c3a-1cd7-40a5-80d7-52f0688cf3c8"
CARD, OTHER_CARD = "3c:52:82:00:00:01", "3c:52:82:00:00:02"


def told(out: Outcome, record: str, verdict: str) -> list[str]:
    return [d["reason"] for d in out.lines[record]["decisions"] if d["verdict"] == verdict]


def test_what_one_rule_left_apart_and_another_joined_is_no_near_miss() -> None:
    # the serial number could belong to either of two, the UUID settles it
    out = devices(
        seen("intune:p:1", serial_number="SER00A", smbios_uuid=BOARD, hostnames=["pc-1"]),
        seen("crowdstrike:p:2", serial_number="SER00A", agent_ids={"crowdstrike": "ab" * 16}, hostnames=["pc-2"]),
        seen("sccm:p:3", serial_number="SER00A", smbios_uuid=OTHER_BOARD, hostnames=["pc-3"]),
        seen("defender:p:4", smbios_uuid=BOARD, agent_ids={"crowdstrike": "ab" * 16}),
    )
    for record, line in out.lines.items():
        mine = {other for other, its in out.lines.items() if its["asset"] == line["asset"]}
        apart = [d for d in line["decisions"] if d["verdict"] == "vetoed"]
        assert not [d["reason"] for d in apart if d["other_record"] in mine], record
    assert out.together("intune:p:1", "defender:p:4")


def test_a_value_that_a_record_lists_twice_is_counted_and_told_once() -> None:
    out = identities(
        *(
            seen(
                f"okta:p:{i}", okta_id=f"00u{i}abcdefgh", login_names=[f"user{i}@corp.com"], emails=["team.x@corp.com"]
            )
            for i in (1, 2)
        ),
        seen("okta:p:3", okta_id="00u3abcdefgh", login_names=["team.x@corp.com"], emails=["team.x@corp.com"]),
    )
    (reason,) = told(out, "okta:p:3", "suppressed")
    assert reason.endswith("seen with 3 different values of Okta id on 3 records")
    named = devices(
        seen("mdm:p:1", hostnames=["MacBook-Pro"], fqdns=["macbook-pro.corp.example"], serial_number="C02A1")
    )
    assert told(named, "mdm:p:1", "suppressed") == [
        "short host name macbook-pro identifies nothing: a known placeholder"
    ]
    twice = table(seen("mdm:p:1", hostnames=["MacBook-Pro", "macbook-pro"], fqdns=["macbook-pro.corp.example"]))
    assert resolve("device", twice).suppressed().project("value, records").fetchall() == [("macbook-pro", 1)]


def test_what_confirms_a_mac_address_is_always_named_and_said_of_the_records_that_have_it() -> None:
    # the name stands on one record of the asset, the card on another
    out = devices(
        seen("sccm:p:1", serial_number="SER00A", hostnames=["pc-1"]),
        seen("vcenter:p:2", serial_number="SER00A", mac_addresses=[CARD]),
        seen("tenable:p:3", mac_addresses=[CARD], hostnames=["pc-1"]),
        seen("intune:p:4", serial_number="SER00B", mac_addresses=[OTHER_CARD], hostnames=["pc-4"]),
        seen("qualys:p:5", mac_addresses=[OTHER_CARD], hostnames=["pc-4"]),
    )
    assert f"same MAC address {CARD} as tenable:p:3, and both assets have the short host name pc-1" in told(
        out, "vcenter:p:2", "joined"
    )
    assert told(out, "qualys:p:5", "joined") == [
        f"same MAC address {OTHER_CARD} and short host name pc-4 as intune:p:4"
    ]


def test_a_number_that_a_scanner_gave_to_an_address_is_no_cloned_agent() -> None:
    out = devices(
        seen("qualys:p:1", agent_ids={"qualys": "17"}, hostnames=["pc-1"], mac_addresses=[CARD]),
        seen("qualys:p:2", agent_ids={"qualys": "17"}, hostnames=["pc-2"], mac_addresses=[OTHER_CARD]),
    )
    assert out.apart("qualys:p:1", "qualys:p:2")
    assert "which may have seen another machine at the address" in out.words("qualys:p:2")
    assert "cloned" not in out.words("qualys:p:2")


def test_the_mark_of_one_account_is_named_alone() -> None:
    out = identities(
        seen("aws:p:1", login_names=["mlee"], emails=["mlee@dev.com"]),
        seen("active_directory:p:2", sam_account_name="svc_mlee", domain="DEV", emails=["mlee@dev.com"]),
    )
    assert out.words("aws:p:1").endswith("in its logon name: svcmlee")


def test_one_number_in_two_scopes_is_told_as_such() -> None:
    app = {"object_id": BOARD, "cmdb_id": "4b1c7d2e9f0a4b1c7d2e9f0a4b1c7d2e"}
    out = applications(seen("entra_id:p:1", **app), seen("servicenow:p:2", scope="site2", **app))
    assert out.apart("entra_id:p:1", "servicenow:p:2")
    assert "in two scopes" in out.words("servicenow:p:2")


def test_a_second_invitation_is_explained_in_words() -> None:
    guest = {"entra_tenant_id": "bbbbbbbb-0000-4000-8000-000000000001", "emails": ["bob@partner.com"]}
    out = identities(
        seen("entra_id:p:1", entra_object_id=BOARD, **guest), seen("entra_id:p:2", entra_object_id=OTHER_BOARD, **guest)
    )
    assert (
        "account of the same person as entra_id:p:2, but both were invited by one address, so a person has to decide "
        "whether they are one"
    ) in out.words("entra_id:p:1")


ENTITY = "https://a.corp.com/saml"


def test_what_agrees_and_stays_apart_for_the_sake_of_others_is_a_question() -> None:
    # each product holds two: nobody knows which of the one product is which of the other
    out = applications(
        seen("okta:p:1", entity_id=ENTITY, name="Payroll"),
        seen("okta:p:2", entity_id=ENTITY, name="Payroll EU"),
        seen("casb:p:3", entity_id=ENTITY),
        seen("casb:p:4", entity_id=ENTITY, tenant_id="corp"),
    )
    assert out.apart(*out.lines)
    assert all(out.review(record) == set(out.lines) - {record} for record in out.lines)
    assert "others that agree with them differ from one another" in out.words("casb:p:3")


@pytest.mark.parametrize("count", [70, 300])
def test_of_a_name_on_very_many_machines_each_is_told_why(count: int) -> None:
    rows = [
        seen(f"edr:p:{i}", fqdns=["build.corp.example"], mac_addresses=[f"3c:52:82:00:{i >> 8:02x}:{i & 255:02x}"])
        for i in range(count)
    ]
    out = devices(*rows)
    assert out.apart(*out.lines)
    lines = collections.Counter({record: len(line["decisions"]) for record, line in out.lines.items()})
    assert all(any(d["rule"] == "fqdn" for d in line["decisions"]) for line in out.lines.values())
    assert max(lines.values()) < 150  # two rules by 64 machines


APP, TENANT, OTHER_TENANT = BOARD, "cccccccc-0000-4000-8000-000000000001", "cccccccc-0000-4000-8000-000000000002"


def test_an_id_in_its_tenant_is_told_as_people_write_both() -> None:
    out = applications(
        seen("casb:p:1", app_id=APP, tenant_id=TENANT, name="Payroll"),
        seen("hr:p:2", app_id=APP, tenant_id=TENANT),
        seen("okta:p:3", app_id=APP, tenant_id=OTHER_TENANT),
    )
    assert f"same application id in its tenant {APP} in {TENANT} as casb:p:1" in told(out, "hr:p:2", "joined")
    assert f"application id in its tenant differs: {APP} in {TENANT} and {APP} in {OTHER_TENANT}" in out.words(
        "okta:p:3"
    )


def test_a_reply_url_alone_is_a_question_and_other_names_are_an_answer() -> None:
    url = {"reply_urls": ["https://sso.corp.com/cb"]}
    out = applications(
        seen("entra:p:1", object_id=BOARD, name="CRM", **url),
        seen("okta:p:2", name="Jira", **url),
        seen("casb:p:3", **url),
    )
    assert out.apart(*out.lines)
    assert not any(out.held(record) for record in out.lines)
    assert "but their name differs: crm and jira" in out.words("okta:p:2")
    assert "but a reply URL alone joins nothing" in out.words("casb:p:3")
    assert out.review("casb:p:3") == {"entra:p:1", "okta:p:2"}
    assert out.review("entra:p:1") == {"casb:p:3"}


def test_a_mailbox_of_a_role_that_is_a_placeholder_is_told_once() -> None:
    out = identities(seen("hr:p:1", upn="anna@corp.example", emails=["anna@corp.example", "test@example.com"]))
    assert [found["reason"] for found in out.lines["hr:p:1"]["decisions"]] == [
        "mail or sign-in address test@example.com identifies nothing: a known placeholder"
    ]


def test_t83_one_value_in_two_fields_is_told_in_the_same_order_every_time() -> None:
    out = identities(*(seen(f"hr:p:{i}", sam_account_name="unknown", employee_id="unknown") for i in range(60)))
    for line in out.lines.values():
        reasons = [found["reason"] for found in line["decisions"]]
        assert len(reasons) == 2
        assert reasons == sorted(reasons)


def test_of_a_name_on_many_machines_only_what_knows_nothing_better_is_a_question() -> None:
    shared = {"fqdns": ["shared.corp.example"]}
    out = devices(
        *(seen(f"edr:p:{i}", serial_number=f"SER00{i}A", **shared) for i in range(5)),
        seen("cmdb:p:known", smbios_uuid=BOARD, **shared),
        seen("cmdb:p:bare", **shared),
    )
    asked = {
        record: [d["other_record"] for d in line["decisions"] if d["rule"] == "fqdn"]
        for record, line in out.lines.items()
    }
    assert {f"edr:p:{i}" for i in range(5)} <= set(asked["cmdb:p:bare"])
    assert asked["cmdb:p:known"] == [None]


def test_two_boards_under_one_serial_number_are_a_question_where_the_name_is_one_as_well() -> None:
    boards = [f"{number}1f6e606-84d1-4e74-af7c-3b54377d15e3" for number in range(4)]
    out = devices(
        seen("edr:p:1", serial_number="SER00A", smbios_uuid=boards[0], hostnames=["pc-1"]),
        seen("cmdb:p:2", serial_number="SER00A", smbios_uuid=boards[1], hostnames=["pc-1"]),
        seen("edr:p:3", serial_number="SER00B", smbios_uuid=boards[2]),
        seen("cmdb:p:4", serial_number="SER00B", smbios_uuid=boards[3]),
    )
    assert out.apart(*out.lines)
    assert out.review("edr:p:1") == {"cmdb:p:2"}
    assert out.review("edr:p:3") == set(), "without names they may as well be two blades of one chassis"


def test_t15_whose_machine_a_record_is_of_an_image_is_no_question_where_its_card_and_name_tell() -> None:
    image = {"agent_ids": {"machine_guid": "b5f3a1de-7c1c-4b9e-a9d9-0f8c7d6e5b4a"}}
    first, second = ({"hostnames": [f"pc-{i}"], "mac_addresses": [card]} for i, card in enumerate((CARD, OTHER_CARD)))
    out = devices(
        seen("mdm:p:1", serial_number="SER00A", **first, **image),
        seen("mdm:p:2", serial_number="SER00B", **second, **image),
        seen("edr:p:3", **first, **image),
        seen("edr:p:4", **second, **image),
        seen("scan:p:5", **image),
    )
    assert out.groups() == {
        frozenset({"mdm:p:1", "edr:p:3"}),
        frozenset({"mdm:p:2", "edr:p:4"}),
        frozenset({"scan:p:5"}),
    }
    assert out.review("edr:p:3") == {"scan:p:5"}
    assert "serial number differs: SER00A and SER00B" in "\n".join(told(out, "edr:p:3", "vetoed"))
    assert out.review("scan:p:5") == set(out.lines) - {"scan:p:5"}


def test_what_several_rules_met_on_one_value_is_told_once_and_of_the_strongest() -> None:
    # neither has a mail address or a logon name in a domain, so that nobody reads that these agree
    out = identities(
        seen("entra_id:p:1", entra_object_id=BOARD, upn="jdoe@corp.example"),
        seen("entra_id:p:2", entra_object_id=OTHER_BOARD, upn="jdoe@corp.example"),
    )
    for record, other in (("entra_id:p:1", "entra_id:p:2"), ("entra_id:p:2", "entra_id:p:1")):
        assert told(out, record, "vetoed") == [
            f"same user principal name jdoe@corp.example as {other}, but their Entra object id differs: "
            f"{BOARD} and {OTHER_BOARD}"
        ]
    url = {"reply_urls": ["https://pay.corp.com/cb"], "name": "Pay"}
    again = applications(seen("entra:p:1", object_id=BOARD, **url), seen("entra:p:2", object_id=OTHER_BOARD, **url))
    vetoed = [d["rule"] for d in again.lines["entra:p:1"]["decisions"] if d["verdict"] == "vetoed"]
    assert [rule for rule in vetoed if "reply" in rule] == ["reply_url"]


def test_nobody_reads_that_a_mail_address_joins_nothing_which_it_does_where_nothing_differs() -> None:
    mail = {"emails": ["j.smith@corp.example"]}
    out = identities(
        seen("entra_id:p:1", upn="jsmith@corp.example", **mail), seen("okta:p:2", upn="j.smith@corp.example", **mail)
    )
    assert out.review("okta:p:2") == {"entra_id:p:1"}
    assert "joins nothing" not in out.words("okta:p:2")
    assert "so a person has to decide" in out.words("okta:p:2")
    assert "their user principal name differs: j.smith@corp.example and jsmith@corp.example" in out.words("okta:p:2")
