"""What is read from Intune, and how. Field names are Graph's own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

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
    """Which device each application is on, a call an application. One that is gone meanwhile is left out."""
    if api.options.detected_apps != "devices":
        api.skip(f"the option detected_apps is {api.options.detected_apps}")
    apps = (app for app in api.records("detected_apps") if app.get("deviceCount") != 0)
    chosen, asked = islice(apps, api.options.detected_apps_limit), 0
    while batch := list(islice(chosen, APPS_A_PAGE)):
        yield Page([row for app in batch for row in devices_of(api, app)], cursor=f"application {asked + len(batch)}")
        asked += len(batch)
        api.progress(f"devices of {asked} applications")
    left = sum(1 for _ in apps)
    if left:
        api.note(f"{asked} applications were asked for their devices; {left} more are beyond detected_apps_limit")


def devices_of(api: Api, app: Record) -> list[Record]:
    path = f"/v1.0/deviceManagement/detectedApps/{app['id']}/managedDevices"
    try:
        pages = list(collection(api, path, {"$select": "id", "$top": api.options.page_size}))
    except NotFound:
        return []
    return [{"app_id": app["id"], "device_id": device.get("id")} for page in pages for device in page.records]


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
    "usersLoggedOn": [{"userId": "text", "lastLogOnDateTime": "timestamp"}],
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
