"""Directory objects as Microsoft Graph writes them, with every property the emulation knows; `$select` picks later."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from demo_estate.entities import Account, Device, Ref
from demo_estate.lenses import View
from demo_estate.people import exists
from demo_estate.quirks import generic_name
from demo_estate.truth import Truth

KINDS = frozenset({"laptop", "desktop", "mobile"})
ZERO = "00000000-0000-0000-0000-000000000000"
#: Days in which Entra shows a renamed machine under its old name, and by which it refreshes the last sign-in.
RENAME_DELAY = 14
#: Out of 16: users who never signed in, whose activity Graph leaves out.
NEVER_SIGNED_IN = 2


class DeviceKey(NamedTuple):
    """A device object; a rebuilt machine left a stale one behind."""

    number: int
    stale: bool


def zulu(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def fraction(moment: datetime, digits: int, number: int) -> str:
    """With 0 to 7 digits of a second, as Graph's creation times have."""
    tail = f".{number % 10**digits:0{digits}d}" if digits else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{tail}Z"


# Users -------------------------------------------------------------------------------------------------------------


def user_keys(view: View) -> list[Ref]:
    return [account.ref for account in view.truth.accounts(view.day)]


def user(view: View, ref: Ref) -> dict[str, Any]:
    truth = view.truth
    account = truth.account(ref, view.day)
    bits = truth.number("entra_id", "user", *ref)
    created = truth.moment(account.first_day, "entra_id", *ref)
    found: dict[str, Any] = {
        "id": account.entra_object_id,
        "userPrincipalName": account.upn,
        "displayName": account.display_name,
        "givenName": account.given_name,
        "surname": account.surname,
        "mail": account.mail,
        "otherMails": [account.home_mail] if account.home_mail else [],
        "proxyAddresses": proxy_addresses(account),
        "accountEnabled": account.enabled,
        "userType": "Guest" if ref.kind == "guest" else "Member",
        "employeeId": account.employee_id,
        "department": account.department,
        "jobTitle": account.title,
        "companyName": None,
        "createdDateTime": zulu(created),
        "deletedDateTime": None,
        "lastPasswordChangeDateTime": zulu(created + timedelta(days=bits % 50)),
        # true, false once it was synchronised, null when it never was
        "onPremisesSyncEnabled": True if account.is_synced else None,
        "onPremisesSecurityIdentifier": account.sid,
        "onPremisesImmutableId": account.immutable_id,
        "onPremisesSamAccountName": account.sam,
        "onPremisesDomainName": account.domain,
        "securityIdentifier": cloud_sid(account.entra_object_id),
        "creationType": "Invitation" if ref.kind == "guest" else None,
        "externalUserState": ("PendingAcceptance" if bits % 4 == 0 else "Accepted") if ref.kind == "guest" else None,
    }
    if bits % 16 >= NEVER_SIGNED_IN:
        found["signInActivity"] = sign_in_activity(view, account, bits)
    return found


def proxy_addresses(account: Account) -> list[str]:
    if account.mail is None or account.kind == "guest":
        return []
    return [f"SMTP:{account.mail}", *([f"smtp:{account.upn}"] if account.upn != account.mail else [])]


def sign_in_activity(view: View, account: Account, bits: int) -> dict[str, Any]:
    day = view.day if account.enabled or account.last_day is None else account.last_day
    last = view.truth.moment(day - bits // 16 % (3 if account.enabled else 1), "sign in", *account.ref)
    return {
        "lastSignInDateTime": zulu(last),
        "lastSignInRequestId": view.truth.guid("sign in request", *account.ref),
        "lastNonInteractiveSignInDateTime": zulu(last - timedelta(hours=1)),
        "lastNonInteractiveSignInRequestId": ZERO,
        "lastSuccessfulSignInDateTime": zulu(last) if bits % 3 else None,
        "lastSuccessfulSignInRequestId": None,
    }


def cloud_sid(object_id: str) -> str:
    """The SID Entra derives from an object id: its bytes as four little-endian numbers."""
    raw = uuid.UUID(object_id).bytes_le
    return "S-1-12-1-" + "-".join(str(int.from_bytes(raw[i : i + 4], "little")) for i in range(0, 16, 4))


def registration(view: View, ref: Ref) -> dict[str, Any]:
    account = view.truth.account(ref, view.day)
    registered = account.mfa_registered
    return {
        "id": account.entra_object_id,
        "userPrincipalName": account.upn,
        "userDisplayName": account.display_name,
        "userType": "guest" if ref.kind == "guest" else "member",
        "isAdmin": ref.kind == "admin",
        "isMfaCapable": registered,
        "isMfaRegistered": registered,
        "isPasswordlessCapable": False,
        "methodsRegistered": ["microsoftAuthenticatorPush", "softwareOneTimePasscode"] if registered else [],
        "defaultMfaMethod": "push" if registered else "none",
        "lastUpdatedDateTime": fraction(view.truth.as_of(view.day), 7, view.truth.number("registration", *ref)),
    }


# Groups ------------------------------------------------------------------------------------------------------------


def group_keys(view: View) -> list[int]:
    return [group.index for group in view.truth.groups(view.day) if group.entra_object_id is not None]


def group(view: View, index: int) -> dict[str, Any]:
    found = view.truth.group(index)
    types = {"m365": ["Unified"], "dynamic": ["DynamicMembership"]}.get(found.kind, [])
    return {
        "id": found.entra_object_id,
        "displayName": found.name,
        "description": found.description,
        "mail": found.mail,
        "mailEnabled": found.mail is not None,
        "mailNickname": found.name.replace(" ", ""),
        "securityEnabled": found.kind != "m365",
        "groupTypes": types,
        "isAssignableToRole": True if found.kind == "role_assignable" else None,
        "membershipRule": found.dynamic_rule,
        "onPremisesSyncEnabled": True if found.sid else None,
        "onPremisesSecurityIdentifier": found.sid,
        "onPremisesSamAccountName": found.sam,
        "onPremisesDomainName": found.domain,
        "createdDateTime": zulu(view.truth.moment(-900 + index % 500, "group", index)),
        "visibility": "Private" if found.kind == "m365" else None,
    }


def group_members(view: View, index: int) -> list[Ref]:
    """Members that live in Entra; a group of Active Directory alone is not seen."""
    members = dict.fromkeys(view.truth.group_members(index, view.day))
    return [ref for ref in members if object_id(view, ref) is not None]


def group_owners(view: View, index: int) -> list[Ref]:
    return [ref for ref in view.truth.group_owners(index, view.day) if object_id(view, ref) is not None]


def object_id(view: View, ref: Ref) -> str | None:
    truth = view.truth
    match ref.kind:
        case "group":
            return truth.group(ref.index).entra_object_id
        case "device":
            return truth.device(ref.index, view.day).entra_object_id if view.covers(ref.index) else None
        case "service_principal" | "managed_identity":
            return truth.service_principal(ref).object_id
        case _:
            return truth.account(ref, view.day).entra_object_id


def reference(view: View, ref: Ref) -> dict[str, Any]:
    """A directory object as a member or owner."""
    types = {
        "group": "group",
        "device": "device",
        "service_principal": "servicePrincipal",
        "managed_identity": "servicePrincipal",
    }
    return {"@odata.type": f"#microsoft.graph.{types.get(ref.kind, 'user')}", "id": object_id(view, ref)}


# Devices -----------------------------------------------------------------------------------------------------------


def device_keys(view: View) -> Iterator[DeviceKey]:
    for index in view.device_indexes():
        yield DeviceKey(index, False)
        if "rebuilt_host" in view.truth.quirks(index) and view.device(index).generation > 0:
            yield DeviceKey(index, True)


def device_object_id(truth: Truth, machine: Device, stale: bool) -> str:
    return truth.guid("entra_id", "stale device", machine.index) if stale else str(machine.entra_object_id)


def device_name(view: View, machine: Device) -> str:
    if "generic_name" in view.truth.quirks(machine.index):
        return generic_name(machine.kind, machine.index)
    renamed = machine.rename_day
    if machine.old_hostname and renamed is not None and renamed <= view.day < renamed + RENAME_DELAY:
        return machine.old_hostname
    return machine.hostname


def device(view: View, key: DeviceKey) -> dict[str, Any]:
    truth, index = view.truth, key.number
    machine = view.device(index)
    hybrid = machine.join == "hybrid"
    # the last sign-in is only refreshed every fortnight
    seen = truth.last_activity(index, view.day, "entra_id") - timedelta(days=truth.number("fortnight", index) % 13)
    if key.stale and machine.rebuild_day is not None:
        seen = truth.moment(machine.rebuild_day - 1, "entra_id", "stale", index)
    registered = zulu(min(truth.moment(machine.first_day, "entra_id", index), seen))
    platform = machine.os_platform or ""
    system = "Windows" if machine.is_windows else {"macOS": "MacMDM"}.get(platform, platform)
    return {
        "id": device_object_id(truth, machine, key.stale),
        "deviceId": machine.entra_device_id,
        "displayName": device_name(view, machine),
        "accountEnabled": not key.stale,
        "approximateLastSignInDateTime": zulu(seen),
        "createdDateTime": registered,
        "registrationDateTime": registered,
        "deletedDateTime": None,
        "isCompliant": None if hybrid else True,
        "isManaged": None if key.stale else machine.kind != "mobile",
        "managementType": None if machine.kind == "mobile" else "MDM",
        "manufacturer": None if hybrid else machine.manufacturer,
        "model": None if hybrid else machine.model,
        "operatingSystem": system,
        "operatingSystemVersion": machine.os_build if machine.is_windows else machine.os_version,
        "physicalIds": [f"[USER-GID]:{machine.entra_object_id}:6755", f"[HWID]:h:{truth.number('hwid', index)}"],
        "profileType": "RegisteredDevice",
        "trustType": {"hybrid": "ServerAd", "entra": "AzureAd"}.get(machine.join, "Workplace"),
        "onPremisesSyncEnabled": True if hybrid else None,
        "onPremisesSecurityIdentifier": machine.ad_sid if hybrid else None,
        "alternativeSecurityIds": [
            {"type": 2, "identityProvider": None, "key": truth.hex_id(32, "key", index).upper()}
        ],
        "systemLabels": [],
    }


def device_people(view: View, key: DeviceKey) -> list[Ref]:
    owner = view.device(key.number).owner
    if owner is None or key.stale or not exists(view.truth, Ref("person", owner), view.day):
        return []
    return [Ref("person", owner)]
