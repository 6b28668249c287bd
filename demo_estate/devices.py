"""Building a device from its index."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from demo_estate import layout
from demo_estate.company import SITES
from demo_estate.entities import Cloud, Device, DeviceKind, Nic
from demo_estate.hashing import as_guid, digest, spread24
from demo_estate.quirks import HA_MAC, PLACEHOLDER_SERIALS, PLACEHOLDER_UUID, VIRTUAL_ADAPTER_MACS, vmware_serial

if TYPE_CHECKING:
    from demo_estate.truth import Truth


class Os(NamedTuple):
    platform: str
    name: str
    version: str
    build: str


class Make(NamedTuple):
    """A maker and model; prefix starts its serial numbers, oui its MACs."""

    manufacturer: str
    model: str
    prefix: str
    oui: str


_WINDOWS_CLIENTS = (
    Os("Windows11", "Microsoft Windows 11 Enterprise", "24H2", "10.0.26100.2314"),
    Os("Windows11", "Microsoft Windows 11 Enterprise", "23H2", "10.0.22631.4460"),
    Os("Windows10", "Microsoft Windows 10 Enterprise", "22H2", "10.0.19045.5131"),
)
_MACOS = Os("macOS", "macOS", "15.1", "24B83")
_WINDOWS_SERVERS = (
    Os("WindowsServer2022", "Microsoft Windows Server 2022 Datacenter", "21H2", "10.0.20348.2849"),
    Os("WindowsServer2019", "Microsoft Windows Server 2019 Standard", "1809", "10.0.17763.6532"),
)
_LINUX = (
    Os("Ubuntu", "Ubuntu 22.04.5 LTS", "22.04", "5.15.0-126-generic"),
    Os("RedHatEnterpriseLinux", "Red Hat Enterprise Linux 9.4", "9.4", "5.14.0-427.42.1.el9_4.x86_64"),
)
_MOBILE = (Os("iOS", "iOS", "18.1", "22B83"), Os("Android", "Android", "15", "AP4A.241205.013"))
_NO_OS: tuple[None, None, None, None] = (None, None, None, None)

_LAPTOPS = (
    Make("Dell Inc.", "Latitude 7440", "D", "d0:94:66"),
    Make("LENOVO", "ThinkPad T14 Gen 4", "PF", "8c:16:45"),
    Make("HP", "HP EliteBook 840 G10", "5CG", "3c:52:82"),
    Make("Apple Inc.", "MacBookPro18,3", "C02", "f0:18:98"),
)
_DESKTOPS = (Make("Dell Inc.", "OptiPlex 7010", "F", "d0:94:66"), Make("HP", "HP ProDesk 400 G7", "CZC", "3c:52:82"))
_WHITEBOX = Make("ASUSTeK COMPUTER INC.", "System Product Name", "", "04:d4:c4")
_MOBILES = (Make("Apple", "iPhone 15", "F2L", "f0:18:98"), Make("samsung", "SM-S921B", "R5C", "5c:cb:99"))
_SERVERS = (
    Make("HPE", "ProLiant DL380 Gen10", "CZ2", "98:f2:b3"),
    Make("Dell Inc.", "PowerEdge R650", "G", "d0:94:66"),
)
_BLADE = Make("HPE", "ProLiant BL460c Gen10", "USE", "98:f2:b3")
_VMWARE = Make("VMware, Inc.", "VMware7,1", "", "00:50:56")
_VIRTUALBOX = Make("innotek GmbH", "VirtualBox", "", "08:00:27")
_PRINTER = Make("HP", "HP LaserJet Pro M404dn", "PHB", "c8:d9:d2")
_NETWORK = (
    Make("Cisco", "Catalyst 9300-48P", "FCW", "70:6d:15"),
    Make("Fortinet", "FortiGate 200F", "FG2", "e8:1c:ba"),
)
_IOT = (Make("Axis", "P3265-LVE", "B8A", "b8:a4:4f"), Make("Raspberry Pi", "Raspberry Pi 4 Model B", "100", "dc:a6:32"))
_OT = (
    Make("Siemens", "SIMATIC S7-1500", "S C-", "e0:dc:a0"),
    Make("Rockwell Automation", "1756-L83E", "0A", "5c:88:16"),
)
_AZURE = Make("Microsoft Corporation", "Virtual Machine", "0000-0011-", "00:0d:3a")
_AWS = Make("Amazon EC2", "m6i.large", "ec2", "0a:58:a9")
_GCP = Make("Google", "Google Compute Engine", "GoogleCloud-", "42:01:0a")

_ROLES = ("web", "app", "db", "file")
_REGIONS = {
    "azure": ("westeurope", "northeurope"),
    "aws": ("eu-west-1", "us-east-1"),
    "gcp": ("europe-west1", "us-central1"),
}
_KIND_LETTERS = {
    "laptop": "L",
    "desktop": "D",
    "server": "S",
    "virtual_machine": "V",
    "cloud_vm": "C",
    "domain_controller": "DC",
    "printer": "P",
    "network_device": "N",
    "iot": "I",
    "ot": "O",
}


def kind(truth: Truth, index: int) -> DeviceKind:
    return layout.KINDS[checked_place(truth, index)[1]]


def platform(truth: Truth, index: int) -> str | None:
    """The operating system's platform name alone, cheaper than the device."""
    _, position = checked_place(truth, index)
    roll = int(digest(truth.seed, "device", index)[0:8], 16)
    system = _make_and_os(layout.KINDS[position], position, roll)[1]
    return system.platform if system else None


def site(truth: Truth, index: int) -> int:
    """Site of a device. Cheap; the lab holds one in eight."""
    return (index * 2654435761 + truth.seed * 97 >> 9) % len(SITES)


def lifespan(truth: Truth, index: int, block: int, position: int) -> tuple[int, int | None]:
    """(first day, last day or None) of a device."""
    ordinary = -30 - (index * 2654435761 + truth.seed >> 5) % 1400
    if position not in layout.EVENTFUL:
        return ordinary, None
    spread = index * 40503 + truth.seed
    span = truth.days - 1
    if position in layout.ARRIVALS:
        return (1 + spread % span if span else ordinary), None
    if position in layout.DEPARTURES:
        return ordinary, (spread % span if span else None)
    old_position = layout.PARTNERS[position][1][0]
    seam = block * 131 + old_position + truth.seed
    late = position in layout.LATE and span > 1
    gone_on = seam % (span - 1) if late else -20 - seam % 40
    if position == old_position:
        return ordinary - 60, gone_on
    return gone_on + 1, None


def is_listed(truth: Truth, index: int, day: int, retention: int) -> bool:
    """Present on `day`, or gone for at most `retention` days."""
    block, position = layout.place(truth, index)
    if position not in layout.EVENTFUL:
        return True
    first, last = lifespan(truth, index, block, position)
    return first <= day and (last is None or day <= last + retention)


def quirks(truth: Truth, index: int) -> frozenset[str]:
    block, position = checked_place(truth, index)
    found = layout.QUIRKS[position]
    if position in layout.PARTNERS:
        name, group = layout.PARTNERS[position]
        if sum(layout.index_at(truth, block, p) is not None for p in group) < 2:
            found = found - {name}
    if layout.KINDS[position] in _SPELLED:
        mixed = index * 2246822519 + truth.seed >> 3
        if mixed % 10 < 3:
            found = found | {"short_name"}
        if mixed // 10 % 10 < 4:
            found = found | {"mac_spelling"}
    return found


_SPELLED = frozenset(("laptop", "desktop", "server", "virtual_machine", "cloud_vm", "domain_controller"))


def quirk_group(truth: Truth, index: int, quirk: str) -> tuple[int, ...]:
    block, position = checked_place(truth, index)
    for group in layout.GROUPS.get(quirk, ()):
        if position in group:
            return tuple(i for p in group if (i := layout.index_at(truth, block, p)) is not None)
    return (index,)


def devices_of(truth: Truth, person: int, day: int) -> tuple[int, ...]:
    found = []
    everybody = layout.block_count(truth) * layout.PEOPLE_PER_BLOCK
    for seat in range(person, everybody, truth.person_count):
        block, place = divmod(seat, layout.PEOPLE_PER_BLOCK)
        positions = [place] if place < 100 else []
        if place % 6 == 0 and place < 72:
            positions.append(100 + place // 6)
        found += [i for p in positions if (i := layout.index_at(truth, block, p)) is not None]
    return tuple(i for i in found if is_listed(truth, i, day, 0))


def device(truth: Truth, index: int, day: int) -> Device:
    block, position = checked_place(truth, index)
    what = layout.KINDS[position]
    bits = digest(truth.seed, "device", index)
    roll = int(bits[0:8], 16)
    make, system = _make_and_os(what, position, roll)
    is_windows = system is not None and system.platform.startswith("Windows")
    site_index = site(truth, index)
    domain = truth.domains[SITES[site_index].domain]
    if position in (128, 129):
        domain = truth.domains[position - 127]
    hostname, old_hostname, rename_day = _names(truth, index, block, position, what, site_index, day)
    join = _join(what, is_windows, roll)
    cloud = _cloud(truth, block, position, bits, roll, hostname) if what == "cloud_vm" else None
    uuid = _smbios_uuid(what, position, bits, cloud)
    nics, old_mac, nic_swap_day = _nics(truth, index, block, position, what, make, day)
    first_day, last_day = lifespan(truth, index, block, position)
    rebuild_day = event_day(truth, index, position) if position in layout.REBUILDS else None
    in_domain = join in ("hybrid", "ad")
    named_in_dns = in_domain or what not in ("laptop", "desktop", "mobile")
    registered = join in ("hybrid", "entra", "registered")
    environment = _environment(what, roll)
    application = block * layout.APPLICATIONS_PER_BLOCK + position % 4 if position in layout.SERVERS else None
    facing = position in layout.INTERNET_FACING
    return Device(
        index=index,
        truth_id=f"dev-{index:06d}",
        kind=what,
        os_platform=system.platform if system else None,
        os_name=system.name if system else None,
        os_version=system.version if system else None,
        os_build=system.build if system else None,
        hostname=hostname,
        fqdn=f"{hostname.lower()}.{domain.name}" if named_in_dns else None,
        domain=domain.name if named_in_dns else None,
        netbios_domain=domain.netbios if in_domain else None,
        site=site_index,
        manufacturer=make.manufacturer,
        model=make.model,
        serial=_serial(truth, index, block, position, make, uuid, roll, cloud),
        smbios_uuid=uuid,
        nics=nics,
        join=join,
        entra_object_id=as_guid(bits[16:48]) if registered else None,
        entra_device_id=as_guid(bits[48:80]) if registered else None,
        ad_object_guid=as_guid(bits[80:112]) if in_domain else None,
        ad_sid=f"{domain.sid}-{10_000_000 + index}" if in_domain else None,
        cloud=cloud,
        imei=f"35{index:012d}{roll % 10}" if what == "mobile" else None,
        owner=_owner(truth, block, position),
        asset_tag=f"HW{index:07d}" if what not in ("virtual_machine", "cloud_vm", "iot", "ot") else None,
        internet_facing=facing,
        public_ip=f"203.0.113.{index % 254 + 1}" if facing else None,
        first_day=first_day,
        last_day=last_day,
        rename_day=rename_day,
        old_hostname=old_hostname,
        rebuild_day=rebuild_day,
        generation=1 if rebuild_day is not None and day >= rebuild_day else 0,
        nic_swap_day=nic_swap_day,
        old_mac=old_mac,
        criticality=_criticality(truth, what, position, application),
        environment=environment,
        role="dc" if what == "domain_controller" else _ROLES[position % 4] if application is not None else None,
        business_application=application,
    )


def checked_place(truth: Truth, index: int) -> tuple[int, int]:
    if not 0 <= index < truth.device_count:
        raise IndexError(f"device {index} is outside this estate of {truth.device_count} devices")
    return layout.place(truth, index)


def event_day(truth: Truth, index: int, position: int) -> int:
    """Day of a rename, rebuild or card swap: on the timeline for late positions, else shortly before it."""
    if position in layout.LATE and truth.days > 1:
        return 1 + (index * 7 + position) % (truth.days - 1)
    return -5 - (index * 7 + position) % 25


def _make_and_os(what: str, position: int, roll: int) -> tuple[Make, Os | None]:
    match what:
        case "laptop":
            make = _LAPTOPS[3 if roll % 8 == 0 and not layout.QUIRKS[position] else roll % 3]
            make = _WHITEBOX if position in (3, 19) else make
            return make, _MACOS if make.prefix == "C02" else _WINDOWS_CLIENTS[roll // 8 % 3]
        case "desktop":
            return (_WHITEBOX if position in (80, 81, 82) else _DESKTOPS[roll % 2]), _WINDOWS_CLIENTS[roll // 8 % 3]
        case "mobile":
            return _MOBILES[roll % 2], _MOBILE[roll % 2]
        case "server":
            make = _BLADE if position in (112, 113) else _SERVERS[roll % 2]
        case "virtual_machine":
            make = _VIRTUALBOX if position in (125, 126, 127) else _VMWARE
        case "cloud_vm":
            make = (_AZURE, _AZURE, _AWS, _GCP)[(position - 150) // 2 % 4]
        case "domain_controller":
            return _VMWARE, _WINDOWS_SERVERS[0]
        case "printer":
            return _PRINTER, None
        case "network_device":
            return _NETWORK[1 if position in (182, 183) else roll % 2], None
        case "iot":
            return _IOT[roll % 2], None
        case _:
            return _OT[roll % 2], None
    if position in (128, 129):
        return make, _LINUX[0]
    return make, _WINDOWS_SERVERS[roll // 8 % 2] if roll // 16 % 10 < 5 else _LINUX[roll // 8 % 2]


def _names(
    truth: Truth, index: int, block: int, position: int, what: str, site_index: int, day: int
) -> tuple[str, str | None, int | None]:
    """(name on the day, old name, rename day)."""
    code = SITES[site_index].code
    if position in layout.PARTNERS:
        quirk, group = layout.PARTNERS[position]
        lead = layout.index_at(truth, block, group[0])
        if quirk == "ambiguous_short_name":
            return f"WEB{block:05d}", None, None
        if quirk in ("reused_name", "replaced_instance") and lead is not None:
            return f"{SITES[site(truth, lead)].code}-{_KIND_LETTERS[what]}{lead:06d}", None, None
    if what == "mobile":
        return f"{code}-M{index:06d}", None, None
    name = f"{code}-{_KIND_LETTERS[what]}{index:06d}"
    if position not in layout.RENAMES:
        return name, None, None
    rename_day = event_day(truth, index, position)
    return (f"{code}-N{index:06d}" if day >= rename_day else name), name, rename_day


def _join(what: str, is_windows: bool, roll: int) -> str:
    if what in ("laptop", "desktop"):
        if not is_windows:
            return "registered"
        return "hybrid" if roll // 64 % 100 < 65 else "entra"
    if what == "mobile":
        return "registered"
    return "ad" if is_windows else "none"


def _smbios_uuid(what: str, position: int, bits: str, cloud: Cloud | None) -> str | None:
    if "placeholder_uuid" in layout.QUIRKS[position]:
        return PLACEHOLDER_UUID
    if cloud is not None and cloud.provider == "azure":
        return cloud.instance_id
    if what in _SPELLED:
        return as_guid(bits[96:128])
    return None


def _serial(
    truth: Truth, index: int, block: int, position: int, make: Make, uuid: str | None, roll: int, cloud: Cloud | None
) -> str | None:
    planted = layout.QUIRKS[position]
    if "missing_serial" in planted:
        return None
    if "placeholder_serial" in planted:
        return PLACEHOLDER_SERIALS[roll % len(PLACEHOLDER_SERIALS)]
    if "vmware_serial" in planted and uuid is not None:
        return vmware_serial(uuid)
    if make is _VIRTUALBOX:
        return f"VirtualBox-{uuid}"
    if "shared_chassis_serial" in planted and (lead := layout.index_at(truth, block, 112)) is not None:
        index = lead
    number = spread24(index, truth.seed)
    if cloud is not None:
        return uuid if cloud.provider == "aws" else f"{make.prefix}{number:08d}"
    return f"{make.prefix}{number:06X}"


def _nics(
    truth: Truth, index: int, block: int, position: int, what: str, make: Make, day: int
) -> tuple[tuple[Nic, ...], str | None, int | None]:
    """(interfaces, old MAC, swap day). The first one is the device's own and carries its main address."""
    planted = layout.QUIRKS[position]
    mac = _mac(truth, make.oui, index, 0)
    address = _address(index, what)
    old_mac, swap_day = None, None
    if "private_ip_reuse" in planted:
        address = f"192.168.1.{20 + position % 4}"
    elif position in layout.PARTNERS:
        quirk, group = layout.PARTNERS[position]
        lead = layout.index_at(truth, block, group[0])
        if quirk == "cloned_mac":
            mac = _mac(truth, make.oui, quirk_group(truth, index, quirk)[0], 0)
        elif lead is not None and quirk == "replaced_instance":
            address = _address(lead, what)
    if position in layout.NIC_SWAPS:
        swap_day = event_day(truth, index, position)
        old_mac = mac
        mac = _mac(truth, make.oui, index, 2) if day >= swap_day else mac
    match what:
        case "laptop":
            nics = [
                Nic("Wi-Fi", mac, address, "wifi"),
                Nic("Ethernet", _mac(truth, make.oui, index, 1), None, "ethernet"),
            ]
            if "shared_dock_mac" in planted:
                lead = quirk_group(truth, index, "shared_dock_mac")[0]
                nics.append(Nic("Ethernet 2", _mac(truth, "50:1a:c5", lead, 3), _address(lead + 7, "dock"), "dock"))
        case "server":
            nics = [Nic("eth0", mac, address, "ethernet")]
            nics.append(Nic("eth1", _mac(truth, make.oui, index, 1), _address(index, "second"), "ethernet"))
        case _:
            nics = [Nic("eth0", mac, address, "wifi" if what == "mobile" else "ethernet")]
    if "virtual_adapter_mac" in planted:
        which = VIRTUAL_ADAPTER_MACS[position % 3]
        nics.append(Nic("virtual0", which, "172.17.0.1", "virtual"))
    if "shared_ha_mac" in planted:
        nics.append(Nic("cluster", HA_MAC, f"10.240.{block % 250}.1", "virtual"))
    return tuple(nics), old_mac, swap_day


def _mac(truth: Truth, oui: str, index: int, which: int) -> str:
    tail = f"{spread24(index * 4 + which, truth.seed):06x}"
    return f"{oui}:{tail[0:2]}:{tail[2:4]}:{tail[4:6]}"


def _address(index: int, what: str) -> str:
    """A private address of its own for each device (up to a million) and use."""
    high, low = index >> 16 & 15, index & 0xFFFF
    if what == "cloud_vm":
        return f"172.{16 + high}.{low >> 8}.{low & 255}"
    base = {"second": 64, "dock": 96, "printer": 128, "iot": 144, "ot": 160, "network_device": 176}.get(what, 32)
    return f"10.{base + high}.{low >> 8}.{low & 255}"


def _owner(truth: Truth, block: int, position: int) -> int | None:
    if position >= 112:
        return None
    place = position if position < 100 else (position - 100) * 6
    return (block * layout.PEOPLE_PER_BLOCK + place) % truth.person_count


def _environment(what: str, roll: int) -> str:
    if what not in ("server", "virtual_machine", "cloud_vm", "domain_controller"):
        return "office"
    if what == "domain_controller":
        return "production"
    share = roll // 256 % 10
    return "production" if share < 7 else "test" if share < 9 else "development"


def _criticality(truth: Truth, what: str, position: int, application: int | None) -> int:
    if what == "domain_controller":
        return 0
    if application is not None:
        from demo_estate.applications import criticality

        return criticality(truth, application)
    if position in layout.RISKY_LAPTOPS or what in ("network_device", "ot"):
        return 1
    return 3


def _cloud(truth: Truth, block: int, position: int, bits: str, roll: int, hostname: str) -> Cloud:
    from demo_estate.cloud import accounts_of

    provider = ("azure", "azure", "aws", "gcp")[(position - 150) // 2 % 4]
    accounts = accounts_of(truth, provider)
    account_id, account_name = accounts[(block + position // 2) % len(accounts)]
    region = _REGIONS[provider][(block + position // 2) % 2]
    group = f"rg-{_ROLES[position % 4]}-{region}"
    if provider == "azure":
        instance = as_guid(bits[32:64])
        resource = (
            f"/subscriptions/{account_id}/resourceGroups/{group}"
            f"/providers/Microsoft.Compute/virtualMachines/{hostname.lower()}"
        )
        has_identity = position in layout.MANAGED_IDENTITIES
        return Cloud("azure", account_id, account_name, instance, resource, region, group, has_identity)
    if provider == "aws":
        instance = f"i-0{bits[32:48]}"
        resource = f"arn:aws:ec2:{region}:{account_id}:instance/{instance}"
        return Cloud("aws", account_id, account_name, instance, resource, region, group, False)
    instance = str(int(bits[32:48], 16) % 9 * 10**18 + int(bits[48:62], 16) % 10**18)
    resource = f"//compute.googleapis.com/projects/{account_id}/zones/{region}-b/instances/{hostname.lower()}"
    return Cloud("gcp", account_id, account_name, instance, resource, region, group, False)
