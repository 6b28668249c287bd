"""Groups, directory roles, and who holds them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from demo_estate import devices, people
from demo_estate.company import DEPARTMENTS
from demo_estate.entities import Group, Ref, Role, RoleAssignment
from demo_estate.hashing import as_guid, digest, guid

if TYPE_CHECKING:
    from demo_estate.truth import Truth

ALL_STAFF, DOMAIN_ADMINS, SERVER_ADMINS, HELPDESK, CLOUD_OWNERS, WINDOWS_DEVICES, PARTNERS = range(7)
FIXED = 7
FIRST_TEAM = FIXED + len(DEPARTMENTS)
TEAM_SIZE = 25

#: (name, Microsoft's template id, privileged)
_ROLES = (
    ("Global Administrator", "62e90394-69f5-4237-9190-012177145e10", True),
    ("Privileged Role Administrator", "e8611ab8-c189-46e8-94e1-60213ab1f814", True),
    ("Privileged Authentication Administrator", "7be44c8a-adaf-4e2a-84d6-ab2649e08a13", True),
    ("Application Administrator", "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", True),
    ("Cloud Application Administrator", "158c047a-c907-4556-b7ef-446551a6b5f7", True),
    ("User Administrator", "fe930be7-5e62-47db-91af-98c3a49a38b1", True),
    ("Helpdesk Administrator", "729827e3-9c14-49f7-bb1b-9608f156bbb8", True),
    ("Security Administrator", "194ae4cb-b126-40b2-bd5b-6091b380977d", True),
    ("Intune Administrator", "3a2c62db-5318-420d-8d74-23affee5d9d5", True),
    ("Exchange Administrator", "29232cdf-9323-42fd-ade2-1d097af3e4de", False),
    ("Security Reader", "5d6b6bb7-de71-4623-b4af-95380a352509", False),
    ("Global Reader", "f2ef992c-3afb-46b9-b7cf-a126ee74c451", False),
)

_FIXED: tuple[tuple[str, str, str, int], ...] = (
    ("security", "All Staff", "Everybody, by department", 3),
    ("ad", "Domain Admins", "Administrators of the domain", 0),
    ("security", "Server Admins", "Local administrators of all servers", 1),
    ("role_assignable", "Helpdesk Operators", "Reset passwords", 1),
    ("role_assignable", "Cloud Platform Owners", "Own the cloud subscriptions", 0),
    ("dynamic", "All Windows Devices", "Every Windows machine", 3),
    ("security", "External Partners", "Guests", 3),
)


def group_count(truth: Truth) -> int:
    return FIRST_TEAM + -(-people.person_count(truth) // TEAM_SIZE)


def group(truth: Truth, index: int) -> Group:
    if not 0 <= index < group_count(truth):
        raise IndexError(f"group {index} is outside this estate's {group_count(truth)} groups")
    bits = digest(truth.seed, "group", index)
    if index < FIXED:
        kind, name, description, criticality = _FIXED[index]
    elif index < FIRST_TEAM:
        kind, criticality = "security", 3
        name = description = f"Department {DEPARTMENTS[index - FIXED]}"
    else:
        number = index - FIRST_TEAM
        kind, criticality = ("security", 3) if number % 2 else ("m365", 3)
        name, description = f"Team {number:04d}", f"Project team {number:04d}"
    on_premises = kind in ("ad", "security") and index != PARTNERS
    domain = truth.domains[0]
    rid = 512 if index == DOMAIN_ADMINS else 10_000 + index
    return Group(
        index=index,
        truth_id=f"grp-{index:06d}",
        kind=kind,  # type: ignore[arg-type]
        name=name,
        mail=f"{name.lower().replace(' ', '-')}@corp.example" if kind == "m365" else None,
        description=description,
        entra_object_id=None if kind == "ad" else as_guid(bits[0:32]),
        object_guid=as_guid(bits[32:64]) if on_premises else None,
        sid=f"{domain.sid}-{rid}" if on_premises else None,
        sam=name if on_premises else None,
        domain=domain.name if on_premises else None,
        dynamic_rule='(device.deviceOSType -eq "Windows")' if kind == "dynamic" else None,
        criticality=criticality,
    )


def group_members(truth: Truth, index: int, day: int) -> Iterator[Ref]:
    return (ref for ref in _members(truth, index, day) if _is_there(truth, ref, day))


def group_owners(truth: Truth, index: int, day: int) -> tuple[Ref, ...]:
    """The cloud owners' group is owned by a person without strong authentication: a planted way up."""
    group(truth, index)
    if index == CLOUD_OWNERS:
        owners = [Ref("person", people.careless(truth)[2])]
    elif index >= FIRST_TEAM:
        owners = [Ref("person", (index - FIRST_TEAM) * TEAM_SIZE)]
    else:
        owners = [Ref("admin", 0)]
    return tuple(ref for ref in owners if _is_there(truth, ref, day))


def groups_of(truth: Truth, ref: Ref, day: int) -> tuple[int, ...]:
    if not people.exists(truth, ref, day):
        return ()
    found: list[int] = []
    extra: tuple[int, ...] = (DOMAIN_ADMINS, SERVER_ADMINS, CLOUD_OWNERS)
    if ref.kind == "person":
        found = [FIXED + ref.index % len(DEPARTMENTS), FIRST_TEAM + ref.index // TEAM_SIZE]
        extra = (SERVER_ADMINS, HELPDESK)
    elif ref.kind == "guest":
        extra = (PARTNERS,)
    return tuple(sorted(found + [g for g in extra if _in_fixed(truth, g, ref)]))


def roles(truth: Truth) -> tuple[Role, ...]:
    return _roles(truth.seed)


@lru_cache(maxsize=32)
def _roles(seed: int) -> tuple[Role, ...]:
    return tuple(
        Role(index, f"rol-{index:06d}", name, template, guid(seed, "role", template), privileged)
        for index, (name, template, privileged) in enumerate(_ROLES)
    )


def role_assignments(truth: Truth, day: int) -> Iterator[RoleAssignment]:
    careless_admin = people.careless(truth)[0]
    planned: list[tuple[int, Ref, bool]] = [
        (0, Ref("admin", 0), False),
        (0, Ref("person", careless_admin), False),
        (1, Ref("admin", 1), True),
        (2, Ref("admin", 2), False),
        (3, Ref("service_principal", 1), False),
        (4, Ref("group", CLOUD_OWNERS), False),
        (6, Ref("group", HELPDESK), False),
        (11, Ref("guest", 0), False),
    ]
    spread = ((5 + index % 6, Ref("admin", index), index % 3 == 0) for index in range(3, people.admin_count(truth)))
    for stream in (planned, spread):
        for role, principal, eligible in stream:
            if _is_there(truth, principal, day):
                key = guid(truth.seed, "role assignment", role, *principal)
                yield RoleAssignment(key, role, principal, eligible)


def _members(truth: Truth, index: int, day: int) -> Iterator[Ref]:
    group(truth, index)
    everybody = people.person_count(truth)
    if index == ALL_STAFF:
        yield from (Ref("group", FIXED + d) for d in range(len(DEPARTMENTS)))
    elif index == WINDOWS_DEVICES:
        computers = (i for i in truth.device_indexes(day) if devices.kind(truth, i) in _REGISTERED)
        yield from (Ref("device", i) for i in computers if _is_registered_windows(truth, i, day))
    elif index == PARTNERS:
        yield from (Ref("guest", i) for i in range(people.guest_count(truth)))
    elif index < FIXED:
        if index == SERVER_ADMINS:
            yield Ref("group", DOMAIN_ADMINS)
        for ref in _privileged(truth):
            if _in_fixed(truth, index, ref):
                yield ref
    elif index < FIRST_TEAM:
        yield from (Ref("person", i) for i in range(index - FIXED, everybody, len(DEPARTMENTS)))
    else:
        start = (index - FIRST_TEAM) * TEAM_SIZE
        yield from (Ref("person", i) for i in range(start, min(start + TEAM_SIZE, everybody)))


_REGISTERED = frozenset(("laptop", "desktop"))


def _is_registered_windows(truth: Truth, index: int, day: int) -> bool:
    device = truth.device(index, day)
    return device.is_windows and device.entra_object_id is not None


def _privileged(truth: Truth) -> Iterator[Ref]:
    """Every account that can be in one of the fixed administrator groups."""
    yield from (Ref("admin", i) for i in range(people.admin_count(truth)))
    yield Ref("service_account", 0)
    yield Ref("person", people.careless(truth)[1])
    yield from (Ref("person", i) for i in range(11, min(61, people.person_count(truth)), 12))


def _in_fixed(truth: Truth, group_index: int, ref: Ref) -> bool:
    match group_index, ref.kind:
        case (1, "admin"):
            return ref.index < 3
        case (1, "service_account"):
            return ref.index == 0
        case (2, "admin"):
            return True
        case (2, "person"):
            return ref.index == people.careless(truth)[1]
        case (3, "person"):
            return ref.index % 12 == 11 and ref.index < 61
        case (4, "admin"):
            return ref.index < 2
        case (6, "guest"):
            return True
    return False


def _is_there(truth: Truth, ref: Ref, day: int) -> bool:
    if ref.kind in ("person", "admin", "guest", "service_account"):
        return people.exists(truth, ref, day)
    if ref.kind == "device":
        return truth.is_present(ref.index, day)
    return True
