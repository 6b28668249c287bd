"""Inventories of Cortex Cloud: assets, issues, vulnerability findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connector_assets.cortex_cloud.answers import flattener
from connector_assets.cortex_cloud.findings import SEARCH, findings
from connector_assets.cortex_cloud.searches import Ask, search, search_pages
from connector_assets.cortex_cloud.window import Window, milliseconds
from connector_assets.kit import FieldType, Page, Record, Stream

if TYPE_CHECKING:
    from connector_assets.kit import Api

ASSETS = "/public_api/v1/assets"
ISSUES = "/public_api/v1/issue/search"
INVENTORY, CASES, VULNERABILITIES = "Asset Inventory: View", "Cases and Issues: View", "Vulnerability Management: View"
BY_ISSUE = {"field": "id", "keyword": "asc"}

ASSET_FIELDS: Mapping[str, FieldType] = {
    "id": "text",
    "strong_id": "text",
    "external_provider_id": "text",
    "name": "text",
    "provider": "text",
    "realm": "text",
    "type_id": "text",
    "type_name": "text",
    "type_class": "text",
    "type_category": "text",
    "cloud_region": "text",
    "cloud_account_id": "text",
    "cloud_account_name": "text",
    # a list of pairs, a map or null; AWS and GCP have theirs in the raw fields alone
    "tags": "json",
    "group_ids": ["text"],
    "first_observed": "timestamp",
    "last_observed": "timestamp",
    "insights_is_inactive": "boolean",
    "insights_is_publicly_accessible": "boolean",
    "insights_has_sensitive_data": "boolean",
    "related_issues_critical_issues": "integer",
    "related_issues_issues_breakdown": "json",
    "host_fqdn": "text",
    "host_ipv4_addresses": ["text"],
    "host_mac_addresses": ["text"],
    "told_criticality": "text",
}

ISSUE_FIELDS: Mapping[str, FieldType] = {
    "id": "text",
    "external_id": "text",
    "name": "text",
    "description": "text",
    "domain": "text",
    "category": "text",
    "severity": "text",
    "type": "text",
    "detection_method": "text",
    "detection_rule_id": "text",
    "status_progress": "text",
    "status_resolution_reason": "text",
    "observation_time": "timestamp",
    "last_update_timestamp": "timestamp",
    "is_excluded": "boolean",
    "is_excepted": "boolean",
    "remediation": "text",
    "asset_ids": ["text"],
}

FINDING_FIELDS: Mapping[str, FieldType] = {
    "platform_id": "text",
    "asset_id": "text",
    "asset_name": "text",
    "asset_type": "text",
    "asset_type_class": "text",
    "asset_category": "text",
    "provider": "text",
    "cve_id": "text",
    "cve_description": "text",
    "cve_publish_date": "timestamp",
    "published_date": "timestamp",
    "cvss_score": "number",
    "cvss_severity": "text",
    "epss_score": "number",
    "cortex_vulnerability_risk_score": "number",
    "has_kev": "boolean",
    "exploitable": "boolean",
    "exploit_level": "text",
    "fix_available": "boolean",
    "fix_versions": ["text"],
    "affected_software": ["text"],
    "package_purl": "text",
    "package_version": "text",
    "package_in_use": "boolean",
    "file_path": "text",
    "remediation": "text",
    "internet_exposed": "boolean",
    "ipv4_addresses": ["text"],
    "operating_system": "text",
    "image_name": "text",
    "finding_sources": ["text"],
    "first_observed": "timestamp",
    "last_observed": "timestamp",
    "issue_id": "text",
}

plain_asset = flattener(("xdm.asset.", "xdm."), ASSET_FIELDS)
flat_issue = flattener(("xdm.issue.", "xdm."), ISSUE_FIELDS)
#: What the documentation calls otherwise than a tenant does.
DOCUMENTED = (("id", "issue_id"), ("status_progress", "status"), ("last_update_timestamp", "last_modified"))


def plain_issue(record: Any) -> Any:
    """An issue under the names a tenant gives it."""
    found = flat_issue(record)
    if isinstance(found, dict):
        for name, other in DOCUMENTED:
            if found.get(name) in (None, "") and other in found:
                found[name] = found[other]
    return found


def assets(api: Api) -> Iterator[Page]:
    """The inventory seen within the window, a scope a category where categories are named."""
    options = api.options
    conditions: list[Ask] = []
    if options.assets_by_last_observed and api.window_start is not None:
        conditions.append(condition("xdm.asset.last_observed", "GTE", milliseconds(api.window_start)))
    request: Ask = {"sort": by_asset(api)}
    if options.on_demand_fields:
        request["on_demand_fields"] = list(options.on_demand_fields)
    plain = with_criticality(options.criticality_tags if options.tag_criticality else ())
    for category in options.asset_categories or (None,):
        scope = category or "default"
        named = [condition("xdm.asset.type.category", "EQ", category)] if category else []
        filters = {"filters": {"AND": [*named, *conditions]}} if named or conditions else {}
        found = search_pages(api, ASSETS, options.asset_page_size, {**request, **filters}, plain, scope=scope)
        api.enumerates(scope)
        yield from Window.of(api, "last_observed").pages(found)


def by_asset(api: Api) -> list[Ask]:
    """The order of ids is the only one in which a new asset never moves the others for long: they are hashes, and no two
    assets share one."""
    return [{"FIELD": api.options.asset_order, "ORDER": "ASC"}]


def condition(field: str, kind: str, value: Any) -> Ask:
    return {"SEARCH_FIELD": field, "SEARCH_TYPE": kind, "SEARCH_VALUE": value}


def with_criticality(names: tuple[str, ...]) -> Callable[[Any], Any]:
    """Assets under plain names, with what the first of these tags says beside them."""
    wanted = [name.lower() for name in names]

    def plain(record: Any) -> Any:
        found = plain_asset(record)
        if wanted and isinstance(found, dict):
            tags = tags_of(found.get("tags"))
            if told := next((tags[name] for name in wanted if tags.get(name)), None):
                found["told_criticality"] = told
        return found

    return plain


def tags_of(told: Any) -> dict[str, str]:
    """Tags by their name in lower case: from a map, from pairs of key and value in any case, from texts key:value."""
    if isinstance(told, Mapping):
        return {str(name).lower(): str(value) for name, value in told.items()}
    tags: dict[str, str] = {}
    for tag in told if isinstance(told, list) else []:
        if isinstance(tag, Mapping):
            pair = {str(name).lower(): value for name, value in tag.items()}
            tags[str(pair.get("key", "")).lower()] = str(pair.get("value", ""))
        elif isinstance(tag, str):
            name, _, value = tag.partition(":")
            tags[name.strip().lower()] = value.strip()
    return tags


def issues(api: Api) -> Iterator[Page]:
    """All open issues, however old, and those resolved within the window."""
    request: Ask = {"sort": BY_ISSUE}
    if api.options.issue_domains:
        request["filters"] = [{"field": "issue_domain", "operator": "in", "value": list(api.options.issue_domains)}]
    found = search_pages(api, ISSUES, api.options.issue_page_size, request, plain_issue, optional=True)
    yield from ResolvedWindow.of(api, "last_update_timestamp").pages(found)


class ResolvedWindow(Window):
    """As a window, for what is resolved; what is open counts however long ago it last changed."""

    def is_before(self, record: Record) -> bool:
        told = record.get("status_progress") if isinstance(record, dict) else None
        return "RESOLVED" in str(told).upper() and super().is_before(record)


def probe_assets(api: Api) -> None:
    search(api, ASSETS, {"search_from": 0, "search_to": 1, "sort": by_asset(api)})


def probe_issues(api: Api) -> None:
    search(api, ISSUES, {"search_from": 0, "search_to": 1, "sort": BY_ISSUE}, optional=True)


def probe_findings(api: Api) -> None:
    """By the search, which is of the same right: a snapshot would cost one of ten requests a day."""
    search(api, SEARCH, {"filter": {"AND": []}, "page_size": 1}, optional=True)


#: Members dropped at any depth, by their name; see also `answers.SECRET`.
SECRETS = ("raw_fields", "normalized_fields", "custom_fields", "environment_variables", "user_data", "evidence")

STREAMS = (
    Stream(
        name="assets",
        pull=assets,
        key="id",
        fields=ASSET_FIELDS,
        description="Assets of every cloud and source the tenant watches, observed within the window: machines, data, "
        "containers, code that runs, and the accounts they are in.",
        permissions=(INVENTORY,),
        activity_field="last_observed",
        drop_fields=SECRETS,
        evidence="client_code",
    ),
    Stream(
        name="issues",
        pull=issues,
        key="id",
        fields=ISSUE_FIELDS,
        description="Issues of the posture: all open ones, and those resolved in the window.",
        permissions=(CASES,),
        optional=True,
        drop_fields=SECRETS,
        may_be_empty=True,
        evidence="client_code",
    ),
    Stream(
        name="vulnerability_findings",
        pull=findings,
        key="platform_id",
        fields=FINDING_FIELDS,
        description="CVEs found on assets, observed within the window. One that is fixed is no longer among them.",
        permissions=(VULNERABILITIES,),
        optional=True,
        activity_field="last_observed",
        drop_fields=SECRETS,
        may_be_empty=True,
        evidence="documented",
    ),
)
