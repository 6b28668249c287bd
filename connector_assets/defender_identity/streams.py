"""What is read from Defender for Identity and from advanced hunting. Field names are Microsoft's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from connector_assets.defender_identity import exposure
from connector_assets.defender_identity.hunting import Hunt
from connector_assets.kit import FieldType, Page, Record, Stream
from connector_assets.kit.pagers import next_link_pages

if TYPE_CHECKING:
    from connector_assets.kit.api import Api

CLOUD_SID = re.compile(r"S-1-12-1-(\d+)-(\d+)-(\d+)-(\d+)", re.IGNORECASE)
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
#: Identity provider, in lower case -> the field that holds the account's id there.
PROVIDERS = {"activedirectory": "adObjectGuid", "entraid": "entraObjectId", "okta": "oktaId"}

SENSOR: dict[str, FieldType] = {
    "id": "text",
    "displayName": "text",
    "domainName": "text",
    "sensorType": "text",
    "deploymentStatus": "text",
    "healthStatus": "text",
    "openHealthIssuesCount": "integer",
    "version": "text",
    "createdDateTime": "timestamp",
    "settings": {"description": "text", "domainControllerDnsNames": ["text"], "isDelayedDeploymentEnabled": "boolean"},
}
HEALTH_ISSUE: dict[str, FieldType] = {
    "id": "text",
    "displayName": "text",
    "description": "text",
    "healthIssueType": "text",
    "issueTypeId": "text",
    "severity": "text",
    "status": "text",
    "domainNames": ["text"],
    "sensorDNSNames": ["text"],
    "recommendations": ["text"],
    "createdDateTime": "timestamp",
    "lastModifiedDateTime": "timestamp",
}
IDENTITY_ACCOUNT: dict[str, FieldType] = {
    "id": "text",
    "displayName": "text",
    "domain": "text",
    "userPrincipalName": "text",
    "emailAddress": "text",
    "onPremisesSecurityIdentifier": "text",
    "cloudSecurityIdentifier": "text",
    "isEnabled": "boolean",
    "accounts": [{"provider": "text", "identityProvider": "text", "identifier": "text"}],
    "adObjectGuid": "text",
    "entraObjectId": "text",
    "oktaId": "text",
}
IDENTITY_INFO: dict[str, FieldType] = {
    "AccountKey": "text",
    "Timestamp": "timestamp",
    "AccountObjectId": "text",
    "AccountUpn": "text",
    "OnPremSid": "text",
    "OnPremObjectId": "text",
    "CloudSid": "text",
    "AccountDisplayName": "text",
    "AccountName": "text",
    "AccountDomain": "text",
    "Type": "text",
    "DistinguishedName": "text",
    "CriticalityLevel": "integer",
    "EmailAddress": "text",
    "EmployeeId": "text",
    "Department": "text",
    "JobTitle": "text",
    "CreatedDateTime": "timestamp",
    "DeletedDateTime": "timestamp",
    "IsAccountEnabled": "boolean",
    "RiskLevel": "text",
    "AssignedRoles": ["text"],
    "PrivilegedEntraPimRoles": ["text"],
    "Tags": ["text"],
    "SourceProvider": "text",
    "IdentityEnvironment": "text",
}
#: Columns of IdentityInfo that may come as a list or as its JSON text.
LISTS = ("AssignedRoles", "PrivilegedEntraPimRoles", "Tags")
TEXTS = (
    "deviceName deviceCategory osPlatform osVersion onboardingStatus sensorHealthState riskScore exposureScore aadDeviceId "
    "firstSeenByInventory lastSeen vendor model isInternetFacing isExcluded isDomainController accountDisplayName accountName "
    "accountUpn accountDomain accountEnabled accountObjectId emailAddress primaryProvider identityType adSid "
    "activeDirectoryObjectId createdDateTime department jobTitle aadDisplayName appId servicePrincipalType publisherName saasName"
)
NODE: dict[str, FieldType] = {
    "NodeId": "text",
    "NodeLabel": "text",
    "NodeName": "text",
    "Categories": ["text"],
    "EntityIds": [{"type": "text", "id": "text"}],
    # nested values are all text: one of another type than expected must not cost the others
    "NodeProperties": {"rawData": dict.fromkeys(TEXTS.split(), "text")},
    "criticalityLevel": "integer",
}
EDGE: dict[str, FieldType] = {
    "EdgeId": "text",
    "EdgeLabel": "text",
    "SourceNodeId": "text",
    "SourceNodeLabel": "text",
    "TargetNodeId": "text",
    "TargetNodeLabel": "text",
    "EdgeProperties": "json",
}


def collection(name: str) -> Callable[[Api], Iterator[Page]]:
    def pull(api: Api) -> Iterator[Page]:
        for page in next_link_pages(api, f"/{api.options.api_version}/security/identities/{name}"):
            yield changed(page, with_id)

    return pull


def identity_accounts(api: Api) -> Iterator[Page]:
    take_identifiers = api.options.account_identifiers
    for page in collection("identityAccounts")(api):
        yield changed(page, lambda row: with_ids(row, take_identifiers))


def changed(page: Page, change: Callable[[Record], Record]) -> Page:
    """The page with its records changed; what is no object is left for the quarantine."""
    return Page([change(row) if isinstance(row, dict) else row for row in page.records], page.scope, page.cursor)


def with_id(row: Record) -> Record:
    """The row with its id, which Microsoft's samples of health issues write as ID."""
    if row.get("id") is None and "ID" in row:
        row["id"] = row.pop("ID")
    return row


def with_ids(row: Record, take_identifiers: bool) -> Record:
    """An identity with its ids in each directory as fields of their own.

    The object id in Entra ID is read out of the cloud SID, which is made of it; the others, and it where there is no
    cloud SID, are the identifiers of the identity's accounts. Of several accounts in one directory it is not told which
    the identity's SID is of: one may be that of the administrator whom the person is too, so that none is taken.
    """
    told: dict[str, set[str]] = {}
    for account in exposure.listed(row.get("accounts")) if take_identifiers else []:
        if not isinstance(account, dict):
            continue
        provider = str(account.get("provider") or account.get("identityProvider") or "").lower()
        field, value = PROVIDERS.get(provider), str(account.get("identifier") or "")
        # an Okta id is no GUID, though Microsoft's samples have one there that several people share
        if field and value and (field == "oktaId") != bool(GUID.fullmatch(value)):
            told.setdefault(field, set()).add(value if field == "oktaId" else value.lower())
    found = {field: values.pop() for field, values in told.items() if len(values) == 1}
    if object_id := object_id_of(row.get("cloudSecurityIdentifier")):
        found["entraObjectId"] = object_id
    row.update(found)
    return row


def object_id_of(cloud_sid: object) -> str | None:
    """The Entra object id that a cloud SID (S-1-12-1-...) was derived from; None for any other text."""
    match = CLOUD_SID.fullmatch(str(cloud_sid or "").strip())
    if not match:
        return None
    first, second, third, fourth = map(int, match.groups())
    if max(first, second, third, fourth) >= 2**32:
        return None
    last = (third | fourth << 32).to_bytes(8, "little").hex()
    return f"{first:08x}-{second & 0xFFFF:04x}-{second >> 16:04x}-{last[:4]}-{last[4:]}"


#: IdentityInfo is a log with a row at each change of an account; only the columns named here must be there.
NEWEST_OF_EACH = Hunt(
    "IdentityInfo",
    "AccountKey",
    before=(
        "extend AccountKey = tolower(coalesce(AccountObjectId, OnPremSid, strcat(AccountDomain, '/', AccountName)))",
    ),
    after=("summarize arg_max(Timestamp, *) by AccountKey",),
)


def identity_info(api: Api) -> Iterator[Page]:
    if not api.options.identity_info:
        api.skip("the option identity_info is off")
    for page in NEWEST_OF_EACH.pages(api):
        # the last record of a key is the one that stays
        rows = sorted(changed(page, keyed).records, key=newest_last)
        yield Page(rows, page.scope, page.cursor)


def newest_last(row: Record) -> str:
    return str(row.get("Timestamp") or "") if isinstance(row, dict) else ""


def keyed(row: Record) -> Record:
    """The row with its key, which nothing but this query gives it."""
    name = "/".join(str(row.get(part) or "") for part in ("AccountDomain", "AccountName")).strip("/")
    key = row.get("AccountKey") or row.get("AccountObjectId") or row.get("OnPremSid") or name
    lists = {column: exposure.listed(row[column]) for column in LISTS if column in row}
    row.update(lists)
    row["AccountKey"] = str(key).lower() if key else None
    return row


def exposure_nodes(api: Api) -> Iterator[Page]:
    require_exposure(api)
    for page in exposure.nodes(api.options.exposure_node_labels).pages(api):
        yield changed(page, exposure.node)


def exposure_edges(api: Api) -> Iterator[Page]:
    require_exposure(api)
    hunt = exposure.edges(api.options.exposure_edge_labels, api.options.exposure_node_labels)
    for page in hunt.pages(api):
        yield changed(page, exposure.edge)


def require_exposure(api: Api) -> None:
    if not api.options.exposure_graph:
        api.skip("the option exposure_graph is off")


STREAMS = (
    Stream(
        name="sensors",
        pull=collection("sensors"),
        key="id",
        fields=SENSOR,
        description="Sensors on domain controllers and on servers of AD FS, AD CS and Entra Connect.",
        permissions=("SecurityIdentitiesSensors.Read.All",),
    ),
    Stream(
        name="health_issues",
        pull=collection("healthIssues"),
        key="id",
        fields=HEALTH_ISSUE,
        description="What keeps sensors and domains from being watched well: open, closed and suppressed.",
        permissions=("SecurityIdentitiesHealth.Read.All",),
        activity_field="lastModifiedDateTime",
        optional=True,
        may_be_empty=True,
    ),
    Stream(
        name="identity_accounts",
        pull=identity_accounts,
        key="id",
        fields=IDENTITY_ACCOUNT,
        description="Identities with their accounts in Active Directory, Entra ID and Okta, as Microsoft put them together. "
        "adObjectGuid, entraObjectId and oktaId are read from these accounts and the cloud SID; that the identifiers are "
        "objectGUID and object id is not verified (option account_identifiers).",
        permissions=("SecurityIdentitiesAccount.Read.All",),
    ),
    Stream(
        name="identity_info",
        pull=identity_info,
        key="AccountKey",
        fields=IDENTITY_INFO,
        description="The newest row of each account in the hunting table IdentityInfo, of the last 30 days. It adds to "
        "accounts that a directory knows and makes none, as it keeps deleted ones for a while. Columns without a licence "
        "are null.",
        permissions=("ThreatHunting.Read.All",),
        activity_field="Timestamp",
        deletes="never",
        optional=True,
        evidence="recorded",
    ),
    Stream(
        name="exposure_nodes",
        pull=exposure_nodes,
        key="NodeId",
        fields=NODE,
        description="Nodes of Microsoft's exposure graph with the labels of exposure_node_labels; off unless exposure_graph "
        "is set. They add to what the products themselves report and make no asset.",
        permissions=("ThreatHunting.Read.All",),
        optional=True,
        evidence="recorded",
    ),
    Stream(
        name="exposure_edges",
        pull=exposure_edges,
        key="EdgeId",
        fields=EDGE,
        description="Edges of Microsoft's exposure graph with the labels of exposure_edge_labels between those nodes.",
        permissions=("ThreatHunting.Read.All",),
        optional=True,
        evidence="recorded",
    ),
)
