"""The three queries, word for word as they are sent. A line of its own for every field that a tenant may not know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """A query over one connection.

    root: the connection's field. optional: fields whose existence is not verified for every tenant; what Wiz refuses of
    them is left out. Each stands alone on a line.
    """

    name: str
    root: str
    text: str
    optional: tuple[str, ...] = ()


CLOUD_RESOURCES = Query(
    "CloudResources",
    "cloudResourcesV2",
    """\
query CloudResources($first: Int, $after: String, $filterBy: CloudResourceV2Filters) {
  cloudResourcesV2(first: $first, after: $after, filterBy: $filterBy) {
    nodes {
      id name externalId providerUniqueId type nativeType cloudPlatform status region
      firstSeen lastSeen deletedAt
      isAccessibleFromInternet isOpenToAllInternet
      hasSensitiveData hasAccessToSensitiveData hasAdminPrivileges hasHighPrivileges
      tags { key value }
      cloudAccount { id name externalId cloudProvider }
      resourceGroup { name }
      projects { id name slug riskProfile { businessImpact } }
      technology { name }
      typeFields {
        __typename
        ... on CloudResourceV2VirtualMachine {
          instanceType operatingSystem ipAddresses
          image { name }
          kubernetesCluster { name }
        }
        ... on CloudResourceV2ContainerImage {
          operatingSystemDistribution { name }
        }
      }
      graphEntity { id type properties }
    }
    pageInfo { hasNextPage endCursor }
  }
}
""",
)

VULNERABILITIES = Query(
    "VulnerabilityFindings",
    "vulnerabilityFindings",
    """\
query VulnerabilityFindings($first: Int, $after: String, $filterBy: VulnerabilityFindingFilters) {
  vulnerabilityFindings(first: $first, after: $after, filterBy: $filterBy) {
    nodes {
      id portalUrl name CVEDescription CVSSSeverity score severity vendorSeverity nvdSeverity
      exploitabilityScore impactScore hasExploit hasCisaKevExploit
      epssProbability
      epssPercentile
      epssSeverity
      status firstDetectedAt lastDetectedAt resolvedAt
      detailedName version fixedVersion detectionMethod locationPath remediation link
      projects { id name slug riskProfile { businessImpact } }
      vulnerableAsset {
        ... on VulnerableAssetBase {
          id type name region providerUniqueId cloudProviderURL cloudPlatform status
          subscriptionName subscriptionExternalId subscriptionId tags
          hasLimitedInternetExposure hasWideInternetExposure
        }
        ... on VulnerableAssetVirtualMachine {
          operatingSystem ipAddresses
        }
        ... on VulnerableAssetContainer {
          ImageExternalId VmExternalId PodNamespace PodName NodeName
        }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
""",
    optional=("epssProbability", "epssPercentile", "epssSeverity"),
)

ISSUES = Query(
    "Issues",
    "issuesV2",
    """\
query Issues($first: Int, $after: String, $filterBy: IssueFilters) {
  issuesV2(first: $first, after: $after, filterBy: $filterBy) {
    nodes {
      id type status severity createdAt updatedAt resolvedAt statusChangedAt
      sourceRule {
        __typename
        ... on Control {
          id name
          resolutionRecommendation
        }
        ... on CloudEventRule { id name }
        ... on CloudConfigurationRule {
          id name
          remediationInstructions
        }
      }
      entitySnapshot {
        id type nativeType name status cloudPlatform providerId region subscriptionExternalId tags externalId
      }
      projects { id name slug riskProfile { businessImpact } }
      serviceTickets { externalId name url }
    }
    pageInfo { hasNextPage endCursor }
  }
}
""",
    optional=("resolutionRecommendation", "remediationInstructions"),
)

#: The cheapest question of each kind: its answer proves the permission.
PROBES = {
    "cloudResourcesV2": "query Probe { cloudResourcesV2(first: 1) { nodes { id } } }",
    "vulnerabilityFindings": "query Probe { vulnerabilityFindings(first: 1) { nodes { id } } }",
    "issuesV2": "query Probe { issuesV2(first: 1) { nodes { id } } }",
}


def without(text: str, field: str) -> str:
    """The query without a field that stands alone on its line."""
    return "".join(line for line in text.splitlines(keepends=True) if line.strip() != field)


def counted(text: str) -> str:
    """The query asking for the total too."""
    return text.replace("    pageInfo {", "    totalCount\n    pageInfo {")
