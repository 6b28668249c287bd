"""Building accounts: people, their admin accounts, guests, service accounts."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from demo_estate.company import (
    DEPARTMENTS,
    DEV_DOMAIN,
    GIVEN_NAMES,
    GUEST_DOMAINS,
    IT_DEPARTMENT,
    SERVICE_NAMES,
    SITES,
    SURNAMES,
    TENANT_DOMAIN,
    TITLES,
)
from demo_estate.entities import Account, AccountKind, Ref
from demo_estate.hashing import as_guid, digest, number

if TYPE_CHECKING:
    from demo_estate.truth import Truth

MAIL_DOMAIN = "haldenworks.example"
_PER_DEPARTMENT = len(DEPARTMENTS)
#: Person number modulo 50 -> what is special about this person.
_SAME_NAME, _RENAMED, _SID_HISTORY, _CLOUD_ONLY, _STALE, _LEAVER, _DELETED, _HIRED = 11, 20, 30, 40, 45, 46, 47, 48
#: People who matter for attack paths: owners of the two risky laptops, and an application owner.
GLOBAL_ADMIN, SERVER_ADMIN, CARELESS_OWNER = 43, 44, 49


def person_count(truth: Truth) -> int:
    return max(12, truth.device_count * 11 // 20)


def admin_count(truth: Truth) -> int:
    return person_count(truth) // _PER_DEPARTMENT


def guest_count(truth: Truth) -> int:
    return max(2, person_count(truth) // 25)


def service_account_count(truth: Truth) -> int:
    return max(4, truth.device_count // 50)


def careless(truth: Truth) -> tuple[int, int, int]:
    """Persons without strong authentication who hold power: (global administrator, server admin, application owner)."""
    everybody = person_count(truth)
    return GLOBAL_ADMIN % everybody, SERVER_ADMIN % everybody, CARELESS_OWNER % everybody


def domain_sid(seed: int, domain: str) -> str:
    bits = number(seed, "domain sid", domain)
    return f"S-1-5-21-{bits & 0x7FFFFFFF}-{bits >> 16 & 0x7FFFFFFF}-{bits >> 32 & 0x7FFFFFFF}"


def immutable_id(object_guid: str) -> str:
    """base64 of the GUID's little-endian bytes, as Entra stores it."""
    return base64.b64encode(uuid.UUID(object_guid).bytes_le).decode()


def lifespan(truth: Truth, index: int) -> tuple[int, int | None]:
    """(first day, last day) of a person in the company."""
    special, span = index % 50, truth.days - 1
    first = -60 - (index * 40503 + truth.seed) % 2500
    if special == _HIRED and span:
        return 1 + index % span, None
    if special == _STALE:
        return first, -3 - index % 40
    if special in (_LEAVER, _DELETED) and span:
        return first, index % span
    return first, None


def is_listed(truth: Truth, index: int, day: int) -> bool:
    """Whether the person's account exists: leavers keep a disabled account, some are deleted."""
    first, last = lifespan(truth, index)
    return first <= day and not (index % 50 == _DELETED and last is not None and day > last)


def person(truth: Truth, index: int, day: int) -> Account:
    if not 0 <= index < person_count(truth):
        raise IndexError(f"person {index} is outside this estate of {person_count(truth)} people")
    bits = digest(truth.seed, "person", index)
    given, surname = _name(truth, index)
    special = index % 50
    site = SITES[int(bits[0:2], 16) % len(SITES)]
    domain = truth.domains[site.domain]
    synced = special != _CLOUD_ONLY
    object_guid = as_guid(bits[8:40]) if synced else None
    first_day, last_day = lifespan(truth, index)
    local = f"{given}.{surname}{index}".lower()
    old_upn, upn_day = None, None
    if special == _RENAMED:
        upn_day = 1 + index % (truth.days - 1) if truth.days > 1 and index % 100 == _RENAMED else -4 - index % 20
        maiden = SURNAMES[(SURNAMES.index(surname) + 17) % len(SURNAMES)]
        old_upn = f"{given}.{maiden}{index}@corp.example".lower()
        if day < upn_day:
            surname, local = maiden, old_upn.partition("@")[0]
    upn = f"{local}@corp.example"
    powerful = careless(truth)
    return Account(
        kind="person",
        index=index,
        truth_id=f"per-{index:06d}",
        person=index,
        owner=None,
        given_name=given,
        surname=surname,
        display_name=f"{given} {surname}",
        upn=upn,
        old_upn=old_upn,
        upn_day=upn_day,
        mail=f"{local}@{MAIL_DOMAIN}" if index % 5 == 3 else upn,
        home_mail=None,
        sam=_sam(truth, index) if synced else None,
        domain=domain.name if synced else None,
        netbios_domain=domain.netbios if synced else None,
        sid=f"{domain.sid}-{100_000 + index * 4}" if synced else None,
        sid_history=(f"{truth.domains[DEV_DOMAIN].sid}-{100_003 + index * 4}",) if special == _SID_HISTORY else (),
        object_guid=object_guid,
        immutable_id=immutable_id(object_guid) if object_guid else None,
        entra_object_id=as_guid(bits[40:72]),
        employee_id=f"{10_000 + index:06d}",
        department=DEPARTMENTS[index % _PER_DEPARTMENT],
        title="Chief Executive" if index == 0 else TITLES[int(bits[2:4], 16) % len(TITLES)],
        manager=(index - 1) // 8 if index else None,
        site=site.index,
        enabled=last_day is None or day <= last_day,
        mfa_registered=index not in powerful and int(bits[4:6], 16) > 20,
        criticality=0 if index == powerful[0] else 1 if index < 3 or index in powerful else 3,
        first_day=first_day,
        last_day=last_day,
    )


def admin(truth: Truth, index: int, day: int) -> Account:
    """The administration account of an IT person: own ids, the same employee number."""
    if not 0 <= index < admin_count(truth):
        raise IndexError(f"admin account {index} is outside this estate's {admin_count(truth)}")
    human = person(truth, index * _PER_DEPARTMENT + IT_DEPARTMENT, day)
    bits = digest(truth.seed, "admin", index)
    object_guid = as_guid(bits[8:40])
    domain = truth.domains[0]
    sam = f"a-{_sam(truth, human.index)}"
    return Account(
        kind="admin",
        index=index,
        truth_id=f"adm-{index:06d}",
        person=human.index,
        owner=None,
        given_name=human.given_name,
        surname=human.surname,
        display_name=f"{human.display_name} (Admin)",
        upn=f"{sam}@corp.example",
        old_upn=None,
        upn_day=None,
        mail=None,
        home_mail=None,
        sam=sam,
        domain=domain.name,
        netbios_domain=domain.netbios,
        sid=f"{domain.sid}-{100_001 + index * 4}",
        sid_history=(),
        object_guid=object_guid,
        immutable_id=immutable_id(object_guid),
        entra_object_id=as_guid(bits[40:72]),
        employee_id=human.employee_id,
        department=human.department,
        title=human.title,
        manager=human.manager,
        site=human.site,
        enabled=human.enabled,
        mfa_registered=index % 7 != 5,
        criticality=0 if index < 3 else 1,
        first_day=human.first_day,
        last_day=human.last_day,
    )


def guest(truth: Truth, index: int, day: int) -> Account:
    if not 0 <= index < guest_count(truth):
        raise IndexError(f"guest {index} is outside this estate's {guest_count(truth)}")
    bits = digest(truth.seed, "guest", index)
    given = GIVEN_NAMES[int(bits[0:4], 16) % len(GIVEN_NAMES)]
    surname = SURNAMES[int(bits[4:8], 16) % len(SURNAMES)]
    home = GUEST_DOMAINS[index % len(GUEST_DOMAINS)]
    local = f"{given}.{surname}{index}".lower()
    return Account(
        kind="guest",
        index=index,
        truth_id=f"gst-{index:06d}",
        person=None,
        owner=index % person_count(truth),
        given_name=given,
        surname=surname,
        display_name=f"{given} {surname}",
        upn=f"{local}_{home}#EXT#@{TENANT_DOMAIN}",
        old_upn=None,
        upn_day=None,
        mail=f"{local}@{home}",
        home_mail=f"{local}@{home}",
        sam=None,
        domain=None,
        netbios_domain=None,
        sid=None,
        sid_history=(),
        object_guid=None,
        immutable_id=None,
        entra_object_id=as_guid(bits[40:72]),
        employee_id=None,
        department=None,
        title=None,
        manager=None,
        site=index % len(SITES),
        enabled=True,
        mfa_registered=index % 3 != 0,
        criticality=3,
        first_day=-40 - index % 400,
        last_day=None,
    )


def service_account(truth: Truth, index: int, day: int) -> Account:
    """Even numbers live in CORP, odd ones in DEV under the same logon name."""
    if not 0 <= index < service_account_count(truth):
        raise IndexError(f"service account {index} is outside this estate's {service_account_count(truth)}")
    bits = digest(truth.seed, "service account", index)
    pair = index // 2
    series = pair // len(SERVICE_NAMES)
    sam = f"svc_{SERVICE_NAMES[pair % len(SERVICE_NAMES)]}{series or ''}"
    domain = truth.domains[DEV_DOMAIN if index % 2 else 0]
    object_guid = as_guid(bits[8:40])
    return Account(
        kind="service_account",
        index=index,
        truth_id=f"sva-{index:06d}",
        person=None,
        owner=(index * 12 + IT_DEPARTMENT) % person_count(truth),
        given_name=None,
        surname=None,
        display_name=sam,
        upn=f"{sam}@{domain.name}",
        old_upn=None,
        upn_day=None,
        mail=None,
        home_mail=None,
        sam=sam,
        domain=domain.name,
        netbios_domain=domain.netbios,
        sid=f"{domain.sid}-{100_002 + index * 4}",
        sid_history=(),
        object_guid=object_guid,
        immutable_id=immutable_id(object_guid),
        entra_object_id=as_guid(bits[40:72]),
        employee_id=None,
        department=DEPARTMENTS[IT_DEPARTMENT],
        title=None,
        manager=None,
        site=0,
        enabled=True,
        mfa_registered=False,
        criticality=0 if index == 0 else 2,
        first_day=-900 + index % 700,
        last_day=None,
    )


_BUILDERS = {"person": person, "admin": admin, "guest": guest, "service_account": service_account}


def account(truth: Truth, ref: Ref, day: int) -> Account:
    return _BUILDERS[ref.kind](truth, ref.index, day)


def exists(truth: Truth, ref: Ref, day: int) -> bool:
    """Whether an account is there on a day."""
    match ref.kind:
        case "person":
            return 0 <= ref.index < person_count(truth) and is_listed(truth, ref.index, day)
        case "admin":
            human = ref.index * _PER_DEPARTMENT + IT_DEPARTMENT
            return 0 <= ref.index < admin_count(truth) and is_listed(truth, human, day)
        case "guest":
            return 0 <= ref.index < guest_count(truth)
        case "service_account":
            return 0 <= ref.index < service_account_count(truth)
    raise KeyError(f"{ref} is no account")


def account_refs(truth: Truth, day: int, kinds: Sequence[AccountKind]) -> Iterator[Ref]:
    counts = {
        "person": person_count(truth),
        "admin": admin_count(truth),
        "guest": guest_count(truth),
        "service_account": service_account_count(truth),
    }
    for kind in kinds:
        refs = (Ref(kind, index) for index in range(counts[kind]))
        yield from (ref for ref in refs if exists(truth, ref, day))


def accounts(truth: Truth, day: int, kinds: Sequence[AccountKind]) -> Iterator[Account]:
    return (account(truth, ref, day) for ref in account_refs(truth, day, kinds))


def admin_of(truth: Truth, index: int) -> Ref | None:
    if index % _PER_DEPARTMENT != IT_DEPARTMENT or index >= person_count(truth):
        return None
    return Ref("admin", index // _PER_DEPARTMENT)


def quirks(truth: Truth, ref: Ref) -> frozenset[str]:
    index = ref.index
    match ref.kind:
        case "admin":
            return frozenset({"admin_pair"})
        case "guest":
            return frozenset({"guest_account"})
        case "service_account":
            paired = index ^ 1 if index % 2 == 0 else index - 1
            return frozenset({"same_sam"}) if paired < service_account_count(truth) else frozenset()
        case "person":
            special = {
                _SAME_NAME: "same_name",
                _RENAMED: "renamed_upn",
                _SID_HISTORY: "sid_history",
                _CLOUD_ONLY: "cloud_only",
                _STALE: "stale_account",
            }
            found = {special[index % 50]} if index % 50 in special else set()
            if index % 50 == _SAME_NAME - 1 and index + 1 < person_count(truth):
                found.add("same_name")
            if index % 5 == 3:
                found.add("mail_differs")
            if index % 5 == 4:
                found.add("name_case")
            if admin_of(truth, index) is not None:
                found.add("admin_pair")
            return frozenset(found)
    raise KeyError(f"{ref} is no account")


def _name(truth: Truth, index: int) -> tuple[str, str]:
    """Given name and surname; the second of a same-name pair has the first one's."""
    if index % 50 == _SAME_NAME:
        index -= 1
    bits = number(truth.seed, "name", index)
    return GIVEN_NAMES[bits % len(GIVEN_NAMES)], SURNAMES[bits // 1000 % len(SURNAMES)]


def _sam(truth: Truth, index: int) -> str:
    given, surname = _name(truth, index)
    return f"{given[0]}{surname[:9]}{index}".lower()
