from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from .estate import DAY, Estate, connection, observation, sync

NEXT = DAY + timedelta(days=1)
LAPTOP = {"serial_number": "S1", "display_name": "lt-1"}
DEVICE = "select display_name, lifecycle_state, last_seen, first_seen, retired_at, source_records from devices"


@pytest.fixture
def estate(estate: Estate) -> Estate:
    estate.marts = ("devices",)
    return estate


def test_an_asset_is_active_inside_the_window_of_its_source_and_stale_outside_it(estate: Estate) -> None:
    seen = datetime(2026, 11, 1)
    estate.build(
        devices=[observation("tenable:prod:1", **LAPTOP, last_seen=seen)],
        connections=[connection("tenable", window_days=30)],
    )
    assert estate.row(DEVICE)["lifecycle_state"] == "active"
    estate.build(
        devices=[observation("tenable:prod:1", **LAPTOP, last_seen=seen)],
        connections=[connection("tenable", window_days=10)],
    )
    assert estate.row(DEVICE)["lifecycle_state"] == "stale"


def test_one_source_still_seeing_it_keeps_an_asset_active_that_another_retired(estate: Estate) -> None:
    estate.build(
        devices=[
            observation("servicenow:prod:1", **LAPTOP, state="retired"),
            observation("defender_endpoint:prod:1", serial_number="S1"),
        ]
    )
    assert estate.row(DEVICE)["lifecycle_state"] == "active"


def test_a_clock_that_is_ahead_keeps_no_machine_alive(estate: Estate) -> None:
    estate.build(devices=[observation("tenable:prod:1", **LAPTOP, last_seen=datetime(2031, 1, 1))])
    assert estate.row(DEVICE)["last_seen"] == datetime(2026, 11, 20, 9)
    estate.build(NEXT + timedelta(days=120), syncs=[])
    assert estate.row(DEVICE)["lifecycle_state"] == "stale"


def test_nothing_is_seen_for_the_first_time_after_the_last(estate: Estate) -> None:
    seen, enrolled = datetime(2026, 11, 1), datetime(2026, 11, 15)
    estate.build(devices=[observation("acme:prod:1", **LAPTOP, first_seen=enrolled, last_seen=seen)])
    assert estate.row(DEVICE)["first_seen"] == estate.row(DEVICE)["last_seen"] == seen


CONTRADICTIONS = "select record, other_record, reason from contradictions"


def test_t68_retired_in_the_cmdb_and_alive_in_the_edr_is_active_and_a_contradiction(estate: Estate) -> None:
    estate.marts = ("devices", "contradictions")
    seen = datetime(2026, 11, 19)
    estate.build(
        devices=[
            observation("servicenow:prod:1", **LAPTOP, state="retired"),
            observation("tenable:prod:1", serial_number="S1", last_seen=seen),
            observation("defender_endpoint:prod:1", serial_number="S1"),
            observation("servicenow:prod:2", serial_number="S2", display_name="lt-2", state="retired"),
        ]
    )
    assert estate.row("select lifecycle_state from devices where serial_number = 'S1'")["lifecycle_state"] == "active"
    assert estate.rows(CONTRADICTIONS) == [
        {
            "record": "servicenow:prod:1",
            "other_record": "defender_endpoint:prod:1",
            "reason": "servicenow:prod:1 calls it retired, but defender_endpoint holds it as active (last seen 2026-11-20) "
            "in defender_endpoint:prod:1",
        }
    ]


@pytest.mark.parametrize(
    ("retired", "seen", "raised"),
    [
        (datetime(2026, 10, 1), datetime(2026, 10, 1, 6), False),  # its last day
        (datetime(2026, 10, 1), datetime(2026, 10, 20), True),  # weeks afterwards, though long ago
        (datetime(2026, 11, 20), datetime(2026, 11, 19, 6), True),  # an entry that is written to every day
        (datetime(2026, 11, 20), datetime(2026, 11, 1), False),  # silent since before
    ],
)
def test_what_was_last_seen_on_the_day_it_was_retired_is_a_contradiction_for_a_week_alone(
    estate: Estate, retired: datetime, seen: datetime, raised: bool
) -> None:
    estate.marts = ("devices", "contradictions")
    estate.build(
        devices=[
            observation("servicenow:prod:1", **LAPTOP, state="retired", last_seen=retired),
            observation("defender_endpoint:prod:1", serial_number="S1", last_seen=seen),
        ]
    )
    assert len(estate.rows(CONTRADICTIONS)) == raised


def test_a_record_that_its_source_replaced_or_that_nothing_outlived_is_no_contradiction(estate: Estate) -> None:
    estate.marts = ("devices", "contradictions")
    estate.build(
        devices=[
            observation("tenable:prod:1", **LAPTOP, state="retired"),
            observation("tenable:prod:2", serial_number="S1"),
            observation("servicenow:prod:2", serial_number="S2", state="retired"),
            observation("defender_endpoint:prod:2", serial_number="S2", last_seen=datetime(2026, 1, 1)),
        ]
    )
    assert estate.rows(CONTRADICTIONS) == []


def test_a_source_without_activity_vouches_for_its_records_only_as_of_the_sync_that_is_read(estate: Estate) -> None:
    record = observation("tenable:prod:1", **LAPTOP, last_seen=None, first_seen=None)
    old = datetime(2026, 1, 1)
    estate.build(devices=[record], syncs=[sync("tenable", DAY, state="failed", read_synced_at=old)])
    found = estate.row(DEVICE)
    assert (found["lifecycle_state"], found["last_seen"]) == ("stale", old)


def test_what_leaves_the_window_is_not_asked_for_any_more_and_so_is_stale_and_not_gone(estate: Estate) -> None:
    """The vendor is asked for machines seen in the window: one that left it is absent and proves nothing by that."""
    seen = datetime(2026, 8, 25, 12)
    estate.build(devices=[observation("tenable:prod:1", **LAPTOP, last_seen=seen)])
    assert estate.row(DEVICE)["lifecycle_state"] == "active"
    estate.build(NEXT + timedelta(days=2))
    after = estate.row(DEVICE)
    assert (after["lifecycle_state"], after["retired_at"], after["last_seen"]) == ("stale", None, seen)


def test_absence_from_a_complete_enumeration_retires_with_the_last_known_values(estate: Estate) -> None:
    estate.build(devices=[observation("tenable:prod:1", **LAPTOP)])
    before = estate.row(DEVICE)
    estate.build(NEXT)
    after = estate.row(DEVICE)
    assert after["lifecycle_state"] == "retired"
    assert after["retired_at"] == datetime(2026, 11, 22)
    for kept in ("display_name", "last_seen", "first_seen", "source_records"):
        assert after[kept] == before[kept]


@pytest.mark.parametrize(
    "syncs",
    [
        [],
        [sync("tenable", NEXT, state="partial")],
        [sync("tenable", NEXT, state="failed")],
        [sync("tenable", NEXT), sync("tenable", NEXT, state="partial", scope="eu")],
        [sync("tenable", NEXT, quarantined=1)],
        [sync("tenable", NEXT, stream="other")],
    ],
    ids=["connection gone", "partial", "failed", "one scope partial", "a record rejected", "another stream"],
)
def test_absence_that_nothing_proves_leaves_the_asset_as_it_was(estate: Estate, syncs: list[dict[str, object]]) -> None:
    estate.build(devices=[observation("tenable:prod:1", **LAPTOP)])
    before = estate.row(DEVICE)
    estate.build(NEXT, syncs=syncs)
    assert estate.row(DEVICE) == before


def test_all_its_streams_must_prove_the_absence(estate: Estate) -> None:
    both = [observation("tenable:prod:1", **LAPTOP), observation("servicenow:prod:1", serial_number="S1")]
    estate.build(devices=both)
    estate.build(NEXT, syncs=[sync("tenable", NEXT), sync("servicenow", NEXT, state="partial")])
    assert estate.row(DEVICE)["lifecycle_state"] == "active"
    estate.build(NEXT + timedelta(days=1), syncs=[sync("tenable", NEXT), sync("servicenow", NEXT)])
    assert estate.row(DEVICE)["lifecycle_state"] == "retired"


MENTIONED = [
    observation("tenable:prod:1", **LAPTOP, first_seen=None),
    observation("acme:prod:1", serial_number="S1", authority="update"),
]


@pytest.mark.parametrize("syncs", [[], [sync("tenable", NEXT, state="failed"), sync("acme", NEXT)]])
def test_what_only_a_source_that_adds_to_others_still_tells_of_is_not_lost_with_the_source_that_named_it(
    estate: Estate, syncs: list[dict[str, object]]
) -> None:
    """The record that is left makes no asset and waits, and yet the asset is neither merged nor gone."""
    estate.build(devices=MENTIONED)
    before = estate.row(DEVICE)
    estate.build(NEXT, devices=MENTIONED[1:], syncs=syncs)
    assert estate.row(DEVICE) == before
    back = NEXT + timedelta(days=1)
    estate.build(back, devices=[{**MENTIONED[0], "last_seen": datetime(2026, 11, 22, 8)}, MENTIONED[1]])
    assert estate.row(DEVICE)["first_seen"] == before["first_seen"]


def test_what_is_gone_from_the_source_that_named_it_is_kept_as_retired_though_another_still_mentions_it(
    estate: Estate,
) -> None:
    estate.build(devices=MENTIONED)
    estate.build(NEXT, devices=MENTIONED[1:])
    found = estate.row(DEVICE)
    assert (found["lifecycle_state"], found["retired_at"]) == ("retired", datetime(2026, 11, 22))


def test_a_retired_asset_is_kept_for_180_days_and_comes_back_if_it_is_seen_again(estate: Estate) -> None:
    estate.build(devices=[observation("tenable:prod:1", **LAPTOP)])
    retired_on = estate.build(NEXT) and estate.row(DEVICE)["retired_at"]
    estate.build(NEXT + timedelta(days=180))
    assert estate.row(DEVICE)["retired_at"] == retired_on
    estate.build(NEXT + timedelta(days=181))
    assert estate.rows(DEVICE) == []
    back = NEXT + timedelta(days=182)
    estate.build(back, devices=[observation("tenable:prod:1", back, **LAPTOP)])
    assert (estate.row(DEVICE)["lifecycle_state"], estate.row(DEVICE)["retired_at"]) == ("active", None)


def test_an_asset_that_comes_back_after_its_retirement_has_its_id_again(estate: Estate) -> None:
    estate.build(devices=[observation("tenable:prod:1", **LAPTOP)])
    (before,) = estate.rows("select device_id from devices")
    estate.build(NEXT)
    assert estate.row(DEVICE)["lifecycle_state"] == "retired"
    back = NEXT + timedelta(days=1)
    estate.build(back, devices=[observation("tenable:prod:1", back, **LAPTOP)])
    assert estate.rows("select device_id from devices") == [before]


def test_t90_an_edge_that_mentions_another_sources_asset_neither_makes_keeps_nor_retires_it(estate: Estate) -> None:
    estate.marts = ("devices", "relationships", "unresolved_references")
    mention = {
        "product": "acme",
        "instance": "prod",
        "stream": "links",
        "relationship": "manages",
        "is_active": True,
        "source_kind": "device",
        "source_record": "acme:prod:9",
        "target_kind": "device",
        "target_record": "tenable:prod:1",
    }
    own = observation("acme:prod:9", serial_number="S9")
    estate.build(
        devices=[observation("tenable:prod:1", **LAPTOP), own],
        relationships=[mention, {**mention, "target_record": "tenable:prod:404"}],
    )
    assert len(estate.rows("select 1 from devices")) == 2, "a mention makes no asset"
    # its own source says that it is gone while the mention goes on: no reprieve
    estate.build(
        NEXT,
        devices=[observation("acme:prod:9", NEXT, serial_number="S9")],
        relationships=[mention],
        syncs=[sync("tenable", NEXT), sync("acme", NEXT)],
    )
    gone = "select lifecycle_state from devices where display_name = 'lt-1'"
    assert estate.row(gone)["lifecycle_state"] == "retired"
    # and the other way round: the mention ends in a complete sync, its own source still has it
    later = NEXT + timedelta(days=1)
    estate.build(later, devices=[observation("tenable:prod:1", later, **LAPTOP), own], relationships=[mention])
    estate.build(
        later + timedelta(days=1),
        devices=[observation("tenable:prod:1", later, **LAPTOP)],
        syncs=[sync("tenable", later + timedelta(days=1)), sync("acme", later + timedelta(days=1))],
    )
    assert estate.row(gone)["lifecycle_state"] == "active"


def test_an_asset_whose_records_all_say_retired_keeps_its_values_and_its_date(estate: Estate) -> None:
    estate.build(devices=[observation("servicenow:prod:1", **LAPTOP)])
    for days in (1, 2):
        day = DAY + timedelta(days=days)
        estate.build(day, devices=[observation("servicenow:prod:1", day, serial_number="S1", state="retired")])
        found = estate.row(DEVICE)
        assert (found["lifecycle_state"], found["display_name"]) == ("retired", "lt-1")
        assert found["retired_at"] == datetime(2026, 11, 22)


def test_last_seen_never_moves_back_and_first_seen_never_later(estate: Estate) -> None:
    estate.build(
        devices=[
            observation("tenable:prod:1", **LAPTOP, first_seen=datetime(2026, 2, 1)),
            observation("servicenow:prod:1", serial_number="S1", last_seen=datetime(2026, 10, 1)),
        ]
    )
    before = estate.row(DEVICE)
    # the source that saw it last leaves; the one that stays knows less
    estate.build(
        NEXT,
        devices=[
            observation(
                "servicenow:prod:1",
                serial_number="S1",
                last_seen=datetime(2026, 10, 1),
                first_seen=datetime(2026, 9, 1),
            )
        ],
    )
    after = estate.row(DEVICE)
    assert after["last_seen"] == before["last_seen"]
    assert after["first_seen"] == datetime(2026, 2, 1)


def test_an_asset_that_was_wrongly_part_of_another_one_for_a_day_was_not_first_seen_when_it_came_back(
    estate: Estate,
) -> None:
    """Its source tells of no first time, so that no record of today knows it."""
    for serial, day in (("S2", DAY), ("S1", NEXT), ("S2", NEXT + timedelta(days=1))):
        estate.build(
            day,
            devices=[
                observation("tenable:prod:1", day, **LAPTOP),
                observation("acme:prod:1", day, serial_number=serial, first_seen=None),
            ],
        )
    assert estate.row(f"{DEVICE} where serial_number = 'S2'")["first_seen"] == datetime(2026, 11, 20, 8)


def test_rebuilding_a_past_date_reads_only_what_came_before_it(estate: Estate) -> None:
    estate.build(DAY - timedelta(days=30), devices=[observation("tenable:prod:1", DAY - timedelta(days=30), **LAPTOP)])
    estate.build(DAY, devices=[observation("tenable:prod:1", DAY, **LAPTOP)])
    middle = DAY - timedelta(days=10)
    estate.build(middle, devices=[observation("tenable:prod:1", middle, **LAPTOP)])
    assert estate.row(DEVICE)["last_seen"] == datetime(2026, 11, 10, 8)
    estate.build(DAY, devices=[observation("tenable:prod:1", DAY, **LAPTOP)])
    assert estate.row(DEVICE)["last_seen"] == datetime(2026, 11, 20, 8)


def test_an_asset_merged_into_another_is_not_carried_beside_it(estate: Estate) -> None:
    estate.build(
        devices=[observation("tenable:prod:1", serial_number="S1"), observation("acme:prod:1", serial_number="S2")]
    )
    assert len(estate.rows(DEVICE)) == 2
    estate.build(
        NEXT,
        devices=[observation("tenable:prod:1", serial_number="S1"), observation("acme:prod:1", serial_number="S1")],
    )
    assert estate.row(DEVICE)["source_records"] == ["acme:prod:1", "tenable:prod:1"]


def test_identities_applications_and_cloud_resources_have_the_same_lifecycle(estate: Estate) -> None:
    estate.marts = ("identities", "applications", "cloud_resources")
    estate.build(
        identities=[observation("acme:prod:u1", identity_type="user", upn="a@x", emails=["a@x", "b@x"])],
        applications=[observation("acme:prod:a1", application_type="saas", name="Wiki")],
        cloud_resources=[observation("acme:prod:c1", native_id="/Subscriptions/A", display_name="A")],
    )
    assert estate.row("select email, display_name, lifecycle_state from identities") == {
        "email": "a@x",
        "display_name": "a@x",
        "lifecycle_state": "active",
    }
    estate.build(NEXT)
    for mart in ("identities", "applications", "cloud_resources"):
        assert estate.row(f"select lifecycle_state from {mart}")["lifecycle_state"] == "retired", mart
