"""Rows of Azure Resource Graph's tables: what Azure and Defender for Cloud hold of the company."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from demo_estate.entities import CloudAssignment, CloudResource, Device, Ref
from demo_estate.hashing import guid
from demo_estate.lenses import View
from demo_estate.quirks import spell_mac

Row = dict[str, Any]

VIRTUAL_MACHINE, INTERFACE, ADDRESS = (
    "microsoft.compute/virtualmachines",
    "microsoft.network/networkinterfaces",
    "microsoft.network/publicipaddresses",
)
ASSESSMENT = "microsoft.security/assessments"
SUB_ASSESSMENT, ATTACK_PATH = f"{ASSESSMENT}/subassessments", "microsoft.security/attackpaths"

SECURITY_TABLE = "securityresources"
GROUP_NAME = "halden-cloud"
#: Azure's own ids of its built-in roles.
ROLES = {
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
}
PRINCIPAL_TYPES = {"group": "Group", "service_principal": "ServicePrincipal", "managed_identity": "ServicePrincipal"}
#: Assessments by the kind of resource: key, title, severity, share of resources that fail it.
CHECKS: Mapping[str, tuple[tuple[str, str, str, float], ...]] = {
    "machine": (
        ("1195afff-c881-495e-9bc5-1486211ae03f", "Machines should have vulnerability findings resolved", "Low", 0.7),
        ("22489c48-27d1-3e40-9420-4303ad9cffef", "Disk encryption should be applied on virtual machines", "High", 0.3),
    ),
    "storage": (
        ("3b363842-30f5-4056-980d-3a40fa5de8b3", "Storage account public access should be disallowed", "Medium", 0.5),
    ),
    "key_vault": (("52f7826a-ace7-3107-dd0d-4875853c1576", "Firewall should be enabled on Key Vault", "Medium", 0.5),),
    "database": (("f0553104-cfdb-65e6-759c-002812e38500", "SQL servers should have an administrator", "High", 0.3),),
    "kubernetes": (("08e628db-e2ed-4793-bc91-d13e684401c3", "Clusters should use private endpoints", "High", 0.4),),
    "function": (
        ("cb0acdc6-0846-fd48-debe-9905af151b6d", "Function app should only be reached over HTTPS", "Low", 0.4),
    ),
}
AZURE_TYPES = {
    "storage": "microsoft.storage/storageaccounts",
    "key_vault": "microsoft.keyvault/vaults",
    "database": "microsoft.sql/servers",
    "kubernetes": "microsoft.containerservice/managedclusters",
    "function": "microsoft.web/sites",
}
FOREIGN_TYPES = {
    "storage": ("s3", "bucket"),
    "key_vault": ("kms", "key"),
    "database": ("rds", "dbinstance"),
    "kubernetes": ("eks", "cluster"),
    "function": ("lambda", "function"),
    "machine": ("ec2", "instance"),
}


def visible_subscriptions(view: View) -> list[tuple[str, str]]:
    """(id, name) of the subscriptions the app registration has a role in."""
    hidden = set(view.instance.options.get("hidden", ()))
    return [(a, name) for provider, a, name in view.truth.cloud_accounts if provider == "azure" and name not in hidden]


def row(view: View, ident: str, type_: str, /, **more: Any) -> Row:
    """A row with the columns every table has."""
    parts = ident.split("/")
    groups = [number for number, part in enumerate(parts) if part.lower() == "resourcegroups"]
    return {
        "id": ident,
        "name": parts[-1],
        "type": type_,
        "tenantId": view.truth.tenant_id,
        "kind": "",
        "location": "westeurope",
        "resourceGroup": parts[groups[0] + 1].lower() if groups else "",
        "subscriptionId": parts[2] if ident.startswith("/subscriptions/") else "",
        "managedBy": "",
        "sku": None,
        "plan": None,
        "tags": None,
        "identity": None,
        "zones": None,
        **more,
    }


# Units: what the rows of a table are made from, one after the other, so that no table is ever held ------------------


class Unit(NamedTuple):
    """A machine, a resource, or a whole small table; `name` gives the order."""

    name: str
    kind: str
    number: int


def azure_units(view: View) -> list[Unit]:
    return sorted(unit for unit in all_units(view) if unit.name.startswith("/subscriptions/"))


def all_units(view: View) -> list[Unit]:
    """Machines and resources of all clouds."""
    found = [Unit(cloud_id(device), "machine", device.index) for device in machines(view)]
    found += [Unit(r.resource_id, "resource", r.index) for r in view.truth.cloud_resources()]
    return sorted(found)


def one_unit(view: View) -> list[Unit]:
    return [Unit("", "table", 0)]


# Resources -----------------------------------------------------------------------------------------------------------


def machines(view: View) -> Iterator[Device]:
    return (device for device in view.devices() if device.cloud is not None)


def azure_machines(view: View) -> Iterator[Device]:
    return (device for device in machines(view) if device.cloud is not None and device.cloud.provider == "azure")


def cloud_id(device: Device) -> str:
    assert device.cloud is not None
    return device.cloud.resource_id


def resources(view: View, unit: Unit, types: frozenset[str]) -> Iterator[Row]:
    if unit.kind == "resource":
        yield resource(view, view.truth.cloud_resource(unit.number))
        return
    device = view.device(unit.number)
    if VIRTUAL_MACHINE in types:
        yield machine(view, device)
    if INTERFACE in types:
        yield interface(view, device)
    if ADDRESS in types and device.public_ip is not None:
        yield public_address(view, device)


def identity_of(view: View, device: Device) -> Row | None:
    if device.cloud is None or not device.cloud.has_managed_identity:
        return None
    principal = view.truth.service_principal(Ref("managed_identity", device.index))
    return {"type": "SystemAssigned", "principalId": principal.object_id, "tenantId": view.truth.tenant_id}


def machine(view: View, device: Device) -> Row:
    cloud = device.cloud
    assert cloud is not None
    view_of_os = {
        "computerName": device.hostname,
        "osName": device.os_name,
        "osVersion": device.os_build,
        "powerState": {"code": "PowerState/running", "displayStatus": "VM running"},
    }
    profile: Row = {"computerName": device.hostname, "adminUsername": "azadmin"}
    if not device.is_windows:
        profile["linuxConfiguration"] = {"disablePasswordAuthentication": True}
    return row(
        view,
        cloud.resource_id,
        VIRTUAL_MACHINE,
        location=cloud.region,
        tags={"env": device.environment} if device.index % 3 else None,
        identity=identity_of(view, device),
        properties={
            "vmId": cloud.instance_id,
            "hardwareProfile": {"vmSize": "Standard_D4s_v5"},
            "osProfile": profile,
            "storageProfile": {"osDisk": {"osType": "Windows" if device.is_windows else "Linux"}},
            "provisioningState": "Succeeded",
            "timeCreated": f"{view.truth.date(device.first_day)}T08:00:00.1234567+00:00",
            # a machine that never reported has no instance view
            **({"extended": {"instanceView": view_of_os}} if device.index % 7 else {}),
        },
    )


def interface_id(device: Device) -> str:
    return cloud_id(device).replace("Microsoft.Compute/virtualMachines", "Microsoft.Network/networkInterfaces") + "-nic"


def address_id(device: Device) -> str:
    return cloud_id(device).replace("Microsoft.Compute/virtualMachines", "Microsoft.Network/publicIPAddresses") + "-ip"


def interface(view: View, device: Device) -> Row:
    public = {"publicIPAddress": {"id": address_id(device)}} if device.public_ip else {}
    primary = device.nics[0]
    return row(
        view,
        interface_id(device),
        INTERFACE,
        properties={
            "macAddress": spell_mac(primary.mac, "DASH"),
            # the same machine, in another case
            "virtualMachine": {"id": cloud_id(device).upper().replace("/SUBSCRIPTIONS/", "/subscriptions/")},
            "ipConfigurations": [{"properties": {"privateIPAddress": primary.ip, "primary": True, **public}}],
        },
    )


def public_address(view: View, device: Device) -> Row:
    return row(
        view,
        address_id(device),
        ADDRESS,
        properties={
            "ipAddress": device.public_ip,
            "ipConfiguration": {"id": f"{interface_id(device)}/ipConfigurations/1"},
        },
    )


def resource(view: View, found: CloudResource) -> Row:
    access = "Enabled" if found.internet_facing else "Disabled"
    rules = {"defaultAction": "Allow" if found.internet_facing else "Deny"}
    settings: Mapping[str, Row] = {
        "storage": {
            "publicNetworkAccess": access,
            "allowBlobPublicAccess": found.internet_facing,
            "networkAcls": rules,
        },
        "key_vault": {"publicNetworkAccess": access, "networkAcls": rules, "enableSoftDelete": True},
        "database": {"publicNetworkAccess": access, "minimalTlsVersion": "1.2"},
        "kubernetes": {"apiServerAccessProfile": {"enablePrivateCluster": not found.internet_facing}},
        "function": {"publicNetworkAccess": access, "siteConfig": {"appSettings": None}},
    }
    secret = {"connectionString": f"AccountKey={view.truth.hex_id(40, 'account key', found.index)}"}
    return row(
        view,
        found.resource_id,
        AZURE_TYPES[found.type],
        kind="StorageV2" if found.type == "storage" else "",
        location=found.region,
        tags={"environment": found.environment},
        properties={**settings[found.type], **(secret if found.type == "function" else {})},
    )


# Containers and roles ------------------------------------------------------------------------------------------------


def containers(view: View) -> Iterator[Row]:
    tenant = view.truth.tenant_id
    root = {"name": tenant, "displayName": "Tenant Root Group"}
    below = {"name": GROUP_NAME, "displayName": "Halden Cloud"}
    kind = "microsoft.management/managementgroups"
    for group, above in ((root, []), (below, [root])):
        yield row(
            view,
            f"/providers/Microsoft.Management/managementGroups/{group['name']}",
            kind,
            properties={"displayName": group["displayName"], "details": {"managementGroupAncestorsChain": above}},
        )
    groups: dict[str, None] = {}
    for device in azure_machines(view):
        groups[cloud_id(device).rpartition("/providers/")[0]] = None
    for found in view.truth.cloud_resources():
        if found.provider == "azure":
            groups[found.resource_id.rpartition("/providers/")[0]] = None
    for account, name in visible_subscriptions(view):
        yield row(
            view,
            f"/subscriptions/{account}",
            "microsoft.resources/subscriptions",
            name=name,
            location="",
            properties={"state": "Enabled", "managementGroupAncestorsChain": [below, root]},
        )
    for ident in groups:
        yield row(
            view,
            ident,
            "microsoft.resources/subscriptions/resourcegroups",
            properties={"provisioningState": "Succeeded"},
        )


def authorization(view: View) -> Iterator[Row]:
    base = "/providers/Microsoft.Authorization/RoleDefinitions"
    for name, ident in ROLES.items():
        actions = ["*"] if name in ("Owner", "Contributor") else ["*/read"]
        yield row(
            view,
            f"{base}/{ident}",
            "microsoft.authorization/roledefinitions",
            properties={
                "roleName": name,
                "type": "BuiltInRole",
                "permissions": [{"actions": actions, "notActions": []}],
            },
        )
    for found in assignments(view):
        yield role_assignment(view, found)
    # the app registration of the connector itself was given its role over everything; and somebody deleted kept one
    for number, (scope, kind) in enumerate((("/", "ServicePrincipal"), (GROUP_SCOPE, "Unknown"))):
        yield row(
            view,
            f"{scope.rstrip('/')}/providers/Microsoft.Authorization/RoleAssignments/{view.truth.guid('inherited', number)}",
            "microsoft.authorization/roleassignments",
            properties={
                "principalId": inherited_principal(view, number),
                "principalType": kind,
                "roleDefinitionId": f"{base}/{ROLES['Reader']}",
                "scope": scope,
                "createdOn": "2025-01-02T03:04:05.1234567Z",
            },
        )


GROUP_SCOPE = f"/providers/Microsoft.Management/managementGroups/{GROUP_NAME}"


def inherited_principal(view: View, number: int) -> str:
    return view.truth.guid(view.instance.name, "inherited principal", number)


def assignments(view: View) -> Iterator[CloudAssignment]:
    seen = {account for account, _ in visible_subscriptions(view)}
    return (found for found in view.truth.cloud_assignments(view.day) if found.account_id in seen)


def role_assignment(view: View, found: CloudAssignment) -> Row:
    subscription = f"/subscriptions/{found.account_id}"
    return row(
        view,
        f"{found.scope}/providers/Microsoft.Authorization/RoleAssignments/{found.id}",
        "microsoft.authorization/roleassignments",
        subscriptionId=found.account_id,
        properties={
            "principalId": principal_id(view, found.principal),
            "principalType": PRINCIPAL_TYPES.get(found.principal.kind, "User"),
            # the definition's id stands under the subscription here and under nothing in its own row
            "roleDefinitionId": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{ROLES[found.role]}",
            "scope": found.scope,
            "condition": None,
            "createdOn": "2025-06-07T08:09:10.1234567Z",
            "updatedOn": "2025-06-07T08:09:10.1234567Z",
        },
    )


def principal_id(view: View, ref: Ref) -> str:
    truth = view.truth
    match ref.kind:
        case "group":
            return str(truth.group(ref.index).entra_object_id)
        case "service_principal" | "managed_identity":
            return truth.service_principal(ref).object_id
        case _:
            return truth.account(ref, view.day).entra_object_id


# Assessments ---------------------------------------------------------------------------------------------------------


def security(view: View, unit: Unit, types: frozenset[str]) -> Iterator[Row]:
    if unit.kind == "resource":
        if ASSESSMENT in types:
            found = view.truth.cloud_resource(unit.number)
            yield from checks(view, found.provider, found.type, found.resource_id, found.account_id, found.index)
        return
    device = view.device(unit.number)
    if ASSESSMENT in types and device.cloud is not None:
        yield from checks(
            view, device.cloud.provider, "machine", device.cloud.resource_id, device.cloud.account_id, device.index
        )
    if SUB_ASSESSMENT in types:
        yield from sub_assessments(view, device)
    if ATTACK_PATH in types:
        yield from attack_paths(view, device)


def assessments(view: View) -> Iterator[Row]:
    """Every assessment of every cloud."""
    return (row for unit in all_units(view) for row in security(view, unit, frozenset({ASSESSMENT})))


def connector_subscription(view: View) -> str:
    """Connectors to other clouds live in one subscription, below which Azure lists what they found."""
    return view.truth.cloud_accounts[0][1]


def foreign_arm_id(view: View, provider: str, kind: str, native: str) -> str:
    service = FOREIGN_TYPES[kind][0]
    name = f"{provider}-{service}-{FOREIGN_TYPES[kind][1]}-{view.truth.hex_id(12, 'foreign', native)}"
    group = f"/subscriptions/{connector_subscription(view)}/resourceGroups/rg-connectors"
    return f"{group}/providers/Microsoft.Security/securityConnectors/{provider}-halden/securityentitydata/{name}"


def checks(view: View, provider: str, kind: str, native: str, account: str, index: int) -> Iterator[Row]:
    for key, title, severity, share in CHECKS[kind]:
        fails = view.truth.chance(share, "defender_cloud", key, index)
        where = native.lower() if provider == "azure" else foreign_arm_id(view, provider, kind, native)
        status: Row = {"code": "Unhealthy" if fails else "Healthy"}
        if fails:
            status |= {"cause": "", "description": "", "firstEvaluationDate": "2026-06-07T08:09:10.1234567Z"}
        details: Row = {"Source": "Azure", "Id": native}
        if provider != "azure":
            details = {
                "Source": provider.upper(),
                "Id": where,
                "ConnectorId": guid(view.truth.seed, "connector", provider),
                "NativeResourceId": native,
                "ResourceName": native.rpartition(":")[2].rpartition("/")[2],
                # the type repeats the service: ec2instance
                "ResourceType": "microsoft.security/securityconnectors/" + "".join(FOREIGN_TYPES[kind]),
                "ResourceProvider": FOREIGN_TYPES[kind][0],
            }
        if provider == "gcp":
            # newer rows spell the same keys otherwise, and the cloud's name in its own way
            details = {name[0].lower() + name[1:]: value for name, value in details.items()} | {"source": "Gcp"}
        properties: Row = {
            "displayName": title,
            "resourceDetails": details,
            "status": status,
            "metadata": {
                "displayName": title,
                "severity": severity,
                "assessmentType": "BuiltIn",
                "categories": ["Compute"],
            },
        }
        # texts throughout, and for healthy resources of Azure the key is absent
        if provider != "azure":
            properties["additionalData"] = {"HierarchyId": account, "Region": "eu", "__Tags__": "{}"}
        elif fails:
            properties["additionalData"] = {"CVEs": '[{"cve":"CVE-2025-1"}]' if kind == "machine" else "[]"}
        yield row(
            view,
            f"{where}/providers/Microsoft.Security/assessments/{key}",
            ASSESSMENT,
            properties=properties,
        )


def sub_assessments(view: View, device: Device) -> Iterator[Row]:
    """Open weaknesses of a machine of Azure."""
    truth = view.truth
    if device.cloud is None or device.cloud.provider != "azure":
        return
    for finding in truth.findings(device.index, view.day):
        if not finding.is_open:
            continue
        cve = truth.cve_catalogue[finding.cve]
        product = truth.software_catalogue[finding.software]
        parent = f"{cloud_id(device).lower()}/providers/Microsoft.Security/assessments/{CHECKS['machine'][0][0]}"
        yield row(
            view,
            f"{parent}/subAssessments/{truth.guid('sub-assessment', finding.id)}",
            SUB_ASSESSMENT,
            properties={
                "id": cve.cve_id,
                "displayName": cve.cve_id,
                "timeGenerated": "2026-11-22T13:36:15.0772799Z",
                "remediation": cve.solution,
                "resourceDetails": {"id": cloud_id(device), "source": "Azure"},
                "status": {"code": "Unhealthy", "severity": cve.severity.capitalize()},
                "additionalData": {
                    "assessedResourceType": "ServerVulnerabilityTvm",
                    "cvssV30Score": cve.cvss,
                    "softwareDetails": {
                        "vendor": product.vendor,
                        "packageName": product.name,
                        "version": finding.version,
                    },
                    "vulnerabilityDetails": {
                        "cveId": cve.cve_id,
                        "severity": cve.severity.capitalize(),
                        "publishedDate": f"{truth.date(cve.published_day)}T00:00:00Z",
                        "exploitabilityAssessment": {
                            "exploitStepsPublished": cve.exploit_available,
                            "isInExploitKit": False,
                        },
                    },
                },
            },
        )


def attack_paths(view: View, device: Device) -> Iterator[Row]:
    """From an internet-facing machine over its identity to the subscription."""
    if not device.internet_facing or identity_of(view, device) is None or device.cloud is None:
        return
    name = view.truth.guid("attack path", device.index)
    yield row(
        view,
        f"/subscriptions/{device.cloud.account_id}/providers/Microsoft.Security/attackPaths/{name}",
        ATTACK_PATH,
        properties={
            "displayName": "Internet exposed VM has high permissions to a subscription",
            "riskLevel": "High",
            "riskFactors": ["Internet exposure"],
            "graphComponent": {
                "entities": [
                    {
                        "entityInternalId": "1",
                        "entityName": device.hostname,
                        "entityType": "compute.virtualmachine",
                        "entityIdentifiers": {"azureResourceId": device.cloud.resource_id},
                    }
                ],
                "connections": [],
                "insights": [],
            },
        },
    )


Units = Callable[[View], list[Unit]]
Rows = Callable[[View, Unit, frozenset[str]], Iterator[Row]]
TABLES: Mapping[str, tuple[Units, Rows]] = {
    "resources": (azure_units, resources),
    "resourcecontainers": (one_unit, lambda view, unit, types: containers(view)),
    "authorizationresources": (one_unit, lambda view, unit, types: authorization(view)),
    SECURITY_TABLE: (all_units, security),
}
