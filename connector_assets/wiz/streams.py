"""What is read of Wiz: cloud resources, vulnerability findings, issues."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from connector_assets.kit import FieldType, Incremental, Page, Record, Stream
from connector_assets.wiz.graphql import pages
from connector_assets.wiz.queries import CLOUD_RESOURCES, ISSUES, VULNERABILITIES

if TYPE_CHECKING:
    from connector_assets.kit.api import Api

OPEN, CLOSED = ["OPEN", "IN_PROGRESS"], ["RESOLVED", "REJECTED"]
STATUSES = frozenset({*OPEN, *CLOSED})
#: Wiz looks at a disk when its turn comes, and writes down what it found some hours later.
OVERLAP = timedelta(hours=24)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cloud_resources(api: Api) -> Iterator[Page]:
    """The inventory, a scope a project where projects are named.

    What is gone is marked, and absent some time later; what was not seen for long goes stale by its last_seen.
    """
    options = api.options
    filters: dict[str, Any] = {}
    if options.resource_types:
        filters["type"] = {"equals": list(options.resource_types)}
    if options.resources_by_update and api.window_start is not None:
        filters["updatedAt"] = {"after": stamp(api.window_start)}
    parts: dict[str, dict[str, Any]] = {
        project: {**filters, "project": {"idV2": {"equals": project}}} for project in options.project_ids
    }
    for scope, wanted in (parts or {"default": filters}).items():
        yield from pages(api, CLOUD_RESOURCES, wanted, scope)


def vulnerability_findings(api: Api) -> Iterator[Page]:
    """Findings updated within the window or since, of every status asked for.

    Wiz tells no finding that is gone, and misses closures of some kinds: those stay until the next full pull.
    """
    options = api.options
    if api.since is not None and (options.vulnerability_severities or set(options.vulnerability_statuses) != STATUSES):
        api.ask_for_everything("a finding that leaves the severities or statuses asked for is not named")
    filters: dict[str, Any] = {"status": list(options.vulnerability_statuses)}
    if options.vulnerability_severities:
        filters["severity"] = list(options.vulnerability_severities)
    if (start := api.since or api.window_start) is not None:
        filters["updatedAt"] = {"after": stamp(start)}
    yield from pages(api, VULNERABILITIES, filters)


def issues(api: Api) -> Iterator[Page]:
    """All open issues, however old, and those closed within the window."""
    for page in issue_pages(api):
        for issue in page.records:
            if isinstance(issue, dict):
                tell_by_one_name(issue)
        yield page


def tell_by_one_name(issue: Record) -> None:
    """Put the rule and the entity where the second version has them: others list several rules, or name the first control."""
    rules = issue.get("sourceRules")
    listed = rules if isinstance(rules, list) else [rules]
    for name, others in (("sourceRule", (*listed, issue.get("control"))), ("entitySnapshot", (issue.get("entity"),))):
        if not issue.get(name):
            issue[name] = next((other for other in others if isinstance(other, dict) and other), None)


def issue_pages(api: Api) -> Iterator[Page]:
    yield from pages(api, ISSUES, {"status": OPEN}, "open")
    if api.options.closed_issues:
        closed: dict[str, Any] = {"status": CLOSED}
        if api.window_start is not None:
            closed["statusChangedAt"] = {"after": stamp(api.window_start)}
        yield from pages(api, ISSUES, closed, "closed")


PROJECTS: FieldType = [{"id": "text", "name": "text", "slug": "text", "riskProfile": {"businessImpact": "text"}}]

STREAMS = (
    Stream(
        name="cloud_resources",
        pull=cloud_resources,
        key="id",
        fields={
            "id": "text",
            "name": "text",
            "externalId": "text",
            "providerUniqueId": "text",
            "type": "text",
            "nativeType": "text",
            "cloudPlatform": "text",
            "status": "text",
            "region": "text",
            "firstSeen": "timestamp",
            "lastSeen": "timestamp",
            "deletedAt": "timestamp",
            "isAccessibleFromInternet": "boolean",
            "isOpenToAllInternet": "boolean",
            "hasSensitiveData": "boolean",
            "hasAccessToSensitiveData": "boolean",
            "hasAdminPrivileges": "boolean",
            "hasHighPrivileges": "boolean",
            # a list of pairs here, a map in findings and issues, and now and then the other way round
            "tags": "json",
            "cloudAccount": {"id": "text", "name": "text", "externalId": "text", "cloudProvider": "text"},
            "resourceGroup": {"name": "text"},
            "projects": PROJECTS,
            "technology": {"name": "text"},
            "typeFields": {
                "instanceType": "text",
                "operatingSystem": "text",
                "ipAddresses": ["text"],
                "image": {"name": "text"},
                "kubernetesCluster": {"name": "text"},
                "operatingSystemDistribution": {"name": "text"},
            },
            # the first version of the list says the account here, and most else in the entity alone
            "subscriptionExternalId": "text",
            "graphEntity": {
                "id": "text",
                "type": "text",
                "providerUniqueId": "text",
                "firstSeen": "timestamp",
                "lastSeen": "timestamp",
                "properties": "json",
            },
        },
        description="Cloud resources: machines, containers, clusters, data, code that runs, and the accounts they are in.",
        permissions=("read:resources",),
        activity_field="lastSeen",
        evidence="client_code",
    ),
    Stream(
        name="vulnerability_findings",
        pull=vulnerability_findings,
        key="id",
        fields={
            "id": "text",
            "portalUrl": "text",
            "name": "text",
            "CVEDescription": "text",
            "CVSSSeverity": "text",
            "score": "number",
            "severity": "text",
            "vendorSeverity": "text",
            "nvdSeverity": "text",
            "exploitabilityScore": "number",
            "impactScore": "number",
            "hasExploit": "boolean",
            "hasCisaKevExploit": "boolean",
            "epssProbability": "number",
            "epssPercentile": "number",
            "epssSeverity": "text",
            "status": "text",
            "firstDetectedAt": "timestamp",
            "lastDetectedAt": "timestamp",
            "resolvedAt": "timestamp",
            "detailedName": "text",
            "version": "text",
            "fixedVersion": "text",
            "detectionMethod": "text",
            "locationPath": "text",
            "remediation": "text",
            "link": "text",
            "projects": PROJECTS,
            "vulnerableAsset": {
                "id": "text",
                "type": "text",
                "name": "text",
                "region": "text",
                "providerUniqueId": "text",
                "cloudProviderURL": "text",
                "cloudPlatform": "text",
                "status": "text",
                "subscriptionName": "text",
                "subscriptionExternalId": "text",
                "subscriptionId": "text",
                "tags": "json",
                "hasLimitedInternetExposure": "boolean",
                "hasWideInternetExposure": "boolean",
                "operatingSystem": "text",
                "ipAddresses": ["text"],
                "ImageExternalId": "text",
                "VmExternalId": "text",
                "PodNamespace": "text",
                "PodName": "text",
                "NodeName": "text",
            },
        },
        description="Vulnerabilities found on machines, containers and images, updated within the window.",
        permissions=("read:vulnerabilities",),
        activity_field="lastDetectedAt",
        may_be_empty=True,
        evidence="recorded",
        incremental=Incremental(OVERLAP, ages_by=("lastDetectedAt", "resolvedAt")),
    ),
    Stream(
        name="issues",
        pull=issues,
        key="id",
        fields={
            "id": "text",
            "type": "text",
            "status": "text",
            "severity": "text",
            "createdAt": "timestamp",
            "updatedAt": "timestamp",
            "resolvedAt": "timestamp",
            "statusChangedAt": "timestamp",
            "sourceRule": {
                "id": "text",
                "name": "text",
                "resolutionRecommendation": "text",
                "remediationInstructions": "text",
            },
            "entitySnapshot": {
                "id": "text",
                "type": "text",
                "nativeType": "text",
                "name": "text",
                "status": "text",
                "cloudPlatform": "text",
                "providerId": "text",
                "region": "text",
                "subscriptionExternalId": "text",
                "tags": "json",
                "externalId": "text",
            },
            "projects": PROJECTS,
            "serviceTickets": [{"externalId": "text", "name": "text", "url": "text"}],
        },
        description="Issues: what Wiz's rules find wrong with a resource; all open ones, and those closed in the window.",
        permissions=("read:issues",),
        optional=True,
        may_be_empty=True,
        evidence="client_code",
    ),
)
