"""Cloud accounts, resources that are no machines, and who may do what to them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from demo_estate import applications, directory, layout, people
from demo_estate.entities import CloudAssignment, CloudResource, Ref
from demo_estate.hashing import digest, guid, number

if TYPE_CHECKING:
    from demo_estate.truth import Truth

_TYPES = ("storage", "key_vault", "database", "kubernetes", "function")
_AZURE_TYPES = {
    "storage": "Microsoft.Storage/storageAccounts",
    "key_vault": "Microsoft.KeyVault/vaults",
    "database": "Microsoft.Sql/servers",
    "kubernetes": "Microsoft.ContainerService/managedClusters",
    "function": "Microsoft.Web/sites",
}
_AWS_SERVICES = {"storage": "s3", "key_vault": "kms", "database": "rds", "kubernetes": "eks", "function": "lambda"}
_GCP_SERVICES = {
    "storage": "storage",
    "key_vault": "cloudkms",
    "database": "sqladmin",
    "kubernetes": "container",
    "function": "cloudfunctions",
}


def resource_count(truth: Truth) -> int:
    return max(6, truth.device_count // 20)


def accounts(truth: Truth) -> tuple[tuple[str, str, str], ...]:
    return _accounts(truth.seed)


@lru_cache(maxsize=32)
def _accounts(seed: int) -> tuple[tuple[str, str, str], ...]:
    azure = tuple(
        ("azure", guid(seed, "subscription", name), name) for name in ("prod-platform", "prod-apps", "nonprod")
    )
    aws = tuple(
        ("aws", f"{100_000_000_000 + number(seed, 'aws', name) % 800_000_000_000}", name)
        for name in ("workloads", "sandbox")
    )
    return (*azure, *aws, ("gcp", f"halden-data-{number(seed, 'gcp') % 1000:03d}", "halden-data"))


@lru_cache(maxsize=128)
def _accounts_of(seed: int, provider: str) -> tuple[tuple[str, str], ...]:
    return tuple((account, name) for owner, account, name in _accounts(seed) if owner == provider)


def accounts_of(truth: Truth, provider: str) -> tuple[tuple[str, str], ...]:
    """(account id, name) of one provider."""
    return _accounts_of(truth.seed, provider)


def resource(truth: Truth, index: int) -> CloudResource:
    if not 0 <= index < resource_count(truth):
        raise IndexError(f"cloud resource {index} is outside this estate's {resource_count(truth)}")
    bits = digest(truth.seed, "cloud resource", index)
    provider = ("azure", "azure", "aws", "gcp")[index % 4] if index > 2 else "azure"
    kind = _TYPES[index % len(_TYPES)]
    owned = accounts_of(truth, provider)
    account_id, account_name = owned[int(bits[0:4], 16) % len(owned)]
    environment = "test" if account_name in ("nonprod", "sandbox") else "production"
    name = f"hw{kind.replace('_', '')[:5]}{index:06d}"
    group = f"rg-{kind.replace('_', '')}"
    region = {"azure": "westeurope", "aws": "eu-west-1", "gcp": "europe-west1"}[provider]
    sensitive = kind in ("key_vault", "database") or index % 15 == 0
    if provider == "azure":
        native = f"/subscriptions/{account_id}/resourceGroups/{group}/providers/{_AZURE_TYPES[kind]}/{name}"
    elif provider == "aws":
        native = f"arn:aws:{_AWS_SERVICES[kind]}:{region}:{account_id}:{name}"
    else:
        native = f"//{_GCP_SERVICES[kind]}.googleapis.com/projects/{account_id}/locations/{region}/{name}"
    return CloudResource(
        index=index,
        truth_id=f"res-{index:06d}",
        provider=provider,  # type: ignore[arg-type]
        account_id=account_id,
        account_name=account_name,
        type=kind,  # type: ignore[arg-type]
        name=name,
        resource_id=native,
        region=region,
        resource_group=group,
        internet_facing=index % 10 == 5,
        sensitive_data=sensitive,
        criticality=1 if sensitive and environment == "production" else 3,
        environment=environment,
    )


def assignments(truth: Truth, day: int) -> Iterator[CloudAssignment]:
    """Planted: the managed identity of an internet-facing machine may do everything in its subscription."""

    def assign(principal: Ref, provider: str, account: str, scope: str, role: str) -> CloudAssignment:
        key = guid(truth.seed, "cloud assignment", *principal, scope, role)
        return CloudAssignment(key, principal, provider, account, scope, role, role in ("Owner", "Contributor"))

    azure = accounts_of(truth, "azure")
    for account, _ in azure:
        scope = f"/subscriptions/{account}"
        yield assign(Ref("group", directory.CLOUD_OWNERS), "azure", account, scope, "Owner")
        yield assign(Ref("group", directory.FIXED + 11), "azure", account, scope, "Reader")
    if people.exists(truth, Ref("admin", 0), day):
        yield assign(Ref("admin", 0), "azure", azure[0][0], f"/subscriptions/{azure[0][0]}", "Owner")
    yield assign(Ref("service_principal", 1), "azure", azure[1][0], f"/subscriptions/{azure[1][0]}", "Contributor")
    vault = resource(truth, 1)
    for index in applications.managed_identities(truth, day):
        machine = truth.device(index, day)
        if machine.cloud is None:
            continue
        ref, account = Ref("managed_identity", index), machine.cloud.account_id
        if layout.place(truth, index)[1] in layout.INTERNET_FACING:
            yield assign(ref, "azure", account, f"/subscriptions/{account}", "Contributor")
        else:
            yield assign(ref, "azure", vault.account_id, vault.resource_id, "Key Vault Secrets User")
