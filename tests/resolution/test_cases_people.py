"""More of T91 to T103: accounts, their names, and the people behind them."""

# ruff: noqa: E501
from __future__ import annotations

import base64
import uuid

import pytest
from case_table import Case, CaseTable

G1, G2, G3 = (
    "~b4a1c9-12f4-4e74-af7c-3b54377d15~",
    "~000000-1111-4222-8333-000000000099",
    "~000000-1111-4222-8333-0000000000aa",
)
T1, T2 = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
GUID = uuid.UUID("8f2d1c34-5a6b-4c7d-9e8f-0011223344aa")
ANCHOR = base64.b64encode(GUID.bytes_le).decode()
OLD = {"first_seen": "2024-01-01T00:00:00Z", "last_seen": "2025-03-01T00:00:00Z", "observed_at": "2025-03-01T00:00:00Z"}
NEW = {"first_seen": "2026-05-03T00:00:00Z", "last_seen": "2026-11-20T09:00:00Z"}

CASES = {
    "synced account by objectGUID, immutableId and the cloud's id": Case(
        {"ad.a": {"ad_object_guid": str(GUID), "sam_account_name": "anna~", "domain": "CORP"}, "entra.b": {"entra_object_id": G1, "immutable_id": ANCHOR, "upn": "anna~@corp.com"}, "okta.c": {"login_names": ["Anna~@CORP.com"], "okta_id": "00u~a"}}, "abc"
    ),
    "cloud-only account has the mail of a synced one": Case(
        {"entra.a": {"entra_object_id": G1, "upn": "b~@corp.com", "emails": ["b~@corp.com"]}, "entra.b": {"entra_object_id": G2, "upn": "b~-admin@corp.onmicrosoft.com", "emails": ["b~@corp.com"]}}, "a b"
    ),
    "an object id is told with two tenants: those of one tenant are one account": Case(
        {"defender.a": {"entra_object_id": G1, "entra_tenant_id": T1}, "entra.b": {"entra_object_id": G1, "entra_tenant_id": T2}, "okta.c": {"entra_object_id": G1, "entra_tenant_id": T2}}, "a bc"
    ),
    "upn given to a new person after the leaver": Case(
        {"ad.a": {"ad_object_guid": G1, "upn": "c~@corp.com", "state": "retired", **OLD}, "entra.b": {"entra_object_id": G3, "ad_object_guid": G2, "upn": "c~@corp.com", **NEW}, "okta.c": {"login_names": ["c~@corp.com"], "okta_id": "00u~c", **NEW}}, "a bc"
    ),
    "upn given to a new person, only names known": Case(
        {"okta.a": {"upn": "d~@corp.com", "okta_id": "00u~d1", "state": "retired", **OLD}, "okta.b": {"upn": "d~@corp.com", "okta_id": "00u~d2", **NEW}}, "a b"
    ),
    "employee id used again for another person": Case(
        {"hr.a": {"employee_id": "E~1", "upn": "leaver~@corp.com", "state": "retired", **OLD}, "hr.b": {"employee_id": "E~1", "upn": "joiner~@corp.com", **NEW}}, "a b", unlinked=("a same person b",)
    ),
    "employee id used again links the accounts of each person and not the two": Case(
        {"hr.a": {"employee_id": "¤1", "upn": "reuse.old~@corp.com", "state": "retired", **OLD}, "ad.b": {"employee_id": "¤1", "ad_object_guid": G1, "sam_account_name": "a-ro~", "domain": "CORP", "state": "retired", **OLD}, "hr.c": {"employee_id": "¤1", "upn": "reuse.new~@corp.com", **NEW}, "ad.d": {"employee_id": "¤1", "ad_object_guid": G2, "sam_account_name": "a-rn~", "domain": "CORP", **NEW}},
        "a b c d", links=("a same person b", "c same person d"), unlinked=("a same person c", "b same person d", "c same person b", "d same person a"),
    ),
    "who was hired again under the old name is the same person": Case(
        {"ad.a": {"employee_id": "¤2", "ad_object_guid": G1, "sam_account_name": "rh~", "domain": "CORP", "state": "retired", **OLD}, "ad.b": {"employee_id": "¤2", "ad_object_guid": G2, "sam_account_name": "rh~", "domain": "EU", **NEW}}, "a b", links=("a same person b",)
    ),
    "administrator's account that was given up is still that of its owner": Case(
        {"ad.a": {"employee_id": "¤3", "ad_object_guid": G1, "sam_account_name": "t0-gu~", "domain": "CORP", "state": "retired", **OLD}, "ad.b": {"employee_id": "¤3", "ad_object_guid": G2, "sam_account_name": "gu~", "domain": "CORP", **NEW, "first_seen": "2025-01-01T00:00:00Z"}}, "a b", links=("a same person b",)
    ),
    "leaver and the one who got the name, each in two products": Case(
        {"entra.a": {"entra_object_id": G1, "upn": "lv~@corp.com", "state": "retired"}, "okta.b": {"okta_id": "00u~lv1", "login_names": ["lv~@corp.com"], "state": "retired"}, "entra.c": {"entra_object_id": G2, "upn": "lv~@corp.com"}, "okta.d": {"okta_id": "00u~lv2", "login_names": ["lv~@corp.com"]}}, "ab cd", words={"a": "one of them is retired"}
    ),
    "leaver's login elsewhere is not the newcomer's though that is in the register": Case(
        {"entra.a": {"entra_object_id": G1, "upn": "lw~@corp.com", "state": "retired"}, "okta.b": {"okta_id": "00u~lw1", "login_names": ["lw~@corp.com"], "state": "retired"}, "entra.c": {"entra_object_id": G2, "upn": "lw~@corp.com"}, "workday.d": {"employee_id": "~W", "emails": ["lw~@corp.com"]}, "snow.e": {"upn": "lw~@corp.com"}}, "ab cde"
    ),
    "leaver's account in the domain is not the newcomer's in the cloud": Case(
        {"ad.a": {"ad_object_guid": G1, "upn": "lx~@corp.com", "state": "retired"}, "okta.b": {"okta_id": "00u~lx1", "upn": "lx~@corp.com", "state": "retired"}, "snow.c": {"upn": "lx~@corp.com", "state": "retired"}, "entra.d": {"entra_object_id": G2, "upn": "lx~@corp.com"}, "okta.e": {"okta_id": "00u~lx2", "upn": "lx~@corp.com"}, "github.f": {"login_names": ["lx~", "lx~@corp.com"]}}, "abc def"
    ),
    "retired entry of an account at work stays with it beside another that is at work": Case(
        {"entra.t1.a": {"entra_object_id": G1, "upn": "ly~@corp.com"}, "entra.t2.b": {"entra_object_id": G2, "upn": "ly~@corp.com"}, "snow.c": {"upn": "ly~@corp.com", "state": "retired"}, "entra.d": {"entra_object_id": G3, "upn": "lz~@corp.com"}, "snow.e": {"upn": "lz~@corp.com", "state": "retired"}}, "a b c de"
    ),
    "employee id links accounts across products and never merges": Case(
        {"hr.a": {"employee_id": "00~7"}, "ad.b": {"employee_id": "00~7", "ad_object_guid": G1}, "okta.c": {"employee_id": "00~7", "okta_id": "00u~e"}}, "a b c", links=("a same person b", "b same person c")
    ),
    "placeholder employee ids link nobody": Case(
        {f"ad.{x}": {"employee_id": "00000", "ad_object_guid": f"~000000-1111-4222-8333-0000000000{x}{x}"} for x in "ab"}, "a b"
    ),
    "hr record and account by mail": Case(
        {"workday.a": {"employee_id": "W~", "emails": ["E.Miller~@corp.com"]}, "entra.b": {"entra_object_id": G1, "upn": "e.miller~@corp.com"}}, "ab"
    ),
    "mail alias in capital letters and with the smtp mark": Case(
        {"exchange.a": {"emails": ["SMTP:F~@Corp.com", "smtp:f.alt~@corp.com"]}, "entra.b": {"entra_object_id": G1, "upn": "f~@corp.com"}}, "ab"
    ),
    "plus address is another address": Case(
        {"okta.a": {"upn": "g~+test@corp.com", "okta_id": "00u~g1"}, "entra.b": {"upn": "g~@corp.com", "entra_object_id": G1}}, "a b"
    ),
    "dots matter": Case({"a.a": {"upn": "h.i~@gmail.com"}, "b.b": {"upn": "hi~@gmail.com"}}, "a b"),
    "one logon name in two domains, netbios and dns": Case(
        {"ad.a": {"sam_account_name": "svc~", "domain": "corp.example"}, "mdi.b": {"login_names": ["CORP\\svc~"]}, "ad2.c": {"sam_account_name": "svc~", "domain": "DEV"}}, "ab c"
    ),
    "bare logon name could be either": Case(
        {"ad.a": {"sam_account_name": "bare~", "domain": "CORP", "ad_object_guid": G1}, "ad.b": {"sam_account_name": "bare~", "domain": "DEV", "ad_object_guid": G2}, "linux.c": {"login_names": ["bare~"]}}, "a b c", held="c", review="ca cb"
    ),
    "administrator of two machines": Case(
        {"edr.a": {"ad_sid": "S-1-5-21-1-1-1~-500".replace("~", "7"), "sam_account_name": "Administrator", "domain": "PC1~"}, "edr.b": {"ad_sid": "S-1-5-21-2-2-2-500", "sam_account_name": "Administrator", "domain": "PC2~"}}, "a b"
    ),
    "well-known sids belong to nobody": Case(
        {"edr.a": {"ad_sid": "S-1-5-18", "sam_account_name": "SYSTEM"}, "edr2.b": {"ad_sid": "S-1-5-18", "sam_account_name": "SYSTEM"}}, "a b", held="ab"
    ),
    "migrated account carries its old sid": Case(
        {"ad.old.a": {"ad_sid": "S-1-5-21-4-4-4-1¤", "ad_object_guid": G1, "sam_account_name": "mig~", "domain": "OLD"}, "ad.new.b": {"ad_sid": "S-1-5-21-4-4-5-2¤", "ad_object_guid": G2, "sam_account_name": "mig~", "domain": "NEW", "sid_history": ["S-1-5-21-4-4-4-1¤"]}, "entra.c": {"entra_object_id": G3, "ad_sid": "S-1-5-21-4-4-5-2¤"}}, "abc"
    ),
    "sid history with two former sids": Case(
        {"ad.a": {"ad_sid": "S-1-5-21-4-4-6-1¤"}, "ad.b": {"ad_sid": "S-1-5-21-4-4-7-1¤"}, "ad.c": {"ad_sid": "S-1-5-21-4-4-8-1¤", "sid_history": ["S-1-5-21-4-4-6-1¤", "S-1-5-21-4-4-7-1¤"]}}, "abc"
    ),
    "guest, its home account and a member of the same mail": Case(
        {"entra.home.a": {"entra_object_id": G1, "entra_tenant_id": T1, "upn": "k~@partner.com"}, "entra.corp.b": {"entra_object_id": G2, "entra_tenant_id": T2, "upn": "k~_partner.com#EXT#@corp.onmicrosoft.com", "emails": ["k~@partner.com"]}, "okta.c": {"upn": "k~@partner.com", "okta_id": "00u~k"}}, "ac b", links=("b same person a",)
    ),
    "guest signs in with the address of its home account": Case(
        {"entra.a": {"entra_object_id": G1, "upn": "gs~_partner.com#EXT#@t.onmicrosoft.com", "login_names": ["gs~@partner.com"], "emails": ["gs~@partner.com"]}, "okta.b": {"okta_id": "00u~gs", "login_names": ["gs~@partner.com"]}, "mde.c": {"upn": "GS~_partner.com#ext#@t.onmicrosoft.com"}}, "ac b", links=("a same person b",)
    ),
    "guest in two tenants": Case(
        {"entra.t1.a": {"entra_object_id": G1, "entra_tenant_id": T1, "upn": "l~_p.com#EXT#@t1.onmicrosoft.com"}, "entra.t2.b": {"entra_object_id": G2, "entra_tenant_id": T2, "upn": "l~_p.com#EXT#@t2.onmicrosoft.com"}}, "a b", links=("a same person b",)
    ),
    "invitation sent twice before it was accepted": Case(
        {"entra.a": {"entra_object_id": G1, "emails": ["m~@partner.com"]}, "entra.b": {"entra_object_id": G2, "emails": ["M~@partner.com"]}}, "a b", review="ab", links=("a same person b",)
    ),
    "identity provider's login differs from the upn": Case(
        {"okta.a": {"okta_id": "00u~o", "login_names": ["o~@corp.com"], "emails": ["o.p~@corp.com"]}, "entra.b": {"entra_object_id": G1, "upn": "o.p~@corp.com"}}, "ab"
    ),
    "shared mailbox in two people's mail lists": Case(
        {"okta.a": {"okta_id": "00u~p1", "upn": "p1~@corp.com", "emails": ["p1~@corp.com", "sales~@corp.com"]}, "okta.b": {"okta_id": "00u~p2", "upn": "p2~@corp.com", "emails": ["p2~@corp.com", "sales~@corp.com"]}, "entra.c": {"entra_object_id": G1, "upn": "sales~@corp.com"}}, "a b c"
    ),
    "admin account with the mail of its owner": Case(
        {"ad.a": {"ad_object_guid": G1, "sam_account_name": "a-q~", "domain": "CORP", "emails": ["q~@corp.com"]}, "ad.b": {"ad_object_guid": G2, "sam_account_name": "q~", "domain": "CORP", "emails": ["q~@corp.com"]}, "hr.c": {"employee_id": "Q~", "emails": ["q~@corp.com"]}}, "a b c", held="c", review="ca cb"
    ),
    "deleted and made again: new object id, same upn": Case(
        {"entra.a": {"entra_object_id": G1, "upn": "r~@corp.com", "state": "retired", **OLD}, "entra.b": {"entra_object_id": G2, "upn": "r~@corp.com", **NEW}}, "a b"
    ),
    "restored from the bin keeps its object id": Case(
        {"entra.a": {"entra_object_id": G1, "upn": "s~@corp.com", "state": "retired", **OLD}, "mde.b": {"entra_object_id": G1.upper(), "upn": "s~.new@corp.com"}}, "ab"
    ),
    "hard match ties the cloud account to another ad account": Case(
        {"ad.a": {"ad_object_guid": str(uuid.UUID("8f2d1c34-5a6b-4c7d-9e8f-0011223344bb")), "sam_account_name": "t~", "domain": "CORP"}, "entra.b": {"entra_object_id": G1, "immutable_id": base64.b64encode(uuid.UUID("8f2d1c34-5a6b-4c7d-9e8f-0011223344cc").bytes_le).decode(), "upn": "t~@corp.com", "sam_account_name": "t~", "domain": "CORP"}}, "a b"
    ),
    "source anchor that is no guid": Case(
        {"entra.a": {"immutable_id": "EMP~0001", "entra_object_id": G1}, "sync.b": {"immutable_id": "EMP~0001"}}, "ab"
    ),
    "managed service account ends in a dollar, a user of that name does not": Case(
        {"ad.a": {"sam_account_name": "gmsa~$", "domain": "CORP", "ad_object_guid": G1}, "mdi.b": {"login_names": ["CORP\\gmsa~$"]}, "edr.c": {"login_names": ["corp\\GMSA~"]}}, "ab c"
    ),
    "renamed account keeps its object id and old name in another product": Case(
        {"entra.a": {"entra_object_id": G1, "upn": "new~@corp.com"}, "mde.b": {"entra_object_id": G1, "upn": "old~@corp.com"}, "okta.c": {"okta_id": "00u~v", "upn": "new~@corp.com"}}, "abc"
    ),
    "married name taken over by a colleague later": Case(
        {"entra.a": {"entra_object_id": G1, "upn": "w.new~@corp.com", "emails": ["w.old~@corp.com"]}, "entra.b": {"entra_object_id": G2, "upn": "w.old~@corp.com"}, "okta.c": {"okta_id": "00u~w", "upn": "w.old~@corp.com"}}, "a bc"
    ),
    "two okta tenants, one login": Case(
        {"okta.eu.a": {"okta_id": "00u~x1", "upn": "x~@corp.com"}, "okta.us.b": {"okta_id": "00u~x2", "upn": "x~@corp.com"}}, "a b"
    ),
    "no-reply mail of many accounts": Case(
        {f"okta.{x}": {"okta_id": f"00u~y{x}", "emails": ["noreply@corp.com"]} for x in "abc"}, "a b c"
    ),
    "cloud sid is the object id": Case(
        {"entra.a": {"entra_object_id": "e2121d0e-f12c-4987-bddb-7e01c4f8fc9a", "upn": "cs~@corp.com"}, "mde.b": {"ad_sid": "S-1-12-1-3792837902-1233645868-25091005-2600270020"}, "ad.c": {"ad_sid": "S-1-5-21-6-6-6-1¤", "upn": "cs~@corp.com"}}, "abc"
    ),
    "logon name used again, the log belongs to the new account": Case(
        {"ad.a": {"ad_object_guid": G1, "sam_account_name": "re~", "domain": "CORP", "state": "retired", **OLD}, "ad.b": {"ad_object_guid": G2, "sam_account_name": "re~", "domain": "CORP", **NEW}, "mdi.c": {"login_names": ["CORP\\re~"], **NEW}}, "a bc"
    ),
    "windows calls every tenant azuread": Case(
        {"mde.a": {"login_names": ["AzureAD\\AnnaLee~"]}, "edr.b": {"sam_account_name": "annalee~", "domain": "AzureAD"}}, "a b", review="ab"
    ),
    "computer account and a user of that name": Case(
        {"ad.a": {"ad_object_guid": G1, "sam_account_name": "K~$", "domain": "CORP"}, "mdi.b": {"login_names": ["CORP\\k~"]}, "siem.c": {"login_names": ["corp\\K~$"]}}, "ac b"
    ),
    "fallback domain of the tenant is another address": Case(
        {"entra.a": {"entra_object_id": G1, "upn": "fb~@corp.onmicrosoft.com"}, "okta.b": {"okta_id": "00u~fb", "upn": "fb~@corp.com"}}, "a b"
    ),
    "nothing but a display name": Case({"github.a": {}, "github.b": {}}, "a b", held="ab"),
    "github login and its saml identity": Case(
        {"github.a": {"login_names": ["octo~", "z~@corp.com"]}, "entra.b": {"entra_object_id": G1, "upn": "z~@corp.com"}}, "ab"
    ),
    "two tenants hold one object id by mistake": Case(
        {"entra.t1.a": {"entra_object_id": G1, "entra_tenant_id": T1}, "entra.t2.b": {"entra_object_id": G1, "entra_tenant_id": T2}}, "a b"
    ),
    "administrator's account with the mail of the person": Case(
        {"ad.a": {"sam_account_name": "a-mp~", "domain": "CORP", "emails": ["mp~@corp.com"]}, "entra.b": {"upn": "mp~@corp.com", "sam_account_name": "mp~", "domain": "CORP"}}, "a b", review="ab", words={"a": "Windows logon name differs", "b": "Windows logon name differs"}
    ),
    "service accounts with the mail of their team": Case(
        {"ad.a": {"sam_account_name": "svc_a~", "domain": "CORP", "emails": ["it~@corp.com"]}, "mdi.b": {"sam_account_name": "svc_b~", "domain": "CORP", "emails": ["it~@corp.com"]}}, "a b", review="ab"
    ),
    "a login elsewhere is no windows logon name": Case(
        {"ad.a": {"sam_account_name": "ol~", "domain": "CORP", "emails": ["o.lee~@corp.com"]}, "github.b": {"login_names": ["octolee~"], "emails": ["o.lee~@corp.com"]}, "mde.c": {"login_names": ["AzureAD\\OctoLee~"], "emails": ["o.lee~@corp.com"]}}, "abc"
    ),
    "a directory keeps twenty characters of a logon name": Case(
        {"ad.a": {"sam_account_name": "christopher.longna¤x"[:20], "domain": "CORP", "emails": ["cl~@corp.com"]}, "edr.b": {"login_names": ["CORP\\christopher.longna¤xyz"], "emails": ["cl~@corp.com"]}}, "ab"
    ),
    "one product lists an account twice": Case(
        {"okta.a": {"emails": ["TW~@Corp.com"]}, "okta.b": {"emails": ["tw~@corp.com"]}, "entra.c": {"upn": "TX~@corp.com"}, "entra.d": {"upn": "tx~@corp.com", "employee_id": "E~"}}, "ab cd"
    ),
    "one product lists two people with one mail": Case(
        {"workday.a": {"employee_id": "E~1", "emails": ["team~@corp.com"]}, "workday.b": {"employee_id": "E~2", "emails": ["team~@corp.com"]}, "github.c": {"login_names": ["k1~"], "emails": ["k~@corp.com"]}, "github.d": {"login_names": ["k2~"], "emails": ["k~@corp.com"]}},
        "a b c d", review="ab cd", words={"a": "two records with different names or employee ids"},
    ),
    "one okta id on two accounts of the directory, and on an account that moved to another domain": Case(
        {"idm.a": {"okta_id": "00u~og", "ad_object_guid": G1, "login_names": ["og~@corp.com"]}, "pam.b": {"okta_id": "00u~og", "ad_object_guid": G2, "login_names": ["og~@corp.com"]}, "okta.c": {"okta_id": "00u~og", "login_names": ["og~@corp.com"]},
         "idm.d": {"okta_id": "00u~oh", "ad_object_guid": G1[:-1] + "d", "ad_sid": "S-1-5-21-7-7-1-1¤"}, "idm.e": {"okta_id": "00u~oh", "ad_object_guid": G1[:-1] + "e", "ad_sid": "S-1-5-21-7-7-2-1¤", "sid_history": ["S-1-5-21-7-7-1-1¤"]}, "okta.f": {"okta_id": "00u~oh"}},
        "a b c def", review="ca cb", words={"a": "AD objectGUID differs"},
    ),
    "two accounts of one company's okta with the object guid of one person: that of its name is hers": Case(
        {"ad.a": {"ad_object_guid": G1, "upn": "oq~@corp.com"}, "okta.b": {"okta_id": "00u~oq1", "ad_object_guid": G1, "upn": "oq~@corp.com"}, "okta.c": {"okta_id": "00u~oq2", "ad_object_guid": G1, "upn": "or~@corp.com"}},
        "ab c", review="bc", words={"c": "two records with different Okta ids"},
    ),
    "two companies' okta, and one account that was made anew": Case(
        {"ad.a": {"ad_object_guid": G1}, "okta.eu.b": {"okta_id": "00u~os1", "ad_object_guid": G1}, "okta.us.c": {"okta_id": "00u~os2", "ad_object_guid": G1}, "okta.us.d": {"okta_id": "00u~os3", "ad_object_guid": G1, "state": "retired"}},
        "abcd",
    ),
    "a list that three people of one product read, and an alias that another product knows": Case(
        {f"slack.{x}": {"emails": [f"{x}~@corp.com", "phoenix~@corp.com"]} for x in "abc"} | {"zoom.d": {"emails": ["d~@corp.com", "dora~@corp.com"]}, "jira.e": {"emails": ["dora~@corp.com"]}},
        "a b c de", review="ab bc", words={"a": "different main addresses"},
    ),
    "two people of the register with the mail of their family, an account of one": Case(
        {"workday.a": {"employee_id": "¤1", "emails": ["family~@example.com"]}, "workday.b": {"employee_id": "¤2", "emails": ["family~@example.com"]}, "okta.c": {"okta_id": "00u~fa", "login_names": ["fa~@corp.com"], "emails": ["fa~@corp.com", "family~@example.com"], "employee_id": "¤1"}},
        "ac b", review="ab bc", words={"b": "employee ids differ"},
    ),
    "guest known by its login only": Case(
        {"mde.a": {"login_names": ["gl~_partner.com#EXT#@t.onmicrosoft.com"]}, "entra.b": {"upn": "gl~_partner.com#EXT#@t.onmicrosoft.com", "entra_object_id": G1}, "okta.c": {"login_names": ["gl~@partner.com"]}}, "ab c", links=("a same person c", "c same person a")
    ),
    "former sid claimed by two accounts of one domain": Case(
        {"ad.new.a": {"ad_sid": "S-1-5-21-5-5-5-1¤", "ad_object_guid": G1, "sid_history": ["S-1-5-21-5-5-4-9¤"]}, "ad.new.b": {"ad_sid": "S-1-5-21-5-5-5-2¤", "ad_object_guid": G2, "sid_history": ["S-1-5-21-5-5-4-9¤"]}, "ad.old.c": {"ad_sid": "S-1-5-21-5-5-4-9¤", "ad_object_guid": G3}},
        "a b c", review="ca cb", words={"a": "two accounts of one domain"},
    ),
    "former sid out of its own domain": Case(
        {"ad.a": {"ad_sid": "S-1-5-21-5-5-6-1¤", "ad_object_guid": G1, "sid_history": ["S-1-5-21-5-5-6-2¤"]}, "ad.b": {"ad_sid": "S-1-5-21-5-5-6-2¤", "ad_object_guid": G2}}, "a b", words={"a": "no domain gives an account a former SID of its own"}
    ),
    "upn passed on, the employee ids differ": Case(
        {"entra.a": {"entra_object_id": G1, "upn": "on~@corp.com", "employee_id": "E¤1"}, "okta.b": {"okta_id": "00u~on", "login_names": ["on~@corp.com"], "employee_id": "E¤2"}}, "a b", review="ab", words={"a": "employee ids differ"}
    ),
    "mail passed on, the employee ids differ": Case(
        {"hr.a": {"upn": "om~@corp.com", "employee_id": "1¤"}, "snow.b": {"emails": ["om~@corp.com"], "okta_id": "00u~om", "employee_id": "2¤"}}, "a b", review="ab"
    ),
    "employee ids of two forms cannot disagree": Case(
        {"hr.a": {"emails": ["ef~@corp.com"], "employee_id": "0001¤"}, "entra.b": {"entra_object_id": G1, "upn": "ef~@corp.com", "employee_id": "1¤"}, "okta.c": {"okta_id": "00u~ef", "login_names": ["ef~@corp.com"], "employee_id": "W-7¤"}}, "abc"
    ),
    "one logon name in two domains whose names begin alike": Case(
        {"ad.a": {"sam_account_name": "rl~", "domain": "corp.eu.example", "ad_object_guid": G1}, "mdi.b": {"sam_account_name": "rl~", "domain": "corp.us.example", "ad_sid": "S-1-5-21-5-5-7-1¤"}}, "a b", words={"a": "their domain differs"}
    ),
    "login of an administrator with the mail of the person": Case(
        {"okta.a": {"okta_id": "00u~am", "login_names": ["a-am~@corp.com"], "emails": ["am~@corp.com"]}, "entra.b": {"entra_object_id": G1, "upn": "am~@corp.com", "emails": ["am~@corp.com"]}, "snow.c": {"login_names": ["am~_adm"], "okta_id": "00u~an", "emails": ["am~@corp.com"]}},
        "a b c", review="ab", words={"a": "mark of an administrator"},
    ),
    "a letter and a point begin the names of people": Case(
        {"okta.a": {"okta_id": "00u~ap", "login_names": ["a.pe~@corp.com"], "emails": ["anna.pe~@corp.com"]}, "entra.b": {"entra_object_id": G1, "upn": "anna.pe~@corp.com"}}, "ab"
    ),
    "mailbox of a role is nobody's": Case(
        {"ad.a": {"ad_object_guid": G1, "sam_account_name": "ra~", "emails": ["info@r¤.com"]}, "okta.b": {"okta_id": "00u~ra", "login_names": ["rb~@r¤.com"], "emails": ["info@r¤.com"]}}, "a b", words={"b": "the mailbox of a role"}
    ),
    "account of a mailbox of a role": Case(
        {"google.a": {"emails": ["info@s¤.com"]}, "entra.b": {"entra_object_id": G1, "upn": "info@s¤.com", "emails": ["info@s¤.com"]}, "snow.c": {"login_names": ["info"], "emails": ["info@s¤.com"]}}, "abc"
    ),
    "local administrators of machines made from one image": Case(
        {"edr.a": {"ad_sid": "S-1-5-21-35-¤-1-500", "sam_account_name": "Administrator", "domain": "PC¤A"}, "edr2.b": {"ad_sid": "S-1-5-21-35-¤-1-500", "login_names": ["PC¤B\\Administrator"]}}, "a b", review="ab", words={"a": "image cloned", "b": "image cloned"}
    ),
    "administrator of a domain whose windows name is not the first label of its dns name": Case(
        {"ad.a": {"ad_sid": "S-1-5-21-35-¤-3-500", "sam_account_name": "Administrator", "domain": "ad.contoso¤.com"}, "edr.b": {"ad_sid": "S-1-5-21-35-¤-3-500", "login_names": ["CONTOSO¤\\Administrator", "ad.contoso¤.com\\Administrator"]}}, "ab"
    ),
    "sid given out again after a directory was restored": Case(
        {"ad.a": {"ad_sid": "S-1-5-21-36-1-1-1¤", "ad_object_guid": G1, "sam_account_name": "rs1~", "domain": "CORP", "state": "retired", **OLD}, "ad.b": {"ad_sid": "S-1-5-21-36-1-1-1¤", "ad_object_guid": G2, "sam_account_name": "rs2~", "domain": "CORP", **NEW}, "mdi.c": {"ad_sid": "S-1-5-21-36-1-1-1¤", **NEW}}, "a bc", words={"a": ", but their AD objectGUID differs"}
    ),
    "administrator of a machine that was given up, and one of another made from its image": Case(
        {"edr.a": {"ad_sid": "S-1-5-21-36-¤-2-500", "sam_account_name": "Administrator", "domain": "PD¤A", "state": "retired"}, "edr2.b": {"ad_sid": "S-1-5-21-36-¤-2-500", "login_names": ["PD¤B\\Administrator"]}}, "a b", words={"a": "NetBIOS name of the domain differs"}
    ),
    "three domains one after the other, each account knows the sid before its own": Case(
        {"ad.a": {"ad_sid": "S-1-5-21-36-2-1-1¤", "ad_object_guid": G1, "state": "retired"}, "ad.b": {"ad_sid": "S-1-5-21-36-2-2-1¤", "ad_object_guid": G2, "sid_history": ["S-1-5-21-36-2-1-1¤"], "state": "retired"}, "ad.c": {"ad_sid": "S-1-5-21-36-2-3-1¤", "ad_object_guid": G3, "sid_history": ["S-1-5-21-36-2-2-1¤"]}}, "abc"
    ),
    "one sid under two objectGUIDs is no former sid": Case(
        {"ad.a": {"ad_sid": "S-1-5-21-34-5-1-1¤", "ad_object_guid": G1}, "ad.b": {"ad_sid": "S-1-5-21-34-5-1-1¤", "ad_object_guid": G2}}, "a b"
    ),
    "address in a private domain of two organisations": Case(
        {"ad.a": {"upn": "pd~@corp.local", "scope": "one"}, "okta.b": {"upn": "PD~@corp.local", "scope": "two"}, "snow.c": {"emails": ["pd~@corp.local"], "scope": "one"}, "entra.d": {"upn": "pe~@corp.com", "scope": "one"}, "okta.e": {"upn": "pe~@corp.com", "scope": "two"}}, "ac b de", words={"c": "same mail address = user principal name pd"}
    ),
    "addresses in one text, and that of telephony": Case(
        {"entra.a": {"upn": "ms~@corp.com"}, "snow.b": {"emails": ["ms~.old@corp.com; ms~@corp.com"]}, "teams.c": {"emails": ["SIP:ms~@corp.com"]}}, "abc"
    ),
    "cloud principal by its whole name": Case(
        {"aws.a": {"login_names": ["arn:aws:iam::111122223333:user/ar~"]}, "wiz.b": {"login_names": ["arn:aws:iam::111122223333:user/ar~"]}, "wiz.c": {"login_names": ["arn:aws:iam::444455556666:user/ar~"]}}, "ab c"
    ),
    "administrator's account is one though its mail is another's": Case(
        {"entra.a": {"upn": "au~@corp.com", "employee_id": "AU~"}, "ad.b": {"sam_account_name": "adm-au~", "domain": "CORP", "emails": ["au~@corp.com"], "employee_id": "AU~"}}, "a b", links=("a same person b",), review="ab"
    ),
    "administrator at a product of its own is one account more": Case(
        {"entra.a": {"upn": "av~@corp.com"}, "github.b": {"login_names": ["av~.admin"], "emails": ["av~@corp.com"]}}, "a b", review="ab"
    ),
    "guest and home account say why they are two": Case(
        {"entra.a": {"entra_object_id": G1, "upn": "gw~_partner.com#EXT#@t.onmicrosoft.com"}, "okta.b": {"okta_id": "00u~gw", "login_names": ["gw~@partner.com"]}}, "a b", links=("a same person b",), words={"a": "a guest account, the other its home account"}
    ),
    "account deleted in the cloud and synchronised again": Case(
        {"ad.a": {"ad_object_guid": str(GUID)[:-4] + "0d~", "sam_account_name": "hd~", "domain": "CORP"}, "entra.b": {"entra_object_id": G1, "immutable_id": "{" + str(GUID).upper()[:-4] + "0D~}", "upn": "hd~@corp.com", "state": "retired", **OLD}, "entra.c": {"entra_object_id": G2, "immutable_id": str(GUID)[:-4] + "0d~", "upn": "hd~@corp.com", **NEW}}, "ac b"
    ),
    "invitation sent again after it was accepted": Case(
        {"entra.a": {"entra_object_id": G1, "upn": "ia~_partner.com#EXT#@t.onmicrosoft.com", "emails": ["ia~@partner.com"]}, "entra.b": {"entra_object_id": G2, "emails": ["ia~@partner.com"]}}, "a b", review="ab", links=("a same person b",)
    ),
    "two invitations and the home account": Case(
        {"entra.a": {"entra_object_id": G1, "emails": ["ih~@partner.com"]}, "entra.b": {"entra_object_id": G2, "emails": ["ih~@partner.com"]}, "okta.c": {"okta_id": "00u~ih", "upn": "ih~@partner.com"}}, "a b c", review="ab", links=("a same person b",)
    ),
    "a second invitation gets a number behind its name": Case(
        {"entra.p.h": {"entra_object_id": G3, "entra_tenant_id": T2, "upn": "im~@partner.com", "emails": ["im~@partner.com"]}, "entra.c.a": {"entra_object_id": G1, "entra_tenant_id": T1, "upn": "im~_partner.com#EXT#@t.onmicrosoft.com", "emails": ["im~@partner.com"]}, "entra.c.b": {"entra_object_id": G2, "entra_tenant_id": T1, "upn": "im~_partner.com1#EXT#@t.onmicrosoft.com", "emails": ["im~@partner.com"]}}, "h a b", review="ab", links=("a same person b", "a same person h", "b same person h")
    ),
    "guests that read the mail of one role are not one person": Case(
        {"entra.a": {"entra_object_id": G1, "upn": "rg~_partner.com#EXT#@t.onmicrosoft.com", "emails": ["sales@r~.com"]}, "entra.b": {"entra_object_id": G2, "upn": "rh~_partner.com#EXT#@t.onmicrosoft.com", "emails": ["sales@r~.com"]}}, "a b", unlinked=("a same person b",)
    ),
    **{
        f"login with more before or behind the name of the mail, {login}": Case(
            {"entra.a": {"entra_object_id": G1, "upn": "lb~@corp.com", "emails": ["lb~@corp.com"]}, "okta.b": {"okta_id": "00u~lb", "login_names": [f"{login}@corp.com"], "emails": ["lb~@corp.com"]}}, "a b", review="ab", words={"b": "another addition"}
        )
        for login in ("v-lb~", "ext-lb~", "lb~+test", "admlb~", "lb~admin", "local.admin.lb~", "lb~.priv")
    },
    "login with a company behind it, and a double name": Case(
        {"github.a": {"login_names": ["lc~_corp"], "emails": ["lc~@corp.com"]}, "entra.b": {"entra_object_id": G1, "upn": "lc~@corp.com"}, "jira.c": {"login_names": ["hans-peter~"], "emails": ["hans-peter~@corp.com"]}, "entra.d": {"upn": "hans-peter~@corp.com"}}, "ab cd"
    ),
    "login with a company before or behind it that all the world signs in with": Case(
        {"google.a": {"upn": "le~@acme.io", "emails": ["le~@acme.io", "le~@acme.com"]}, "github.b": {"login_names": ["le~-acme"], "emails": ["le~@acme.com"]}, "docker.c": {"login_names": ["acme-le~"], "emails": ["le~@acme.io"]}, "github.d": {"login_names": ["le~-test"], "emails": ["le~@acme.com"]}, "github.e": {"login_names": ["le~-acme-ext"], "emails": ["le~@acme.com"]}}, "abc d e"
    ),
    "somebody else's login elsewhere that is called like a logon name, each with a mail address": Case(
        {"ad.a": {"ad_object_guid": G1, "sam_account_name": "js~", "domain": "CORP", "emails": ["john.s~@corp.com"]}, "github.b": {"login_names": ["js~"], "emails": ["jane.s~@example.com"]}, "jenkins.c": {"login_names": ["js~"]}}, "a b c", held="c", review="ab ca cb"
    ),
    "two accounts of administration with the mail of their owner": Case(
        {"okta.a": {"okta_id": "00u~mt", "login_names": ["a-mt~@corp.com"], "emails": ["mt~@corp.com"]}, "cyberark.b": {"login_names": ["da-mt~@corp.com"], "emails": ["mt~@corp.com"]}, "ad.c": {"sam_account_name": "a-mt~", "domain": "CORP", "emails": ["mt~@corp.com"]}}, "ac b", review="ab"
    ),
    "services of one owner": Case(
        {"jira.a": {"login_names": ["svc_jira~"], "emails": ["so~@corp.com"]}, "gitlab.b": {"login_names": ["svc_gitlab~"], "emails": ["so~@corp.com"]}}, "a b", review="ab"
    ),
    "two people of one domain with the mail of their firm": Case(
        {"okta.a": {"okta_id": "00u~tp", "login_names": ["tp1~@corp.com"], "emails": ["agency~@vendor.com"]}, "snow.b": {"login_names": ["tp2~@corp.com"], "emails": ["agency~@vendor.com"]}}, "a b", review="ab", words={"a": "two addresses of one domain"}
    ),
    "old name is an alias of the mailbox and still a login elsewhere": Case(
        {"entra.a": {"entra_object_id": G1, "upn": "ol.new~@corp.com", "emails": ["ol.new~@corp.com", "ol.old~@corp.com"]}, "okta.b": {"okta_id": "00u~ol", "login_names": ["ol.old~@corp.com"]}, "salesforce.c": {"login_names": ["ol.new~@corp.com.prod"], "emails": ["ol.new~@corp.com"]}}, "abc"
    ),
    "accounts of two domains with one mail": Case(
        {"ad.a": {"ad_object_guid": G1, "sam_account_name": "td~", "domain": "CORP", "emails": ["td~@corp.com"]}, "edr.b": {"login_names": ["DEV\\td~"], "emails": ["td~@corp.com"]}}, "a b", review="ab"
    ),
    "rights of another domain's administrators in two histories": Case(
        {"ad.a": {"ad_sid": "S-1-5-21-5-5-8-1¤", "ad_object_guid": G1, "sid_history": ["S-1-5-21-5-6-9-512", "S-1-5-21-5-6-9-500"]}, "ad2.b": {"ad_sid": "S-1-5-21-5-5-9-1¤", "ad_object_guid": G2, "sid_history": ["S-1-5-21-5-6-9-512", "S-1-5-21-5-6-9-500"]}, "ad3.c": {"ad_sid": "S-1-5-21-5-6-9-500", "ad_object_guid": G3}}, "a b c", words={"a": "or one that each domain has"}
    ),
    "history over three domains": Case(
        {"ad.a": {"ad_sid": "S-1-5-21-5-7-1-1¤", "ad_object_guid": G1}, "ad.b": {"ad_sid": "S-1-5-21-5-7-2-1¤", "ad_object_guid": G2, "sid_history": ["S-1-5-21-5-7-1-1¤"]}, "ad.c": {"ad_sid": "S-1-5-21-5-7-3-1¤", "ad_object_guid": G3, "sid_history": ["S-1-5-21-5-7-2-1¤"]}}, "abc"
    ),
    "name in the domain is the user principal name of who has no other": Case(
        {"ad.a": {"sam_account_name": "iu~", "domain": "corp.example", "ad_object_guid": G1}, "kdc.b": {"login_names": ["IU~@CORP.EXAMPLE"]}, "siem.c": {"login_names": ["corp.example\\iu~"]}, "ad.d": {"sam_account_name": "iv~", "domain": "corp.example", "ad_object_guid": G2, "upn": "other~@corp.example"}, "okta.e": {"okta_id": "00u~iv", "upn": "iv~@corp.example"}}, "abc d e", words={"b": "logon name in its domain = user principal name"}
    ),
    "computer and managed service account as kerberos writes them": Case(
        {"ad.a": {"sam_account_name": "WK~$", "domain": "corp.local", "ad_object_guid": G1}, "kdc.b": {"login_names": ["wk~$@CORP.LOCAL"]}, "mdi.c": {"login_names": ["CORP\\WK~$"]}, "mdi.d": {"upn": "wk~@corp.local"}}, "abc d"
    ),
    "log that names the domain of one of two forests in full": Case(
        {"ad.f1.a": {"ad_sid": "S-1-5-21-5-8-1-1¤", "sam_account_name": "fr~", "domain": "corp.one.example"}, "ad.f2.b": {"ad_sid": "S-1-5-21-5-8-2-1¤", "sam_account_name": "fr~", "domain": "corp.two.example"}, "siem.c": {"login_names": ["corp.two.example\\fr~"]}}, "a bc"
    ),
    "log that names both of two forests": Case(
        {"ad.f1.a": {"ad_sid": "S-1-5-21-5-9-1-1¤", "sam_account_name": "fs~", "domain": "CORP"}, "ad.f2.b": {"ad_sid": "S-1-5-21-5-9-2-1¤", "sam_account_name": "fs~", "domain": "CORP"}, "siem.c": {"login_names": ["CORP\\fs~"]}}, "a b c", held="c", review="ca cb"
    ),
    "tenant in three spellings": Case(
        {"entra.a": {"entra_object_id": G1, "entra_tenant_id": T1}, "mde.b": {"entra_object_id": G1, "entra_tenant_id": "{" + T1.upper() + "}"}, "mdi.c": {"entra_object_id": G1, "entra_tenant_id": "corp.onmicrosoft.com"}}, "abc"
    ),
    "one account that a product tells in two scopes": Case(
        {"okta.a": {"upn": "ts~@corp.com", "sam_account_name": "ts~", "employee_id": "TS~", "scope": "one"}, "okta.b": {"upn": "TS~@corp.com", "sam_account_name": "ts~", "employee_id": "TS~", "scope": "two"}, "okta.c": {"upn": "tt~@corp.com", "employee_id": "TT~1", "scope": "one"}, "okta.d": {"upn": "tt~@corp.com", "employee_id": "TT~2", "scope": "two"}},
        "ab c d",
    ),
    "private domain by other names": Case({"a.a": {"upn": "pi~@corp.intra", "scope": "one"}, "b.b": {"upn": "pi~@corp.intra", "scope": "two"}}, "a b"),
    "bare name where a principal name belongs, and an address where an account name does": Case(
        {"ad.a": {"ad_object_guid": G1, "sam_account_name": "bn~", "domain": "CORP", "upn": "bn.lee~@corp.com"}, "app.b": {"upn": "bn~"}, "edr.c": {"sam_account_name": "BN.Lee~@corp.com"}}, "ac b", held="b", review="ab"
    ),
    "seven products, one account": Case(
        {"ad.a": {"ad_object_guid": str(GUID)[:-4] + "0e~", "ad_sid": "S-1-5-21-5-10-1-1¤", "sam_account_name": "six~", "domain": "CORP"}, "entra.b": {"entra_object_id": G1, "ad_object_guid": str(GUID).upper()[:-4] + "0E~", "upn": "six~@corp.com"}, "okta.c": {"okta_id": "00u~six", "login_names": ["SIX~@corp.com"], "employee_id": "S¤"}, "mdi.d": {"ad_sid": "s-1-5-21-5-10-1-1¤"}, "crowdstrike.e": {"login_names": ["CORP\\six~"]}, "sentinelone.f": {"upn": "Six~@Corp.com"}, "workday.g": {"employee_id": "s¤", "emails": ["six~@corp.com"]}}, "abcdefg"
    ),
    "identity provider linked to a deleted cloud account and to the new one": Case(
        {"okta.a": {"okta_id": "00u~ld", "upn": "ld~@corp.com"}, "entra.b": {"entra_object_id": G1, "okta_id": "00u~ld", "upn": "ld~@corp.com", "state": "retired", **OLD}, "entra.c": {"entra_object_id": G2, "okta_id": "00u~ld", "upn": "ld~@corp.com", **NEW}}, "ac b"
    ),
    "guest in the tenant of a subsidiary, and the register of people": Case(
        {"entra.t1.a": {"entra_object_id": G1, "entra_tenant_id": T1, "upn": "ct~@corp.com", "emails": ["ct~@corp.com"]}, "entra.t2.b": {"entra_object_id": G2, "entra_tenant_id": T2, "upn": "ct~_corp.com#EXT#@sub.onmicrosoft.com", "emails": ["ct~@corp.com"], "employee_id": "CT¤"}, "hr.c": {"employee_id": "CT¤", "emails": ["ct~@corp.com"]}}, "ac b", links=("b same person a",)
    ),
    "zeros and words for nothing beside one principal name": Case(
        {"ad.a": {"ad_object_guid": "0x" + "0" * 32, "immutable_id": "A" * 22 + "==", "employee_id": "N/A", "upn": "zn~@corp.com"}, "entra.b": {"entra_object_id": G1, "ad_object_guid": G2, "employee_id": "Z¤", "upn": "zn~@corp.com"}}, "ab"
    ),
    "contractor's account with the mail of the agency": Case(
        {"entra.a": {"entra_object_id": G1, "upn": "ext-ca~@corp.com", "emails": ["ca~@agency.com"]}, "okta.b": {"okta_id": "00u~ca", "login_names": ["ca~@agency.com"]}, "entra.c": {"entra_object_id": G2, "upn": "x.cb~@corp.com", "emails": ["jane.cb~@agency.com"]}, "hr.d": {"employee_id": "CB¤", "emails": ["jane.cb~@agency.com"]}}, "a b cd", review="ab"
    ),
    "logon name in a domain that is called like that of an address": Case(
        {"siem.a": {"login_names": ["CORP\\an~"]}, "mdi.b": {"upn": "an~@corp.local"}, "mdi.c": {"upn": "an~@dev.local"}, "ad.d": {"ad_object_guid": G1, "sam_account_name": "ao~", "domain": "CORP", "upn": "other~@corp.local"}, "mdi.e": {"upn": "ao~@corp.local"}}, "a b c d e", review="ab", words={"a": "a name alone joins nothing"}
    ),
    **{
        f"service account with the mail of its owner, {login}": Case(
            {"ad.a": {"ad_object_guid": G1, "sam_account_name": login, "domain": "CORP", "emails": ["sw~@corp.com"]}, "entra.b": {"entra_object_id": G2, "upn": "sw~@corp.com"}}, "a b", review="ab", words={"a": "mark of an administrator or service"}
        )
        for login in ("svc.bk~", "svcbk~", "bk~svc", "service_bk~", "gmsabk~$", "bk~.svc")
    },
    "service account under two spellings of its mark": Case(
        {"ad.a": {"sam_account_name": "svc_sx~", "domain": "CORP", "emails": ["svc.sx~@corp.com"]}, "entra.b": {"entra_object_id": G1, "upn": "svc.sx~@corp.com"}, "okta.c": {"okta_id": "00u~sx", "login_names": ["svc-sx~@corp.com"], "emails": ["svc.sx~@corp.com"]}}, "abc"
    ),
    "mail of a leaver passed on, the register writes it for the one at work": Case(
        {"okta.a": {"okta_id": "00u~l1", "emails": ["lm~@corp.com"], "state": "retired", **OLD}, "okta.b": {"okta_id": "00u~l2", "emails": ["lm~@corp.com"], **NEW}, "snow.c": {"emails": ["lm~@corp.com"], **NEW}}, "a bc"
    ),
    "mail of two accounts at work is neither's in the register": Case(
        {"okta.a": {"okta_id": "00u~l3", "emails": ["ln~@corp.com"]}, "okta.b": {"okta_id": "00u~l4", "emails": ["ln~@corp.com"]}, "snow.c": {"emails": ["ln~@corp.com"]}}, "a b c", held="c", review="ca cb"
    ),
    "former sids in one text": Case(
        {"ad.old.a": {"ad_sid": "S-1-5-21-5-7-4-1¤", "ad_object_guid": G1}, "ad.new.b": {"ad_sid": "S-1-5-21-5-7-5-1¤", "ad_object_guid": G2, "sid_history": ["S-1-5-21-5-7-4-1¤; S-1-5-21-5-7-6-1¤"]}}, "ab"
    ),
    **{
        f"words for an employee id that is still to come, {word}": Case(
            {"ad.a": {"ad_object_guid": G1, "employee_id": word}, "okta.b": {"okta_id": "00u~wn", "employee_id": word}}, "a b", unlinked=("a same person b",)
        )
        for word in ("Pending", "NEW HIRE", "test1")
    },
    "what windows calls itself is nobody": Case(
        {"edr.a": {"login_names": ["NT AUTHORITY\\SYSTEM"]}, "mdi.b": {"login_names": ["NT Authority\\System"]}, "edr.c": {"login_names": ["NT AUTHORITY\\NETWORK SERVICE"]}}, "a b c", held="abc"
    ),
    "anchor in small letters, and a guid of the bytes read the other way round": Case(
        {"ad.a": {"ad_object_guid": str(GUID)[:-4] + "0f~"}, "siem.b": {"entra_object_id": G1, "immutable_id": base64.b64encode(uuid.UUID(str(GUID)[:-2] + "0f").bytes_le).decode().lower()}, "ad.c": {"ad_object_guid": str(uuid.UUID(bytes=GUID.bytes_le))[:-4] + "0f~"}}, "a b c"
    ),
    "migrated account keeps the anchor of its former objectGUID": Case(
        {"ad.old.a": {"ad_object_guid": str(GUID)[:-4] + "1f~", "ad_sid": "S-1-5-21-5-7-7-1¤"}, "entra.b": {"entra_object_id": G1, "immutable_id": str(GUID)[:-4] + "1f~", "upn": "mk~@corp.com"}, "ad.new.c": {"ad_object_guid": G2, "ad_sid": "S-1-5-21-5-7-8-1¤", "sid_history": ["S-1-5-21-5-7-7-1¤"]}}, "abc"
    ),
    "register knows a person whose administrator's account alone is there": Case(
        {"workday.a": {"employee_id": "RM~", "emails": ["rm~@corp.com"]}, "ad.b": {"ad_object_guid": G1, "sam_account_name": "da_rm~", "domain": "CORP", "emails": ["rm~@corp.com"]}}, "a b", review="ab", words={"a": "mark of an administrator"}
    ),
    "register knows a person who has an administrator's account besides": Case(
        {"workday.a": {"employee_id": "RN~", "emails": ["rn~@corp.com"]}, "entra.b": {"upn": "rn~@corp.com"}, "okta.c": {"okta_id": "00u~rn", "login_names": ["a-rn~@corp.com"], "emails": ["rn~@corp.com"]}}, "ab c", review="ac"
    ),
    "mailbox of a service by its own address": Case(
        {"exchange.a": {"emails": ["svc_ro~@corp.com"]}, "ad.b": {"ad_object_guid": G1, "sam_account_name": "svc_ro~", "domain": "CORP", "emails": ["svc_ro~@corp.com"]}}, "ab"
    ),
    "services of one name in two domains, one of them told in full, with the mail of their owner": Case(
        {"ad.a": {"sam_account_name": "svc_rr~", "domain": "corp.example", "emails": ["rr~@corp.com"]}, "ad.b": {"ad_object_guid": G1, "sam_account_name": "svc_rr~", "domain": "DEV", "emails": ["rr~@corp.com"]}}, "a b", review="ab", words={"a": "domain of an account of administration or service differs"}
    ),
    "services of one name in two domains with the mail of their owner": Case(
        {"ad.a": {"sam_account_name": "svc_rp~", "domain": "corp.example", "emails": ["rp~@corp.com"]}, "ad.b": {"ad_object_guid": G1, "sam_account_name": "svc_rp~", "domain": "DEV", "emails": ["rp~@corp.com"]}, "siem.c": {"login_names": ["CORP\\svc_rp~"]}}, "ac b", review="ab", words={"a": "NetBIOS name of the domain differs"}
    ),
    "mailbox of a role behind the address of a person": Case(
        {"okta.a": {"okta_id": "00u~rq", "emails": ["rq~@t¤.com", "info@t¤.com"]}, "intune.b": {"entra_object_id": G1, "upn": "info@t¤.com"}, "google.c": {"emails": ["info@t¤.com", "welcome~@t¤.com"]}}, "a bc", words={"a": "the mailbox of a role"}
    ),
    "anchor is the former objectGUID of an account that has its new SID in the cloud": Case(
        {"ad.a": {"ad_object_guid": G1, "ad_sid": "S-1-5-21-5-7-9-1¤", "sid_history": ["S-1-5-21-5-7-10-1¤"], "upn": "cg~@corp.com"}, "entra.b": {"entra_object_id": G2, "immutable_id": G3, "ad_sid": "S-1-5-21-5-7-9-1¤", "upn": "cg~@corp.com"}, "mdi.c": {"ad_sid": "S-1-5-21-5-7-10-1¤"}}, "abc"
    ),
    **{
        f"whole address behind the name of a domain, {before}": Case(
            {"edr.a": {field: [f"{before}\\wa~@corp.com"] if field == "login_names" else f"{before}\\wa~@corp.com"}, "entra.b": {"entra_object_id": G1, "upn": "wa~@corp.com"}}, "ab"
        )
        for before, field in (("AzureAD", "login_names"), ("MicrosoftAccount", "sam_account_name"), ("corp", "upn"), ("PC~", "login_names"))
    },
    **{
        f"account of a task or an emergency with the mail of its owner, {login}": Case(
            {"okta.a": {"okta_id": "00u~te", "login_names": [f"{login}@corp.com"], "emails": ["te~@corp.com"]}, "entra.b": {"entra_object_id": G1, "upn": "te~@corp.com"}}, "a b", review="ab", words={"a": "mark of an administrator or service"}
        )
        for login in ("breakglass~", "bg-admin2", "emergency.access~", "app_pay~", "rpa-x~", "deploy-bot", "sync_dc~", "MSOL_~ab", "kiosk.~", "room-~", "test-user~", "xy~.t1", "tier0.xy~", "xy~_tier2", "admxy~")
    },
    "mailbox of a room under two spellings, and people whose names begin like a mark": Case(
        {"ad.a": {"ad_object_guid": G1, "sam_account_name": "room-rs~", "domain": "CORP", "emails": ["room.rs~@corp.com"]}, "entra.b": {"entra_object_id": G2, "upn": "Room.RS~@corp.com"}, "ad.c": {"ad_object_guid": G3, "sam_account_name": "testa~", "domain": "CORP", "emails": ["adam.rs~@corp.com"]}, "okta.d": {"okta_id": "00u~rs", "login_names": ["adam.rs~@corp.com"]}}, "ab cd"
    ),
    "employee id out of a spreadsheet": Case(
        {"workday.a": {"employee_id": "0004¤7"}, "ad.b": {"ad_object_guid": G1, "employee_id": "4¤7"}, "snow.c": {"okta_id": "00u~sp", "employee_id": "4¤7.0"}, "ad.d": {"ad_object_guid": G2, "employee_id": "4¤70"}, "ad.e": {"ad_object_guid": G3, "employee_id": "E004¤7"}, "okta.f": {"okta_id": "00u~sq", "employee_id": "E4¤7"}},
        "a b c d e f", links=("a same person b", "b same person c"), unlinked=("b same person d", "e same person f", "a same person e"),
    ),
    "users of one name in two accounts of a cloud, with the mail of their owner": Case(
        {"aws.a": {"login_names": ["arn:aws:iam::111111111¤:user/iu~"], "emails": ["iu~@corp.com"]}, "aws.b": {"login_names": ["arn:aws:iam::222222222¤:user/iu~"], "emails": ["iu~@corp.com"]}, "wiz.c": {"login_names": ["arn:aws:iam::222222222¤:user/IU~"]}}, "a bc", review="ab", words={"a": "their ARN differs"}
    ),
    "mail of a leaver is passed on to the superior": Case(
        {"entra.a": {"entra_object_id": G1, "upn": "po.boss~@corp.com", "emails": ["smtp:po.left~@corp.com", "SMTP:po.boss~@corp.com"]}, "okta.b": {"okta_id": "00u~po", "login_names": ["po.left~@corp.com"], "state": "retired"}, "workday.c": {"employee_id": "PO~", "emails": ["po.left~@corp.com"], "state": "retired"}}, "a bc", review="ab", words={"a": "mail is passed on to a colleague"}
    ),
    "alias is what the other signs in with, both at work, and a retired entry of the main address": Case(
        {"google.a": {"upn": "pq~@corp.com", "emails": ["pq~@corp.com", "paul.q~@corp.com"]}, "okta.b": {"okta_id": "00u~pq", "login_names": ["paul.q~@corp.com"]}, "okta.c": {"okta_id": "00u~pr", "login_names": ["pr1~@corp.com"], "emails": ["paul.r~@corp.com"]}, "workday.d": {"employee_id": "PR~", "emails": ["paul.r~@corp.com"], "state": "retired"}}, "ab cd"
    ),
    **{
        f"services of one name in two domains with the mail of their owner, {number}": Case(
            {"ad.a": {**one, "emails": ["owner.so~@corp.com"]}, "mdi.b": {**other, "emails": ["owner.so~@corp.com"]}}, "a b", review="ab", words={"a": "domain of an account of administration or service differs"}
        )
        for number, (one, other) in enumerate(
            (
                ({"sam_account_name": "svc_so~", "domain": "CORP"}, {"login_names": ["svc_so~@dev.example"]}),
                ({"login_names": ["corp.example\\svc_so~"]}, {"upn": "svc.so~@dev.example"}),
                ({"login_names": ["svc_so~@corp.example"]}, {"login_names": ["svc-so~@dev.example"]}),
            )
        )
    },
    "service account with its own mail, in a domain that windows calls otherwise and in another scope": Case(
        {"ad.a": {"sam_account_name": "svc_sm~", "domain": "AD01", "emails": ["owner.sm~@corp.com", "svc.sm~@corp.com"], "scope": "one"}, "entra.b": {"entra_object_id": G1, "upn": "svc.sm~@corp.com", "scope": "two"}, "okta.c": {"okta_id": "00u~sm", "login_names": ["svc_sm~@corp.com"], "emails": ["svc.sm~@corp.com"]}}, "abc"
    ),
    "the mail of a person on the account of administration makes no link": Case(
        {"entra.a": {"entra_object_id": G1, "entra_tenant_id": T1, "upn": "nl~@corp.com", "emails": ["nl~@corp.com"]}, "entra.b": {"entra_object_id": G2, "entra_tenant_id": T1, "upn": "nl~-adm@corp.onmicrosoft.com", "emails": ["nl~@corp.com"]}}, "a b", unlinked=("a same person b", "b same person a")
    ),
    "a mail address of eleven guests invited no one of them": Case(
        {**{f"entra.{x}": {"entra_object_id": f"~b4a1c9-12f4-4e74-af7c-3b54377d00{i:02}", "upn": f"g{x}~_partner.com#EXT#@t.onmicrosoft.com", "emails": ["desk~@partner.com"]} for i, x in enumerate("abcdefghijk")}, "okta.z": {"okta_id": "00u~dsk", "login_names": ["desk~@partner.com"]}},
        "a b c d e f g h i j k z", unlinked=("a same person b", "a same person z", "z same person k")
    ),
    "an employee id of eleven accounts is nobody's": Case(
        {f"hr.{x}": {"employee_id": "E9¤", "upn": f"e9{x}~@corp.com"} for x in "abcdefghijk"}, "a b c d e f g h i j k", unlinked=("a same person b", "b same person a")
    ),
    "an employee id at two companies": Case(
        {"hr.a": {"employee_id": "E8¤", "upn": "e8a~@corp.com", "scope": "one"}, "hr.b": {"employee_id": "E8¤", "upn": "e8b~@corp.com", "scope": "two"}, "okta.c": {"employee_id": "E8¤", "upn": "e8c~@corp.com", "scope": "one"}, "okta.d": {"employee_id": "E8¤", "upn": "e8d~@corp.com", "scope": "two"}},
        "a b c d", links=("a same person c", "b same person d"), unlinked=("a same person b", "c same person d", "a same person d")
    ),
    "two of one mail whom no cloud invited": Case(
        {"hr.a": {"employee_id": "E2¤1", "emails": ["nm~@corp.com"]}, "hr.b": {"employee_id": "E2¤2", "emails": ["nm~@corp.com"]}}, "a b", unlinked=("a same person b", "b same person a")
    ),
    "service in the cloud by the last part of its arn, with the mail of its owner": Case(
        {"aws.a": {"login_names": ["arn:aws:iam::111122223333:user/svc.backup~"], "emails": ["arn~@corp.com"]}, "okta.b": {"login_names": ["arn~@corp.com"]}}, "a b", review="ab"
    ),
    "groups of a register: known by name alone, by one that the directory has as well, and imported from there": Case({"servicenow.a": {"sam_account_name": "Finance Support ~"}, "servicenow.b": {"sam_account_name": "Wintel ~"}, "ad.c": {"sam_account_name": "wintel ~", "domain": "CORP", "ad_sid": "S-1-5-21-1-2-¤-1190"}, "servicenow.d": {"sam_account_name": "DBA ~", "domain": "corp.example"}, "ad.e": {"sam_account_name": "dba ~", "domain": "corp.example", "ad_sid": "S-1-5-21-1-2-¤-1191"}}, "a b c de", held="b", review="bc"),
}  # fmt: skip

#: What administrators' and service accounts have before or behind the name of who answers for them.
BEFORE = "a- da_ ea- sa- pa- su- root- priv- srv. service- app- batch. bot- robot- rpa- sql- sync- kiosk- room- shared- task- test- svc adm msol_ aad_ healthmailbox breakglass break-glass- emergency firecall notfall t0- tier1- x.adm."
BEHIND = "svc adm1 admin -a _da -ea -sa -pa -su -root -bot -priv .srv -service $ -t1 .tier2 -adm-x"
#: Domains that every organisation may have inside.
INSIDE = (
    "local localdomain lan home corp internal intern intranet intra private priv loc lcl dom test invalid localhost"
)
WORDS = {
    **{f"mark {mark}": Case({"ad.a": {"upn": f"{mark}backup~@corp.com", "emails": ["mk~jones@corp.com"]}, "okta.b": {"login_names": ["mk~jones@corp.com"]}}, "a b") for mark in BEFORE.split()},
    **{f"mark {mark} behind": Case({"ad.a": {"upn": f"backup~{mark}@corp.com", "emails": ["mk~jones@corp.com"]}, "okta.b": {"login_names": ["mk~jones@corp.com"]}}, "a b") for mark in BEHIND.split()},
    "no mark": Case({"ad.a": {"upn": "mary.backup~@corp.com", "emails": ["mk~jones@corp.com"]}, "okta.b": {"login_names": ["mk~jones@corp.com"]}}, "ab"),
    **{f"{word} at two sites": Case({"ad.a": {"upn": f"in~@x.{word}"}, "okta.b": {"login_names": [f"in~@x.{word}"], "scope": "plant"}}, "a b") for word in INSIDE.split()},
    "example at two sites": Case({"ad.a": {"upn": "in~@x.example"}, "okta.b": {"login_names": ["in~@x.example"], "scope": "plant"}}, "ab"),
}  # fmt: skip

TABLE = CaseTable("identity", CASES)
NAMED = CaseTable("identity", WORDS)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    TABLE.check(name)


@pytest.mark.parametrize("name", WORDS)
def test_each_word_that_marks_an_account_or_is_a_domain_of_everyone(name: str) -> None:
    NAMED.check(name)
