"""What is read from Intune, and how. Field names are Graph's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

from connector_assets.intune.graph import collection
from connector_assets.kit import FieldType, Page, Record, Stream
from connector_assets.kit.errors import NotFound

if TYPE_CHECKING:
    from connector_assets.kit.api import Api

#: Wired addresses and memory are left out: in a collection they are always empty, whatever the device has.
DEVICE = (
    "id,userId,deviceName,managedDeviceName,managedDeviceOwnerType,managementState,enrolledDateTime,lastSyncDateTime,"
    "operatingSystem,osVersion,complianceState,jailBroken,managementAgent,azureADRegistered,azureADDeviceId,"
    "deviceEnrollmentType,deviceRegistrationState,deviceCategoryDisplayName,emailAddress,userPrincipalName,userDisplayName,"
    "model,manufacturer,serialNumber,imei,meid,wiFiMacAddress,ethernetMacAddress,isEncrypted,isSupervised,"
    "partnerReportedThreatState,androidSecurityPatchLevel"
)
BETA_DEVICE = "chassisType,joinType,processorArchitecture,skuFamily,usersLoggedOn"
#: Applications whose devices make one landed page.
APPS_A_PAGE = 20


def managed_devices(api: Api) -> Iterator[Page]:
    version = api.options.api_version
    select = f"{DEVICE},{BETA_DEVICE}" if version == "beta" else DEVICE
    path = f"/{version}/deviceManagement/managedDevices"
    return collection(api, path, {"$select": select, "$top": api.options.page_size})


def detected_apps(api: Api) -> Iterator[Page]:
    if api.options.detected_apps == "none":
        api.skip("the option detected_apps is none")
    yield from collection(api, "/v1.0/deviceManagement/detectedApps", {"$top": api.options.page_size})


def detected_app_devices(api: Api) -> Iterator[Page]:
    """Which device each application is on, a call an application. One that is gone meanwhile is left out.

    Where there are more than may be asked, it is the same ones in every sync: those on most devices.
    """
    if api.options.detected_apps != "devices":
        api.skip(f"the option detected_apps is {api.options.detected_apps}")
    limit = api.options.detected_apps_limit
    apps = {
        ident: devices
        for app in api.records("detected_apps")
        if (ident := id_of(app)) and (devices := devices_told(app))
    }
    chosen = sorted(apps, key=lambda ident: (-apps[ident], ident))[:limit]
    for start in range(0, len(chosen), APPS_A_PAGE):
        batch = chosen[start : start + APPS_A_PAGE]
        asked = start + len(batch)
        yield Page([row for ident in batch for row in devices_of(api, ident)], cursor=f"application {asked}")
        api.progress(f"devices of {asked} applications")
    if left := len(apps) - len(chosen):
        api.note(f"{len(chosen)} applications were asked for their devices; {left} more are beyond detected_apps_limit")


def id_of(app: Record) -> str:
    """Its id; '' for what has none, which landing puts into quarantine."""
    ident = app.get("id") if isinstance(app, dict) else None
    return ident if isinstance(ident, str) else ""


def devices_told(app: Record) -> int:
    """How many devices Intune counts; 1 where it does not say, so that the application is asked."""
    count = app.get("deviceCount")
    return count if isinstance(count, int) else 1


def devices_of(api: Api, app: str) -> list[Record]:
    path = f"/v1.0/deviceManagement/detectedApps/{quote(app, safe='')}/managedDevices"
    try:
        pages = list(collection(api, path, {"$select": "id", "$top": api.options.page_size}))
    except NotFound:
        return []
    return [
        {"app_id": app, "device_id": device.get("id") if isinstance(device, dict) else None}
        for page in pages
        for device in page.records
    ]


FIELDS: dict[str, FieldType] = {
    "id": "text",
    "userId": "text",
    "deviceName": "text",
    "managedDeviceName": "text",
    "managedDeviceOwnerType": "text",
    "managementState": "text",
    "enrolledDateTime": "timestamp",
    "lastSyncDateTime": "timestamp",
    "operatingSystem": "text",
    "osVersion": "text",
    "complianceState": "text",
    # the text 'True', 'False' or 'Unknown'
    "jailBroken": "text",
    "managementAgent": "text",
    "azureADRegistered": "boolean",
    "azureADDeviceId": "text",
    "deviceEnrollmentType": "text",
    "deviceRegistrationState": "text",
    "deviceCategoryDisplayName": "text",
    "emailAddress": "text",
    "userPrincipalName": "text",
    "userDisplayName": "text",
    "model": "text",
    "manufacturer": "text",
    "serialNumber": "text",
    "imei": "text",
    "meid": "text",
    "wiFiMacAddress": "text",
    "ethernetMacAddress": "text",
    "isEncrypted": "boolean",
    "isSupervised": "boolean",
    "partnerReportedThreatState": "text",
    "androidSecurityPatchLevel": "text",
    "chassisType": "text",
    "joinType": "text",
    "processorArchitecture": "text",
    "skuFamily": "text",
    "usersLoggedOn": [{"userId": "text", "lastLogOnDateTime": "text"}],
}

STREAMS = (
    Stream(
        name="managed_devices",
        pull=managed_devices,
        key="id",
        fields=FIELDS,
        description="Enrolled devices. Retired and wiped ones vanish, leaving no trace.",
        permissions=("DeviceManagementManagedDevices.Read.All",),
        activity_field="lastSyncDateTime",
        drop_fields=("activationLockBypassCode", "remoteAssistanceSessionUrl", "phoneNumber"),
        evidence="recorded",
    ),
    Stream(
        name="detected_apps",
        pull=detected_apps,
        key="id",
        fields={
            "id": "text",
            "displayName": "text",
            "version": "text",
            "publisher": "text",
            "platform": "text",
            "deviceCount": "integer",
        },
        description="Applications found on devices, one a name and version; see the option detected_apps.",
        permissions=("DeviceManagementApps.Read.All",),
        optional=True,
        may_be_empty=True,
        evidence="documented",
    ),
    Stream(
        name="detected_app_devices",
        pull=detected_app_devices,
        key=("app_id", "device_id"),
        fields={"app_id": "text", "device_id": "text"},
        description="Which application is on which device; see the options detected_apps and detected_apps_limit.",
        needs=("detected_apps",),
        permissions=("DeviceManagementApps.Read.All",),
        optional=True,
        may_be_empty=True,
        evidence="documented",
    ),
)
