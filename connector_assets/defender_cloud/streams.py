"""What is read from Azure and Defender for Cloud, and how. Field names are Azure's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from connector_assets.defender_cloud.graph import (
    INHERITED,
    below_management_groups,
    either,
    judge_sight,
    query,
    rows,
    words,
)
from connector_assets.defender_cloud.options import GUID
from connector_assets.kit import FieldType, Page, PullFunction, Record, Stream
from connector_assets.kit.errors import BadRequest, FixPermission, NotFound
from connector_assets.kit.pagers import next_link_pages

if TYPE_CHECKING:
    from connector_assets.kit.api import Api

BASE = "id, name, type, tenantId, subscriptionId"
RESOURCE = f"{BASE}, kind, location, resourceGroup, sku, tags, identity, properties"
READER, SECURITY_READER = "Reader", "Security Reader"
GIVE_READER = (
    "give the app registration the role {role} on the root management group (Access control, Add role assignment)"
)
#: Settings that may carry secrets, whatever type of resource they are found in: a template holds the variables of a
#: container, the definition of a workflow whatever somebody wrote into it.
SECRETS = (
    "adminPassword",
    "administratorLoginPassword",
    "appSettings",
    "connectionString",
    "connectionStrings",
    "customData",
    "definition",
    "environmentVariables",
    "machineKey",
    "parameters",
    "primaryKey",
    "publishingPassword",
    "publishingUsername",
    "secondaryKey",
    # not what a vault's policy says of secrets
    "configuration.secrets",
    "osProfile.secrets",
    "properties.secrets",
    "template",
    "userData",
)


def subscriptions(api: Api) -> Iterator[Page]:
    """Every subscription in sight, from which it is judged what the others leave out.

    Each is a scope of its own: Azure says nothing of one whose role was lost, so that one that is missing proves nothing.
    """
    wanted, seen = set(api.options.subscriptions), 0
    for page in next_link_pages(api, "/subscriptions", {"api-version": "2022-12-01"}, link="nextLink"):
        seen += len(page.records)
        scopes: dict[str, list[Record]] = {}
        for found in page.records:
            name = subscription_of(found)
            if not wanted or name in wanted:
                scopes.setdefault("default" if api.options.subscriptions_may_vanish else name or "default", []).append(
                    found
                )
        for scope, found_there in scopes.items():
            yield Page(found_there, scope, cursor=page.cursor)
    if not seen:
        raise FixPermission("not one subscription is in sight", hint=GIVE_READER.format(role="Reader"))


def subscription_of(found: Record) -> str:
    """Its id; '' for what is none."""
    return str(found.get("subscriptionId") or "").lower() if isinstance(found, dict) else ""


def graph_rows(table: str, columns: str, where: Callable[[Api], tuple[str, ...]]) -> PullFunction:
    """A pull function for one query of Azure Resource Graph."""

    def pull(api: Api) -> Iterator[Page]:
        judge_sight(api)
        options = INHERITED if table == "authorizationresources" else None
        yield from rows(api, query(table, where(api), columns), options)

    return pull


def of_type(*types: str) -> Callable[[Api], tuple[str, ...]]:
    return lambda api: (f"type in~ ({words(types)})",)


def chosen_types(api: Api) -> tuple[str, ...]:
    return (f"type in~ ({words(api.options.resource_types)})",)


ASSESSMENT = "microsoft.security/assessments"


def assessments(api: Api) -> Iterator[Page]:
    """Unhealthy ones from Azure Resource Graph; or all, subscription by subscription, from Defender itself."""
    visible = judge_sight(api)
    if api.options.assessments_via == "resource_graph":
        where = (f"type =~ '{ASSESSMENT}'", "properties.status.code =~ 'Unhealthy'")
        yield from rows(api, query("securityresources", where, f"{BASE}, properties"))
        return
    if api.options.management_groups:
        below = below_management_groups(api)
        visible = sorted(below | set(visible) if api.options.subscriptions else below & set(visible))
    api.enumerates(*visible)
    refused = 0
    for subscription in visible:
        path = f"/subscriptions/{subscription}/providers/Microsoft.Security/assessments"
        version = {"api-version": api.options.assessments_version}
        try:
            yield from next_link_pages(api, path, version, link="nextLink", scope=subscription, as_lines=True)
        except (BadRequest, FixPermission, NotFound) as error:
            refused += 1
            if refused == len(visible):
                raise
            api.partial(f"its assessments are refused: {error.message}", subscription)


def assessment_metadata(api: Api) -> Iterator[Page]:
    """What Defender's own interface leaves out of its assessments: how severe the checks are. A check of one's own is asked
    for by its name."""
    if api.options.assessments_via == "resource_graph":
        api.skip("Azure Resource Graph tells it with each assessment")
    path, version = "/providers/Microsoft.Security/assessmentMetadata", {"api-version": api.options.assessments_version}
    known: set[str] = set()
    for page in next_link_pages(api, path, version, link="nextLink"):
        known.update(str(found.get("name") or "").lower() for found in page.records if isinstance(found, dict))
        yield page
    own = {
        str(found.get("name") or "").lower(): str(found.get("id") or "").split("/")[2:3]
        for found in api.records("assessments")
        if isinstance(found, dict)
    }
    for name, place in sorted(own.items()):
        if GUID.fullmatch(name) and name not in known and place and GUID.fullmatch(place[0]):
            told = api.get(f"/subscriptions/{place[0]}{path}/{name}", version, none_on=(403, 404))
            yield Page([told] if told else [], cursor=name)


def foreign_resources(api: Api) -> Iterator[Page]:
    """Resources of other clouds, a row an assessment: Defender tells of them by nothing else."""
    judge_sight(api)
    if not api.options.foreign_clouds:
        api.skip("the option foreign_clouds is empty")
    source = either("properties.resourceDetails.source", api.options.foreign_clouds)
    yield from rows(api, query("securityresources", (f"type =~ '{ASSESSMENT}'", source), f"{BASE}, properties"))


def sub_assessments(api: Api) -> Iterator[Page]:
    if not api.options.sub_assessments:
        api.skip("the option sub_assessments is off")
    judge_sight(api)
    where = (f"type =~ '{ASSESSMENT}/subassessments'", "properties.status.code =~ 'Unhealthy'")
    yield from rows(api, query("securityresources", where, f"{BASE}, properties"))


PLACE: dict[str, FieldType] = {
    "id": "text",
    "name": "text",
    "type": "text",
    "tenantId": "text",
    "subscriptionId": "text",
}
ASSESSMENT_FIELDS: dict[str, FieldType] = {
    **PLACE,
    "properties": {
        "displayName": "text",
        # its keys are spelled Id and id, Source and source, by interface and by year
        "resourceDetails": "json",
        "environment": "json",
        "environmentDetails": "json",
        "status": {
            "code": "text",
            "cause": "text",
            "description": "text",
            "firstEvaluationDate": "text",
            "statusChangeDate": "text",
        },
        "metadata": {
            "displayName": "text",
            "severity": "text",
            "description": "text",
            "remediationDescription": "text",
            "categories": ["text"],
            "assessmentType": "text",
        },
        "additionalData": "json",
        "risk": {"level": "text", "riskFactors": ["text"], "attackPathsReferences": ["text"]},
        "links": {"azurePortal": "text", "azurePortalUri": "text"},
    },
}

STREAMS = (
    Stream(
        name="subscriptions",
        pull=subscriptions,
        key="subscriptionId",
        fields={"id": "text", "subscriptionId": "text", "tenantId": "text", "displayName": "text", "state": "text"},
        description="Subscriptions the app registration may see.",
        permissions=(READER,),
        evidence="recorded",
    ),
    Stream(
        name="containers",
        pull=graph_rows(
            "resourcecontainers",
            f"{BASE}, location, tags, properties",
            of_type(
                "microsoft.management/managementgroups",
                "microsoft.resources/subscriptions",
                "microsoft.resources/subscriptions/resourcegroups",
            ),
        ),
        key="id",
        fields={
            **PLACE,
            "location": "text",
            "tags": "json",
            "properties": {
                "state": "text",
                "displayName": "text",
                "managementGroupAncestorsChain": [{"name": "text", "displayName": "text"}],
                "details": {"managementGroupAncestorsChain": [{"name": "text", "displayName": "text"}]},
            },
        },
        description="Management groups, subscriptions and resource groups.",
        needs=("subscriptions",),
        permissions=(READER,),
    ),
    Stream(
        name="resources",
        pull=graph_rows("resources", RESOURCE, chosen_types),
        key="id",
        fields={
            **PLACE,
            "kind": "text",
            "location": "text",
            "resourceGroup": "text",
            "sku": "json",
            "tags": "json",
            "identity": "json",
            "properties": "json",
        },
        description="Resources of the chosen types: machines, storage, key vaults, databases, containers and clusters.",
        needs=("subscriptions",),
        permissions=(READER,),
        drop_fields=SECRETS,
    ),
    Stream(
        name="network_interfaces",
        pull=graph_rows("resources", f"{BASE}, properties", of_type("microsoft.network/networkinterfaces")),
        key="id",
        fields={
            **PLACE,
            "properties": {
                "macAddress": "text",
                "virtualMachine": {"id": "text"},
                "ipConfigurations": [
                    {
                        "properties": {
                            "privateIPAddress": "text",
                            "publicIPAddress": {"id": "text"},
                            "primary": "boolean",
                            "loadBalancerBackendAddressPools": [{"id": "text"}],
                            "loadBalancerInboundNatRules": [{"id": "text"}],
                            "applicationGatewayBackendAddressPools": [{"id": "text"}],
                        }
                    }
                ],
            },
        },
        description="Network interfaces, which hold the hardware and network addresses of machines.",
        needs=("subscriptions",),
        permissions=(READER,),
        may_be_empty=True,
    ),
    Stream(
        name="public_addresses",
        pull=graph_rows("resources", f"{BASE}, properties", of_type("microsoft.network/publicipaddresses")),
        key="id",
        fields={**PLACE, "properties": {"ipAddress": "text", "ipConfiguration": {"id": "text"}}},
        description="Public addresses and what they are attached to.",
        needs=("subscriptions",),
        permissions=(READER,),
        may_be_empty=True,
    ),
    Stream(
        name="role_definitions",
        pull=graph_rows(
            "authorizationresources", f"{BASE}, properties", of_type("microsoft.authorization/roledefinitions")
        ),
        key="id",
        fields={
            **PLACE,
            "properties": {"roleName": "text", "type": "text", "description": "text", "permissions": "json"},
        },
        description="Azure roles, built-in and own ones.",
        needs=("subscriptions",),
        permissions=(READER,),
    ),
    Stream(
        name="role_assignments",
        pull=graph_rows(
            "authorizationresources", f"{BASE}, properties", of_type("microsoft.authorization/roleassignments")
        ),
        key="id",
        fields={
            **PLACE,
            "properties": {
                "principalId": "text",
                "principalType": "text",
                "roleDefinitionId": "text",
                "scope": "text",
                "condition": "text",
                "createdOn": "text",
                "updatedOn": "text",
            },
        },
        description="Who holds which Azure role, over what.",
        needs=("subscriptions",),
        permissions=(READER,),
    ),
    Stream(
        name="assessments",
        pull=assessments,
        key="id",
        fields=ASSESSMENT_FIELDS,
        description="What Defender for Cloud finds wrong with a resource; see the option assessments_via.",
        needs=("subscriptions",),
        permissions=(SECURITY_READER,),
        evidence="recorded",
    ),
    Stream(
        name="assessment_metadata",
        pull=assessment_metadata,
        key="name",
        fields={
            "id": "text",
            "name": "text",
            "properties": {
                "displayName": "text",
                "severity": "text",
                "description": "text",
                "remediationDescription": "text",
                "categories": ["text"],
                "assessmentType": "text",
            },
        },
        description="How severe the checks are, where assessments are read from Defender's own interface.",
        needs=("assessments",),
        permissions=(SECURITY_READER,),
        optional=True,
        may_be_empty=True,
    ),
    Stream(
        name="foreign_resources",
        pull=foreign_resources,
        key="id",
        fields=ASSESSMENT_FIELDS,
        description="Resources of AWS and GCP as their assessments describe them, healthy ones included.",
        needs=("subscriptions",),
        permissions=(SECURITY_READER,),
        optional=True,
        evidence="client_code",
    ),
    Stream(
        name="sub_assessments",
        pull=sub_assessments,
        key="id",
        fields={
            **PLACE,
            "properties": {
                "id": "text",
                "displayName": "text",
                "category": "text",
                "remediation": "text",
                "timeGenerated": "text",
                "resourceDetails": "json",
                "status": {"code": "text", "cause": "text", "severity": "text", "description": "text"},
                "additionalData": "json",
            },
        },
        description="Single findings below an assessment, such as a CVE of a machine or of a container image.",
        needs=("subscriptions",),
        permissions=(SECURITY_READER,),
        optional=True,
        may_be_empty=True,
    ),
    Stream(
        name="attack_paths",
        pull=graph_rows("securityresources", f"{BASE}, properties", of_type("microsoft.security/attackpaths")),
        key="id",
        fields={**PLACE, "properties": "json"},
        description="Attack paths as Defender for Cloud draws them (needs its CSPM plan), kept as they come.",
        needs=("subscriptions",),
        permissions=(SECURITY_READER,),
        optional=True,
        may_be_empty=True,
    ),
)
