"""What Compute's Defenders and agentless scans know: hosts, the images on them, and the containers that run these."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from demo_estate.entities import Cve, Device, Software
from demo_estate.lenses import View
from demo_estate.written import known_day

Record = dict[str, Any]

ZERO = "0001-01-01T00:00:00Z"
#: Image: registry, repository, tag, the software in it with the number of its version, cluster and namespace.
IMAGES: tuple[tuple[str, str, str, tuple[tuple[str, int], ...], str], ...] = (
    ("docker.io", "library/nginx", "1.24", (("nginx", 1), ("openssl", 0)), "web"),
    ("docker.io", "library/postgres", "15.6", (("postgresql", 1),), "data"),
    ("registry.halden.example", "shop/checkout", "2026.11", (("log4j", 0), ("curl", 1), ("openssl", 2)), "shop"),
    ("registry.halden.example", "shop/frontend", "2026.10", (("nginx", 0),), "shop"),
    ("registry.halden.example", "base/empty", "1", (), "system"),
)
WORDS = {"high": "important", "medium": "moderate"}
BACK = {word: name for name, word in WORDS.items()}


def has_scan(view: View, device: Device) -> bool:
    """Four of five machines are looked into."""
    return device.cloud is not None and view.truth.chance(0.8, "prisma_cloud", "scan", device.index)


def is_agentless(view: View, device: Device) -> bool:
    return view.truth.chance(0.3, "prisma_cloud", "agentless", device.index)


def host_id(device: Device) -> str:
    assert device.cloud is not None
    return f"{device.hostname.lower()}-{device.cloud.instance_id[:8]}"


def host(view: View, device: Device) -> Record:
    cloud = device.cloud
    assert cloud is not None
    truth = view.truth
    seen = truth.last_activity(device.index, view.day, "prisma_cloud")
    found = [
        vulnerability(
            view, truth.cve_catalogue[one.cve], truth.software_catalogue[one.software], one.version, one.first_day
        )
        for one in truth.findings(device.index, known_day(view, device))
        if one.is_open
    ]
    azure = cloud.provider == "azure"
    metadata: Record = {
        # a list of one, at some consoles
        "provider": [cloud.provider] if cloud.provider == "gcp" else cloud.provider,
        "accountID": cloud.account_id,
        "region": cloud.region,
        "resourceID": cloud.resource_id if azure else cloud.instance_id,
        "name": device.hostname,
        "type": "m5.xlarge",
        "labels": [{"key": "business-criticality", "value": "high" if device.criticality <= 1 else "low"}],
    }
    if azure:
        metadata["vmID"] = cloud.instance_id
    return {
        **base(host_id(device), "host", seen, found),
        "hostname": device.hostname,
        "distro": device.os_name,
        "osDistro": "windows" if device.is_windows else "ubuntu",
        "osDistroRelease": device.os_version,
        "cloudMetadata": metadata,
        "agentless": is_agentless(view, device),
        "firstScanTime": ZERO
        if is_agentless(view, device)
        else iso(min(truth.moment(device.first_day, "first"), seen)),
        "creationTime": ZERO,
        "repoTag": None,
        "tags": None,
        "instances": None,
        "hosts": None,
        "hostDevices": [{"ip": "172.17.0.1", "name": "docker0"}, *({"ip": ip, "name": "eth0"} for ip in device.ips)],
        "Secrets": ["/etc/never-land-this"],
        "image": {"created": ZERO, "env": ["TOKEN=never-land-this"]},
    }


def base(ident: str, kind: str, seen: datetime, found: list[Record]) -> Record:
    words = [BACK.get(one["severity"], one["severity"]) for one in found]
    counts = {name: words.count(name) for name in ("critical", "high", "medium", "low")}
    return {
        "_id": ident,
        "type": kind,
        "scanTime": iso(seen),
        "err": "",
        "collections": ["All"],
        "complianceIssues": None,
        "complianceIssuesCount": 0,
        "complianceDistribution": dict.fromkeys(counts, 0),
        # nothing found is null, and no empty list
        "vulnerabilities": found or None,
        "vulnerabilitiesCount": len(found),
        "vulnerabilityDistribution": {**counts, "total": len(found)},
        "packages": [{"pkgsType": "package", "pkgs": [{"name": one["packageName"], "cveCount": 1} for one in found]}],
    }


def vulnerability(view: View, cve: Cve, software: Software, version: str, first_day: int) -> Record:
    risks: Record = {"Has fix": {}} | ({"Exploit exists - POC": {}} if cve.exploit_available else {})
    return {
        "cve": cve.cve_id,
        "cvss": cve.cvss,
        "severity": WORDS.get(cve.severity, cve.severity) if cve.index % 2 else cve.severity,
        "status": f"fixed in {software.versions[cve.fixed_in]}",
        "packageName": software.name,
        "packageVersion": version,
        "discovered": iso(view.truth.moment(first_day, "prisma_cloud", cve.index)),
        "published": int(view.truth.moment(cve.published_day, "published").timestamp()),
        "fixDate": int(view.truth.moment(cve.published_day + 3, "fix").timestamp()),
        "link": f"https://nvd.nist.gov/vuln/detail/{cve.cve_id}",
        "riskFactors": risks,
        "exploit": "",
        "description": cve.title,
        "vecStr": cve.vector,
    }


def image_id(view: View, number: int) -> str:
    return "sha256:" + view.truth.hex_id(64, "prisma_cloud", "image", number)


def runs(view: View, number: int, device: Device) -> bool:
    """Whether an image runs on a machine: on scanned Linux machines, some of each image."""
    return not device.is_windows and view.truth.chance(0.5, "prisma_cloud", "runs", number, device.index)


def cluster(view: View) -> str:
    """The cluster of the containers: the company's first, which the posture API lists under the same name."""
    return next(found.name for found in view.truth.cloud_resources() if found.type == "kubernetes")


def image(view: View, number: int, on: list[Device]) -> Record:
    registry, repo, tag, contents, namespace = IMAGES[number]
    catalogue = view.truth.catalogue
    found: list[Record] = []
    for name, version in contents:
        software = next(one for one in catalogue.software if one.name == name)
        found += [
            vulnerability(view, cve, software, software.versions[version], max(-30, cve.published_day))
            for cve in catalogue.of_software[software.index]
            if cve.fixed_in > version
        ]
    names = {"registry": registry, "repo": repo, "tag": tag}
    seen = view.truth.moment(view.day, "prisma_cloud", "image", number)
    return {
        **base(image_id(view, number), "image", seen, found),
        "hostname": "",
        "distro": "Debian GNU/Linux 12 (bookworm)",
        "osDistro": "debian",
        "cloudMetadata": {},
        "firstScanTime": ZERO,
        "creationTime": iso(view.truth.moment(-60, "image", number)),
        # the one tag as an object, or null beside a list
        "repoTag": names if number % 2 else None,
        "tags": None if number % 2 else [names],
        "repoDigests": [f"{registry}/{repo}@sha256:{view.truth.hex_id(64, 'digest', number)}"],
        "instances": [{**names, "host": one.hostname, "image": f"{registry}/{repo}:{tag}"} for one in on],
        "hosts": {one.hostname: {"modified": ZERO} for one in on},
        "clusters": [cluster(view)],
        "namespaces": [namespace],
        "image": {"created": iso(seen), "env": ["PASSWORD=never-land-this"]},
        "history": [{"instruction": "ENV KEY=never-land-this", "vulnerabilities": found}],
    }


def containers(view: View, device: Device) -> Iterator[Record]:
    cloud = device.cloud
    assert cloud is not None
    for number, (registry, repo, tag, _, namespace) in enumerate(IMAGES):
        if not runs(view, number, device):
            continue
        name = f"{registry}/{repo}:{tag}"
        info = {
            "name": repo.rpartition("/")[2],
            "image": name,
            "imageName": name,
            "imageID": image_id(view, number),
            "cluster": cluster(view),
            "clusterType": "AKS",
            "namespace": namespace,
            "startTime": iso(view.truth.moment(-3, "container", number, device.index)),
            "cloudMetadata": {
                "provider": cloud.provider,
                "accountID": cloud.account_id,
                "resourceID": cloud.instance_id,
            },
            "processes": [{"cmd": "run --token never-land-this"}],
        }
        yield {
            "_id": view.truth.hex_id(64, "prisma_cloud", "container", number, device.index),
            "hostname": device.hostname,
            "scanTime": iso(view.truth.last_activity(device.index, view.day, "prisma_cloud")),
            "info": info,
        }


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
