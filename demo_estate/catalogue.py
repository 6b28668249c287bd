"""The software catalogue and its weaknesses. Product names are real so that they look right; the CVEs are invented."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from demo_estate.entities import Cve, Software
from demo_estate.hashing import number

#: vendor | name | title | platform | versions oldest first. Operating systems carry the platform name they belong to.
_SOFTWARE = """
microsoft|windows_11|Windows 11|Windows11|10.0.26100.1742 10.0.26100.2033 10.0.26100.2161 10.0.26100.2314
microsoft|windows_10|Windows 10|Windows10|10.0.19045.4894 10.0.19045.4957 10.0.19045.5011 10.0.19045.5131
microsoft|windows_server_2022|Windows Server 2022|WindowsServer2022|10.0.20348.2655 10.0.20348.2700 10.0.20348.2762 10.0.20348.2849
microsoft|windows_server_2019|Windows Server 2019|WindowsServer2019|10.0.17763.6189 10.0.17763.6293 10.0.17763.6414 10.0.17763.6532
canonical|ubuntu_linux|Ubuntu kernel|Ubuntu|5.15.0-119 5.15.0-121 5.15.0-124 5.15.0-126
redhat|enterprise_linux|RHEL kernel|RedHatEnterpriseLinux|5.14.0-427.13.1 5.14.0-427.31.1 5.14.0-427.40.1 5.14.0-427.42.1
apple|macos|macOS|macOS|14.6 14.7 15.0 15.1
google|chrome|Google Chrome|any-client|128.0.6613.84 129.0.6668.58 130.0.6723.69 131.0.6778.85
mozilla|firefox|Mozilla Firefox|any-client|129.0 130.0 131.0 132.0
microsoft|edge|Microsoft Edge|windows|128.0.2739.42 129.0.2792.52 130.0.2849.46 131.0.2903.51
7-zip|7-zip|7-Zip|windows|21.07 22.01 23.01 24.08
adobe|acrobat_reader|Adobe Acrobat Reader|windows|24.001.20629 24.002.20857 24.003.20180 24.004.20243
microsoft|office|Microsoft Office|any-client|16.0.17628 16.0.17726 16.0.17830 16.0.18129
zoom|zoom|Zoom Workplace|any-client|6.0.11 6.1.10 6.2.3 6.2.7
oracle|jre|Java Runtime|windows|8.0.401 8.0.411 8.0.421 8.0.431
notepad-plus-plus|notepad++|Notepad++|windows|8.5.8 8.6.4 8.6.9 8.7.1
putty|putty|PuTTY|windows|0.78 0.79 0.80 0.82
microsoft|teams|Microsoft Teams|any-client|24165.1410 24193.1805 24215.1007 24277.3502
python|python|Python|any-computer|3.11.4 3.11.8 3.12.3 3.12.7
openssl|openssl|OpenSSL|any-computer|3.0.11 3.0.13 3.0.14 3.0.15
microsoft|iis|Internet Information Services|windows-server|10.0.1 10.0.2 10.0.3 10.0.4
microsoft|sql_server|Microsoft SQL Server 2019|windows-server|15.0.4375 15.0.4385 15.0.4395 15.0.4405
vmware|tools|VMware Tools|windows-server|12.3.0 12.3.5 12.4.0 12.5.0
openbsd|openssh|OpenSSH|linux|8.9 9.3 9.6 9.9
nginx|nginx|nginx|linux|1.22.1 1.24.0 1.26.1 1.26.2
apache|http_server|Apache HTTP Server|linux|2.4.57 2.4.58 2.4.60 2.4.62
postgresql|postgresql|PostgreSQL|linux|15.4 15.6 15.8 15.10
docker|engine|Docker Engine|linux|24.0.7 25.0.5 26.1.4 27.3.1
sudo_project|sudo|sudo|linux|1.9.9 1.9.12 1.9.14 1.9.15
haxx|curl|curl|linux|7.81.0 8.4.0 8.7.1 8.11.0
apache|log4j|Apache Log4j|any-server|2.14.1 2.16.0 2.17.1 2.24.1
cisco|ios_xe|Cisco IOS XE|network_device|17.6.5 17.9.4 17.9.5 17.12.4
fortinet|fortios|FortiOS|network_device|7.2.6 7.2.8 7.4.4 7.4.5
hp|laserjet_firmware|HP LaserJet firmware|printer|20230812 20231107 20240402 20240906
axis|axis_os|AXIS OS|iot|10.12.213 11.8.61 11.11.94 12.1.60
siemens|s7-1500_firmware|SIMATIC S7-1500 firmware|ot|2.9.4 2.9.7 3.0.3 3.1.2
"""
#: Software reachable over the network: its first CVE is critical, exploited, and fixed in the last version only.
EXPOSED = frozenset(("iis", "nginx", "http_server", "openssh", "log4j", "fortios", "ios_xe", "chrome"))
PORTS = {
    "iis": 443,
    "nginx": 443,
    "http_server": 80,
    "openssh": 22,
    "sql_server": 1433,
    "postgresql": 5432,
    "fortios": 443,
}
CVES_PER_SOFTWARE = 8
_FIRST_YEAR = 2023
_WEAKNESSES = (
    "remote code execution",
    "privilege escalation",
    "use after free",
    "path traversal",
    "denial of service",
    "information disclosure",
    "authentication bypass",
    "buffer overflow",
)
_SCORES = {
    "critical": (9.8, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
    "high": (7.8, "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"),
    "medium": (5.5, "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H"),
    "low": (3.3, "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """software, cves: by index. of_software: CVE indexes of a software. platforms: software indexes by platform word."""

    software: tuple[Software, ...]
    cves: tuple[Cve, ...]
    of_software: tuple[tuple[Cve, ...], ...]
    platforms: dict[str, tuple[int, ...]]


@lru_cache(maxsize=16)
def catalogue(seed: int, first_date: date) -> Catalogue:
    """CVE ids and dates of a seed do not move with the calendar; only day numbers count from `first_date`."""
    software: list[Software] = []
    platforms: dict[str, list[int]] = {}
    cves: list[Cve] = []
    for index, line in enumerate(_SOFTWARE.strip().splitlines()):
        vendor, name, title, platform, versions = line.split("|")
        is_os = platform[0].isupper() or platform == "macOS"
        part = "o" if is_os else "h" if platform in ("printer", "iot", "ot", "network_device") else "a"
        software.append(
            Software(
                index=index,
                vendor=vendor,
                name=name,
                title=title,
                cpe=f"cpe:/{part}:{vendor}:{name}",
                platform=_platform_word(platform),  # type: ignore[arg-type]
                is_os=is_os,
                versions=tuple(versions.split()),
            )
        )
        platforms.setdefault(platform, []).append(index)
        cves += [_cve(seed, first_date, len(cves) + k, software[index], k) for k in range(CVES_PER_SOFTWARE)]
    grouped = tuple(tuple(cves[i * CVES_PER_SOFTWARE : (i + 1) * CVES_PER_SOFTWARE]) for i in range(len(software)))
    return Catalogue(tuple(software), tuple(cves), grouped, {k: tuple(v) for k, v in platforms.items()})


def _platform_word(platform: str) -> str:
    if platform.lower().startswith("windows"):
        return "windows"
    if platform in ("Ubuntu", "RedHatEnterpriseLinux", "linux"):
        return "linux"
    if platform == "macOS":
        return "macos"
    return "any" if platform.startswith("any") else "device"


def _cve(seed: int, first_date: date, index: int, software: Software, which: int) -> Cve:
    bits = number(seed, "cve", index)
    year = _FIRST_YEAR + index % 4
    published = date(year, 1 + bits % (6 if index % 4 == 3 else 12), 1 + bits // 16 % 28)
    exposed = which == 0 and software.name in EXPOSED
    share = bits // 1000 % 100
    severity = "critical" if exposed or share < 5 else "high" if share < 40 else "medium" if share < 85 else "low"
    score, vector = _SCORES[severity]
    exploit = exposed or (severity in ("critical", "high") and bits // 7 % 6 == 0)
    weakness = _WEAKNESSES[bits // 3 % len(_WEAKNESSES)]
    fixed_in = 3 if exposed else 1 + bits // 11 % 3
    return Cve(
        index=index,
        cve_id=f"CVE-{year}-{90_000 + index}",
        software=software.index,
        fixed_in=fixed_in,
        severity=severity,  # type: ignore[arg-type]
        cvss=round(score - (0 if exposed else bits // 13 % 8 / 10), 1),
        vector=vector,
        epss=0.94 if exposed else round((0.3 if exploit else 0.001) + bits % 97 / 400, 4),
        exploit_available=exploit,
        published_day=min(-20, (published - first_date).days),
        title=f"{software.title} < {software.versions[fixed_in]} {weakness}",
        solution=f"Upgrade {software.title} to {software.versions[fixed_in]} or later.",
        plugin_id=900_000 + index,
        qid=990_000 + index,
    )
