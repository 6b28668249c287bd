"""What the invented company is made of: plain frozen objects in nobody's dialect.

Absent values are None (or an empty tuple), never ''. Days are integers: 0 is the first day of the timeline, negative
days lie before it, `last_day` is the last day on which the thing existed. All MACs are 'aa:bb:cc:dd:ee:ff', all GUIDs
and SMBIOS UUIDs lower-case with dashes in the byte order of the operating system.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

DeviceKind = Literal[
    "laptop",
    "desktop",
    "mobile",
    "server",
    "virtual_machine",
    "cloud_vm",
    "domain_controller",
    "printer",
    "network_device",
    "iot",
    "ot",
]
AccountKind = Literal["person", "admin", "guest", "service_account"]
EntityKind = Literal[
    "device",
    "person",
    "admin",
    "guest",
    "service_account",
    "group",
    "role",
    "application",
    "service_principal",
    "managed_identity",
    "business_application",
    "service",
    "cloud_resource",
]


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Points at any entity: `Ref("device", 17)`. A managed identity has the index of the cloud VM that carries it."""

    kind: EntityKind
    index: int

    def __iter__(self) -> Iterator[str | int]:
        """`kind, index = ref`."""
        return iter((self.kind, self.index))


@dataclass(frozen=True, slots=True)
class Domain:
    """An Active Directory domain."""

    name: str
    netbios: str
    sid: str


@dataclass(frozen=True, slots=True)
class Site:
    """An office, shop or plant. `code` starts host names; `zone` is its network zone."""

    index: int
    code: str
    city: str
    country: str
    domain: int
    zone: str


@dataclass(frozen=True, slots=True)
class Nic:
    """A network interface. `kind`: ethernet, wifi, dock (a docking station's adapter), virtual (a host-side adapter)."""

    name: str
    mac: str
    ip: str | None
    kind: str


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where a cloud machine lives. `resource_id` is an ARM id, an ARN or a Google resource name, in the vendor's case."""

    provider: Literal["azure", "aws", "gcp"]
    account_id: str
    account_name: str
    instance_id: str
    resource_id: str
    region: str
    resource_group: str
    has_managed_identity: bool


@dataclass(frozen=True, slots=True)
class Device:
    """A machine as it truly is on one day; what a product says about it is the lens's business.

    serial, smbios_uuid: what the firmware answers, so a placeholder is in here already where the quirk says so.
    join: 'hybrid' (AD and Entra), 'entra', 'registered' (Entra only, personal or mobile), 'ad', 'none'.
    owner: index of the person. generation: 0, or 1 once the machine was rebuilt (new agent ids from `rebuild_day` on).
    old_hostname is set from the start when the machine is renamed on `rename_day`; old_mac likewise for `nic_swap_day`.
    criticality: 0 very high, 1 high, 2 medium, 3 low. environment: production, test, development, office.
    role: web, app, db, file, print, dc, jump ... for servers, else None.
    """

    index: int
    truth_id: str
    kind: DeviceKind
    os_platform: str | None
    os_name: str | None
    os_version: str | None
    os_build: str | None
    hostname: str
    fqdn: str | None
    domain: str | None
    netbios_domain: str | None
    site: int
    manufacturer: str
    model: str
    serial: str | None
    smbios_uuid: str | None
    nics: tuple[Nic, ...]
    join: str
    entra_object_id: str | None
    entra_device_id: str | None
    ad_object_guid: str | None
    ad_sid: str | None
    cloud: Cloud | None
    imei: str | None
    owner: int | None
    asset_tag: str | None
    internet_facing: bool
    public_ip: str | None
    first_day: int
    last_day: int | None
    rename_day: int | None
    old_hostname: str | None
    rebuild_day: int | None
    generation: int
    nic_swap_day: int | None
    old_mac: str | None
    criticality: int
    environment: str
    role: str | None
    business_application: int | None

    @property
    def macs(self) -> tuple[str, ...]:
        return tuple(nic.mac for nic in self.nics)

    @property
    def ips(self) -> tuple[str, ...]:
        return tuple(nic.ip for nic in self.nics if nic.ip)

    @property
    def mac(self) -> str | None:
        """MAC of the first own interface."""
        return self.nics[0].mac if self.nics else None

    @property
    def ip(self) -> str | None:
        """The main address."""
        return self.nics[0].ip if self.nics else None

    @property
    def is_server(self) -> bool:
        return self.kind in ("server", "virtual_machine", "cloud_vm", "domain_controller")

    @property
    def is_computer(self) -> bool:
        """Runs a general-purpose operating system that an agent can be installed on (mobiles excluded)."""
        return self.kind in ("laptop", "desktop") or self.is_server

    @property
    def is_windows(self) -> bool:
        return self.os_platform is not None and self.os_platform.startswith("Windows")


@dataclass(frozen=True, slots=True)
class Account:
    """An account on one day: a person's own, a person's admin account, a guest, or a service account.

    Its index counts inside its kind. person: index of the human behind it (a guest and a service account have none;
    a service account has `owner`). upn is the value of that day; old_upn is set when it changes on `upn_day`.
    sid, object_guid, immutable_id are None for cloud-only accounts. mail may differ from upn.
    mfa_registered: strong authentication is set up. home_mail: a guest's own address.
    """

    kind: AccountKind
    index: int
    truth_id: str
    person: int | None
    owner: int | None
    given_name: str | None
    surname: str | None
    display_name: str
    upn: str
    old_upn: str | None
    upn_day: int | None
    mail: str | None
    home_mail: str | None
    sam: str | None
    domain: str | None
    netbios_domain: str | None
    sid: str | None
    sid_history: tuple[str, ...]
    object_guid: str | None
    immutable_id: str | None
    entra_object_id: str
    employee_id: str | None
    department: str | None
    title: str | None
    manager: int | None
    site: int
    enabled: bool
    mfa_registered: bool
    criticality: int
    first_day: int
    last_day: int | None

    @property
    def ref(self) -> Ref:
        return Ref(self.kind, self.index)

    @property
    def is_synced(self) -> bool:
        """Lives in Active Directory and is synchronised to Entra."""
        return self.object_guid is not None


@dataclass(frozen=True, slots=True)
class Group:
    """kind: security, m365, dynamic (rule decides), role_assignable, ad (Active Directory only, not synchronised)."""

    index: int
    truth_id: str
    kind: Literal["security", "m365", "dynamic", "role_assignable", "ad"]
    name: str
    mail: str | None
    description: str
    entra_object_id: str | None
    object_guid: str | None
    sid: str | None
    sam: str | None
    domain: str | None
    dynamic_rule: str | None
    criticality: int


@dataclass(frozen=True, slots=True)
class Role:
    """A directory role; template_id is Microsoft's own, object_id this tenant's."""

    index: int
    truth_id: str
    name: str
    template_id: str
    object_id: str
    is_privileged: bool


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """A principal holds a directory role; `eligible` means only after activation."""

    id: str
    role: int
    principal: Ref
    eligible: bool


@dataclass(frozen=True, slots=True)
class Application:
    """An app registration of the own tenant. Its service principal has the same index."""

    index: int
    truth_id: str
    name: str
    app_id: str
    object_id: str
    service_principal_id: str
    reply_urls: tuple[str, ...]
    entity_id: str | None
    owners: tuple[int, ...]
    secret_expires_day: int
    environment: str
    criticality: int
    multi_tenant: bool


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """kind: application (own registration), third_party (registered elsewhere), managed_identity (on a cloud VM).

    truth_id: 'spn-000003', or 'mid-000152' for the managed identity of device 152.
    """

    kind: Literal["application", "third_party", "managed_identity"]
    index: int
    truth_id: str
    name: str
    app_id: str
    object_id: str
    application: int | None
    device: int | None
    home_tenant_id: str
    publisher: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission of a service principal. kind: application (app role) or delegated (OAuth2 scope for all users)."""

    id: str
    principal: Ref
    resource: str
    permission: str
    kind: Literal["application", "delegated"]
    is_dangerous: bool


@dataclass(frozen=True, slots=True)
class BusinessApplication:
    """A business application of the CMDB. criticality: 0 most critical .. 3 not critical."""

    index: int
    truth_id: str
    number: str
    name: str
    criticality: int
    owner: int
    department: str
    environment: str
    retired: bool


@dataclass(frozen=True, slots=True)
class Service:
    """An application service that depends on one business application."""

    index: int
    truth_id: str
    number: str
    name: str
    criticality: int
    owner: int
    business_application: int


@dataclass(frozen=True, slots=True)
class CmdbRelation:
    """`parent` `type` `child`, type in ServiceNow's own words, e.g. 'Depends on::Used by', 'Runs on::Runs'.

    is_active is False when one end is retired on that day.
    """

    id: str
    parent: Ref
    child: Ref
    type: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class CloudResource:
    """A cloud resource that is no machine: storage, key vault, database, cluster."""

    index: int
    truth_id: str
    provider: Literal["azure", "aws", "gcp"]
    account_id: str
    account_name: str
    type: Literal["storage", "key_vault", "database", "kubernetes", "function"]
    name: str
    resource_id: str
    region: str
    resource_group: str
    internet_facing: bool
    sensitive_data: bool
    criticality: int
    environment: str


@dataclass(frozen=True, slots=True)
class CloudAssignment:
    """A principal's role on a cloud scope (subscription, account, resource group or resource id)."""

    id: str
    principal: Ref
    provider: str
    account_id: str
    scope: str
    role: str
    is_privileged: bool


@dataclass(frozen=True, slots=True)
class Software:
    """A product of the software catalogue; versions oldest first, the last one is current."""

    index: int
    vendor: str
    name: str
    title: str
    cpe: str
    platform: Literal["windows", "linux", "macos", "any", "device"]
    is_os: bool
    versions: tuple[str, ...]

    @property
    def truth_id(self) -> str:
        """'sft-000003'."""
        return f"sft-{self.index:06d}"


@dataclass(frozen=True, slots=True)
class Cve:
    """A weakness of the catalogue: software below version number `fixed_in` (index into its versions) is affected.

    epss in 0..1. published: date as day number (negative: before the timeline). plugin_id, qid: scanner check numbers.
    """

    index: int
    cve_id: str
    software: int
    fixed_in: int
    severity: Literal["critical", "high", "medium", "low"]
    cvss: float
    vector: str
    epss: float
    exploit_available: bool
    published_day: int
    title: str
    solution: str
    plugin_id: int
    qid: int


@dataclass(frozen=True, slots=True)
class Installed:
    """A software on a device on one day."""

    software: int
    version: str
    version_index: int
    path: str | None
    installed_day: int


@dataclass(frozen=True, slots=True)
class Finding:
    """A CVE on a device. Fixed on `fixed_day` (None: not yet); `is_open` tells the state on the asked day."""

    id: str
    device: int
    cve: int
    software: int
    version: str
    first_day: int
    fixed_day: int | None
    is_open: bool
    port: int
    protocol: str


@dataclass(frozen=True, slots=True)
class Logon:
    """An account that logs on to a device. kind: interactive, remote, network, service."""

    account: Ref
    kind: str
    count: int
    last: datetime
    is_local_admin: bool
