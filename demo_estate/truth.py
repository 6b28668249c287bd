"""The one true company behind every emulated vendor.

Everything is a function of (seed, kind, index, day): nothing is stored, so an entity costs the same in an estate of ten
and of a million, and iterating keeps memory flat. Products never see this; they see it through their lens.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from demo_estate import applications, catalogue, cloud, devices, directory, people, usage, weaknesses
from demo_estate.company import COMPANY, DOMAINS, SITES, TENANT_DOMAIN
from demo_estate.entities import (
    Account,
    AccountKind,
    Application,
    BusinessApplication,
    Cloud,
    CloudAssignment,
    CloudResource,
    CmdbRelation,
    Cve,
    Device,
    DeviceKind,
    Domain,
    EntityKind,
    Finding,
    Grant,
    Group,
    Installed,
    Logon,
    Nic,
    Ref,
    Role,
    RoleAssignment,
    Service,
    ServicePrincipal,
    Site,
    Software,
)
from demo_estate.hashing import digest, fraction, guid, hex_id, number

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Account",
    "AccountKind",
    "Application",
    "BusinessApplication",
    "Cloud",
    "CloudAssignment",
    "CloudResource",
    "CmdbRelation",
    "Cve",
    "Device",
    "DeviceKind",
    "Domain",
    "EntityKind",
    "Finding",
    "Grant",
    "Group",
    "Installed",
    "Logon",
    "Nic",
    "Ref",
    "Role",
    "RoleAssignment",
    "Service",
    "ServicePrincipal",
    "Site",
    "Software",
    "Truth",
]


class Truth:
    """An invented company of `devices` machines over `days` days, the last of which is `today`.

    `devices` counts every machine there ever was; on a given day a few per cent are not there yet or gone.
    Every method with `day` answers for that day (0 .. days-1); None means the last day.
    """

    def __init__(self, seed: int = 7, devices: int = 500, days: int = 1, today: date | None = None) -> None:
        if devices < 1 or days < 1:
            raise ValueError(f"an estate needs at least 1 device and 1 day; got devices={devices}, days={days}")
        self.seed = seed
        self.device_count = devices
        self.days = days
        self.today = today or datetime.now(UTC).date()
        self.first_date = self.today - timedelta(days=days - 1)
        self.company = COMPANY
        self.sites: Sequence[Site] = SITES
        self.domains: Sequence[Domain] = tuple(
            Domain(name, netbios, people.domain_sid(seed, name)) for name, netbios in DOMAINS
        )
        self.tenant_id = guid(seed, "tenant")
        self.tenant_domain = TENANT_DOMAIN
        self.catalogue = catalogue.catalogue(seed, self.first_date)

    def __repr__(self) -> str:
        return f"Truth(seed={self.seed}, devices={self.device_count}, days={self.days}, today={self.today})"

    # -- time ---------------------------------------------------------------------------------------------------------
    @property
    def last_day(self) -> int:
        return self.days - 1

    def day(self, day: int | None) -> int:
        """Default and check a day number. Raises ValueError outside 0 .. days-1."""
        if day is None:
            return self.days - 1
        if not 0 <= day < self.days:
            raise ValueError(f"day {day} is outside this estate's timeline 0..{self.days - 1}")
        return day

    def date(self, day: int) -> date:
        """Calendar date of a day number; negative days lie before the timeline."""
        return self.first_date + timedelta(days=day)

    def as_of(self, day: int | None = None) -> datetime:
        """00:30 UTC of that day: the newest moment any product reports, so that nothing lies in the future."""
        return datetime.combine(self.date(self.day(day)), time(0, 30), UTC)

    def moment(self, day: int, *key: object) -> datetime:
        """A fixed moment (UTC, whole seconds, before 00:30) on any day number, the same for the same key."""
        seconds = number(self.seed, "moment", day, *key) % 1800
        return datetime.combine(self.date(day), time(0, 0), UTC) + timedelta(seconds=seconds)

    def last_activity(self, index: int, day: int | None = None, product: str = "") -> datetime:
        """When `product` last heard of a device, as of a day: within the last 24 h, or on its last day when gone."""
        return usage.last_activity(self, index, self.day(day), product)

    # -- stable ids and chances for lenses ----------------------------------------------------------------------------
    def guid(self, *key: object) -> str:
        """A GUID that belongs to the key, e.g. `truth.guid("tenable", "asset", 17)`."""
        return guid(self.seed, *key)

    def hex_id(self, length: int, *key: object) -> str:
        """`length` lower-case hex digits (at most 128) that belong to the key."""
        return hex_id(length, self.seed, *key)

    def number(self, *key: object) -> int:
        """A 64-bit number that belongs to the key."""
        return number(self.seed, *key)

    def chance(self, share: float, *key: object) -> bool:
        """True for `share` (0..1) of all keys, always the same for one key."""
        return fraction(self.seed, *key) < share

    def digest(self, *key: object) -> str:
        """128 hex digits that belong to the key: the cheapest way to many values at once."""
        return digest(self.seed, *key)

    def agent_id(self, product: str, index: int, day: int | None = None, generation: int | None = None) -> str:
        """32 hex digits naming an agent installation: shared by machines of one golden image, new after a rebuild.

        generation None means the current one of that day; 0 asks for the installation before the rebuild.
        """
        return usage.agent_id(self, product, index, self.day(day), generation)

    # -- devices ------------------------------------------------------------------------------------------------------
    def device(self, index: int, day: int | None = None) -> Device:
        """The machine as of a day, also when it is not there on that day (see `is_present`)."""
        return devices.device(self, index, self.day(day))

    def device_kind(self, index: int) -> DeviceKind:
        """The kind alone, cheaper than the device."""
        return devices.kind(self, index)

    def device_site(self, index: int) -> int:
        """The site alone, cheaper than the device."""
        return devices.site(self, index)

    def devices(self, day: int | None = None, retention: int = 0) -> Iterator[Device]:
        """Machines present on a day, and those gone for at most `retention` days (what a product may still list)."""
        day = self.day(day)
        for index in range(self.device_count):
            if devices.is_listed(self, index, day, retention):
                yield devices.device(self, index, day)

    def device_indexes(self, day: int | None = None, retention: int = 0) -> Iterator[int]:
        """Indexes of `devices()`, without building them."""
        day = self.day(day)
        return (i for i in range(self.device_count) if devices.is_listed(self, i, day, retention))

    def is_present(self, index: int, day: int | None = None) -> bool:
        return devices.is_listed(self, index, self.day(day), 0)

    def is_listed(self, index: int, day: int | None = None, retention: int = 0) -> bool:
        """Present, or gone for at most `retention` days."""
        return devices.is_listed(self, index, self.day(day), retention)

    def quirks(self, index: int) -> frozenset[str]:
        """Names of the planted disagreements of a device (see quirks.py), whatever the day."""
        return devices.quirks(self, index)

    def quirk_group(self, index: int, quirk: str) -> tuple[int, ...]:
        """Devices that share one occurrence of a quirk (the laptops of one dock), itself included."""
        return devices.quirk_group(self, index, quirk)

    def software(self, index: int, day: int | None = None) -> tuple[Installed, ...]:
        """Installed software of a device."""
        return weaknesses.software(self, index, self.day(day))

    def findings(self, index: int, day: int | None = None) -> tuple[Finding, ...]:
        """CVEs a device has or had, open ones and those fixed at most 90 days ago."""
        return weaknesses.findings(self, index, self.day(day))

    def logons(self, index: int, day: int | None = None) -> tuple[Logon, ...]:
        """Who logs on to a device; the most frequent first."""
        return usage.logons(self, index, self.day(day))

    def local_admins(self, index: int, day: int | None = None) -> tuple[Ref, ...]:
        """Accounts and groups with administrator rights on a device."""
        return usage.local_admins(self, index, self.day(day))

    @property
    def software_catalogue(self) -> Sequence[Software]:
        return self.catalogue.software

    @property
    def cve_catalogue(self) -> Sequence[Cve]:
        return self.catalogue.cves

    # -- people and directory -----------------------------------------------------------------------------------------
    @property
    def person_count(self) -> int:
        return people.person_count(self)

    def person(self, index: int, day: int | None = None) -> Account:
        """A person's own account."""
        return people.person(self, index, self.day(day))

    def account(self, ref: Ref, day: int | None = None) -> Account:
        """Any account by reference. Raises KeyError for a reference that is no account."""
        return people.account(self, ref, self.day(day))

    def accounts(
        self, day: int | None = None, kinds: Sequence[AccountKind] = ("person", "admin", "guest", "service_account")
    ) -> Iterator[Account]:
        """All accounts that exist on a day (disabled ones included)."""
        return people.accounts(self, self.day(day), kinds)

    def account_refs(
        self, day: int | None = None, kinds: Sequence[AccountKind] = ("person", "admin", "guest", "service_account")
    ) -> Iterator[Ref]:
        """References of `accounts()`, without building them: for paging by position."""
        return people.account_refs(self, self.day(day), kinds)

    def admin_of(self, person: int) -> Ref | None:
        """The separate admin account of a person, if there is one."""
        return people.admin_of(self, person)

    def person_quirks(self, ref: Ref) -> frozenset[str]:
        """Planted disagreements of an account (see quirks.py)."""
        return people.quirks(self, ref)

    def devices_of(self, person: int, day: int | None = None) -> tuple[int, ...]:
        """Devices a person owns."""
        return devices.devices_of(self, person, self.day(day))

    def groups(self, day: int | None = None) -> Iterator[Group]:
        self.day(day)
        return (directory.group(self, index) for index in range(directory.group_count(self)))

    def group(self, index: int) -> Group:
        return directory.group(self, index)

    def group_members(self, index: int, day: int | None = None) -> Iterator[Ref]:
        """Direct members: accounts, groups (nesting), devices, service principals."""
        return directory.group_members(self, index, self.day(day))

    def group_owners(self, index: int, day: int | None = None) -> tuple[Ref, ...]:
        return directory.group_owners(self, index, self.day(day))

    def groups_of(self, ref: Ref, day: int | None = None) -> tuple[int, ...]:
        """Groups an account is a direct member of."""
        return directory.groups_of(self, ref, self.day(day))

    @property
    def roles(self) -> Sequence[Role]:
        return directory.roles(self)

    def role_assignments(self, day: int | None = None) -> Iterator[RoleAssignment]:
        return directory.role_assignments(self, self.day(day))

    # -- applications -------------------------------------------------------------------------------------------------
    @property
    def application_count(self) -> int:
        return applications.application_count(self)

    def application(self, index: int) -> Application:
        return applications.application(self, index)

    def applications(self) -> Iterator[Application]:
        return (applications.application(self, i) for i in range(applications.application_count(self)))

    def service_principal(self, ref: Ref) -> ServicePrincipal:
        """By `Ref("service_principal", n)` or `Ref("managed_identity", device index)`."""
        return applications.service_principal(self, ref)

    def service_principals(self, day: int | None = None) -> Iterator[ServicePrincipal]:
        """Own, third-party, and the managed identities of the cloud machines present on that day."""
        return applications.service_principals(self, self.day(day))

    def grants(self) -> Iterator[Grant]:
        return applications.grants(self)

    @property
    def business_application_count(self) -> int:
        return applications.business_application_count(self)

    def business_application(self, index: int) -> BusinessApplication:
        return applications.business_application(self, index)

    def business_applications(self) -> Iterator[BusinessApplication]:
        return (
            applications.business_application(self, i) for i in range(applications.business_application_count(self))
        )

    def business_application_devices(self, index: int) -> tuple[int, ...]:
        """Servers a business application runs on, retired ones included."""
        return applications.business_application_devices(self, index)

    def service(self, index: int) -> Service:
        return applications.service(self, index)

    def services(self) -> Iterator[Service]:
        return (applications.service(self, i) for i in range(applications.business_application_count(self)))

    def cmdb_relations(self, day: int | None = None) -> Iterator[CmdbRelation]:
        """Service depends on application, application runs on server."""
        return applications.cmdb_relations(self, self.day(day))

    # -- cloud --------------------------------------------------------------------------------------------------------
    @property
    def cloud_resource_count(self) -> int:
        return cloud.resource_count(self)

    def cloud_resource(self, index: int) -> CloudResource:
        return cloud.resource(self, index)

    def cloud_resources(self) -> Iterator[CloudResource]:
        return (cloud.resource(self, i) for i in range(cloud.resource_count(self)))

    @property
    def cloud_accounts(self) -> Sequence[tuple[str, str, str]]:
        """(provider, account id, account name) of every subscription, account and project."""
        return cloud.accounts(self)

    def cloud_assignments(self, day: int | None = None) -> Iterator[CloudAssignment]:
        return cloud.assignments(self, self.day(day))

    # -- any ----------------------------------------------------------------------------------------------------------
    def truth_id(self, ref: Ref) -> str:
        """'dev-000017', 'per-000004', 'adm-', 'gst-', 'sva-', 'grp-', 'rol-', 'app-', 'spn-', 'mid-', 'bap-', 'svc-', 'res-'."""
        return truth_id(ref)


PREFIXES: dict[str, str] = {
    "device": "dev",
    "person": "per",
    "admin": "adm",
    "guest": "gst",
    "service_account": "sva",
    "group": "grp",
    "role": "rol",
    "application": "app",
    "service_principal": "spn",
    "managed_identity": "mid",
    "business_application": "bap",
    "service": "svc",
    "cloud_resource": "res",
}


def truth_id(ref: Ref) -> str:
    return f"{PREFIXES[ref.kind]}-{ref.index:06d}"
