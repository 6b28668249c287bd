"""Sensors, health issues, identities and the rows of the hunting tables, as Microsoft writes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson

from demo_estate.entities import Account, Device, Ref
from demo_estate.lenses import View
from demo_estate.lenses.defender_endpoint.records import Key, machine, machine_id, machine_keys
from demo_estate.lenses.entra_id.objects import cloud_sid, group_members, zulu
from demo_estate.lenses.entra_id.objects import fraction as stamp

DYNAMIC = "#microsoft.graph.security.dynamicColumnValue"
TEXTS = "#Collection(String)"
#: Sensors beside those of domain controllers, one each.
OTHER_SENSORS = ("adcsIntegrated", "entraConnectIntegrated")


# Defender for Identity -----------------------------------------------------------------------------------------------


def sensor_hosts(view: View) -> list[tuple[Device, str]]:
    """(machine, type of its sensor): every domain controller and two servers of the directory."""
    truth = view.truth
    present = [(index, truth.device_kind(index)) for index in truth.device_indexes(view.day)]
    found = [(view.device(i), "domainControllerIntegrated") for i, kind in present if kind == "domain_controller"]
    servers = (view.device(i) for i, kind in present if kind == "server" and not truth.quirks(i))
    joined = (server for server in servers if server.fqdn and server.ad_sid)
    return [*found, *zip(joined, OTHER_SENSORS, strict=False)]


def sensor_id(view: View, host: Device) -> str:
    return view.truth.guid("defender_identity", "sensor", host.index)


def sensor(view: View, host: Device, kind: str) -> dict[str, Any]:
    names = [host.fqdn] if kind == "domainControllerIntegrated" else [h.fqdn for h, _ in sensor_hosts(view)[:2]]
    created = view.truth.moment(host.first_day, "sensor", host.index)
    return {
        "@odata.type": "#microsoft.graph.security.sensor",
        "id": sensor_id(view, host),
        "displayName": host.hostname,
        "sensorType": kind,
        "version": "2.239.18124.58593",
        "deploymentStatus": "upToDate",
        "createdDateTime": stamp(created, 7, host.index),
        "domainName": host.domain,
        "healthStatus": "healthy",
        "openHealthIssuesCount": sum(
            host.fqdn in issue["sensorDNSNames"] and issue["status"] == "open" for issue in health_issues(view)
        ),
        "settings": {
            "@odata.type": "microsoft.graph.security.sensorSettings",
            "description": "",
            "domainControllerDnsNames": names,
            "isDelayedDeploymentEnabled": False,
        },
    }


ISSUES = (
    ("Directory Services Object Auditing is not configured as required", "Global", "medium", "open"),
    ("Sensor stopped communicating", "Sensor", "high", "closed"),
    ("NTLM Auditing is not enabled", "Sensor", "low", "suppressed"),
)


def health_issues(view: View) -> list[dict[str, Any]]:
    hosts = [host for host, _ in sensor_hosts(view)]
    found = []
    for number, (title, kind, severity, status) in enumerate(ISSUES):
        named = hosts[:2] if kind == "Global" else hosts[number % max(1, len(hosts)) :][:1]
        when = view.truth.moment(view.day - 3, "health issue", number)
        found.append(
            {
                "@odata.type": "#microsoft.graph.security.healthIssue",
                "additionalInformation": [],
                "createdDateTime": stamp(when - timedelta(days=4), 7, number),
                "description": f"{title}.",
                "displayName": title,
                "domainNames": sorted({str(host.domain) for host in named}),
                "healthIssueType": kind,
                "id": view.truth.guid("defender_identity", "issue", number),
                "issueTypeId": str(1031 + number),
                "lastModifiedDateTime": stamp(when, 7, number),
                "recommendations": ["See the documentation."],
                "recommendedActionCommands": [],
                "sensorDNSNames": [host.fqdn for host in named],
                "severity": severity,
                "status": status,
            }
        )
    return found


def account_keys(view: View) -> list[Ref]:
    return list(view.truth.account_refs(view.day, ("person", "admin", "service_account")))


def identity_id(view: View, ref: Ref) -> str:
    return view.truth.guid("defender_identity", "identity", *ref)


def identity(view: View, ref: Ref) -> dict[str, Any]:
    account = view.truth.account(ref, view.day)
    accounts = [("EntraID", account.entra_object_id)]
    if account.object_guid:
        accounts.insert(0, ("ActiveDirectory", account.object_guid))
    return {
        "@odata.type": "#microsoft.graph.security.user",
        "id": identity_id(view, ref),
        "displayName": account.display_name,
        "domain": account.domain,
        "onPremisesSecurityIdentifier": account.sid,
        "cloudSecurityIdentifier": cloud_sid(account.entra_object_id),
        "isEnabled": account.enabled,
        "userPrincipalName": account.upn,
        "emailAddress": account.mail,
        "accounts": [{"provider": name, "identifier": value, "actions": []} for name, value in accounts],
    }


# Hunting tables ------------------------------------------------------------------------------------------------------


def identity_info(view: View) -> Iterator[dict[str, Any]]:
    """A log: some accounts have an older row too."""
    for account in view.truth.accounts(view.day):
        bits = view.truth.number("identity info", *account.ref)
        yield info_row(view, account, 0)
        if bits % 5 == 0:
            yield {**info_row(view, account, 9), "JobTitle": "Trainee"}


def info_row(view: View, account: Account, days: int) -> dict[str, Any]:
    moment = view.truth.moment(view.day - days, "identity info", *account.ref)
    return {
        "Timestamp": stamp(moment, 7, account.index),
        "AccountObjectId": account.entra_object_id,
        "AccountUpn": account.upn,
        "OnPremSid": account.sid or "",
        "OnPremObjectId": account.object_guid or "",
        "CloudSid": cloud_sid(account.entra_object_id),
        "AccountDisplayName": account.display_name,
        "AccountName": account.sam or account.upn.partition("@")[0],
        "AccountDomain": account.domain or account.upn.partition("@")[2],
        "Type": "ServiceAccount" if account.kind == "service_account" else "User",
        "CriticalityLevel": account.criticality,
        "EmailAddress": account.mail or "",
        "Department": account.department or "",
        "JobTitle": account.title or "",
        "CreatedDateTime": zulu(view.truth.moment(account.first_day, "entra_id", *account.ref)),
        "IsAccountEnabled": int(account.enabled),
        "AssignedRoles@odata.type": TEXTS,
        "AssignedRoles": [],
        "Tags@odata.type": TEXTS,
        "Tags": ["Sensitive"] if account.criticality == 0 else [],
        "SourceProvider": "ActiveDirectory" if account.is_synced else "AzureActiveDirectory",
        "IdentityEnvironment": "Hybrid" if account.is_synced else "Cloud",
    }


def node_id(view: View, *key: object) -> str:
    return view.truth.hex_id(32, "exposure node", *key)


def entity(kind: str, value: str) -> str:
    """An id as the graph has it: JSON inside a text."""
    return orjson.dumps({"type": kind, "id": value}).decode()


def node(
    ident: str, label: str, name: str, categories: list[str], ids: list[str], raw: dict[str, Any]
) -> dict[str, Any]:
    level = raw.pop("criticality", None)
    if level is not None:
        raw["criticalityLevel"] = {
            "type": "CriticalityLevel",
            "criticalityLevel@odata.type": "#Int64",
            "criticalityLevel": level,
            "ruleBasedCriticalityLevel": level,
        }
    return {
        "NodeId": ident,
        "NodeLabel": label,
        "NodeName": name,
        "Categories@odata.type": TEXTS,
        "Categories": sorted(categories),
        "EntityIds@odata.type": TEXTS,
        "EntityIds": ids,
        "NodeProperties": {"@odata.type": DYNAMIC, "rawData": {"@odata.type": DYNAMIC, **raw}},
    }


def nodes(view: View) -> Iterator[dict[str, Any]]:
    truth = view.truth
    yield from (device_node(view, key) for key in machine_keys(view))
    yield from (user_node(view, account) for account in truth.accounts(view.day))
    for group in truth.groups(view.day):
        ids = [entity("SecurityIdentifier", group.sid.lower())] if group.sid else []
        if group.entra_object_id:
            ids.append(entity("AadObjectId", f"tenantid={truth.tenant_id};objectid={group.entra_object_id}"))
        raw: dict[str, Any] = {"aadDisplayName": group.name, "aadId": group.entra_object_id}
        yield node(node_id(view, "group", group.index), "group", group.name, ["identities", "user_group"], ids, raw)
    for principal in truth.service_principals(view.day):
        label = "managedidentity" if principal.kind == "managed_identity" else "serviceprincipal"
        ids = [entity("AadObjectId", f"tenantid={truth.tenant_id};objectid={principal.object_id}")]
        raw = {"accountDisplayName": principal.name, "accountEnabled": principal.enabled, "appId": principal.app_id}
        # unnamed ones carry their object id for a name
        yield node(node_id(view, principal.truth_id), label, principal.object_id, ["application_identity"], ids, raw)
    for app in truth.applications():
        ids = [entity("AadApplicationId", app.app_id)]
        raw = {"publisherDomain": truth.tenant_domain, "isBelongToExternalApplication": False}
        yield node(node_id(view, app.truth_id), "Microsoft Entra OAuth App", app.name, ["identity"], ids, raw)
    for cve in truth.cve_catalogue:
        yield node(
            node_id(view, "cve", cve.cve_id), "Cve", cve.cve_id, ["vulnerability_finding"], [], {"severity": "High"}
        )


def device_node(view: View, key: Key) -> dict[str, Any]:
    device, listed, ident = view.device(key.number), machine(view, key), machine_id(view, key)
    raw = {
        "deviceName": listed["computerDnsName"],
        "deviceCategory": "Server" if device.is_server else "Endpoint",
        "osPlatform": listed["osPlatform"],
        "osVersion": listed["version"],
        "onboardingStatus": listed["onboardingStatus"],
        "aadDeviceId": listed["aadDeviceId"],
        "firstSeenByInventory": listed["firstSeen"],
        "lastSeen": listed["lastSeen"],
        "isInternetFacing": device.internet_facing,
        "isDomainController": device.kind == "domain_controller",
        "exposureScore": listed["exposureLevel"],
        "riskScore": listed["riskScore"],
        "criticality": device.criticality,
    }
    ids = [entity("DeviceInventoryId", ident), entity("SenseDeviceId", ident)]
    label, categories = "device", ["compute", "device", "physical_device"]
    if device.cloud and device.cloud.provider == "azure":
        label, categories = "microsoft.compute/virtualmachines", ["compute", "device", "virtual_machine"]
        ids.insert(0, entity("AzureResourceId", device.cloud.resource_id.lower()))
    return node(node_id(view, "device", *key), label, str(listed["computerDnsName"]), categories, ids, raw)


def user_node(view: View, account: Account) -> dict[str, Any]:
    ids = [entity("AadObjectId", f"tenantid={view.truth.tenant_id};objectid={account.entra_object_id}")]
    if account.sid:
        ids.insert(0, entity("SecurityIdentifier", account.sid.lower()))
    raw = {
        "accountDisplayName": account.display_name,
        "accountUpn": account.upn,
        "accountEnabled": account.enabled,
        "accountObjectId": account.entra_object_id,
        "emailAddress": account.mail,
        "primaryProvider": "ActiveDirectory" if account.is_synced else "AzureActiveDirectory",
        "identityType": "ServiceAccount" if account.kind == "service_account" else "User",
        "criticality": account.criticality,
    }
    return node(node_id(view, *account.ref), "user", account.upn, ["identities", "user_account"], ids, raw)


def edges(view: View) -> Iterator[dict[str, Any]]:
    truth = view.truth
    at: dict[str, dict[str, Any]] = {found["NodeId"]: found for found in nodes(view)}

    def edge(label: str, source: str, target: str, raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if source in at and target in at:
            ident = truth.hex_id(32, "exposure edge", label, source, target).upper()
            yield {
                "EdgeId": f"{truth.tenant_id}_{ident}",
                "EdgeLabel": label,
                **{f"Source{name}": at[source][name] for name in ("NodeId", "NodeName", "NodeLabel")},
                **{f"Target{name}": at[target][name] for name in ("NodeId", "NodeName", "NodeLabel")},
                "EdgeProperties": {"@odata.type": DYNAMIC, "rawData": {"@odata.type": DYNAMIC, **raw}},
            }

    for group in truth.groups(view.day):
        for member in group_members(view, group.index):
            source = node_id(view, *(("group", member.index) if member.kind == "group" else member))
            yield from edge("member of", source, node_id(view, "group", group.index), {})
    for app in truth.applications():
        own = Ref("service_principal", app.index)
        principal = node_id(view, truth.service_principal(own).truth_id)
        yield from edge("can authenticate as", node_id(view, app.truth_id), principal, {})
        roles = {"roles": {"type": "RolePermission", "rolePermissions": ['{"roleValue":"Owner"}']}}
        for owner in app.owners:
            yield from edge("has role on", node_id(view, "person", owner), node_id(view, app.truth_id), roles)
    for key in machine_keys(view):
        target = node_id(view, "device", *key)
        for logon in truth.logons(key.number, view.day):
            yield from edge("frequently logged in by", target, node_id(view, *logon.account), {})
        rights = {"userRightsOnDevice": {"type": "RightsOnDevice", "isLocalAdmin": True}}
        for ref in truth.local_admins(key.number, view.day):
            yield from edge("can authenticate to", node_id(view, *ref), target, rights)
        for finding in truth.findings(key.number, view.day)[:3]:
            cve = truth.cve_catalogue[finding.cve]
            yield from edge("affecting", node_id(view, "cve", cve.cve_id), target, {})
