"""What is read from Defender for Endpoint, and how. Field names are the API's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from connector_assets.kit import FieldType, Incremental, Lines, Page, Record, Stream
from connector_assets.kit.errors import BrokenAnswer, FixPermission, ForeignHost, NotFound
from connector_assets.kit.lines import Absent
from connector_assets.kit.pagers import next_link_pages, records_of

if TYPE_CHECKING:
    from connector_assets.kit.api import Api

#: Records of an export file that make a page, and machines of the logon users that do.
EXPORT_ROWS = 5000
LOGON_MACHINES = 50
SAS_HOURS = 6
LOOPBACK = ("localhost", "127.0.0.1", "::1")
#: Sets of keys that are remembered with their spelling here.
MOST_SHAPES = 1000
#: What an id is made of where a row has none.
ID_PARTS = ("deviceId", "softwareVendor", "softwareName", "softwareVersion", "cveId")
#: Remembered of a list whose rows are named so, see `by_parts`.
IDS, BY_PARTS = "ids", "by parts"
FIXED = "fixed"
#: Changed rows beyond which everything is asked for: the last word on each counts, so that all are held.
MOST_CHANGES = 50_000
#: Changes are prepared every six hours, and told for two weeks.
CHANGES = Incremental(timedelta(hours=12), keeps=timedelta(days=14), through=("machines",))
#: Platforms of people's own machines; everything else that has a name is taken for a server.
CLIENT_PLATFORMS = ("windows7", "windows8", "windows10", "windows11", "macos", "ios", "android", "chromeos")

MACHINE: dict[str, FieldType] = {
    "id": "text",
    "mergedIntoMachineId": "text",
    "isPotentialDuplication": "boolean",
    "isExcluded": "boolean",
    "exclusionReason": "text",
    "computerDnsName": "text",
    "firstSeen": "timestamp",
    "lastSeen": "timestamp",
    "osPlatform": "text",
    "osVersion": "text",
    "version": "text",
    "osBuild": "integer",
    "osArchitecture": "text",
    "lastIpAddress": "text",
    "lastExternalIpAddress": "text",
    "agentVersion": "text",
    "healthStatus": "text",
    "deviceValue": "text",
    "rbacGroupId": "text",
    "rbacGroupName": "text",
    "riskScore": "text",
    "exposureLevel": "text",
    "isAadJoined": "boolean",
    "aadDeviceId": "text",
    "machineTags": ["text"],
    "onboardingStatus": "text",
    "managedBy": "text",
    "managedByStatus": "text",
    "ipAddresses": [{"ipAddress": "text", "macAddress": "text", "type": "text", "operationalStatus": "text"}],
    "vmMetadata": {"vmId": "text", "cloudProvider": "text", "resourceId": "text", "subscriptionId": "text"},
}
SOFTWARE: dict[str, FieldType] = {
    "id": "text",
    "deviceId": "text",
    "deviceName": "text",
    "osPlatform": "text",
    "softwareVendor": "text",
    "softwareName": "text",
    "softwareVersion": "text",
    "numberOfWeaknesses": "integer",
    "diskPaths": ["text"],
    "registryPaths": ["text"],
    "softwareFirstSeenTimestamp": "timestamp",
    "endOfSupportStatus": "text",
    "endOfSupportDate": "timestamp",
}
VULNERABILITY: dict[str, FieldType] = {
    "id": "text",
    "deviceId": "text",
    "deviceName": "text",
    "osPlatform": "text",
    "softwareVendor": "text",
    "softwareName": "text",
    "softwareVersion": "text",
    "cveId": "text",
    "vulnerabilitySeverityLevel": "text",
    "cvssScore": "number",
    "recommendedSecurityUpdate": "text",
    "recommendedSecurityUpdateId": "text",
    "diskPaths": ["text"],
    "registryPaths": ["text"],
    "firstSeenTimestamp": "timestamp",
    "lastSeenTimestamp": "timestamp",
    "endOfSupportStatus": "text",
    "exploitabilityLevel": "text",
    "recommendationReference": "text",
    "securityUpdateAvailable": "boolean",
    "status": "text",
}


def collection(
    api: Api, path: str, params: Mapping[str, Any] | None = None, *, as_lines: bool = True
) -> Iterator[Page]:
    """All pages. Defender answers 404 for a collection that is empty; only its own 404, on the first page, means that.

    `$top` is never sent: with it Defender gives no link to the next page.
    """
    pages = next_link_pages(api, path, params, as_lines=as_lines)
    try:
        first = next(pages, None)
    except NotFound as error:
        if not is_empty(error):
            raise
        yield Page([])
        return
    if first is not None:
        yield first
    yield from pages


def is_empty(error: NotFound) -> bool:
    """Whether a 404 is Defender's own, by which it says that there are no records."""
    said = error.answer.get("error") if isinstance(error.answer, dict) else None
    return isinstance(said, dict) and said.get("code") in ("NotFound", "ResourceNotFound")


def machines(api: Api) -> Iterator[Page]:
    return collection(api, "/api/machines")


def by_machine(path: str, fields: Mapping[str, FieldType]) -> Callable[[Api], Iterator[Page]]:
    """A pull function for one of the inventories that list a row a machine and software."""
    rows = plain_rows(fields)

    def pull(api: Api) -> Iterator[Page]:
        for page in collection(api, path, {"pageSize": api.options.page_size}):
            yield Page(rows(page.records), page.scope, page.cursor)

    return pull


def plain_rows(fields: Mapping[str, FieldType]) -> Callable[[Sequence[Record]], Sequence[Record]]:
    """As `normalised`, for a page: its rows stay as they came where no name is to be written otherwise."""
    row = normalised(fields)
    texts = [(name, str | None | msgspec.UnsetType, msgspec.UNSET) for name in ("id", *ID_PARTS)]
    capital = [(name[0].upper() + name[1:], Absent, msgspec.UNSET) for name in fields]
    glanced = msgspec.defstruct("Row", [*texts, *capital])
    parts_of = attrgetter(*ID_PARTS)

    def rows(records: Sequence[Record]) -> Sequence[Record]:
        found: list[Any] | None = records.glance(glanced) if isinstance(records, Lines) else None
        if found and isinstance(records, Lines):
            if all(one.id for one in found):
                return records
            if all(one.id is msgspec.UNSET and one.deviceId for one in found):
                return records.with_first("id", ("_".join(filter(None, parts_of(one))) for one in found))
        return [row(record) for record in records]

    return rows


def normalised(fields: Mapping[str, FieldType]) -> Callable[[Record], Record]:
    """Rows with the API's camelCase keys (export files mix it with PascalCase) and with an id where there is none."""
    known = {name.lower(): name for name in fields}
    #: keys of a row as they came -> as they are written here; all rows of an answer have the same few sets of them
    shapes: dict[tuple[str, ...], tuple[str, ...]] = {}

    def row(record: Record) -> Record:
        if not isinstance(record, dict):
            return record
        shape = tuple(record)
        names = shapes.get(shape)
        if names is None:
            names = tuple(known.get(key.lower(), key[:1].lower() + key[1:]) for key in shape)
            if len(shapes) < MOST_SHAPES:
                shapes[shape] = names
        named = record if names == shape else dict(zip(names, record.values(), strict=True))
        find = named.get
        if not find("id") and find("deviceId"):
            named["id"] = "_".join([str(value) for part in ID_PARTS if (value := find(part))])
        return named

    return row


software = by_machine("/api/machines/SoftwareInventoryByMachine", SOFTWARE)
vulnerabilities_by_page = by_machine("/api/machines/SoftwareVulnerabilitiesByMachine", VULNERABILITY)
vulnerability_row = normalised(VULNERABILITY)


def vulnerabilities(api: Api) -> Iterator[Page]:
    """All of them, or what changed since. Rows that did not change keep the time at which they were last seen."""
    if api.may_be_incremental:
        api.remember(IDS, BY_PARTS)
    if api.since is not None:
        yield from changed_vulnerabilities(api)
        return
    for page in all_vulnerabilities(api):
        if api.may_be_incremental:
            page = Page([by_parts(row) for row in page.records], page.scope, page.cursor)
        yield page


def by_parts(row: Record) -> Record:
    """The row under an id made of what it is about: that changes bear the ids of the whole list is not verified, and
    Microsoft's examples write them in more than one form."""
    if isinstance(row, dict) and row.get("deviceId"):
        row["id"] = "_".join([str(value) for part in ID_PARTS if (value := row.get(part))])
    return row


def all_vulnerabilities(api: Api) -> Iterator[Page]:
    if api.options.vulnerabilities_via == "by_machine":
        yield from vulnerabilities_by_page(api)
        return
    answer = api.get("/api/machines/SoftwareVulnerabilitiesExport", {"sasValidHours": SAS_HOURS})
    files = [str(url) for url in records_of(answer, "exportFiles", "SoftwareVulnerabilitiesExport", api.mask)]
    seen = 0
    for number, url in enumerate(files, 1):
        api.progress(f"export file {number} of {len(files)}")
        for rows in export_file(api, url, f"export file {number} of {len(files)}"):
            seen += len(rows)
            yield Page(rows, cursor=f"file {number}")
    # Microsoft prepares files of nothing too; where no file has a row, that is no estate without weaknesses
    if files and not seen:
        raise BrokenAnswer(
            f"all {len(files)} export files are empty", hint="the links may have expired; the next sync tries again"
        )


def changed_vulnerabilities(api: Api) -> Iterator[Page]:
    """The last word on each row that changed; those of machines that are not listed any more are gone with them.

    A machine that moves to another group, or software that is updated, shows as Fixed and New: what came last counts, and of
    two at one moment New. Rows that name no CVE are not told; they say no more than the stream software does.
    """
    assert api.since is not None
    if api.memory.get(IDS) != BY_PARTS:
        api.ask_for_everything("the whole list was read under ids that changes may not have")
    api.remove(api.known("deviceId") - {str(machine.get("id")) for machine in api.records("machines")}, "deviceId")
    params = {"sinceTime": api.since.strftime("%Y-%m-%dT%H:%M:%SZ"), "pageSize": api.options.page_size}
    last: dict[str, tuple[tuple[str, bool], Record]] = {}
    for page in collection(api, "/api/machines/SoftwareVulnerabilityChangesByMachine", params, as_lines=False):
        for record in page.records:
            row = by_parts(vulnerability_row(record))
            if not isinstance(row, dict) or not row.get("id"):
                api.ask_for_everything("a changed row came without its machine")
            word = (str(row.get("eventTimestamp") or ""), not is_fixed(row))
            if row["id"] not in last or last[row["id"]][0] <= word:
                last[row["id"]] = (word, row)
        if len(last) > MOST_CHANGES:
            api.ask_for_everything(f"more than {MOST_CHANGES} rows changed")
    api.remove(ident for ident, (_, row) in last.items() if is_fixed(row))
    rows = [
        {name: value for name, value in row.items() if name not in ("status", "eventTimestamp")}
        for _, row in last.values()
        if not is_fixed(row)
    ]
    for start in range(0, len(rows), EXPORT_ROWS):
        yield Page(rows[start : start + EXPORT_ROWS])


def is_fixed(row: Record) -> bool:
    return str(row.get("status") or "").lower() == FIXED


def export_file(api: Api, url: str, what: str) -> Iterator[list[Record]]:
    """Rows of one prepared file, some thousand at a time. The link itself is the permission: nothing else is sent.

    Raises ForeignHost for a host that is not allowed, BrokenAnswer for a link that ended or a file that is cut.
    """
    from connector_assets.kit.hosts import is_loopback, masked, matches, origin

    # a gateway or a recording hands out the files itself, this machine under any of its names
    base = origin(api.base_url)[1]
    hosts = (*api.options.export_hosts, base, *(LOOPBACK if is_loopback(base) else ()))
    if not matches(origin(url)[1], hosts):
        raise ForeignHost(
            f"{what} lies on {origin(url)[1]}, which the option export_hosts does not allow",
            url=masked(url),
            hint=f"nothing was asked there; allowed are {', '.join(hosts)}",
        )
    lines = api.stream_lines(url, may_be_empty=True, anonymous_hosts=hosts)
    try:
        while rows := [vulnerability_row(line) for line in islice(lines, EXPORT_ROWS)]:
            yield rows
    except FixPermission as error:
        raise BrokenAnswer(
            f"{what} was refused: {error.message}",
            status=error.status,
            url=error.url,
            hint="the link had ended or a firewall of the storage account refuses this machine; the next sync asks anew",
        ) from None


def cves(api: Api) -> Iterator[Page]:
    """Details of the weaknesses somebody has. Defender lists all it knows, which is a hundred times as many."""
    for page in collection(api, "/api/vulnerabilities", as_lines=False):
        found = [
            r for r in page.records if api.options.all_cves or not isinstance(r, dict) or r.get("exposedMachines") != 0
        ]
        yield Page(found, page.scope, page.cursor)


def logon_users(api: Api) -> Iterator[Page]:
    """Who logs on, a call a machine. Machines that are gone meanwhile are left out."""
    if api.options.logon_users == "none":
        api.skip("the option logon_users is none")
    wanted = (machine for machine in api.records("machines") if is_wanted(machine, api.options.logon_users))
    limit, asked = api.options.logon_users_limit, 0
    chosen = islice(wanted, limit)
    while batch := list(islice(chosen, LOGON_MACHINES)):
        rows: list[Record] = []
        for machine in batch:
            path = f"/api/machines/{machine['id']}/logonusers"
            answer = api.get(path, none_on=(404,))
            if answer is not None:
                users = records_of(answer, "value", path, api.mask)
                rows += [{**user, "machineId": machine["id"]} if isinstance(user, dict) else user for user in users]
        asked += len(batch)
        api.progress(f"logged-on users of {asked} machines")
        yield Page(rows, cursor=f"machine {asked}")
    left = sum(1 for _ in wanted)
    if left:
        api.note(f"logged-on users were asked of {asked} machines; {left} more are beyond logon_users_limit {limit}")


def is_wanted(machine: Record, which: str) -> bool:
    """Machines with a sensor that reports, of the wanted sort."""
    platform = str(machine.get("osPlatform") or "").lower()
    status = str(machine.get("onboardingStatus") or "Onboarded").lower()
    reports = bool(machine.get("id")) and status == "onboarded" and machine.get("healthStatus") != "Inactive"
    return reports and (which == "all" or (platform != "" and not platform.startswith(CLIENT_PLATFORMS)))


STREAMS = (
    Stream(
        name="machines",
        pull=machines,
        key="id",
        fields=MACHINE,
        description="Machines with the sensor, and those it has merely seen.",
        permissions=("Machine.Read.All",),
        activity_field="lastSeen",
        evidence="recorded",
    ),
    Stream(
        name="software",
        pull=software,
        key="id",
        fields=SOFTWARE,
        description="Installed software, a row a machine, product and version.",
        permissions=("Software.Read.All",),
        evidence="documented",
    ),
    Stream(
        name="vulnerabilities",
        pull=vulnerabilities,
        key="id",
        fields=VULNERABILITY,
        description="Weaknesses, a row a machine, product, version and CVE; without a CVE the row is software alone.",
        permissions=("Vulnerability.Read.All",),
        evidence="recorded",
        incremental=CHANGES,
    ),
    Stream(
        name="cves",
        pull=cves,
        key="id",
        fields={
            "id": "text",
            "name": "text",
            "severity": "text",
            "cvssV3": "number",
            "exposedMachines": "integer",
            "publishedOn": "timestamp",
            "updatedOn": "timestamp",
            "publicExploit": "boolean",
            "exploitVerified": "boolean",
            "exploitInKit": "boolean",
            "epss": "number",
        },
        description="Details of each CVE that a machine has.",
        permissions=("Vulnerability.Read.All",),
        evidence="documented",
    ),
    Stream(
        name="logon_users",
        pull=logon_users,
        key=("machineId", "id"),
        fields={
            "machineId": "text",
            "id": "text",
            "accountName": "text",
            "accountDomain": "text",
            "firstSeen": "timestamp",
            "lastSeen": "timestamp",
            "logonTypes": "text",
            "isDomainAdmin": "boolean",
            "isOnlyNetworkUser": "boolean",
        },
        description="Accounts that logged on to a machine, without their SIDs; see the options logon_users and its limit.",
        needs=("machines",),
        permissions=("User.Read.All",),
        optional=True,
        may_be_empty=True,
        evidence="documented",
    ),
)
