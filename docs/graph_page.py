"""The page of the exposure graph: labels, properties with where each comes from, and the rules that stand on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from dbt_like_transforms.attack_paths.rules import load_attack_rules
from dbt_like_transforms.conditions import Condition
from dbt_like_transforms.criticality.rules import load_rules

MODELS = Path(__file__).parent.parent / "dbt_like_transforms" / "models"
KINDS = ("devices", "identities", "applications", "cloud_resources")

#: Node label -> what it is, and where its nodes come from.
NODE_LABELS = {
    "device": "a machine that no cloud hosts, as far as is known (devices)",
    "microsoft.compute/virtualmachines": "a machine in Azure (devices)",
    "microsoft.hybridcompute/machines": "a machine that Azure Arc manages (devices)",
    "ec2.instance": "a machine in AWS (devices)",
    "compute.instances": "a machine in Google Cloud (devices)",
    "user": "an account of a person or service (identities)",
    "group": "a group (identities)",
    "role": "a directory role (identities)",
    "serviceprincipal": "an application's identity in a tenant (identities)",
    "managedidentity": "the identity of a cloud resource (identities)",
    "Microsoft Entra OAuth App": "an application registration (applications)",
    "SaaS Application": "an application of another organisation (applications)",
    "business application": "an application of the CMDB; own label (applications)",
    "business service": "a service of the CMDB; own label (applications)",
    "software": "a software product; own label (applications)",
    "subscriptions, resourcegroups, microsoft.*/*": "an Azure resource, its type in lower case (cloud_resources)",
    "<service>.<type>": "a resource of AWS or Google Cloud, such as s3.bucket or, without a service, aws.account (cloud_resources)",
    "container.image": "an image that containers run; own label (cloud_resources)",
    "Cve": "a CVE that is open on an asset (open_vulnerabilities)",
    "mdcSecurityRecommendation": "advice of a cloud posture product that is open on an asset (open_recommendations)",
    "IP address": "a public address of an asset that the internet reaches (internet_exposure)",
}

#: Edges that are not relationships of the staging models.
MADE_EDGES = {
    "affecting": "open_vulnerabilities, open_recommendations",
    "routes traffic to": "internet_exposure",
    "same person": "resolution of identities",
    "same application": "resolution of applications",
    "instance of": "resolution of applications",
    "has instance": "resolution of applications",
    "part of": "resolution of devices",
}
LABELS = (
    "affecting, can authenticate as, can authenticate to, can impersonate as, contains, depends on, frequently logged in by, "
    "has credentials of, has instance, has permissions to, has role on, instance of, manages, member of, owns, part of, "
    "routes traffic to, runs on, same application, same person, used by"
).split(", ")


def graph_page() -> str:
    """The whole page as Markdown."""
    return "\n".join([*head(), *nodes(), *edges(), *properties(), *criticality(), *attack_paths(), ""])


def head() -> Iterator[str]:
    yield "# The exposure graph"
    yield ""
    yield (
        "`exposure_graph_nodes` and `exposure_graph_edges` have Microsoft's columns, labels and properties, so that public "
        "queries work; columns in small letters are the hot properties. Written by `python docs/generate.py`."
    )
    yield ""


def nodes() -> Iterator[str]:
    yield from ("## Nodes", "", "| NodeLabel | what |", "|---|---|")
    yield from (f"| `{label}` | {what} |" for label, what in NODE_LABELS.items())
    yield ""


def edges() -> Iterator[str]:
    told: dict[str, set[str]] = {label: set() for label in LABELS}
    for file in sorted((MODELS / "staging").glob("*/*relationships*.sql")):
        text = file.read_text(encoding="utf-8")
        for label in LABELS:
            if f"'{label}'" in text:
                told[label].add(f"`{file.parent.name}`")
    yield from ("## Edges", "", "| EdgeLabel | from |", "|---|---|")
    for label in LABELS:
        sources = ", ".join([*sorted(told[label]), *([MADE_EDGES[label]] if label in MADE_EDGES else [])])
        if sources:
            yield f"| `{label}` | {sources} |"
    yield ""


def keys_of(sql: str) -> list[str]:
    """Members of the object that a model gives as `properties`, without those inside it."""
    match = re.search(r"to_json\(\{(.*)\}\)\s*as varchar\)\s*as properties", sql, re.DOTALL)
    found, depth = [], 0
    for piece in re.split(r"([{}])", match[1] if match else ""):
        if piece in "{}":
            depth += 1 if piece == "{" else -1
        elif depth == 0:
            found += re.findall(r"'([A-Za-z][\w@.-]*)'\s*:", piece)
    return found


def properties() -> Iterator[str]:
    told: dict[str, set[str]] = {}
    for kind in KINDS:
        for file in sorted((MODELS / "staging").glob(f"*/stg_*__{kind}*.sql")):
            for key in keys_of(file.read_text(encoding="utf-8")):
                told.setdefault(key, set()).add(f"`{file.parent.name}`")
    made = (MODELS / "marts" / "exposure_graph_nodes.sql").read_text(encoding="utf-8")
    yield from ("## Properties in rawData", "", "| property | from |", "|---|---|")
    for key in sorted({*told, *re.findall(r"^            '([A-Za-z][\w-]*)':", made, re.MULTILINE)}, key=str.lower):
        yield f"| `{key}` | {', '.join(sorted(told.get(key, ()))) or 'the merged tables'} |"
    yield ""


def criticality() -> Iterator[str]:
    yield from ("## Criticality", "")
    yield (
        "The highest level that products report, these rules give and business applications pass on; a level set in "
        "`criticality.yaml` of the home wins. That file may also add rules and disable these (`disable: [Domain Controller]`)."
    )
    taken = ", ".join(f"`{product}`" for product, imported in sorted(load_rules(None).imports.items()) if imported)
    yield from (
        "",
        f"Levels are taken of {taken}. `imports: {{wiz: false}}` ignores those of a product, and `imports: {{wiz: {{1: 2}}}}` "
        "makes its high a medium (0 very high, 1 high, 2 medium, 3 low, 4 none).",
    )
    yield from ("", "| rule | kind | level | when |", "|---|---|---|---|")
    yield from (f"| {r.name} | {r.kind} | {r.level} | {words(r.when)} |" for r in load_rules(None).rules)
    yield ""


def attack_paths() -> Iterator[str]:
    rules = load_attack_rules(None)
    yield from (
        "## Attack paths",
        "",
        f"Shortest paths of at most {rules.hops} steps. An `attack_paths.yaml` of the home changes the rules.",
        "",
    )
    yield from ("| an attacker gets in at | likelihood | when |", "|---|---|---|")
    yield from (f"| {r.name} | {r.likelihood} | {words(r.when)} |" for r in rules.entries)
    yield from ("", "| what matters | kind | when |", "|---|---|---|")
    yield from (f"| {r.name} | {', '.join(r.asset_kinds)} | {words(r.when)} |" for r in rules.targets)
    yield from ("", "| step | when |", "|---|---|")
    yield from (f"| `{r.label}`: {r.says} | {words(r.when) if r.when else 'always'} |" for r in rules.steps)


def words(condition: Condition) -> str:
    """A condition as text in a table."""
    if condition.any is not None:
        return " or ".join(f"({words(part)})" if part.all else words(part) for part in condition.any)
    if condition.all is not None:
        return " and ".join(f"({words(part)})" if part.any else words(part) for part in condition.all)
    (test,) = condition.tests()
    value = {
        "is": condition.is_, "in": ", ".join(condition.in_ or ()), "at_least": condition.at_least, "matches": condition.matches,
        "has": condition.has,
    }[test]  # fmt: skip
    shown = str(value).replace("|", "\\|")
    return f"{condition.column or condition.property} {test.replace('_', ' ')} `{shown}`"
