"""Application registrations and their service principals; business applications, services and their relations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from demo_estate import layout, people
from demo_estate.company import DEPARTMENTS
from demo_estate.entities import (
    Application,
    BusinessApplication,
    CmdbRelation,
    Grant,
    Ref,
    Service,
    ServicePrincipal,
)
from demo_estate.hashing import as_guid, digest, guid

if TYPE_CHECKING:
    from demo_estate.truth import Truth

_WORDS = (
    "Expense",
    "Travel",
    "Orders",
    "Payroll",
    "Inventory",
    "Support",
    "Reporting",
    "Contracts",
    "Planning",
    "Quality",
)
_THIRD_PARTIES = (
    ("Mailflow Sync", "Mailflow Example Ltd"),
    ("Diagram Studio", "Diagram Example Inc"),
    ("Survey Box", "Survey Example GmbH"),
    ("Notes Everywhere", "Notes Example AS"),
    ("Meeting Scribe", "Scribe Example Inc"),
    ("Backup Bridge", "Bridge Example Ltd"),
)
_GRAPH = "Microsoft Graph"
_MANAGED_IDENTITY_PUBLISHER = "Microsoft Azure"


def application_count(truth: Truth) -> int:
    return max(8, people.person_count(truth) // 20)


def application(truth: Truth, index: int) -> Application:
    count = application_count(truth)
    if not 0 <= index < count:
        raise IndexError(f"application {index} is outside this estate's {count} applications")
    bits = digest(truth.seed, "application", index)
    everybody = people.person_count(truth)
    word = _WORDS[index % len(_WORDS)]
    environment = "test" if index % 5 == 4 else "production"
    name = f"{word} {index // len(_WORDS) + 1}" + (" (test)" if environment == "test" else "")
    host = name.lower().replace(" (test)", "-test").replace(" ", "")
    return Application(
        index=index,
        truth_id=f"app-{index:06d}",
        name=name,
        app_id=as_guid(bits[0:32]),
        object_id=as_guid(bits[32:64]),
        service_principal_id=as_guid(bits[64:96]),
        reply_urls=(f"https://{host}.corp.example/auth/callback",),
        entity_id=f"https://{host}.corp.example/saml" if index % 3 == 0 else None,
        owners=(people.careless(truth)[2] if index == 1 else (index * 37 + 5) % everybody,),
        secret_expires_day=truth.days + int(bits[96:100], 16) % 700 - 60,
        environment=environment,
        criticality=0 if _is_powerful(index) else 2,
        multi_tenant=index % 6 == 5,
    )


def service_principal(truth: Truth, ref: Ref) -> ServicePrincipal:
    """Indexes below the number of applications are the own ones, the next ones third parties'."""
    if ref.kind == "managed_identity":
        return _managed_identity(truth, ref.index)
    if ref.kind != "service_principal":
        raise KeyError(f"{ref} is no service principal")
    count = application_count(truth)
    if ref.index < count:
        own = application(truth, ref.index)
        return ServicePrincipal(
            kind="application",
            index=ref.index,
            truth_id=f"spn-{ref.index:06d}",
            name=own.name,
            app_id=own.app_id,
            object_id=own.service_principal_id,
            application=ref.index,
            device=None,
            home_tenant_id=truth.tenant_id,
            publisher=truth.company,
            enabled=ref.index % 9 != 8,
        )
    name, publisher = _THIRD_PARTIES[ref.index - count]
    return ServicePrincipal(
        kind="third_party",
        index=ref.index,
        truth_id=f"spn-{ref.index:06d}",
        name=name,
        app_id=guid("third party", name),
        object_id=guid(truth.seed, "third party", name),
        application=None,
        device=None,
        home_tenant_id=guid("tenant of", publisher),
        publisher=publisher,
        enabled=True,
    )


def service_principals(truth: Truth, day: int) -> Iterator[ServicePrincipal]:
    for index in range(application_count(truth) + len(_THIRD_PARTIES)):
        yield service_principal(truth, Ref("service_principal", index))
    for index in managed_identities(truth, day):
        yield _managed_identity(truth, index)


def managed_identities(truth: Truth, day: int) -> Iterator[int]:
    """Devices with a managed identity that are there on a day."""
    for block in range(layout.block_count(truth)):
        for position in sorted(layout.MANAGED_IDENTITIES):
            index = layout.index_at(truth, block, position)
            if index is not None and truth.is_present(index, day):
                yield index


def grants(truth: Truth) -> Iterator[Grant]:
    def grant(ref: Ref, permission: str, kind: str, dangerous: bool) -> Grant:
        key = guid(truth.seed, "grant", *ref, permission)
        return Grant(key, ref, _GRAPH, permission, kind, dangerous)  # type: ignore[arg-type]

    count = application_count(truth)
    for index in range(count):
        ref = Ref("service_principal", index)
        yield grant(ref, "User.Read", "delegated", False)
        if _is_powerful(index):
            yield grant(ref, "RoleManagement.ReadWrite.Directory", "application", True)
        elif index % 4 == 2:
            yield grant(ref, "Mail.Send", "application", False)
    for index in range(count, count + len(_THIRD_PARTIES)):
        yield grant(Ref("service_principal", index), "Mail.Read", "delegated", index == count)


def business_application_count(truth: Truth) -> int:
    return layout.block_count(truth) * layout.APPLICATIONS_PER_BLOCK


def criticality(truth: Truth, index: int) -> int:
    """0 most critical .. 3 not critical."""
    return (index * 5 + truth.seed) % 4


def business_application(truth: Truth, index: int) -> BusinessApplication:
    if not 0 <= index < business_application_count(truth):
        raise IndexError(f"business application {index} is outside this estate")
    department = DEPARTMENTS[index % len(DEPARTMENTS)]
    return BusinessApplication(
        index=index,
        truth_id=f"bap-{index:06d}",
        number=f"APM{1_000_000 + index}",
        name=f"{department} {_WORDS[index // len(DEPARTMENTS) % len(_WORDS)]} {index:04d}",
        criticality=criticality(truth, index),
        owner=(index * 53 + 7) % people.person_count(truth),
        department=department,
        environment="test" if index % 7 == 6 else "production",
        retired=index % 9 == 8,
    )


def business_application_devices(truth: Truth, index: int) -> tuple[int, ...]:
    block, slot = divmod(index, layout.APPLICATIONS_PER_BLOCK)
    positions = (p for p in layout.SERVERS if p % 4 == slot)
    return tuple(i for p in positions if (i := layout.index_at(truth, block, p)) is not None)


def service(truth: Truth, index: int) -> Service:
    below = business_application(truth, index)
    return Service(
        index=index,
        truth_id=f"svc-{index:06d}",
        number=f"SNSVC{1_000_000 + index}",
        name=f"{below.name} Service",
        criticality=below.criticality,
        owner=below.owner,
        business_application=index,
    )


def cmdb_relations(truth: Truth, day: int) -> Iterator[CmdbRelation]:
    def relation(parent: Ref, child: Ref, words: str, active: bool) -> CmdbRelation:
        return CmdbRelation(guid(truth.seed, "relation", *parent, *child), parent, child, words, active)

    for index in range(business_application_count(truth)):
        above = Ref("business_application", index)
        alive = not business_application(truth, index).retired
        yield relation(Ref("service", index), above, "Depends on::Used by", alive)
        if index % layout.APPLICATIONS_PER_BLOCK != layout.APPLICATIONS_PER_BLOCK - 1:
            below = business_application(truth, index + 1)
            yield relation(
                above, Ref("business_application", index + 1), "Depends on::Used by", alive and not below.retired
            )
        for server in business_application_devices(truth, index):
            there = alive and truth.is_present(server, day)
            yield relation(above, Ref("device", server), "Runs on::Runs", there)


def _is_powerful(index: int) -> bool:
    return index % 40 == 1


def _managed_identity(truth: Truth, index: int) -> ServicePrincipal:
    device = truth.device(index)
    if device.cloud is None or not device.cloud.has_managed_identity:
        raise KeyError(f"device {index} has no managed identity")
    bits = digest(truth.seed, "managed identity", index)
    return ServicePrincipal(
        kind="managed_identity",
        index=index,
        truth_id=f"mid-{index:06d}",
        name=device.hostname.lower(),
        app_id=as_guid(bits[0:32]),
        object_id=as_guid(bits[32:64]),
        application=None,
        device=index,
        home_tenant_id=truth.tenant_id,
        publisher=_MANAGED_IDENTITY_PUBLISHER,
        enabled=True,
    )
