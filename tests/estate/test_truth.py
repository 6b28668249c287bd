from __future__ import annotations

import itertools
import random
import tracemalloc
from collections import Counter
from datetime import date

import pytest

from demo_estate import devices, hashing, quirks
from demo_estate.people import immutable_id
from demo_estate.truth import Ref, Truth

TODAY = date(2026, 6, 30)


def test_same_seed_gives_same_company_in_any_order() -> None:
    one, other = (Truth(seed=3, devices=400, days=3, today=TODAY) for _ in range(2))
    order = list(range(400))
    random.Random(1).shuffle(order)
    shuffled = {i: other.device(i, 1) for i in order}
    assert all(one.device(i, 1) == shuffled[i] for i in range(400))
    assert list(one.accounts(1)) == list(other.accounts(1))
    assert list(one.cmdb_relations(2)) == list(other.cmdb_relations(2))
    assert [one.findings(i, 2) for i in range(100)] == [other.findings(i, 2) for i in range(100)]


def test_another_seed_gives_other_ids() -> None:
    one, other = Truth(seed=1, devices=50, today=TODAY), Truth(seed=2, devices=50, today=TODAY)
    assert not {d.entra_device_id for d in one.devices()} & {d.entra_device_id for d in other.devices()} - {None}
    assert not {d.mac for d in one.devices()} & {d.mac for d in other.devices()}


def test_a_device_costs_the_same_in_a_large_estate(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Counter[str]()
    real = hashing.digest

    def counting(*key: object) -> str:
        calls["digest"] += 1
        return real(*key)

    monkeypatch.setattr(devices, "digest", counting)
    spent = []
    for size in (1_000, 1_000_000):
        calls.clear()
        truth = Truth(devices=size, today=TODAY)
        for index in (0, size // 2, size - 1):
            truth.device(index)
        spent.append(calls["digest"])
    assert spent == [3, 3]


def test_iterating_a_large_estate_holds_nothing() -> None:
    truth = Truth(devices=1_000_000, today=TODAY)
    for _ in itertools.islice(truth.devices(), 200):
        pass
    tracemalloc.start()
    for _ in itertools.islice(truth.devices(), 3_000):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000


def test_true_identifiers_are_unique_except_where_a_quirk_shares_them() -> None:
    truth = Truth(devices=5_000, today=TODAY)
    shared = {"shared_dock_mac", "cloned_mac", "virtual_adapter_mac", "shared_ha_mac"}
    macs = Counter(nic.mac for i in range(5_000) if not truth.quirks(i) & shared for nic in truth.device(i).nics)
    assert max(macs.values()) == 1
    serials = Counter(
        truth.device(i).serial
        for i in range(5_000)
        if not truth.quirks(i) & {"placeholder_serial", "shared_chassis_serial", "missing_serial"}
    )
    assert max(serials.values()) == 1
    names = Counter(
        truth.device(i).hostname
        for i in range(5_000)
        if not truth.quirks(i) & {"reused_name", "replaced_instance", "ambiguous_short_name"}
    )
    assert max(names.values()) == 1
    assert all(len(truth.device(i).hostname) <= 15 for i in range(5_000))


@pytest.mark.parametrize("field", ["upn", "sam", "sid", "object_guid", "entra_object_id"])
def test_accounts_have_identifiers_of_their_own(field: str) -> None:
    truth = Truth(devices=2_000, today=TODAY)
    values = Counter(
        (account.netbios_domain, value) if field == "sam" else value
        for account in truth.accounts()
        if (value := getattr(account, field)) is not None
    )
    assert max(values.values()) == 1


def test_immutable_id_is_base64_of_little_endian_bytes() -> None:
    assert immutable_id("8f2d1c34-5a6b-4c7d-9e8f-001122334455") == "NBwtj2tafUyejwARIjNEVQ=="


def test_admin_account_shares_only_the_employee_number_with_its_person(truth: Truth) -> None:
    person, admin = truth.person(11), truth.account(Ref("admin", 0))
    assert truth.admin_of(11) == Ref("admin", 0)
    assert admin.employee_id == person.employee_id
    assert (admin.sid, admin.upn, admin.sam) != (person.sid, person.upn, person.sam)


def test_things_happen_on_days(truth: Truth) -> None:
    present = [set(truth.device_indexes(day)) for day in range(truth.days)]
    assert any(a - b for a, b in itertools.pairwise(present)), "no machine leaves"
    assert any(b - a for a, b in itertools.pairwise(present)), "no machine arrives"
    every = range(truth.device_count)
    assert any(truth.device(i, 0).hostname != truth.device(i, 4).hostname for i in every), "no rename"
    assert any(truth.device(i, 0).generation != truth.device(i, 4).generation for i in every), "no rebuild"
    assert any(truth.device(i, 0).mac != truth.device(i, 4).mac for i in every), "no card swap"
    fixed = [f for i in range(200) for f in truth.findings(i, 4) if f.fixed_day in range(1, 5)]
    assert fixed, "nothing is patched on the timeline"
    assert any(a.upn != truth.account(a.ref, 4).upn for a in truth.accounts(0, ["person"])), "no one is renamed"


def test_a_machine_that_is_gone_stays_listed_for_the_retention(truth: Truth) -> None:
    gone = set(truth.device_indexes(0, retention=180)) - set(truth.device_indexes(0))
    assert gone
    for index in gone:
        device = truth.device(index, 0)
        assert device.last_day is not None
        assert device.last_day < 0
        assert truth.last_activity(index, 0) <= truth.as_of(0)


def test_nothing_is_reported_from_the_future(truth: Truth) -> None:
    assert all(truth.last_activity(i, 2, "x") <= truth.as_of(2) for i in truth.device_indexes(2))
    assert truth.date(truth.last_day) == TODAY


def test_findings_belong_to_installed_software_below_the_fix(truth: Truth) -> None:
    for index in range(200):
        installed = {item.software: item for item in truth.software(index, 2)}
        for finding in truth.findings(index, 2):
            cve = truth.cve_catalogue[finding.cve]
            assert cve.software == finding.software
            assert finding.first_day <= 2
            if finding.is_open:
                assert installed[finding.software].version_index < cve.fixed_in
            else:
                assert finding.fixed_day is not None
                assert finding.fixed_day <= 2


def test_attack_path_material_is_planted(truth: Truth) -> None:
    facing = [d for d in truth.devices() if d.internet_facing]
    assert facing
    for device in facing:
        assert any(truth.cve_catalogue[f.cve].exploit_available for f in truth.findings(device.index) if f.is_open)
    assert any(logon.is_local_admin for d in facing for logon in truth.logons(d.index))
    powerful = {
        a.principal
        for a in truth.role_assignments()
        if truth.roles[a.role].is_privileged and a.principal.kind == "person"
    }
    assert any(not truth.account(ref).mfa_registered for ref in powerful)
    assert any(a.is_privileged and a.principal.kind == "managed_identity" for a in truth.cloud_assignments())
    assert any(grant.is_dangerous for grant in truth.grants())


def test_groups_agree_with_their_members(truth: Truth) -> None:
    direct: dict[Ref, set[int]] = {}
    for group in truth.groups():
        for member in truth.group_members(group.index):
            direct.setdefault(member, set()).add(group.index)
    for account in truth.accounts():
        assert set(truth.groups_of(account.ref)) == direct.get(account.ref, set())


def test_owner_and_owned_agree(truth: Truth) -> None:
    owned = {i for person in range(truth.person_count) for i in truth.devices_of(person)}
    assert owned == {d.index for d in truth.devices() if d.owner is not None}
    for person in range(truth.person_count):
        assert all(truth.device(i).owner == person for i in truth.devices_of(person))


@pytest.mark.parametrize("size", [1, 10, 37, 199, 201])
def test_any_size_of_company_works(size: int) -> None:
    truth = Truth(devices=size, days=2, today=TODAY)
    for day in range(2):
        for device in truth.devices(day):
            truth.findings(device.index, day)
            truth.logons(device.index, day)
            truth.local_admins(device.index, day)
        for group in truth.groups(day):
            list(truth.group_members(group.index, day))
        assert list(truth.accounts(day))
        list(truth.service_principals(day))
        list(truth.cmdb_relations(day))
        list(truth.cloud_assignments(day))
        list(truth.role_assignments(day))
        list(truth.cloud_resources())


def test_every_quirk_occurs_at_500_devices_and_only_on_its_kinds() -> None:
    for seed in (1, 7, 99):
        truth = Truth(seed=seed, devices=500, today=TODAY)
        seen: dict[str, set[str]] = {}
        for index in range(500):
            for name in truth.quirks(index):
                seen.setdefault(name, set()).add(truth.device_kind(index))
        assert set(seen) == {quirk.name for quirk in quirks.DEVICE_QUIRKS}
        for name, kinds in seen.items():
            assert kinds <= set(quirks.BY_NAME[name].kinds), name
        of_accounts = {name for account in truth.accounts() for name in truth.person_quirks(account.ref)}
        assert of_accounts == {quirk.name for quirk in quirks.ACCOUNT_QUIRKS}


def test_planted_values_are_what_the_quirk_says(truth: Truth) -> None:
    for index in range(truth.device_count):
        device, planted = truth.device(index, 0), truth.quirks(index)
        if "vmware_serial" in planted:
            assert device.serial == quirks.vmware_serial(device.smbios_uuid or "")
        if "missing_serial" in planted:
            assert device.serial is None
        if "placeholder_serial" in planted:
            assert device.serial in quirks.PLACEHOLDER_SERIALS
        if "shared_dock_mac" in planted:
            group = truth.quirk_group(index, "shared_dock_mac")
            assert len({truth.device(i).nics[2].mac for i in group}) == 1
        if "cloned_mac" in planted:
            assert len({truth.device(i).mac for i in truth.quirk_group(index, "cloned_mac")}) == 1
        if "shared_chassis_serial" in planted:
            assert len({truth.device(i).serial for i in truth.quirk_group(index, "shared_chassis_serial")}) == 1
        if "golden_image_agent" in planted:
            group = truth.quirk_group(index, "golden_image_agent")
            assert len({truth.agent_id("edr", i) for i in group}) == 1
        if "ambiguous_short_name" in planted:
            one, other = (truth.device(i) for i in truth.quirk_group(index, "ambiguous_short_name"))
            assert one.hostname == other.hostname
            assert one.fqdn != other.fqdn
        if "reused_name" in planted or "replaced_instance" in planted:
            name = "reused_name" if "reused_name" in planted else "replaced_instance"
            old, new = (truth.device(i, 0) for i in truth.quirk_group(index, name))
            assert old.hostname == new.hostname
            assert old.last_day is not None
            assert old.last_day < new.first_day
            assert old.smbios_uuid != new.smbios_uuid
        if "rebuilt_host" in planted:
            assert device.rebuild_day is not None
            assert truth.agent_id("edr", index, generation=0) != truth.agent_id("edr", index, generation=1)


def test_spellings_of_the_correlation_document() -> None:
    assert quirks.vmware_serial("42023081-331b-58e1-2730-ca560789e551") == (
        "VMware-42 02 30 81 33 1b 58 e1-27 30 ca 56 07 89 e5 51"
    )
    assert quirks.swap_uuid_bytes("564d4cbc-c6a9-1969-3fee-fa0f3887b6a5") == "bc4c4d56-a9c6-6919-3fee-fa0f3887b6a5"
    assert quirks.spell_mac("aa:bb:cc:dd:ee:ff", "DASH") == "AA-BB-CC-DD-EE-FF"
    assert quirks.spell_mac("aa:bb:cc:dd:ee:ff", "dot") == "aabb.ccdd.eeff"
    assert quirks.spell_mac("aa:bb:cc:dd:ee:ff", "BARE") == "AABBCCDDEEFF"


def test_a_day_outside_the_timeline_is_refused(truth: Truth) -> None:
    with pytest.raises(ValueError, match=r"outside this estate's timeline 0\.\.4"):
        truth.device(1, 5)
