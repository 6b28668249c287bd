"""As much of GraphQL as tells an honest query from a wrong one: a parser, a schema, and answers cut to what was asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TOKEN = re.compile(r"\.\.\.|[{}()\[\]:!$=,]|\"[^\"]*\"|-?\d+|\w+|\S")


class Invalid(Exception):
    """The query does not fit the schema; in the words of GraphQL."""


@dataclass
class Selection:
    """A field with its arguments and what is selected below it; on: the type of an inline fragment."""

    name: str
    on: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    below: list[Selection] = field(default_factory=list)


def scalars(names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), "")


#: Type -> its fields and their types; '' is a scalar.
TYPES: Mapping[str, Mapping[str, str]] = {
    "Query": {
        "cloudResourcesV2": "CloudResourceV2Connection",
        "vulnerabilityFindings": "VulnerabilityFindingConnection",
        "issuesV2": "IssueConnection",
    },
    "CloudResourceV2Connection": {"nodes": "CloudResourceV2", "pageInfo": "PageInfo"},
    "VulnerabilityFindingConnection": {"nodes": "VulnerabilityFinding", "pageInfo": "PageInfo"},
    "IssueConnection": {"nodes": "Issue", "pageInfo": "PageInfo"},
    "PageInfo": scalars("hasNextPage endCursor"),
    "CloudResourceV2": {
        **scalars(
            "id name externalId providerUniqueId type nativeType cloudPlatform status region firstSeen lastSeen deletedAt "
            "isAccessibleFromInternet isOpenToAllInternet hasSensitiveData hasAccessToSensitiveData hasAdminPrivileges "
            "hasHighPrivileges"
        ),
        "tags": "Tag",
        "cloudAccount": "CloudAccount",
        "resourceGroup": "Named",
        "projects": "Project",
        "technology": "Named",
        "typeFields": "TypeFields",
        "graphEntity": "GraphEntity",
    },
    "Tag": scalars("key value"),
    "Named": scalars("name"),
    "CloudAccount": scalars("id name externalId cloudProvider"),
    "Project": {**scalars("id name slug"), "riskProfile": "RiskProfile"},
    "RiskProfile": scalars("businessImpact"),
    "TypeFields": {},
    "CloudResourceV2VirtualMachine": {
        **scalars("instanceType operatingSystem ipAddresses"),
        "image": "Named",
        "kubernetesCluster": "Named",
    },
    "CloudResourceV2ContainerImage": {"operatingSystemDistribution": "Named"},
    "GraphEntity": scalars("id type properties"),
    "VulnerabilityFinding": {
        **scalars(
            "id portalUrl name CVEDescription CVSSSeverity score severity vendorSeverity nvdSeverity exploitabilityScore "
            "impactScore hasExploit hasCisaKevExploit epssProbability epssPercentile epssSeverity status firstDetectedAt "
            "lastDetectedAt resolvedAt detailedName version fixedVersion detectionMethod locationPath remediation link"
        ),
        "projects": "Project",
        "vulnerableAsset": "VulnerableAsset",
    },
    "VulnerableAsset": {},
    "VulnerableAssetBase": scalars(
        "id type name region providerUniqueId cloudProviderURL cloudPlatform status subscriptionName subscriptionExternalId "
        "subscriptionId tags hasLimitedInternetExposure hasWideInternetExposure"
    ),
    "VulnerableAssetVirtualMachine": scalars("operatingSystem ipAddresses"),
    "VulnerableAssetContainer": scalars("ImageExternalId VmExternalId PodNamespace PodName NodeName"),
    "Issue": {
        **scalars("id type status severity createdAt updatedAt resolvedAt statusChangedAt"),
        "sourceRule": "IssueRule",
        "entitySnapshot": "IssueEntitySnapshot",
        "projects": "Project",
        "serviceTickets": "ServiceTicket",
    },
    "IssueRule": {},
    "Control": scalars("id name resolutionRecommendation"),
    "CloudEventRule": scalars("id name"),
    "CloudConfigurationRule": scalars("id name remediationInstructions"),
    "IssueEntitySnapshot": scalars(
        "id type nativeType name status cloudPlatform providerId region subscriptionExternalId tags externalId"
    ),
    "ServiceTicket": scalars("externalId name url"),
}
ARGUMENTS = frozenset({"first", "after", "filterBy"})


class Parser:
    """Recursive descent over one query operation."""

    def __init__(self, text: str, variables: Mapping[str, Any]) -> None:
        self._tokens = [token for token in TOKEN.findall(text) if token != ","]
        self._at = 0
        self._variables = variables
        self._declared: set[str] = set()

    def operation(self) -> list[Selection]:
        if self._peek() == "query":
            self._next()
            if self._peek() not in ("{", "("):
                self._next()
            if self._peek() == "(":
                self._definitions()
        selections = self._selections()
        if self._at != len(self._tokens):
            raise Invalid(f"Syntax Error: Unexpected {self._peek()!r}.")
        unknown = sorted(set(self._variables) - self._declared)
        if unknown:
            raise Invalid(f'Variable "${unknown[0]}" is not defined by the operation.')
        return selections

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self, wanted: str = "") -> str:
        token = self._peek()
        if not token or (wanted and token != wanted):
            raise Invalid(f"Syntax Error: Expected {wanted or 'a name'!r}, found {token or '<EOF>'!r}.")
        self._at += 1
        return token

    def _definitions(self) -> None:
        self._next("(")
        while self._peek() != ")":
            self._next("$")
            self._declared.add(self._next())
            self._next(":")
            while self._peek() not in ("$", ")"):
                self._next()
        self._next(")")

    def _selections(self) -> list[Selection]:
        self._next("{")
        found: list[Selection] = []
        while self._peek() != "}":
            found.append(self._selection())
        self._next("}")
        if not found:
            raise Invalid("Syntax Error: Expected Name, found '}'.")
        return found

    def _selection(self) -> Selection:
        if self._peek() == "...":
            self._next()
            self._next("on")
            return Selection("", on=self._next(), below=self._selections())
        chosen = Selection(self._next())
        if self._peek() == "(":
            self._next()
            while self._peek() != ")":
                name = self._next()
                self._next(":")
                chosen.arguments[name] = self._value()
            self._next(")")
        if self._peek() == "{":
            chosen.below = self._selections()
        return chosen

    def _value(self) -> Any:
        token = self._next()
        if token == "$":
            name = self._next()
            if name not in self._declared:
                raise Invalid(f'Variable "${name}" is not defined.')
            return self._variables.get(name)
        if token.lstrip("-").isdecimal():
            return int(token)
        return token.strip('"')


def parse(text: str, variables: Mapping[str, Any]) -> list[Selection]:
    """The selections at the root of a query. Raises Invalid."""
    selections = Parser(text, variables).operation()
    check(selections, "Query")
    return selections


def check(selections: list[Selection], type_: str, unknown: frozenset[str] = frozenset()) -> None:
    for chosen in selections:
        if chosen.on:
            if chosen.on not in TYPES:
                raise Invalid(f'Unknown type "{chosen.on}".')
            check(chosen.below, chosen.on)
            continue
        if chosen.name == "__typename":
            continue
        if chosen.name not in TYPES[type_]:
            raise Invalid(f'Cannot query field "{chosen.name}" on type "{type_}".')
        below = TYPES[type_][chosen.name]
        wrong = sorted(set(chosen.arguments) - (ARGUMENTS if type_ == "Query" else frozenset()))
        if wrong:
            raise Invalid(f'Unknown argument "{wrong[0]}" on field "{type_}.{chosen.name}".')
        if bool(below) != bool(chosen.below):
            raise Invalid(f'Field "{chosen.name}" of type "{below or "scalar"}" has a wrong selection of subfields.')
        if below:
            check(chosen.below, below)


def names(selections: list[Selection]) -> set[str]:
    """Every field named anywhere in a query."""
    return {chosen.name for chosen in selections}.union(*(names(chosen.below) for chosen in selections))


def cut(value: Any, selections: list[Selection]) -> Any:
    """A record with what was asked for alone. A fragment adds its fields where the record's `__typename` fits."""
    if isinstance(value, list):
        return [cut(one, selections) for one in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    kinds = value.get("__types", ())
    for chosen in selections:
        if chosen.on:
            if chosen.on in kinds:
                found |= cut(value, chosen.below)
        elif chosen.name == "__typename":
            found["__typename"] = kinds[0] if kinds else ""
        else:
            inner = value.get(chosen.name)
            found[chosen.name] = cut(inner, chosen.below) if chosen.below else inner
    return found
