"""The two asset inventories: host assets (QPS), whose lists come wrapped twice, and assets of CSAM."""

from __future__ import annotations

from typing import Any

from demo_estate.lenses import View
from demo_estate.lenses.qualys.records import (
    Listed,
    Record,
    agent_uuid,
    criticality_score,
    first_seen,
    fqdn,
    host_name,
    is_rated,
    is_unscanned,
    last_seen,
    risk_score,
    stamp,
)
from demo_estate.truth import Device


def host_asset(view: View, entry: Listed) -> Record:
    """A host asset in the JSON notation, lists wrapped as the vendor wraps them."""
    truth, device = view.truth, view.device(entry.device)
    agent, name, dns = agent_uuid(view, entry), host_name(truth, device), fqdn(truth, device)
    seen = stamp(last_seen(view, device, entry.generation))
    identified = agent is not None or is_unscanned(truth, entry.device)
    record: Record = {
        "id": entry.asset_id,
        "name": name or device.ip,
        "created": stamp(first_seen(view, device, entry.generation)),
        "modified": seen,
        "type": "HOST",
        "fqdn": dns or "",
        "os": device.os_name if identified else "",
        "dnsHostName": dns or name or "",
        "address": device.ip,
        "trackingMethod": "QAGENT" if agent else "IP",
        "isDockerHost": "false",
        "tags": wrapped("TagSimple", [{"id": 7, "name": f"Env:{device.environment}"}]),
        "networkInterface": wrapped("HostAssetInterface", interfaces(device) if agent else []),
        "software": wrapped("HostAssetSoftware", software(view, device) if agent else []),
        "account": wrapped("HostAssetAccount", [{"username": "Administrator"}] if agent and device.is_windows else []),
        "vuln": wrapped("HostAssetVuln", [{"qid": 1, "hostInstanceVulnId": 1}]),
        "sourceInfo": {"list": [cloud_source(device)] if identified and device.cloud else [{"AssetSource": {}}]},
    }
    if entry.host_id is not None:
        record["qwebHostId"] = entry.host_id
    if agent:
        record["netbiosName"] = name.upper()[:15] if name and device.is_windows else ""
        record["manufacturer"], record["model"] = device.manufacturer, device.model
        # the vendor ends the id with a line break
        record["agentInfo"] = {"agentId": f"{agent}\n", "lastCheckedIn": seen, "status": "STATUS_ACTIVE"}
    return record


def wrapped(kind: str, items: list[Record]) -> Record:
    return {"list": [{kind: item} for item in items]}


def interfaces(device: Device) -> list[Record]:
    return [
        {"hostname": device.hostname, "interfaceName": nic.name, "macAddress": nic.mac, "address": nic.ip}
        for nic in device.nics
    ]


def software(view: View, device: Device) -> list[Record]:
    catalogue = view.truth.software_catalogue
    return [
        {"name": catalogue[item.software].title, "version": item.version}
        for item in view.truth.software(device.index, view.day)
        if not catalogue[item.software].is_os
    ]


def cloud_source(device: Device) -> Record:
    cloud = device.cloud
    if cloud is None:
        return {"AssetSource": {}}
    if cloud.provider == "azure":
        return {"AzureAssetSourceSimple": {"vmId": cloud.instance_id, "subscriptionId": cloud.account_id}}
    if cloud.provider == "aws":
        source = {"instanceId": cloud.instance_id, "accountId": cloud.account_id, "region": cloud.region}
        return {"Ec2AssetSourceSimple": source}
    return {"GcpAssetSourceSimple": {"instanceId": cloud.instance_id, "projectId": cloud.account_id}}


def csam_asset(view: View, entry: Listed) -> Record:
    """An asset of CSAM; only machines with an agent have one here."""
    truth, device = view.truth, view.device(entry.device)
    catalogue = truth.software_catalogue
    name, dns = host_name(truth, device), fqdn(truth, device)
    seen = last_seen(view, device, entry.generation)
    return {
        "assetId": entry.asset_id,
        "assetUUID": truth.guid("qualys", "csam", entry.asset_id),
        "hostId": entry.host_id,
        "agentId": agent_uuid(view, entry),
        "createdDate": stamp(first_seen(view, device, entry.generation)),
        "lastModifiedDate": stamp(seen),
        "sensorLastUpdatedDate": stamp(seen),
        "assetType": "HOST",
        "address": device.ip,
        "dnsName": dns or name,
        "assetName": name,
        "netbiosName": name.upper()[:15] if name and device.is_windows else None,
        "lastLoggedOnUser": None,
        "domainRole": None,
        "hwUUID": device.smbios_uuid,
        "biosSerialNumber": device.serial,
        "biosAssetTag": device.asset_tag,
        "isContainerHost": False,
        "operatingSystem": {"osName": device.os_platform, "fullName": device.os_name, "version": device.os_version},
        "hardware": {"manufacturer": device.manufacturer, "model": device.model, "fullName": device.model},
        "userAccountListData": None,
        "openPortListData": None,
        "networkInterfaceListData": {
            "networkInterface": [
                {"addressIpV4": nic.ip, "addressIpV6": None, "macAddress": nic.mac, "macVendorIntroDate": 968457600000}
                for nic in device.nics
            ]
        },
        "softwareListData": {
            "software": [
                {
                    "id": 8464359598295418000 + item.software,
                    "fullName": f"{catalogue[item.software].title} {item.version}",
                    "productName": catalogue[item.software].title,
                    "version": item.version,
                    "publisher": catalogue[item.software].vendor,
                    "cpe": catalogue[item.software].cpe,
                    "isIgnored": False,
                }
                for item in truth.software(device.index, view.day)
                if not catalogue[item.software].is_os
            ]
        },
        "cloudProvider": csam_cloud(device),
        "agent": {
            "lastActivity": int(seen.timestamp() * 1000),
            "lastCheckedIn": int(seen.timestamp() * 1000),
            "activations": None,
        },
        "sensor": {"lastVMScan": int(seen.timestamp() * 1000), "lastComplianceScan": 0},
        "tagList": {"tag": [{"tagId": 7, "tagName": f"Env:{device.environment}", "criticalityScore": None}]},
        "criticality": {"score": criticality_score(device), "isDefault": not is_rated(device)},
        "businessInformation": {"environment": device.environment} if device.is_server else None,
        "businessAppListData": None,
        "riskScore": risk_score(truth, entry.device),
    }


def csam_cloud(device: Device) -> Any:
    """An object, or for some machines the provider's name alone, as a client's test data has it."""
    cloud = device.cloud
    if cloud is None:
        return None
    if device.index % 4 == 0:
        return cloud.provider.upper()
    if cloud.provider == "azure":
        return {"azure": {"vm": {"vmId": cloud.instance_id, "subscriptionId": cloud.account_id}}}
    if cloud.provider == "aws":
        return {"aws": {"ec2": {"instanceId": cloud.instance_id, "accountId": cloud.account_id}}}
    return {"gcp": {"compute": {"instanceId": cloud.instance_id, "projectId": cloud.account_id}}}
