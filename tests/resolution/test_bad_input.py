"""Bad input: a clear error or a clean result, never a crash, never a silent merge."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from resolution_kit import resolved, run, seen, table

from dbt_like_transforms.resolution.decisions.manual import Decision
from dbt_like_transforms.resolution.fields.survivorship import Survivors
from dbt_like_transforms.resolution.jsonl import resolve_jsonl
from dbt_like_transforms.resolution.observations import InvalidObservation

MANY = 10_000


def mac(number: int) -> str:
    digits = f"{0x3C22FB000000 + number:012x}"
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))


def poisoned() -> dict[str, Any]:
    """A record that claims every name, address and agent of the estate."""
    return seen(
        "edr:p:all",
        serial_number="SER000",
        hostnames=[f"host{number}" for number in range(MANY)],
        fqdns=[f"host{number}.corp.example" for number in range(MANY)],
        mac_addresses=[mac(number) for number in range(MANY)],
        ip_addresses=[f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(MANY)],
    )


@pytest.mark.fault("a record that claims every name and address", "it joins nothing")
def test_ten_thousand_values_in_one_list_join_nothing() -> None:
    others = [
        seen(
            f"cmdb:p:{number}", serial_number=f"SN{number:06}", hostnames=[f"host{number}"], mac_addresses=[mac(number)]
        )
        for number in range(500)
    ]
    ids, _, _ = run([poisoned(), *others])
    assert len(set(ids.values())) == len(ids) == 501


def test_ten_thousand_values_do_not_swallow_records_that_have_nothing_else() -> None:
    weak = [seen(f"scan:p:{number}", hostnames=[f"host{number}"], mac_addresses=[mac(number)]) for number in range(50)]
    groups = resolved("device", poisoned(), *weak).groups()
    assert all(len(group) == 1 for group in groups)


def test_a_list_that_is_left_out_for_its_length_is_told() -> None:
    found = resolved("device", poisoned(), seen("cmdb:p:1", hostnames=["host1"], mac_addresses=[mac(1)]))
    told = {decision["reason"] for decision in found.lines["edr:p:all"]["decisions"] if decision["rule"] == "too_many"}
    assert told == {
        "20000 host names identify nothing: no single device has more than 64",
        "10000 MAC addresses identify nothing: no single device has more than 64",
    }
    mails = [f"person{number}@corp.example" for number in range(65)]
    account = resolved("identity", {"record": "okta:p:1", "product": "okta", "identifiers": {"emails": mails}})
    assert "65 mail and sign-in addresses identify nothing" in account.words("okta:p:1")
    account = resolved("identity", {"record": "okta:p:1", "product": "okta", "identifiers": {"emails": mails[1:]}})
    assert "identify nothing" not in account.words("okta:p:1")


@pytest.mark.parametrize(
    "name",
    [
        "na\x00me",
        "\x00",
        "\u202egnp.exe",
        "\U0001f600",
        " ",
        "a" * 100_000,
        "\ud800".encode("utf-8", "replace").decode(),
        "'; drop table _records; --",
    ],
)
def test_strange_names_are_kept_as_text_and_join_nothing_they_should_not(name: str) -> None:
    ids, _, _ = run(
        [
            seen("edr:p:1", serial_number="SER001", hostnames=[name]),
            seen("edr:p:2", serial_number="SER002", hostnames=[name]),
            seen("cmdb:p:1", serial_number="SER001"),
        ]
    )
    assert ids["edr:p:1"] == ids["cmdb:p:1"] != ids["edr:p:2"]


def test_a_cpe_that_is_no_text_once_decoded_costs_itself_alone() -> None:
    cpes = {"a": "cpe:/a:caf%e9:menu", "b": "cpe:/a:caf%E9:menu:2", "c": "cpe:/a:caf%c3%a9:menu", "d": "x:%zz%"}
    out = resolved("application", *(seen(f"{name}:p:1", cpe=cpe) for name, cpe in cpes.items()))
    assert sorted(map(sorted, out.groups())) == [["a:p:1", "b:p:1"], ["c:p:1"], ["d:p:1"]]


def test_nothing_at_all_is_no_asset() -> None:
    from dbt_like_transforms.resolution.resolve import resolve

    outcome = resolve("device", table())
    assert outcome.assignments().fetchall() == []
    assert Survivors(outcome).winners().num_rows == 0


def test_a_merge_of_a_record_that_is_gone_joins_nothing_and_waits() -> None:
    rows = [seen("edr:p:1", serial_number="SER001"), seen("edr:p:2", serial_number="SER002")]
    merge = Decision.model_validate(
        {"id": "d", "kind": "device", "action": "merge", "records": ["edr:p:1", "edr:p:gone"]}
    )
    ids, state, _ = run(rows, None, (merge,))
    assert len(set(ids.values())) == 2
    back = seen("edr:p:gone", serial_number="SER003")
    ids, _, _ = run([*rows, back], state, (merge,))
    assert ids["edr:p:1"] == ids["edr:p:gone"] != ids["edr:p:2"]


def by_hand(*records: str) -> Decision:
    return Decision.model_validate({"id": "d", "kind": "device", "action": "merge", "records": list(records)})


def test_records_that_could_belong_to_either_of_two_merged_machines_come_along() -> None:
    rows = [
        seen("edr:p:a", serial_number="SER00A", fqdns=["fx.corp.example"], mac_addresses=[mac(1)]),
        seen("edr:p:b", serial_number="SER00B", fqdns=["fx.corp.example"], mac_addresses=[mac(2)]),
        seen("cmdb:p:a", serial_number="SER00A"),
        seen("cmdb:p:b", serial_number="SER00B"),
        seen("tenable:p:c", fqdns=["fx.corp.example"]),
        seen("nac:p:d", mac_addresses=[mac(1)], hostnames=["fx"]),
    ]
    natural, state, _ = run(rows)
    assert natural["tenable:p:c"] is None
    merged, state, _ = run(rows, state, (by_hand("edr:p:a", "edr:p:b"),))
    assert len(set(merged.values())) == 1
    assert run(rows, state)[0] == natural


def test_records_with_the_shared_serial_of_two_merged_directory_objects_come_along() -> None:
    guid = "0b5b7a39-0000-4000-8000-00000000000"
    rows = [
        seen("intune:p:a", serial_number="SER00A", entra_device_id=f"{guid}1"),
        seen("intune:p:b", serial_number="SER00A", entra_device_id=f"{guid}2"),
        seen("edr:p:c", serial_number="SER00A", agent_ids={"aid": "ab" * 16}),
        seen("cmdb:p:d", serial_number="SER00A"),
        seen("cmdb:p:e", serial_number="SER00E"),
    ]
    assert len(set(run(rows)[0].values())) > 2
    merged, _, _ = run(rows, None, (by_hand("intune:p:a", "intune:p:b"),))
    assert len({merged[record] for record in ("intune:p:a", "intune:p:b", "edr:p:c", "cmdb:p:d")}) == 1
    assert merged["cmdb:p:e"] != merged["cmdb:p:d"]


@pytest.mark.parametrize(
    ("kind", "claims", "one"),
    [
        ("device", {"agent_ids": {"aid": [f"{i:032x}" for i in range(1, MANY)]}}, lambda i: {"agent_ids": {"aid": f"{i:032x}"}}),
        ("device", {"fqdns": [f"h{i}.corp.example" for i in range(MANY)]}, lambda i: {"fqdns": [f"h{i}.corp.example"]}),
        ("identity", {"emails": [f"u{i}@corp.com" for i in range(MANY)]}, lambda i: {"emails": [f"u{i}@corp.com"]}),
        ("identity", {"sid_history": [f"S-1-5-21-1-{i}-2-99" for i in range(MANY)]}, lambda i: {"ad_sid": f"S-1-5-21-1-{i}-2-99"}),
        ("identity", {"login_names": [f"CORP\\u{i}" for i in range(MANY)]}, lambda i: {"login_names": [f"corp\\U{i}"]}),
    ],
)  # fmt: skip
def test_ten_thousand_claims_bridge_no_sources(kind: str, claims: dict[str, Any], one: Any) -> None:
    others = [seen(f"p{i}:p:{i}", **one(i)) for i in range(1, 30)]
    assert all(len(group) == 1 for group in resolved(kind, seen("bad:p:all", **claims), *others).groups())


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00Z"])
def test_dates_at_the_edge_of_the_calendar(moment: str) -> None:
    row = seen("edr:p:1", serial_number="SER001", observed_at=moment, first_seen=moment, last_seen=moment)
    assert resolved("device", row, seen("cmdb:p:2", serial_number="SER001")).together("edr:p:1", "cmdb:p:2")


@pytest.mark.parametrize("digits", [17, 19, 21, 300])
def test_long_numbers_keep_every_digit(digits: int, tmp_path: Path) -> None:
    number = ("7358291640" * digits)[: digits - 1]
    path = tmp_path / "observations.jsonl"
    written = (f"{number}1", f"{number}2", f'"{number}2"')
    path.write_text(
        "".join(
            f'{{"record":"p{i}:p:1","product":"p{i}","identifiers":{{"employee_id":{value}}}}}\n'
            for i, value in enumerate(written)
        )
    )
    one, two, text = resolve_jsonl(path, "identity")
    assert one["links"] == []
    assert [link["record"] for link in two["links"]] == [text["record"]]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"record":"a:p:2","product":"a","colour":1}', "line 4 .*colour: unknown key; expected are record, product"),
        (b'{"record":"a:p:2","product":"a","identifiers":{"mac":1}}', "line 4 .*identifiers.mac: unknown key; expected are serial"),
        (b'{"record":"a:p:2","product":"a","attributes":{"x":1}}', "line 4 .*attributes.x: unknown key; expected are os"),
        (b'[{"record":"a:p:2","product":"a"}]', "line 4 .*expected one JSON object a line"),
        (b'{"record":" ","product":"a"}', "line 4 .*record: expected some text"),
        (b'{"record":"a:p:2","product":"a","identifiers":{"agent_ids":["x"]}}', "line 4 .*agent_ids: expected an object"),
        (b'{"record":"a:p:2","product":"a","identifiers":{"serial_number":true}}', "line 4 .*serial_number: .*string, not true$"),
        (b'{"record":"a:p:2","product":"a","state":"gone"}', "line 4 .*state: .*'active' or 'retired', not \"gone\"$"),
        (b'{"record":"a:p:\xff","product":"a"}', "line 4 is not valid JSON"),
        (b'{"record":"a:p:2",', "line 4 is not valid JSON: [^:]* at character [0-9]+; expected one JSON object a line, such as {"),
        (b'{"record":"a:p:2","product":"a","first_seen":"20.11.2026"}', "line 4 .*a date such as 2026-11.*, not \"20.11.2026\"$"),
        (b'{"record":"a:p:2","product":"a"} {"record":"a:p:3","product":"a"}', "line 4 is not valid JSON"),
    ],
)  # fmt: skip
def test_a_bad_line_after_a_byte_order_mark_and_blank_lines_is_named(line: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "observations.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"record":"a:p:1","product":"a"}\r\n\r\n  \n' + line + b"\r\n")
    with pytest.raises(InvalidObservation, match=said):
        list(resolve_jsonl(path, "device"))


def test_a_bad_line_ends_the_command_with_2_and_nothing_on_standard_output(tmp_path: Path) -> None:
    path = tmp_path / "observations.jsonl"
    path.write_text('{"record":"a:p:1","product":"a"}\n{"record":"a:p:2","product":"a","colour":"red"}\n')
    command = [sys.executable, "-m", "exposure_pipelines.cli.main", "resolve", str(path), "--kind", "device"]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 2
    assert outcome.stdout == ""
    assert "observations.jsonl, line 2" in outcome.stderr
    assert "colour: unknown key" in outcome.stderr
    assert "Traceback" not in outcome.stderr
