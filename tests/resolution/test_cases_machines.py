"""Virtual machines, clones, cloud, and network cards: T10 to T41."""

from __future__ import annotations

import pytest
from resolution_kit import devices, seen

UUID_A = "11F6E606-84D1-4E74-AF7C-3B54377D15E3"
UUID_B = "F2265C3A-1CD7-40A5-80D7-52F0688CF3C8"


def day(number: int) -> str:
    return f"2026-11-{number:02}T10:00:00Z"


def test_t10_vmware_serial_is_the_uuid_of_vcenter() -> None:
    assert devices(
        seen("edr:p:1", serial_number="VMware-42 02 30 81 33 1b 58 e1-27 30 ca 56 07 89 e5 51"),
        seen("vcenter:p:2", smbios_uuid="42023081-331b-58e1-2730-ca560789e551"),
    ).together("edr:p:1", "vcenter:p:2")


def test_t11_uuid_in_both_byte_orders() -> None:
    assert devices(
        seen("esx:p:1", smbios_uuid="564d4cbc-c6a9-1969-3fee-fa0f3887b6a5"),
        seen("edr:p:2", smbios_uuid="BC4C4D56-A9C6-6919-3FEE-FA0F3887B6A5"),
    ).together("esx:p:1", "edr:p:2")


def test_t14_vm_copies_sharing_a_uuid_under_two_instance_ids() -> None:
    assert devices(
        seen("vcenter:p:1", smbios_uuid=UUID_A, cloud_instance_id="5021aaaa-0000-4000-8000-000000000001"),
        seen("vcenter:p:2", smbios_uuid=UUID_A, cloud_instance_id="5021aaaa-0000-4000-8000-000000000002"),
    ).apart("vcenter:p:1", "vcenter:p:2")


@pytest.mark.parametrize("shared", [{"ad_sid": "S-1-5-21-1-2-3"}, {"agent_ids": {"machine_guid": "9f" * 16}}])
def test_t15_imaged_without_sysprep_is_two_machines_and_a_clone(shared: dict[str, object]) -> None:
    both = {
        "ad_sid": "S-1-5-21-1004336348-1177238915-682003330",
        "agent_ids": {"machine_guid": "c0ffee00-1111-4222-8333-444455556666", "mdm_hwdevid": "ab" * 20},
        **shared,
    }
    out = devices(seen("mde:p:1", serial_number="5CG0AAA1", **both), seen("mde:p:2", serial_number="5CG0AAA2", **both))
    assert out.apart("mde:p:1", "mde:p:2")
    assert "cloned" in out.words("mde:p:1")
    assert {"vetoed", "suppressed"} <= out.verdicts("mde:p:2")


def test_t16_golden_image_with_the_agent_in_it() -> None:
    fleet = [
        seen(f"crowdstrike:p:{i}", agent_ids={"aid": "d" * 32}, cloud_instance_id=f"i-{i:017x}") for i in range(30)
    ]
    out = devices(*fleet)
    assert len(out.groups()) == 30
    assert "agent cloned" in out.words("crowdstrike:p:7")


def test_t16_two_clones_are_enough_and_a_third_row_with_the_agent_alone_is_held() -> None:
    out = devices(
        seen("crowdstrike:p:1", agent_ids={"aid": "d" * 32}, serial_number="AAA111"),
        seen("crowdstrike:p:2", agent_ids={"aid": "d" * 32}, serial_number="BBB222"),
        seen("cmdb:p:3", agent_ids={"aid": "d" * 32}),
    )
    assert out.apart("crowdstrike:p:1", "crowdstrike:p:2", "cmdb:p:3")
    assert out.held("cmdb:p:3")
    assert out.review("cmdb:p:3") == {"crowdstrike:p:1", "crowdstrike:p:2"}


@pytest.mark.parametrize("own_hardware", [False, True])
def test_t17_non_persistent_desktop_with_one_directory_object_is_one_asset(own_hardware: bool) -> None:
    rows = []
    for i in range(1, 15):
        hardware = (
            {"smbios_uuid": f"aaaaaaaa-bbbb-4ccc-8ddd-{i:012}", "mac_addresses": [f"00:50:56:a1:00:{i:02x}"]}
            if own_hardware
            else {}
        )
        rows.append(
            seen(
                f"mde:p:{i}",
                hostnames=["VDI-POOL-017"],
                ad_object_guid="8f2d1c34-5a6b-4c7d-9e8f-001122334455",
                agent_ids={"mde": f"{i:040x}", "aid": f"{i:032x}"},
                observed_at=day(i),
                **hardware,
            )
        )
    out = devices(*rows)
    assert len(out.groups()) == 1


def test_a_classroom_machine_that_registers_anew_every_day_is_one_asset_for_two_months() -> None:
    rows = [
        seen(
            f"entra:p:{i}",
            serial_number="5CG1234XYZ",
            hostnames=["LAB-07"],
            entra_device_id=f"aaaaaaaa-bbbb-4ccc-8ddd-{i:012}",
            first_seen=f"2026-{9 + i // 30:02}-{i % 30 + 1:02}T06:00:00Z",
            last_seen=f"2026-{9 + i // 30:02}-{i % 30 + 1:02}T18:00:00Z",
            observed_at=f"2026-{9 + i // 30:02}-{i % 30 + 1:02}T18:00:00Z",
        )
        for i in range(60)
    ]
    assert len(devices(*rows).groups()) == 1


def test_t18_without_a_directory_object_every_day_is_another_machine() -> None:
    out = devices(
        *(
            seen(
                f"mde:p:{i}",
                hostnames=["VDI-POOL-017"],
                fqdns=["vdi-pool-017.corp.example"],
                smbios_uuid=f"aaaaaaaa-bbbb-4ccc-8ddd-{i:012}",
                mac_addresses=[f"00:50:56:a1:00:{i:02x}"],
                agent_ids={"mde": f"{i:040x}"},
                observed_at=day(i),
            )
            for i in range(1, 15)
        )
    )
    assert len(out.groups()) == 14


def test_t20_replaced_instance_with_the_same_name_and_address() -> None:
    out = devices(
        seen(
            "aws:p:1",
            cloud_provider="aws",
            cloud_account_id="1",
            cloud_instance_id="i-0aaa",
            hostnames=["api"],
            ip_addresses=["10.0.0.4"],
            last_seen=day(2),
        ),
        seen(
            "aws:p:2",
            cloud_provider="aws",
            cloud_account_id="1",
            cloud_instance_id="i-0bbb",
            hostnames=["api"],
            ip_addresses=["10.0.0.4"],
            first_seen=day(3),
        ),
    )
    assert out.apart("aws:p:1", "aws:p:2")


def test_t20_cloud_id_in_two_accounts_is_two_machines_and_a_missing_account_joins() -> None:
    out = devices(
        seen("aws:p:1", cloud_account_id="111111111111", cloud_instance_id="i-0aaa"),
        seen("aws:p:2", cloud_account_id="222222222222", cloud_instance_id="i-0aaa"),
        seen("aws:p:3", cloud_account_id="111111111111", cloud_instance_id="i-0ccc"),
        seen("edr:p:4", cloud_instance_id="arn:aws:ec2:eu-west-1:111111111111:instance/i-0CCC"),
        seen("edr:p:5", cloud_instance_id="i-0ccc"),
    )
    assert out.apart("aws:p:1", "aws:p:2", "aws:p:3")
    assert out.together("aws:p:3", "edr:p:4", "edr:p:5")


def test_t21_containers_run_on_the_host_whose_serial_they_report() -> None:
    out = devices(
        seen(
            "edr:p:host",
            serial_number="CNX1210",
            smbios_uuid=UUID_A,
            mac_addresses=["3c:7c:3f:00:00:01"],
            hostnames=["node1"],
        ),
        seen("cmdb:p:host", serial_number="CNX1210", smbios_uuid=UUID_A),
        seen(
            "edr:p:c1",
            serial_number="CNX1210",
            smbios_uuid=UUID_B,
            hostnames=["3f2a9c1d77aa"],
            mac_addresses=["02:42:ac:11:00:02"],
        ),
        seen("edr:p:c2", serial_number="CNX1210", smbios_uuid="aaaaaaaa-bbbb-4ccc-8ddd-000000000009"),
    )
    assert out.together("edr:p:host", "cmdb:p:host")
    assert out.apart("edr:p:host", "edr:p:c1", "edr:p:c2")
    assert any(relationship == "runs on" for relationship, _ in out.links("edr:p:c1"))
    assert any(relationship == "runs on" for relationship, _ in out.links("edr:p:c2"))


def test_t23_blades_share_the_chassis_serial() -> None:
    out = devices(
        seen("edr:p:1", serial_number="USE1234ABC", smbios_uuid=UUID_A, mac_addresses=["3c:7c:3f:00:00:01"]),
        seen("edr:p:2", serial_number="USE1234ABC", smbios_uuid=UUID_B, mac_addresses=["3c:7c:3f:00:00:02"]),
    )
    assert out.apart("edr:p:1", "edr:p:2")
    assert out.links("edr:p:1") == {("part of", "edr:p:2")}
    assert out.links("edr:p:2") == {("part of", "edr:p:1")}


def test_t23_blades_are_part_of_the_chassis_record() -> None:
    out = devices(
        seen("cmdb:p:c", serial_number="USE1234ABC", attributes={"model": "BladeSystem c7000 Enclosure"}),
        seen("edr:p:1", serial_number="USE1234ABC", smbios_uuid=UUID_A),
        seen("edr:p:2", serial_number="USE1234ABC", smbios_uuid=UUID_B),
    )
    assert out.apart("cmdb:p:c", "edr:p:1", "edr:p:2")
    assert ("part of", "cmdb:p:c") in out.links("edr:p:1") & out.links("edr:p:2")


@pytest.mark.parametrize(
    ("model", "name", "card", "together"),
    [
        ("ProLiant BL460c Gen10", "den-2", "3c:7c:3f:00:00:02", False),
        ("Cisco UCS B200 M5", "den-2", "3c:7c:3f:00:00:02", False),
        ("PowerEdge M640", "den-2", "3c:7c:3f:00:00:02", False),
        # a name or a card in common is enough, and what sits in no chassis has a serial number of its own
        ("ProLiant BL460c Gen10", "den-1", "3c:7c:3f:00:00:02", True),
        ("ProLiant BL460c Gen10", "den-2", "3c:7c:3f:00:00:01", True),
        ("Razer Blade 15", "den-2", "3c:7c:3f:00:00:02", True),
        ("Latitude 7420", "den-2", "3c:7c:3f:00:00:02", True),
    ],
)
def test_t23_two_blades_of_which_only_one_shows_its_uuid(model: str, name: str, card: str, together: bool) -> None:
    one, other = (
        seen(record, serial_number="USE1234ABC", manufacturer="HPE", attributes={"model": model}, **told)
        for record, told in (
            ("cmdb:p:1", {"hostnames": ["den-1"], "mac_addresses": ["3c:7c:3f:00:00:01"]}),
            ("qualys:p:2", {"hostnames": [name], "mac_addresses": [card], "smbios_uuid": UUID_B}),
        )
    )
    out = devices(one, other)
    assert out.together("cmdb:p:1", "qualys:p:2") == together
    assert out.links("qualys:p:2") == (set() if together else {("part of", "cmdb:p:1")})
    assert together or "one is a blade" in out.words("qualys:p:2")


def test_t26_moved_vm_keeps_its_instance_id() -> None:
    assert devices(
        seen(
            "vcenter:p:1",
            cloud_provider="vmware",
            cloud_instance_id="50211111-0000-4000-8000-000000000001",
            ip_addresses=["10.0.0.4"],
            observed_at=day(1),
        ),
        seen(
            "vcenter:dr:9",
            "vcenter",
            cloud_provider="vmware",
            cloud_instance_id="50211111-0000-4000-8000-000000000001",
            ip_addresses=["10.9.0.4"],
        ),
    ).together("vcenter:p:1", "vcenter:dr:9")


def test_t27_arm_ids_compare_without_case() -> None:
    arm = "/subscriptions/AAA/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/VM1"
    assert devices(seen("azure:p:1", cloud_instance_id=arm), seen("mdc:p:2", cloud_instance_id=arm.lower())).together(
        "azure:p:1", "mdc:p:2"
    )


def test_t27_an_arm_id_and_a_vm_id_name_one_machine_in_two_ways() -> None:
    arm = "/subscriptions/AAA/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/VM1"
    known = {"serial_number": "0000-0001-0002-0003-0004-0005-06", "cloud_provider": "azure"}
    assert devices(
        seen("mdc:p:1", cloud_instance_id=arm, **known),
        seen("edr:p:2", cloud_instance_id="0f4b1a6e-2222-4333-8444-555566667777", **known),
    ).together("mdc:p:1", "edr:p:2")


def test_t28_shared_usb_nic_is_suppressed() -> None:
    nic = "50:1A:C5:FE:AA:8C"
    out = devices(
        seen("intune:p:a", smbios_uuid=UUID_A, mac_addresses=[nic]),
        seen("intune:p:b", smbios_uuid=UUID_B, mac_addresses=[nic]),
    )
    assert out.apart("intune:p:a", "intune:p:b")
    assert out.suppressed("intune:p:a") == {nic.lower()}


@pytest.mark.parametrize("known_by", ["serial_number", "agent_ids", "hostnames"])
def test_t29_dock_mac_leaves_the_scanner_record_unassigned(known_by: str) -> None:
    dock = "00:e0:4c:68:00:01"
    laptops = []
    for i in range(37):
        known = {"serial_number": f"5CG{i:05}", "agent_ids": {"aid": f"{i + 1:032x}"}, "hostnames": [f"LT-{i}"]}
        named = {"hostnames": [f"LT-{i}"], known_by: known[known_by]}
        laptops.append(seen(f"edr:p:{i}", mac_addresses=[dock, f"3c:7c:3f:00:01:{i:02x}"], **named))
    out = devices(*laptops, seen("tenable:p:s", mac_addresses=[dock]))
    assert len(out.groups()) == 38
    assert out.held("tenable:p:s")
    assert out.review("tenable:p:s")
    assert "37 different" in out.words("edr:p:0")


def test_t30_dock_with_pass_through_keeps_the_laptop_one() -> None:
    mac = "3c:7c:3f:00:02:01"
    assert devices(
        seen("edr:p:1", mac_addresses=[mac], hostnames=["LT-30"], observed_at=day(1)),
        seen("nac:p:2", mac_addresses=[mac], hostnames=["LT-30"]),
    ).together("edr:p:1", "nac:p:2")


def test_t32_randomised_macs_are_no_evidence() -> None:
    assert devices(
        seen("wlan:p:1", mac_addresses=["da:a1:19:00:00:01"], hostnames=["Phone-of-A"], imei="490154203237518"),
        seen("wlan:p:2", mac_addresses=["da:a1:19:00:00:01"], hostnames=["Phone-of-A"]),
    ).apart("wlan:p:1", "wlan:p:2")


def test_t33_virtual_adapters_on_500_hosts() -> None:
    shared = ["00:50:56:C0:00:08", "0A:00:27:00:00:00", "02:42:AC:11:00:02"]
    out = devices(
        *(
            seen(f"edr:p:{i}", mac_addresses=shared, hostnames=[f"h{i % 7}x"], agent_ids={"aid": f"{i:032x}"})
            for i in range(1, 501)
        )
    )
    assert len(out.groups()) == 500
    assert len(out.suppressed("edr:p:9")) >= 3


@pytest.mark.parametrize(
    "mac",
    [
        "20:41:53:59:4E:FF",
        "02:00:4E:43:50:49",
        "33:50:6f:45:30:30",
        "00:05:9A:3C:7A:00",
        "0C:5B:8F:27:9A:64",
        "58:2C:80:13:92:63",
        "20:20:20:20:20:20",
        "10:10:10:10:10:10",
    ],
)
def test_t34_vpn_and_ras_macs(mac: str) -> None:
    out = devices(
        seen("edr:p:1", mac_addresses=[mac], hostnames=["LT-1"]),
        seen("scan:p:2", mac_addresses=[mac], hostnames=["LT-1"]),
    )
    assert out.apart("edr:p:1", "scan:p:2")


@pytest.mark.parametrize("mac", ["00:00:5e:00:01:0a", "00:1b:17:00:01:10"])
def test_t36_firewall_pair_is_two_devices_of_one_cluster(mac: str) -> None:
    out = devices(
        seen("nac:p:1", mac_addresses=[mac], ip_addresses=["10.0.0.1"], hostnames=["fw-a"], serial_number="FW000A1"),
        seen("nac:p:2", mac_addresses=[mac], ip_addresses=["10.0.0.1"], hostnames=["fw-b"], serial_number="FW000B2"),
    )
    assert out.apart("nac:p:1", "nac:p:2")
    assert out.links("nac:p:1") == {("member of", "nac:p:2")}


def test_t37_concentrator_mac_with_400_clients() -> None:
    mac = "00:1b:17:00:09:99"
    out = devices(
        *(
            seen(
                f"dhcp:p:{i}",
                mac_addresses=[mac],
                hostnames=[f"client{i}"],
                ip_addresses=[f"10.8.{i // 250}.{i % 250}"],
            )
            for i in range(400)
        )
    )
    assert all(len(group) == 1 for group in out.groups())
    assert mac in out.suppressed("dhcp:p:17")


def test_t39_swapped_nic() -> None:
    both = {"serial_number": "5CG39", "entra_device_id": "0b5b7a39-0000-4000-8000-000000000001"}
    assert devices(
        seen("intune:p:1", mac_addresses=["3c:7c:3f:00:00:01"], **both),
        seen("mde:p:2", mac_addresses=["3c:7c:3f:00:00:99"], **both),
    ).together("intune:p:1", "mde:p:2")


def test_t41_scanner_sees_the_second_nic() -> None:
    assert devices(
        seen(
            "edr:p:1",
            hostnames=["srv41"],
            mac_addresses=["3c:7c:3f:00:00:01", "3c:7c:3f:00:00:02"],
            serial_number="CZ41",
        ),
        seen("tenable:p:2", hostnames=["SRV41"], mac_addresses=["3C-7C-3F-00-00-02"]),
    ).together("edr:p:1", "tenable:p:2")


def test_a_mac_alone_joins_nothing_and_two_macs_do() -> None:
    macs = ["3c:7c:3f:00:00:01", "3c:7c:3f:00:00:02"]
    out = devices(
        seen("edr:p:1", mac_addresses=macs, serial_number="CZ41"),
        seen("nac:p:2", mac_addresses=macs),
        seen("nac:q:3", "nac", mac_addresses=macs[:1]),
    )
    assert out.together("edr:p:1", "nac:p:2")
    assert out.held("nac:q:3")
    assert "edr:p:1" in out.review("nac:q:3") | out.review("nac:p:2")
