"""Which value a merged asset shows."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from resolution_kit import connection

from dbt_like_transforms.resolution import intake
from dbt_like_transforms.resolution.config import ResolutionConfig
from dbt_like_transforms.resolution.fields.precedence import load_precedence
from dbt_like_transforms.resolution.fields.survivorship import Survivors
from dbt_like_transforms.resolution.forms.seeds import CLEARED
from dbt_like_transforms.resolution.kinds import Kind
from dbt_like_transforms.resolution.resolution import Resolution
from dbt_like_transforms.resolution.resolve import resolve

NOW = datetime(2026, 11, 20)


def told(product: str, number: int, **values: Any) -> dict[str, Any]:
    record = {"record": f"{product}:p:{number}", "product": product, "instance": "p", "record_id": str(number)}
    return record | {"serial_number": "SER00A", "manufacturer": "Dell"} | values


def resolution(kind: Kind, rows: list[dict[str, Any]], **options: Any) -> Resolution:
    names = {name: None for row in rows for name in row}  # a table has the columns of its first row
    observed = pa.Table.from_pylist([names | row for row in rows])
    return resolve(kind, observed, connection=connection(), **options)


def survivors(kind: Kind, rows: list[dict[str, Any]], **options: Any) -> Survivors:
    return Survivors(resolution(kind, rows, **options))


def merged(rows: list[dict[str, Any]], kind: Kind = "device") -> dict[str, Any]:
    (winner,) = survivors(kind, rows).winners().to_pylist()
    return winner


def shown(*machines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The winner of each machine. All are resolved at once: a resolution costs half a second, however small."""
    rows = [
        row | {"record": f"{row['record']}-{number}", "record_id": f"{number}", "serial_number": f"SER{number:02}A"}
        for number, machine in enumerate(machines)
        for row in machine
    ]
    found = {
        int(row["source_records"][0].rpartition("-")[2]): row for row in survivors("device", rows).winners().to_pylist()
    }
    assert sorted(found) == list(range(len(machines)))
    return [found[number] for number in range(len(machines))]


def test_values_stay_with_their_machine_when_the_engine_reads_tables_out_of_order() -> None:
    """A build lets DuckDB give rows in any order, which it does from the second row group (122,880 rows) on."""
    connection = duckdb.connect(config={"preserve_insertion_order": False})
    connection.execute(
        """
        CREATE TABLE observed AS
        SELECT 'tenable:t:' || i AS record, 'tenable' AS product, 't' AS instance, i::VARCHAR AS record_id,
            'SN' || (100000 + i) AS serial_number, 'model ' || i AS model, ['fqdn' || i || '.example.com'] AS fqdns
        FROM range(200000) t(i)
        """
    )
    connection.register("winners", Survivors(resolve("device", "observed", connection=connection)).winners())
    wrong = connection.execute(
        """
        SELECT count(*) FILTER (serial_number IS DISTINCT FROM 'SN' || (100000 + number::INTEGER)
            OR model IS DISTINCT FROM 'model ' || number OR fqdns IS DISTINCT FROM ['fqdn' || number || '.example.com']),
            count(*)
        FROM (SELECT *, split_part(source_records[1], ':', 3) AS number FROM winners)
        """
    ).fetchall()
    assert wrong == [(0, 200000)]


def test_what_is_read_beside_clustering_is_what_is_read_after_it() -> None:
    rows = [told("intune", 1, model="one", owner="Unknown"), told("qualys", 2, owner="jdoe", properties='{"a": 1}')]
    read_before = resolution("device", rows, survivors=True)
    assert read_before.told is not None
    assert Survivors(read_before).winners().to_pylist() == [merged(rows)]


def test_records_that_share_a_hash_are_joined_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        told("intune", 1, model="one", fqdns=["a.example.com"]),
        told("qualys", 2, owner="jdoe", properties='{"a": 1}'),
    ]
    expected = merged(rows)
    monkeypatch.setattr(intake, "_count", lambda _: (len(rows), False))
    monkeypatch.setattr(intake, "_hashes_differ", lambda _: False)
    outcome = resolution("device", rows)
    assert outcome.connection.sql("SELECT key FROM _keyed ORDER BY key").fetchall() == [
        ("intune:p:1",),
        ("qualys:p:2",),
    ]
    assert Survivors(outcome).winners().to_pylist() == [expected]
    assert len(outcome.assignments()) == len(outcome.state()) == 2


def test_a_null_of_the_better_source_does_not_hide_what_the_weaker_one_knows() -> None:
    rows = [
        told("intune", 1, properties=json.dumps({"osArchitecture": None, "isEncrypted": True, "only": {"x": None}})),
        told("defender_endpoint", 2, properties=json.dumps({"osArchitecture": "x64", "isEncrypted": False})),
    ]
    assert json.loads(merged(rows)["properties"]) == {"osArchitecture": "x64", "isEncrypted": True, "only": {}}


NOTHING = [None, "", " ", "\x00", "n/a", "UNKNOWN", "-", "(none)", "nicht angegeben", "не указано"]


def test_t77_what_says_nothing_gives_way_to_the_next_source() -> None:
    winners = shown(
        *([told("intune", 1, os_version=best, owner=best), told("servicenow", 2, os_version="11")] for best in NOTHING)
    )
    found = {best: (winner["os_version"], winner["owner"]) for best, winner in zip(NOTHING, winners, strict=True)}
    assert found == dict.fromkeys(NOTHING, ("11", None))


@pytest.mark.parametrize(
    ("kind", "key", "field", "best", "next_best"),
    [
        ("identity", {"upn": "a@corp.com"}, "department", "entra_id", "okta"),
        ("identity", {"upn": "a@corp.com"}, "job_title", "servicenow", "okta"),
        ("application", {"entity_id": "https://a.example"}, "owner", "servicenow", "okta"),
        ("application", {"entity_id": "https://a.example"}, "environment", "servicenow", "okta"),
    ],
)
def test_t77_what_says_nothing_of_an_account_or_application_gives_way_too(
    kind: Kind, key: dict[str, str], field: str, best: str, next_best: str
) -> None:
    rows = [
        {"record": f"{product}:p:1", "product": product, "instance": "p", field: value} | key
        for product, value in ((best, "- not specified -"), (next_best, "of the next"))
    ]
    assert merged(rows, kind)[field] == "of the next"


GUID, OTHER_GUID = "0b5b7a39-0000-4000-8000-00000000000a", "0b5b7a39-0000-4000-8000-00000000000b"
NO_GUID = "00000000-0000-0000-0000-000000000000"
#: Of each kind what the records of an asset have in common, and by field what one tells, what its asset shows, and whether
#: that comes from the next record, because what the first one tells is nothing.
SHOWN: dict[Kind, tuple[str, list[tuple[str, Any, Any, bool]]]] = {
    "device": (
        "cloud_resource_id",
        [
            ("serial_number", " 5cg\t0123 ", "5cg 0123", False),
            ("serial_number", "To be filled by O.E.M.", "5CG1", True),
            ("serial_number", " \t", "5CG2", True),
            ("smbios_uuid", " 11F6E606-84D1-4E74-AF7C-3B54377D15E4", "11f6e606-84d1-4e74-af7c-3b54377d15e4", False),
            ("smbios_uuid", NO_GUID, "11f6e606-84d1-4e74-af7c-3b54377d15e5", True),
            ("manufacturer", " Dell\tInc.", "Dell Inc.", False),
            ("manufacturer", "System manufacturer", "Dell", True),
            ("model", "System Product Name", "XPS", True),
            ("os_version", " 11\t", "11", False),
            ("os_version", "Unknown", "11", True),
            ("device_category", "n/a", "laptop", True),
            ("asset_tag", "No Asset Tag", "A-1", True),
            ("asset_tag", "Default string", "A-2", True),
            ("asset_tag", "100101", "100101", False),
            ("owner", " " * 40, "ann", True),
            ("entra_device_id", "{" + GUID.upper() + "}", GUID, False),
            ("entra_device_id", NO_GUID, GUID[:-1] + "c", True),
            ("ad_object_guid", OTHER_GUID.upper(), OTHER_GUID, False),
            ("ad_object_guid", "n/a", GUID[:-1] + "d", True),
            ("imei", " IMEI:\t35-320110-111222-3 ", "IMEI: 35-320110-111222-3", False),
            ("imei", "000000000000000", "35-320110-111333-9", True),
            ("domain", "Corp.Example", "Corp.Example", False),
            ("domain", "-", "corp", True),
            ("domain", "WORKGROUP", "corp.example", True),
            ("domain", "ec2.internal.", "corp.example", True),
            ("cloud_account_id", " x\ty", "x y", False),
            ("mac_addresses", ["3C-7C-3F-00-00-02", "005056c00008"], ["3c:7c:3f:00:00:02"], False),
            ("fqdns", ["PC1.Corp.Example.", "none", "pc1.corp.example"], ["pc1.corp.example"], False),
            ("hostnames", [" pc\t1", "n/a"], ["pc 1"], False),
            ("ip_addresses", ["127.0.0.1", "10.0.0.2", "fe80::1"], ["10.0.0.2"], False),
        ],
    ),
    "identity": (
        "okta_id",
        [
            ("upn", " A@Corp.com", "a@corp.com", False),
            ("upn", "\t", "b@corp.com", True),
            ("entra_object_id", "{" + GUID.upper() + "}", GUID, False),
            ("entra_object_id", "x", GUID[:-1] + "c", True),
            ("ad_object_guid", "{" + OTHER_GUID.upper() + "}", OTHER_GUID, False),
            ("ad_object_guid", "unknown", GUID[:-1] + "d", True),
            ("department", " IT\tHelp", "IT Help", False),
            ("department", "none", "HR", True),
            ("job_title", "n/a", "clerk", True),
            ("emails", ["-", " B@Corp.com"], ["b@corp.com"], False),
            ("sid_history", ["S-1-5-21-1-2-3-1001", "x", None], ["s-1-5-21-1-2-3-1001"], False),
            ("login_names", ["a\\B", "n/a"], ["a\\B"], False),
        ],
    ),
    "application": (
        "cmdb_id",
        [
            ("owner", " Ann\tB", "Ann B", False),
            ("owner", "none", "bob", True),
            ("vendor", "n/a", "SAP", True),
            ("name", "Payroll ", "Payroll", False),
            ("cpe", "cpe:2.3:a:Goo:Dr ive:1.2:*", "goo:dr_ive", False),
            ("cpe", "cpe:/a:goo", "goo:drive", True),
            ("reply_urls", ["https://a.example/CB", "n/a"], ["https://a.example/CB"], False),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SHOWN)
def test_t77_an_asset_shows_what_identifies_in_one_form_and_nothing_that_is_no_value(kind: Kind) -> None:
    key, cases = SHOWN[kind]
    rows = [
        {
            "record": f"{product}:p:{i:02}",
            "product": product,
            "record_id": f"{i:02}",
            key: f"00u{i:02}abcdefgh",
            field: said,
        }
        for i, (field, value, shown, from_next) in enumerate(cases)
        for product, said in (("servicenow", value), ("other", shown))
        if product == "servicenow" or from_next
    ]
    outcome = survivors(kind, rows)
    winners = {row["source_records"][-1]: row for row in outcome.winners().to_pylist()}
    found = [winners[f"servicenow:p:{i:02}"][field] for i, (field, *_) in enumerate(cases)]
    assert found == [shown for _, _, shown, _ in cases]
    told_by = {(row[5], row[1]): row[2] for row in outcome.fields().fetchall() if row[3] == "servicenow"}
    for i, (field, _, shown, from_next) in enumerate(cases):
        text = ", ".join(shown) if isinstance(shown, list) else shown
        assert told_by.get((f"{i:02}", field)) == (None if from_next else text), (field, i)


def test_t77_a_word_for_nothing_is_none_in_any_field() -> None:
    fields = ["display_name", "domain", "netbios_name", "cloud_provider", "cloud_account_id"]
    winner = merged(
        [told("intune", 1, **dict.fromkeys(fields, "Unknown")), told("servicenow", 2, **dict.fromkeys(fields, "real"))]
    )
    assert {field: winner[field] for field in fields} == dict.fromkeys(fields, "real")


def test_t77_words_for_nothing_are_in_no_list() -> None:
    rows = [
        told("intune", 1, hostnames=["N/A", "-", "Unknown"], fqdns=["none"]),
        told("servicenow", 2, hostnames=["pc1", "unknown-lab"], fqdns=["pc1.corp.example"]),
    ]
    assert (merged(rows)["hostnames"], merged(rows)["fqdns"]) == (["pc1", "unknown-lab"], ["pc1.corp.example"])


def test_what_only_contains_a_word_for_nothing_is_a_value() -> None:
    values = ["0", "None Ofthem", "unknown-lab", "N/A1", "(x)", "name: unknown"]
    winners = shown(*([told("intune", 1, owner=value), told("servicenow", 2, owner="ann")] for value in values))
    assert [winner["owner"] for winner in winners] == values


def test_what_says_nothing_as_a_model_may_be_a_value_elsewhere() -> None:
    rows = [
        told("intune", 1, os_version="11", environment="Standard", model="XPS"),
        told("qualys", 2, os_version="10", environment="Standard", model="11") | {"serial_number": "SER00B"},
        told("qualys", 3, os_version="10", environment="Standard", model="standard") | {"serial_number": "SER00C"},
    ]
    winners = survivors("device", rows).winners().to_pylist()
    assert sorted((row["os_version"], row["environment"], row["model"] or "") for row in winners) == [
        ("10", "Standard", ""),
        ("10", "Standard", ""),
        ("11", "Standard", "XPS"),
    ]


def test_t75_a_record_that_its_source_retired_gives_its_fields_to_the_next_source() -> None:
    left, alive = (
        told("defender_endpoint", 1, model="of the edr", owner="edr"),
        told("tenable", 2, model="of the scanner"),
    )
    assert merged([left, {**alive, "owner": None}])["model"] == "of the edr"
    winner = merged([{**left, "state": "retired"}, {**alive, "owner": None, "state": "active"}])
    assert (winner["model"], winner["owner"]) == ("of the scanner", None)


def test_t77_a_field_that_the_best_source_emptied_on_purpose_is_empty() -> None:
    told_still = told("servicenow", 2, owner="ann")
    winners = shown(
        [told("intune", 1, owner=CLEARED), told_still],
        [told("intune", 1, owner=None), told_still],
        # a weaker source that emptied it says nothing against the better one
        [told("intune", 1, owner="bob"), told("servicenow", 2, owner=CLEARED)],
    )
    assert [winner["owner"] for winner in winners] == [None, "ann", "bob"]


def test_t77_any_field_may_have_been_emptied_on_purpose() -> None:
    fields = ["owner", "model", "manufacturer", "os_version", "display_name", "domain"]
    rows = [
        told("intune", 1, **dict.fromkeys(fields, CLEARED)),
        told("servicenow", 2, **dict.fromkeys(fields, "weaker")),
    ]
    winner = merged(rows)
    assert {field: winner[field] for field in fields} == dict.fromkeys(fields)


@pytest.mark.parametrize(
    ("kind", "field", "known"),
    [
        ("device", "serial_number", {"manufacturer": "Dell"}),
        ("device", "cloud_instance_id", {"cloud_provider": "aws"}),
        ("device", "hostnames", {"domain": "corp.com"}),
        ("identity", "okta_id", {}),
        ("identity", "sam_account_name", {"domain": "CORP"}),
        ("application", "app_id", {}),
        ("application", "entity_id", {}),
    ],
)
def test_what_was_emptied_on_purpose_identifies_nothing(kind: Kind, field: str, known: dict[str, str]) -> None:
    value: Any = [CLEARED] if field == "hostnames" else CLEARED
    rows = [{"record": f"{p}:p:1", "product": p, "instance": "p", field: value} | known for p in ("intune", "okta")]
    label = resolution(kind, rows).clusterer.partition.label
    assert len(set(label.tolist())) == 2


def test_t78_a_source_that_is_silent_for_longer_than_its_effective_days_comes_last() -> None:
    live = told("servicenow", 2, os_version="of servicenow", last_seen=NOW)
    winners = shown(
        *(
            [told("intune", 1, os_version="of intune", model="XPS", last_seen=NOW - timedelta(days)), live]
            for days in (29, 31, 45)
        )
    )
    assert [winner["os_version"] for winner in winners] == ["of intune", "of servicenow", "of servicenow"]
    assert {winner["model"] for winner in winners} == {"XPS"}, "authority goes, what nobody else knows stays"


def test_t78_a_record_without_any_date_makes_no_other_source_silent() -> None:
    rows = [
        told("intune", 1, os_version="of intune", last_seen=NOW - timedelta(days=45)),
        told("servicenow", 2, os_version="of servicenow", last_seen=NOW),
        told("qualys", 3, os_version="of qualys", last_seen=None) | {"serial_number": "SER00B"},
    ]
    winners = survivors("device", rows).winners().to_pylist()
    assert {row["os_version"] for row in winners} == {"of servicenow", "of qualys"}


def test_t78_what_a_silent_source_calls_true_gives_way_to_one_that_says_no() -> None:
    cases = {(45, False): False, (45, None): True, (20, False): True, (45, True): True}
    winners = shown(
        *(
            [
                told("defender_endpoint", 1, is_internet_facing=True, last_seen=NOW - timedelta(days)),
                told("tenable", 2, is_internet_facing=live, last_seen=NOW),
            ]
            for days, live in cases
        )
    )
    assert [winner["is_internet_facing"] for winner in winners] == list(cases.values())


def test_t78_where_all_are_silent_one_that_says_true_is_enough() -> None:
    old = datetime(2026, 9, 1)
    rows = [
        told("defender_endpoint", 1, is_managed=False, last_seen=old),
        told("tenable", 2, is_managed=True, last_seen=old),
        told("qualys", 3, last_seen=NOW) | {"serial_number": "SER00B"},
    ]
    winners = survivors("device", rows).winners().to_pylist()
    assert {row["is_managed"] for row in winners} == {True, None}


#: Of some fields what is nothing, what was emptied on purpose, and values.
VALUES: dict[str, tuple[Any, ...]] = {
    "criticality": (None, 0, 5),
    "is_managed": (None, True, False),
    "environment": (None, "n/a", CLEARED, "prod", "test"),
    "owner": (None, "Unknown", CLEARED, "ann", "bob"),
    "asset_tag": (None, "-", "T1", "T2"),
}


def expected(rows: list[dict[str, Any]], field: str, moment: datetime) -> Any:
    """What is meant, in plain Python. rows: those of one asset, the longest known first."""
    precedence = load_precedence()["device"]
    products, days = precedence.order_of(field)

    def order(place: int) -> tuple[bool, int, timedelta, int]:
        row = rows[place]
        seen = min(filter(None, (row["last_seen"], row["observed_at"])), default=None)
        rank = products.index(row["product"]) if row["product"] in products else len(products)
        return seen is None or moment - seen > timedelta(days), rank, moment - (seen or datetime.min), place

    speaking = [place for place, row in enumerate(rows) if row["state"] != "retired"] or range(len(rows))
    telling = sorted(
        (place for place in speaking if rows[place][field] not in (None, "n/a", "Unknown", "-")), key=order
    )
    if field in precedence.any:
        telling.sort(key=lambda place: (order(place)[0], not rows[place][field]))
    found = rows[telling[0]][field] if telling else None
    return None if found == CLEARED else found


@pytest.mark.parametrize("as_of", [None, NOW + timedelta(3)], ids=["newest activity", "end of a date"])
def test_t78_any_values_win_as_plain_python_says(as_of: datetime | None) -> None:
    chance = random.Random(5)
    products = ["intune", "servicenow", "tenable", "qualys", "unheard_of"]

    def time(unknown: float, *days: int) -> datetime | None:
        return None if chance.random() < unknown else NOW - timedelta(chance.choice(days))

    machines = [
        [
            told(chance.choice(products), 10 * machine + place, serial_number=f"SER{machine:04}", manufacturer=None)
            | {
                "first_seen": NOW - timedelta(9 * machine + 1500 - place),
                "state": chance.choice(["active", "active", "retired"]),
            }
            | {"last_seen": time(0.2, 0, 1, 30, 31, 60, 61, 90, 91, 365, 366), "observed_at": time(0.5, 0, 1, 2, 50)}
            | {field: chance.choice(values) for field, values in VALUES.items()}
            for place in range(chance.choice([1, 2, 3, 5, 8]))
        ]
        for machine in range(150)
    ]
    outcome = survivors("device", [row for rows in machines for row in rows], config=ResolutionConfig(as_of=as_of))
    found = {row["serial_number"]: row for row in outcome.winners().to_pylist()}
    for rows in machines:
        winner = found[rows[0]["serial_number"]]
        assert {field: winner[field] for field in VALUES} == {
            field: expected(rows, field, as_of or NOW) for field in VALUES
        }
        seen = [row[name] for row in rows for name in ("last_seen", "observed_at") if row[name]]
        assert (winner["first_seen"], winner["last_seen"]) == (rows[0]["first_seen"], max(seen, default=None))


def test_t78_each_field_has_its_own_patience() -> None:
    silent = told("intune", 1, manufacturer="Dell", os_version="1", last_seen=NOW - timedelta(days=45))
    winner = merged([silent, told("servicenow", 2, manufacturer="Dell Inc.", os_version="2", last_seen=NOW)])
    assert (winner["manufacturer"], winner["os_version"]) == ("Dell", "2")


def test_objects_of_many_records_are_put_together_and_what_is_no_object_is_left_out() -> None:
    rows = [told("rapid7", number, properties=json.dumps({f"key{number}": number})) for number in range(12)]
    rows += [told("qualys", 20, properties="[1]"), told("tenable", 21, properties="{broken"), told("wiz", 22)]
    assert json.loads(merged(rows)["properties"]) == {f"key{number}": number for number in range(12)}


def test_lists_hold_every_value_once_those_of_the_best_source_first() -> None:
    rows = [
        told("servicenow", 1, hostnames=["pc1", "old "], mac_addresses=["AA-BB-CC-00-00-01", "00:00:00:00:00:00"]),
        told("intune", 2, hostnames=["PC1", "old"], mac_addresses=["aa:bb:cc:00:00:01"]),
    ]
    winner = merged(rows)
    assert winner["hostnames"] == ["PC1", "old"]
    assert winner["mac_addresses"] in (None, []) or winner["mac_addresses"] == ["aa:bb:cc:00:00:01"]


def test_names_in_two_spellings_are_one_as_the_best_source_writes_it() -> None:
    rows = [
        told("servicenow", 1, hostnames=["PC1", "pc2"], agent_ids=["aid=AB12"]),
        told("intune", 2, hostnames=["pc1", "Pc1"], agent_ids=["aid=ab12", "mde=1"]),
    ]
    winner = merged(rows)
    assert winner["hostnames"] in (["pc1", "pc2"], ["Pc1", "pc2"])
    assert winner["agent_ids"] == ["aid=ab12", "mde=1"]
    assert merged(rows[::-1])["hostnames"] == winner["hostnames"]
    people = [
        {"record": f"{product}:p:1", "product": product, "instance": "p", "upn": "a@corp.com", "login_names": [name]}
        for product, name in (("okta", "corp\\JDOE"), ("entra_id", "CORP\\jdoe"))
    ]
    assert merged(people, "identity")["login_names"] == ["CORP\\jdoe"]


def test_the_main_mail_address_of_the_best_source_stays_the_first() -> None:
    rows = [
        {"record": f"{product}:p:1", "product": product, "instance": "p", "upn": "a@corp.com", "emails": emails}
        for product, emails in (
            ("okta", ["b@corp.com", "m@corp.com"]),
            ("entra_id", ["Z@corp.com", None, "a@corp.com", "m@corp.com", "z@corp.com"]),
        )
    ]
    assert merged(rows, "identity")["emails"] == ["z@corp.com", "a@corp.com", "m@corp.com", "b@corp.com"]


def test_addresses_of_replies_differ_in_case() -> None:
    rows = [
        {"record": f"{product}:p:1", "product": product, "instance": "p", "cmdb_id": "k1", "reply_urls": [url]}
        for product, url in (("okta", "https://a.example/CB"), ("entra_id", "https://a.example/cb"))
    ]
    assert merged(rows, "application")["reply_urls"] == ["https://a.example/cb", "https://a.example/CB"]


def test_fields_tell_what_every_record_says_lists_and_objects_included() -> None:
    rows = [
        told("servicenow", 1, hostnames=["pc1", None, "pc2"], owner="ann", properties='{"a": 1}', state="active"),
        told("intune", 2, hostnames=["PC1"], owner="bob"),
        told("nac", 3, owner="eve") | {"serial_number": None},
        told("tenable", 4, hostnames=["gone"], state="retired"),
    ]
    outcome = resolution("device", rows)
    assert outcome.assignments().filter("asset_id IS NULL").project("record").fetchall() == [("nac:p:3",)]
    survivors = Survivors(outcome)
    assert survivors.winners()["hostnames"].to_pylist() == [["PC1", "pc2"]]
    told_by = survivors.fields().fetchall()
    fields = {(field, product): (value, chosen) for _, field, value, product, *_, chosen in told_by}
    assert len(fields) == len(told_by)
    assert {product for _, product in fields} == {"servicenow", "intune", "tenable"}, (
        "who makes no asset says nothing of one"
    )
    assert fields["hostnames", "tenable"] == ("gone", False)
    assert fields["hostnames", "servicenow"] == ("pc1, pc2", True)
    assert fields["hostnames", "intune"] == ("PC1", True)
    assert fields["properties", "servicenow"] == ('{"a": 1}', True)
    assert fields["owner", "servicenow"] == ("ann", False)
    assert fields["owner", "intune"] == ("bob", True)


def test_what_any_source_may_say_has_one_winner_though_all_say_no() -> None:
    # what intune and tenable say: what the asset shows, and who is told to have said it
    cases = {
        (False, None): (False, ["intune"]),
        (False, False): (False, ["intune"]),
        (None, False): (False, ["tenable"]),
        (False, True): (True, ["tenable"]),
        (True, True): (True, ["intune"]),
        (None, None): (None, []),
    }
    rows = [
        told(product, number, is_managed=said) | {"serial_number": f"SER{number:02}A"}
        for number, both in enumerate(cases)
        for product, said in zip(("intune", "tenable"), both, strict=True)
    ]
    outcome = survivors("device", rows)
    shown = {row["serial_number"]: row["is_managed"] for row in outcome.winners().to_pylist()}
    told_by = outcome.fields().fetchall()
    for number, value_and_winner in enumerate(cases.values()):
        chosen = [row[3] for row in told_by if row[1] == "is_managed" and row[5] == str(number) and row[-1]]
        assert (shown[f"SER{number:02}A"], chosen) == value_and_winner


def test_of_two_observations_of_one_record_the_one_with_the_newer_activity_is_taken() -> None:
    older, newer = datetime(2026, 11, 1), datetime(2026, 11, 20)
    rows = [
        told("tenable", 1, os_version="10", observed_at=older, last_seen=older),
        told("tenable", 1, os_version="11", observed_at=None, last_seen=newer),
    ]
    assert merged(rows)["os_version"] == merged(rows[::-1])["os_version"] == "11"


def test_one_record_of_the_far_future_does_not_blur_which_of_the_others_is_newer() -> None:
    rows = [
        told("tenable", 1, os_version="old", observed_at=datetime(2026, 11, 1)),
        told("tenable", 2, os_version="new", observed_at=datetime(2026, 11, 2)),
        told("qualys", 3, asset_tag="x", observed_at=datetime(9999, 12, 31)) | {"serial_number": "SER00B"},
    ]
    winners = survivors("device", rows).winners().to_pylist()
    assert {row["os_version"] for row in winners} == {"new", None}
