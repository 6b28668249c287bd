"""More of T104 to T107: applications, registrations, single sign-on entries and the CMDB."""

# ruff: noqa: E501
from __future__ import annotations

import pyarrow as pa
import pytest
from case_table import Case, CaseTable
from resolution_kit import applications, connection, seen, table

from dbt_like_transforms.resolution.resolve import resolve

G1, G2, G3, G4 = (f"~b4a1c9-12f4-4e74-af7c-3b54377d15{i}{i}" for i in range(4))
T1, T2 = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"

CASES = {
    "multi-tenant app: registration at home, principals abroad": Case(
        {"entra.home.a": {"app_id": G1, "object_id": G2, "tenant_id": T1, "name": "Payroll ~"}, "entra.t1.b": {"app_id": G1, "service_principal_id": G3, "tenant_id": T1, "name": "Payroll ~"}, "entra.t2.c": {"app_id": G1.upper(), "service_principal_id": G4, "tenant_id": T2, "name": "Payroll ~"}},
        "a b c", links=("b instance of a", "c instance of a", "a has instance b"),
    ),
    "object id and app id swapped by nobody": Case({"entra.a": {"app_id": G1, "object_id": G2}, "x.b": {"app_id": G2, "object_id": G1}}, "a b"),
    "one principal in three products": Case(
        {"entra.a": {"app_id": G1, "service_principal_id": G2, "tenant_id": T1}, "mdc.b": {"service_principal_id": "{" + G2.upper() + "}"}, "casb.c": {"object_id": G2}}, "abc"
    ),
    "app id alone goes with the only one": Case({"entra.a": {"app_id": G1, "tenant_id": T1}, "casb.b": {"app_id": G1.upper()}}, "ab"),
    "app id alone and two tenants": Case({"entra.t1.a": {"app_id": G1, "tenant_id": T1}, "entra.t2.b": {"app_id": G1, "tenant_id": T2}, "casb.c": {"app_id": G1}}, "a b c", links=("a same application c", "b same application c")),
    "app id alone and principals of two tenants": Case({"entra.t1.a": {"app_id": G1, "service_principal_id": G2, "tenant_id": T1}, "entra.t2.b": {"app_id": G1, "service_principal_id": G3, "tenant_id": T2}, "casb.c": {"app_id": G1}}, "a b c", links=("a instance of c", "b instance of c", "c has instance a")),
    "two apps of one name": Case({"entra.a": {"app_id": G1, "object_id": G2, "name": "Test tool ~"}, "entra.b": {"app_id": G3, "object_id": G4, "name": "Test tool ~"}}, "a b"),
    "business application and the saas of the same name": Case({"cmdb.a": {"cmdb_id": "c~", "name": "Salesforce ~"}, "okta.b": {"entity_id": "https://acme~.my.salesforce.com", "name": "Salesforce ~"}}, "a b", review="ab"),
    "entity id of one app at two identity providers": Case({"okta.a": {"entity_id": "https://app~.example/saml/", "name": "App"}, "ping.b": {"entity_id": "HTTPS://App~.example/saml", "name": "Other"}}, "ab"),
    "entity id given to every customer": Case({"okta.a": {"entity_id": "https://signin.aws.amazon.com/saml", "name": "AWS prod ~"}, "ping.b": {"entity_id": "https://signin.aws.amazon.com/saml", "name": "AWS dev ~"}}, "a b"),
    "one provider uses an entity id twice": Case({"okta.a": {"entity_id": "https://twice~.example", "name": "Twice A"}, "okta.b": {"entity_id": "https://twice~.example", "name": "Twice B"}}, "a b"),
    "reply url on localhost is everybody's": Case({"entra.a": {"reply_urls": ["http://localhost:3000/"], "name": "Dev tool ~", "app_id": G1}, "okta.b": {"reply_urls": ["http://localhost:3000"], "name": "Dev tool ~"}}, "a b", held="b", review="ab"),
    "reply url and name agree": Case({"okta.a": {"reply_urls": ["https://wiki~.example/callback"], "name": "Wiki ~"}, "ping.b": {"reply_urls": ["https://WIKI~.example/callback/"], "name": "wiki  ~"}}, "ab"),
    "reply url alone": Case({"okta.a": {"reply_urls": ["https://gw~.example/cb"], "name": "One ~"}, "ping.b": {"reply_urls": ["https://gw~.example/cb"], "name": "Two ~"}}, "a b"),
    "reply url of a vendor's gateway": Case({"entra.a": {"app_id": G1, "object_id": G2, "reply_urls": ["https://oauth.pstmn.io/v1/callback"], "name": "API ~"}, "entra.b": {"app_id": G3, "object_id": G4, "reply_urls": ["https://oauth.pstmn.io/v1/callback"], "name": "API ~"}}, "a b"),
    "reply urls of tools and of a vendor's own pages": Case(
        {f"{product}.{letter}": {"reply_urls": [url], "name": f"Bot {n} ~"}
         for n, (letters, url) in enumerate({"ab": "https://europe.token.botframework.com/.auth/web/redirect", "cd": "https://teams.microsoft.com/api/platform/v1.0/oAuthRedirect", "ef": "https://developers.google.com/oauthplayground", "gh": "https://login.microsoftonline.us/common/oauth2/nativeclient", "ij": "https://*/*", "kl": "https://app.getpostman.com/oauth2/callback"}.items())
         for product, letter in zip(("okta", "ping"), letters, strict=True)},
        "a b c d e f g h i j k l",
    ),
    "cmdb id in one cmdb only": Case({"servicenow.eu.a": {"cmdb_id": "APP00~", "name": "Ledger ~", "scope": "eu"}, "servicenow.us.b": {"cmdb_id": "APP00~", "name": "Crm ~", "scope": "us"}}, "a b"),
    "cmdb id known to two products": Case({"servicenow.a": {"cmdb_id": "SYS~ID", "name": "Ledger2 ~"}, "leanix.b": {"cmdb_id": "sys~id"}}, "ab"),
    "retired business application and its successor of one name": Case({"servicenow.a": {"cmdb_id": "o~", "name": "Portal ~", "state": "retired"}, "servicenow.b": {"cmdb_id": "n~", "name": "Portal ~"}}, "a b"),
    "app id of zeros": Case({"a.a": {"app_id": "00000000-0000-0000-0000-000000000000", "name": "Zero A ~"}, "b.b": {"app_id": "00000000-0000-0000-0000-000000000000", "name": "Zero B ~"}}, "a b"),
    "placeholder names": Case({"a.a": {"name": "Test"}, "b.b": {"name": "test"}}, "a b", held="ab"),
    "what names the provider stands at all its applications": Case({f"{p}.{x}": {"entity_id": e, "name": f"Trusting {x} ~"} for (p, x), e in zip((("okta", "a"), ("ping", "b"), ("okta2", "c"), ("ping2", "d"), ("okta3", "e"), ("ping3", "f")), [f"https://sts.windows.net/{T1}/"] * 2 + ["https://accounts.google.com/o/saml2?idpid=C01abc~"] * 2 + ["http://sso¤.example/adfs/services/trust"] * 2, strict=True)}, "a b c d e f", words={"a": "identifies nothing", "c": "identifies nothing", "e": "identifies nothing"}),
    "counted entries of two registers": Case({"servicenow.a": {"cmdb_id": "1¤", "name": "Ledger n~"}, "leanix.b": {"cmdb_id": "1¤", "name": "Crm n~"}, "servicenow.dev.c": {"cmdb_id": "1¤", "name": "Ledger n~"}}, "ac b"),
    "principals of two tenants, the registration is nowhere": Case({"entra.t1.a": {"app_id": G1, "service_principal_id": G2, "tenant_id": T1}, "entra.t2.b": {"app_id": G1, "service_principal_id": G3, "tenant_id": T2}}, "a b", links=("a same application b", "b same application a")),
    "okta app instance by its id twice": Case({"okta.a": {"object_id": "0oa~abc", "name": "Box ~"}, "siem.b": {"object_id": "0OA~ABC"}}, "ab"),
    "client id of an okta application is the id of the application": Case({"okta.a": {"object_id": "0oa~cl", "app_id": "0oa~cl", "name": "Client ~"}, "siem.b": {"app_id": "0OA~CL"}}, "ab"),
    "registered again, what knows its name and url goes with the one at work": Case({"entra.a": {"app_id": G1, "object_id": G2, "name": "Again ~", "reply_urls": ["https://again~.example/cb"], "state": "retired"}, "entra.b": {"app_id": G3, "object_id": G4, "name": "Again ~", "reply_urls": ["https://again~.example/cb"]}, "ping.c": {"name": "again ~", "reply_urls": ["https://again~.example/cb"]}}, "a bc"),
    "register's id with dashes and without": Case({"servicenow.a": {"cmdb_id": "9d385017-c611-2286-01f3-27dd00aabb~", "name": "Dashed ~"}, "leanix.b": {"cmdb_id": "9D385017C611228601F327DD00AABB~"}}, "ab"),
    "managed identities of one name": Case({"azure.a": {"app_id": G1, "service_principal_id": G2, "name": "mi-app~"}, "azure.b": {"app_id": G3, "service_principal_id": G4, "name": "mi-app~"}, "entra.c": {"app_id": G1, "object_id": G2, "name": "mi-app~"}}, "ac b"),
    "two organisations at one identity provider, one entity id": Case({"okta.eu.a": {"object_id": "0oa~eu", "entity_id": "https://sp~.example/saml"}, "okta.us.b": {"object_id": "0oa~us", "entity_id": "https://sp~.example/saml"}}, "a b"),
    "two entries of the register on one application id": Case({"servicenow.a": {"cmdb_id": "ra~", "app_id": G1}, "servicenow.b": {"cmdb_id": "rb~", "app_id": G1}, "casb.c": {"app_id": G1}}, "a b c"),
    "two entries of the register on one application id, one of them retired": Case({"servicenow.a": {"cmdb_id": "rc~", "app_id": G1, "state": "retired"}, "servicenow.b": {"cmdb_id": "rd~", "app_id": G1}, "casb.c": {"app_id": G1}}, "a bc"),
    "one object, whichever id a product takes it for": Case({"entra.a": {"app_id": G1, "object_id": G2, "tenant_id": T1}, "siem.b": {"app_id": G1, "service_principal_id": "{" + G2.upper() + "}", "tenant_id": T1}}, "ab"),
    "no name at all": Case({"a.a": {"name": "Untitled"}, "b.b": {"name": "untitled"}}, "a b", held="ab"),
    "one application at two identity providers, each has an id of its own for it": Case({"okta.a": {"object_id": "0oa~tp", "app_id": "0oa~tp", "entity_id": "https://tp~.my.salesforce.com", "name": "Sales ~"}, "entra.b": {"app_id": G1, "service_principal_id": G2, "tenant_id": T1, "entity_id": "https://tp~.my.salesforce.com/", "name": "Salesforce ~"}}, "ab"),
    "one client of that name and url at two identity providers, each has an id of its own for it": Case({"okta.a": {"object_id": "0oa~tq", "app_id": "0oa~tq", "reply_urls": ["https://tq~.example/cb"], "name": "Orders ~"}, "entra.b": {"app_id": G1, "object_id": G2, "reply_urls": ["https://tq~.example/cb"], "name": "orders ~"}}, "ab"),
    "names alone at two identity providers, each has an id of its own for it": Case({"okta.a": {"object_id": "0oa~tr", "name": "Expenses ~"}, "entra.b": {"app_id": G1, "object_id": G2, "name": "Expenses ~"}}, "a b", review="ab"),
    "principals of two tenants and an application of okta with one entity id": Case({"entra.t1.a": {"app_id": G1, "service_principal_id": G2, "tenant_id": T1, "entity_id": "https://ts~.example/sp"}, "entra.t2.b": {"app_id": G1, "service_principal_id": G3, "tenant_id": T2, "entity_id": "https://ts~.example/sp"}, "okta.c": {"object_id": "0oa~ts", "entity_id": "https://ts~.example/sp"}}, "a b c", review="ca cb"),
    "microsoft's own application in two tenants": Case({f"entra.t{i}.{x}": {"app_id": "00000003-0000-0000-c000-0000000000~", "service_principal_id": g, "tenant_id": t, "name": "Microsoft Graph ~"} for i, x, g, t in ((1, "a", G1, T1), (2, "b", G2, T2))}, "a b", links=("a same application b", "b same application a")),
    "principal that was made again in its tenant": Case({"entra.a": {"app_id": G1, "service_principal_id": G2, "tenant_id": T1, "state": "retired"}, "entra.b": {"app_id": G1, "service_principal_id": G3, "tenant_id": T1}}, "a b", links=("a same application b",)),
    "principal whose tenant is told by name and by id": Case({"casb.a": {"app_id": G1, "service_principal_id": G2, "tenant_id": "corp.onmicrosoft.com"}, "entra.b": {"app_id": G1, "service_principal_id": G2, "tenant_id": T1}}, "ab"),
    "application of a tenant told by name may be that of another": Case({"casb.a": {"app_id": G1, "tenant_id": "corp.onmicrosoft.com"}, "entra.b": {"app_id": G1, "tenant_id": T1}}, "a b", links=("a same application b",)),
    "software by its cpe, in either form and in words": Case({"tenable.a": {"cpe": "cpe:/a:Note%2b~:note%2b%2b_~:8.6", "name": "note++ ~"}, "qualys.b": {"cpe": r"cpe:2.3:a:note\+~:note\+\+_~:8.5:*:*:*:*:*:*:*", "name": "Note Editor ~"}, "defender_endpoint.c": {"cpe": "note+~:note++_~", "name": "note++_~"}}, "abc", words={"c": "same CPE name note+"}),
    "colon in the product of a cpe": Case({"tenable.a": {"cpe": r"cpe:2.3:a:pm~:data\:dumper:2.1"}, "mde.b": {"cpe": "pm~:data%3adumper"}, "mde.c": {"cpe": "pm~:data"}}, "ab c"),
    "cpe without a product, or with any": Case({"tenable.a": {"cpe": "cpe:/a:acme~", "name": "Acme A ~"}, "qualys.b": {"cpe": "cpe:/a:acme~", "name": "Acme B ~"}, "tenable.c": {"cpe": "cpe:2.3:a:acme~:*:*", "name": "Acme C ~"}, "qualys.d": {"cpe": "cpe:2.3:a:acme~:*:*", "name": "Acme D ~"}, "tenable.e": {"cpe": "cpe:/a::tool~", "name": "Acme E ~"}, "qualys.f": {"cpe": "cpe:/a::tool~", "name": "Acme F ~"}}, "a b c d e f"),
    "products of one vendor": Case({"tenable.a": {"cpe": "cpe:/a:micro~:teams"}, "qualys.b": {"cpe": "cpe:/a:micro~:office"}}, "a b"),
    "two products that one source tells apart under one cpe": Case({"qualys.a": {"cpe": "cpe:/a:micro~:sql_server", "name": "SQL Server 2017 ~"}, "qualys.b": {"cpe": "cpe:/a:micro~:sql_server", "name": "SQL Server 2019 ~"}, "tenable.c": {"cpe": "cpe:/a:micro~:sql_server:2019"}}, "a b c", review="ca cb"),
    "two scanners of one make and what each knows of the software": Case({"tenable.eu.a": {"cpe": "cpe:/a:goo~:chrome"}, "tenable.us.b": {"cpe": "cpe:/a:goo~:chrome:126"}}, "ab"),
    "one name and two cpes": Case({"tenable.a": {"cpe": "cpe:/a:goo~:agent", "name": "Agent ~"}, "qualys.b": {"cpe": "cpe:/a:aws~:agent", "name": "Agent ~"}}, "a b"),
    "register's entries of one cpe": Case({"servicenow.a": {"cmdb_id": "cpea~", "cpe": "goo~:drive"}, "leanix.b": {"cmdb_id": "cpeb~", "cpe": "goo~:drive"}, "tenable.c": {"cpe": "cpe:/a:goo~:drive"}}, "a b c"),
    "word for whatever tenant": Case({"casb.a": {"app_id": G1, "tenant_id": "common"}, "entra.b": {"app_id": G1, "tenant_id": T1}, "casb.c": {"app_id": G2, "tenant_id": "organizations"}, "entra.t1.d": {"app_id": G2, "tenant_id": T1}, "entra.t2.e": {"app_id": G2, "tenant_id": T2}}, "ab c d e"),
}  # fmt: skip

TABLE = CaseTable("application", CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    TABLE.check(name)


#: Record -> type, publisher, name and CPE as staging tells them.
LISTED = {
    "intune:p:a": ("software", "Adobe Systems Incorporated", "Adobe Reader", None),
    "qualys:p:b": ("software", "adobe", "Adobe  reader", "adobe:reader"),
    "intune:p:c": ("software", "Acme GmbH", "Agent", None),
    "qualys:p:d": ("software", "Initech", "Agent", None),
    "intune:p:e": ("software", None, "Console", None),
    "qualys:p:f": ("software", None, "Console", None),
    "servicenow:p:g": ("business_application", "SAP SE", "Ledger", None),
    "qualys:p:h": ("software", "SAP", "Ledger", None),
    "tenable:p:i": ("software", "Oracle", "Client", "oracle:client"),
    "qualys:p:j": ("software", "Oracle", "Client", "oracle:instant_client"),
    "intune:p:k": ("software", "Oracle Corporation", "Client", None),
    "intune:p:l": ("software", "Unknown", "Viewer", None),
    "qualys:p:m": ("software", "unknown", "Viewer", None),
    "rapid7:p:n": ("software", None, "Client", None),
}


def test_software_without_a_cpe_is_what_its_publisher_calls_by_that_name() -> None:
    rows = table(
        *(seen(record, name=name, cpe=cpe) for record, (_, _, name, cpe) in LISTED.items()), kind="application"
    )
    for column, place in (("application_type", 0), ("vendor", 1)):
        told = pa.array([found[place] for found in LISTED.values()], pa.string())
        rows = rows.append_column(column, told)
    found: dict[str, str] = {}
    outcome = resolve("application", rows, connection=connection())
    for record, asset in outcome.assignments().project("record, asset_id").order("record").fetchall():
        found[asset] = found.get(asset, "") + record[-1]
    # what is listed under a name that others have as well is there all the same: nothing waits
    assert None not in found
    assert sorted(found.values()) == ["ab", *"cdefghijklmn"]


def test_an_application_in_more_than_a_thousand_tenants_is_still_linked_to_each_of_its_principals() -> None:
    home = {"app_id": "0a5c0000-0000-4000-8000-000000000001", "object_id": "0a5c0000-0000-4000-8000-000000000002"}
    out = applications(
        seen("entra:home:app", tenant_id=T1, **home),
        *(
            seen(f"entra:t{n}:sp", app_id=home["app_id"], service_principal_id=f"0a5c0001-0000-4000-8000-{n:012}")
            for n in range(1001)
        ),
    )
    assert len(out.links("entra:home:app")) == 1001
