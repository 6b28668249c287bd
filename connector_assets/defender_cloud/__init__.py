"""Microsoft Defender for Cloud with Azure Resource Graph: cloud resources, who may do what to them, what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector_assets.defender_cloud.graph import ask, query, scopes
from connector_assets.defender_cloud.options import DefenderCloudOptions
from connector_assets.defender_cloud.streams import GIVE_READER, STREAMS
from connector_assets.kit import Connector, Credential, Permission
from connector_assets.kit.errors import FixPermission
from connector_assets.kit.microsoft import MicrosoftCredentials

if TYPE_CHECKING:
    from connector_assets.kit.api import Api
    from connector_assets.kit.auth import Auth
    from connector_assets.kit.settings import Secrets

HOSTS = ("management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn")


def credentials(options: DefenderCloudOptions, secrets: Secrets) -> Auth:
    return MicrosoftCredentials(options, secrets, options.resource, HOSTS)


def probe_reader(api: Api) -> None:
    """Azure refuses nothing to somebody without any role: it shows no subscription."""
    found = api.get("/subscriptions", {"api-version": "2022-12-01"})
    if not found.get("value"):
        raise FixPermission("not one subscription is in sight", hint=GIVE_READER.format(role="Reader"))


def probe_security_reader(api: Api) -> None:
    text = query("securityresources", ("type =~ 'microsoft.security/assessments'",), "id")
    request = {"query": text, "options": {"resultFormat": "objectArray", "$top": 1}}
    if not any(ask(api, {**part, **request})[0].get("data") for part in scopes(api)):
        raise FixPermission(
            "not one assessment is in sight",
            hint=GIVE_READER.format(role="Security Reader")
            + "; or Defender for Cloud has never been on in these subscriptions",
        )


CONNECTOR = Connector(
    product="defender_cloud",
    title="Microsoft Defender for Cloud",
    description="Resources of Azure with who may do what to them, resources of AWS and GCP as Defender for Cloud reports them, "
    "their weaknesses and attack paths.",
    base_url="https://management.azure.com",
    auth=credentials,
    streams=STREAMS,
    credentials=(Credential("client_secret", "Secret of the app registration (Certificates & secrets)."),),
    permissions=(
        Permission("Reader", "subscriptions, resources and role assignments", probe_reader),
        Permission("Security Reader", "assessments and attack paths", probe_security_reader),
    ),
    asset_kinds=("cloud_resource", "device", "identity"),
    billable_kinds=("cloud_resource", "device"),
    evidence="recorded",
    options=DefenderCloudOptions,
    known_hosts=HOSTS,
    changes=(
        "Every pull is a full one: a thousand rows come with a call, and what Azure Resource Graph keeps of changes (14 days, "
        "of resources alone) tells nothing of assessments, roles and other clouds."
    ),
    troubleshooting={
        "400": "Azure refused the query or its API version: check the options, and that base_url is "
        "https://management.azure.com or your national cloud's",
        "401": "check tenant_id, client_id and the secret's value (not its id) and expiry; the token must be for "
        "management.azure.com, not for Graph (option resource). AADSTS53003: a Conditional Access policy for workload "
        "identities does not list this machine's address",
        "403": GIVE_READER.format(role="Reader and Security Reader")
        + "; Azure has no IP allow list of its own, but a Conditional Access policy for workload identities may name addresses",
        "404": "base_url must be the address alone: https://management.azure.com; a subscription that is not found is gone "
        "or belongs to another tenant",
        "409": "the provider Microsoft.Security is not registered in the subscription: register it there (Resource "
        "providers), or set assessments_via to resource_graph",
        "429": "Azure Resource Graph allows 15 queries in 5 seconds for one user: give this connector its own app registration",
        "dns": "management.azure.com and login.microsoftonline.com must be reachable; check proxy and name resolution",
        "tls": "a proxy that opens TLS shows a certificate of its own: set ca_file to its authority, or leave "
        "management.azure.com and login.microsoftonline.com out of inspection",
        "connect": "allow https to management.azure.com and login.microsoftonline.com (service tags AzureResourceManager "
        "and AzureActiveDirectory); behind a proxy set HTTPS_PROXY",
    },
    default_schedule="0 */4 * * *",
    documentation_url="https://learn.microsoft.com/azure/defender-for-cloud/",
)
