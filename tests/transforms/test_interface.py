"""The columns that people's queries rely on: more is welcome, fewer is a break."""

from __future__ import annotations

import pytest

from exposure_pipelines.building import project

PROMISED = {
    "devices": "device_id display_name fqdn device_category os_platform os_version manufacturer model serial_number "
    "mac_addresses ip_addresses cloud_provider cloud_resource_id entra_device_id owner is_internet_facing is_managed "
    "criticality_level discovery_sources source_records first_seen last_seen lifecycle_state",
    "identities": "identity_id display_name identity_type upn email employee_id is_enabled is_privileged mfa_registered "
    "criticality_level discovery_sources source_records first_seen last_seen lifecycle_state",
    "applications": "application_id display_name application_type owner vendor environment criticality_level "
    "discovery_sources source_records first_seen last_seen lifecycle_state",
    "cloud_resources": "resource_id display_name resource_type provider account_id region native_id is_container "
    "is_internet_facing contains_sensitive_data criticality_level discovery_sources first_seen last_seen lifecycle_state",
    "vulnerabilities": "cve_id severity cvss_score epss_score exploit_available published_at",
    "findings": "finding_id asset_kind asset_id cve_id source status severity first_seen last_seen fixed_at evidence",
    "relationships": "relationship_id relationship source_kind source_id target_kind target_id properties "
    "discovery_sources first_seen last_seen",
    "asset_records": "asset_kind asset_id product instance stream record_id first_seen last_seen",
    "asset_fields": "asset_kind asset_id field value product instance record_id observed_at chosen",
    "resolution_decisions": "asset_kind",
    "suppressed_identifiers": "asset_kind",
    "resolution_changes": "asset_kind",
    "billable_assets": "snapshot_date product instance asset_kind billable_assets reported_assets excluded_by_reason",
    "coverage_gaps": "asset_kind asset_id missing reason",
    "asset_changes": "snapshot_date asset_kind asset_id change field before after",
    "connector_status": "product instance stream scope state synced_at records quarantined requests waited_seconds",
}


@pytest.mark.parametrize("table", PROMISED)
def test_a_promised_column_is_still_there(table: str) -> None:
    columns = {column.name for column in project().models[table].columns}
    assert set(PROMISED[table].split()) <= columns
