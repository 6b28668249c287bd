"""The ladder for devices."""

from __future__ import annotations

from dbt_like_transforms.resolution.forms.device_forms import CARDS_TOLD, NAMES_TOLD, TABLES
from dbt_like_transforms.resolution.ladders.ladder import (
    RUNG_AGENT,
    RUNG_DIRECTORY,
    RUNG_HARDWARE,
    RUNG_MAC,
    RUNG_NAME,
    RUNG_SHORT_NAME,
    SHOWN_ID,
    Dropped,
    Identifier,
    Ladder,
    LongList,
    Rule,
    Special,
)

COLUMNS: dict[str, str] = {
    "serial_number": "VARCHAR",
    "manufacturer": "VARCHAR",
    "smbios_uuid": "VARCHAR",
    "mac_addresses": "VARCHAR[]",
    "hostnames": "VARCHAR[]",
    "fqdns": "VARCHAR[]",
    "netbios_name": "VARCHAR",
    "domain": "VARCHAR",
    "entra_device_id": "VARCHAR",
    "ad_object_guid": "VARCHAR",
    "ad_sid": "VARCHAR",
    "cloud_provider": "VARCHAR",
    "cloud_account_id": "VARCHAR",
    "cloud_instance_id": "VARCHAR",
    "cloud_resource_id": "VARCHAR",
    "imei": "VARCHAR",
    "agent_ids": "VARCHAR[]",
    "ip_addresses": "VARCHAR[]",
    "asset_tag": "VARCHAR",
    "display_name": "VARCHAR",
    "device_category": "VARCHAR",
    "os_platform": "VARCHAR",
    "os_version": "VARCHAR",
    "model": "VARCHAR",
    "owner": "VARCHAR",
    "is_internet_facing": "BOOLEAN",
    "is_managed": "BOOLEAN",
    "criticality": "INTEGER",
    "environment": "VARCHAR",
    "properties": "VARCHAR",
}

_STRONG = (
    "entra",
    "adguid",
    "sid_account",
    "sid_machine",
    "cloud",
    "cloudq",
    "path",
    "serial",
    "serialq",
    "uuid",
    "imei_model",
)
# A machine set up anew has a new directory id and the same hardware; the old one has fallen silent by then. So it is when
# it is registered anew in Azure, or moved to another resource group.
_RENEWED = ("entra", "adguid", "sid_account", "sid_machine", "path")
_DIRECTORY_VETOES = ("cloud", "cloudq", "serial")
# Machines made from one disk show the ids of the first: what one product lists at the same time under different names, with
# different cards, is two machines, whatever they call themselves. A desktop made anew every day keeps its name.
_COPIES: tuple[Special, ...] = ("clone_same_source",)


def _without(*names: str) -> tuple[str, ...]:
    return tuple(name for name in _STRONG if name not in names)


# A maker is spelled in many ways: it tells equal serial numbers apart, and where something as good as the serial number
# agrees as well, it tells nothing.
_STRONG_BUT_MAKER = _without("serialq")


_GUID = "n_dashed(value)"
_HEX = "right(value, 32)"
# in the byte order of the record, so that a person finds it again
_WRITTEN_UUID = (
    f"replace(value, {_HEX}, n_dashed(CASE WHEN CASE {_HEX} WHEN uuid THEN uuid_turned WHEN serial_uuid THEN serial_turned "
    f"ELSE cloud <> cloud_uuid END THEN n_swap({_HEX}) ELSE {_HEX} END))"
)
_ACCOUNT = r"^s-1-(5-21(-\d+){4}|12-1-)"
_UUID_PART = "CASE WHEN role <> '' THEN uuid_part ELSE '' END"
_CLOUD_PART = "CASE WHEN role = 'container' THEN cloud_part ELSE '' END"
# Beside what Azure Arc calls a machine may stand what its own cloud does: Amazon and Google have forms of their own.
_AT_HOME = "(NOT registered OR regexp_matches(cloud, '^(i-[0-9a-f]+|[0-9]{15,})$'))"
_PART = "CASE WHEN role <> '' THEN role || ' ' ELSE '' END"


def _parted(value: str) -> str:
    return f"CASE WHEN part IS NULL THEN {value} ELSE part || {value} END"


_NAMES = "names ANTI JOIN cluster_names USING (idx, host)"


def _with_part(table: str) -> str:
    return f"(FROM {table} LEFT JOIN roles USING (idx))"


LADDER = Ladder(
    kind="device",
    tables=TABLES,
    identifiers=(
        Identifier("entra", "entra", "Entra device id", "entra_device_id", RUNG_DIRECTORY, shown=_GUID),
        Identifier("adguid", "adguid", "AD objectGUID", "ad_object_guid", RUNG_DIRECTORY, shown=_GUID),
        # A hybrid-joined computer's Entra device id is its AD objectGUID.
        Identifier(
            "dirguid",
            "[entra, adguid]",
            "Entra device id = AD objectGUID",
            "entra_device_id",
            None,
            is_list=True,
            shown=_GUID,
        ),
        Identifier("sid", "sid", "SID", "ad_sid", RUNG_DIRECTORY),
        # Windows gives a machine a SID, and its domain gives its account another one: only values of one kind disagree.
        Identifier(
            "sid_machine", f"CASE WHEN NOT regexp_matches(sid, '{_ACCOUNT}') THEN sid END", "machine SID", "ad_sid"
        ),
        Identifier("sid_account", f"CASE WHEN regexp_matches(sid, '{_ACCOUNT}') THEN sid END", "SID", "ad_sid"),
        # An ARM id and a vmId name one machine in two ways: only values of one kind disagree. The id that Azure Arc gives
        # names a registration, whatever the machine is called where it lives.
        Identifier(
            "cloud",
            f"CASE WHEN {_AT_HOME} AND NOT contains(cloud, '/') THEN {_CLOUD_PART} || cloud END",
            "cloud instance id",
            "cloud_instance_id",
            RUNG_DIRECTORY,
            shown=SHOWN_ID,
            table=_with_part("norm"),
        ),
        Identifier(
            "cloudq",
            # a vmId and a vCenter instance id are UUIDs: they stay when the machine moves to another account or vCenter; and
            # what Oracle's cloud gives is told with a tenancy here and a compartment there
            f"CASE WHEN {_AT_HOME} AND NOT contains(cloud, '/') AND strlen(cloud) <> 32 AND NOT starts_with(cloud, 'ocid1.') "
            f"THEN {_CLOUD_PART} || cloud || ' in ' || account END",
            "cloud instance id with account",
            "cloud_instance_id",
            RUNG_DIRECTORY,
            table=_with_part("norm"),
        ),
        Identifier(
            "resource",
            # a container may show its host's
            "[CASE WHEN role <> 'container' OR NOT contains(resource, '/virtualmachines/') THEN resource END, "
            "CASE WHEN registered OR contains(cloud, '/') AND (role <> 'container' OR NOT contains(cloud, '/virtualmachines/')) "
            "THEN cloud END]",
            "cloud resource id",
            "cloud_resource_id",
            RUNG_DIRECTORY,
            is_list=True,
        ),
        Identifier(
            "path",
            "[CASE WHEN starts_with(cloud, '/subscriptions/') THEN cloud END, "
            "CASE WHEN starts_with(resource, '/subscriptions/') THEN resource END]",
            "ARM id",
            "cloud_resource_id",
            is_list=True,
        ),
        # A container's serial number is its host's: it never identifies the container.
        Identifier(
            "serial",
            f"CASE WHEN role <> 'container' THEN {_PART} || serial END",
            "serial number",
            "serial_number",
            RUNG_HARDWARE,
        ),
        Identifier(
            "serialq",
            f"CASE WHEN role <> 'container' THEN {_PART} || serial || ' by ' || maker END",
            "serial number with manufacturer",
            "serial_number",
            RUNG_HARDWARE,
        ),
        # A hypervisor's form of the number and a maker's are two numbers, though the one is compared as a UUID.
        Identifier(
            "numbered",
            f"CASE WHEN role <> 'container' THEN {_PART} || coalesce(serial, serial_uuid) END",
            "serial number of any form",
            "serial_number",
        ),
        Identifier(
            "uuid",
            f"[{_UUID_PART} || uuid, CASE WHEN role <> 'container' THEN {_UUID_PART} || serial_uuid END, "
            "CASE WHEN role = '' THEN cloud_uuid END]",
            "SMBIOS UUID",
            "smbios_uuid",
            RUNG_HARDWARE,
            is_list=True,
            table=_with_part("norm"),
            shown=f"replace(value, {_HEX}, n_dashed({_HEX}))",
            written=_WRITTEN_UUID,
        ),
        # A blade may report the serial number of its chassis.
        Identifier("blade", "CASE WHEN blade THEN 'blade' END", "blade", "model"),
        # Where the chassis is listed, the number is known to be its own.
        Identifier(
            "enclosed",
            "CASE WHEN serial IN (SELECT serial FROM norm WHERE role = 'chassis') THEN serial END",
            "serial number of a chassis",
            "serial_number",
        ),
        Identifier("imei", "imei", "IMEI", "imei", RUNG_HARDWARE),
        # The two radios of a dual-SIM phone share the type code; different codes are different models.
        Identifier("imei_model", "imei[1:8]", "IMEI type code", "imei"),
        Identifier("agent", _parted("agent_id"), "agent id", "agent_ids", RUNG_AGENT, table=_with_part("agents")),
        # A scanner's number of what it saw at an address: another machine may have the address tomorrow.
        Identifier(
            "counted", "CASE WHEN counted THEN agent_id END", "number of a scanner", "agent_ids", table="agents"
        ),
        # A container in the network of its host has its cards and name.
        Identifier(
            "mac",
            f"CASE WHEN usable THEN {_parted('mac')} END",
            "MAC address",
            "mac_addresses",
            RUNG_MAC,
            scoped=True,
            shown="replace(value, right(value, 12), n_colons(right(value, 12)))",
            table=_with_part("macs"),
        ),
        # Hypervisors and clouds make cards up: such an address tells no machine, but two of them are two cards.
        Identifier("made_up", "CASE WHEN made THEN mac END", "made-up MAC address", "mac_addresses", table="macs"),
        Identifier(
            "fqdn", _parted("fqdn"), "fully qualified name", "fqdns", RUNG_NAME, scoped=True, table=_with_part(_NAMES)
        ),
        Identifier(
            "nbname",
            _parted("nbname"),
            "name in its domain",
            "hostnames",
            RUNG_NAME,
            scoped=True,
            table=_with_part(_NAMES),
        ),
        Identifier(
            "host", "host", "short host name", "hostnames", RUNG_SHORT_NAME, scoped=True, table=f"(FROM {_NAMES})"
        ),
        # Names are compared by 15 characters; where both are known in full, the rest counts as well.
        Identifier("longname", "longname", "full host name", "hostnames", scoped=True, table=f"(FROM {_NAMES})"),
        Identifier("ip", "ip", "IP address", "ip_addresses", None, scoped=True, table="ips"),
    ),
    rules=(
        Rule(
            "entra_device_id",
            "entra",
            ("adguid", *_DIRECTORY_VETOES),
            _COPIES,
            contest=("adguid", *_DIRECTORY_VETOES),
            fan_out=10,
        ),
        Rule(
            "ad_object_guid",
            "adguid",
            ("entra", *_DIRECTORY_VETOES),
            _COPIES,
            contest=("entra", *_DIRECTORY_VETOES),
            fan_out=10,
        ),
        Rule(
            "entra_device_id=ad_object_guid",
            "dirguid",
            ("entra", "adguid", *_DIRECTORY_VETOES),
            _COPIES,
            contest=_DIRECTORY_VETOES,
            fan_out=10,
        ),
        Rule(
            "cloud_instance_id+account",
            "cloudq",
            ("entra", "adguid", "serial"),
            _COPIES,
            contest=("entra", "adguid", "serial"),
            fan_out=10,
        ),
        Rule(
            "cloud_instance_id",
            "cloud",
            ("entra", "adguid", "serial", "cloudq"),
            _COPIES,
            contest=("entra", "adguid", "serial", "cloudq"),
            fan_out=10,
        ),
        Rule(
            "cloud_resource_id",
            "resource",
            _without("sid_account", "sid_machine", "imei_model", "serialq"),
            _COPIES,
            contest=("cloud", "uuid", "serial"),
            fan_out=10,
        ),
        Rule(
            "ad_sid",
            "sid",
            _without("sid_account", "sid_machine", "serialq"),
            # an image that was not made ready for it gives all its copies one SID
            ("clone_image", "clone_agents"),
            contest=_without("sid_account", "sid_machine", "serialq"),
            fan_out=10,
        ),
        Rule(
            "serial_number+manufacturer",
            "serialq",
            _without("serial", "serialq"),
            # blades that report the serial number of their chassis differ in what one product lists of each
            ("clone_same_source", "clone_blade", "enclosed"),
            contest=_without("serial", "serialq"),
            fan_out=10,
            successive=(*_RENEWED, "uuid"),
        ),
        Rule(
            "serial_number",
            "serial",
            _without("serial"),
            ("clone_same_source", "clone_blade", "enclosed"),
            contest=_without("serial"),
            fan_out=10,
            successive=(*_RENEWED, "uuid"),
        ),
        Rule(
            "smbios_uuid",
            "uuid",
            _without("uuid", "serialq"),
            ("clone_same_source",),
            contest=_without("uuid", "serialq"),
            fan_out=10,
            successive=_RENEWED,
        ),
        Rule(
            "imei",
            "imei",
            _without("imei_model", "serialq"),
            contest=_without("imei_model", "serialq"),
            fan_out=10,
            successive=_RENEWED,
        ),
        Rule(
            "agent_id",
            "agent",
            _STRONG_BUT_MAKER,
            # first: a number that a scanner gave to an address is no clone
            ("counted", "clone", "clone_agents", "clone_unnamed", "clone_same_source"),
            contest=_STRONG_BUT_MAKER,
            fan_out=10,
        ),
        Rule(
            "mac_address+name",
            "mac",
            (*_STRONG_BUT_MAKER, "longname"),
            ("agent",),
            contest=_STRONG_BUT_MAKER,
            fan_out=10,
            with_agreement=("host",),
        ),
        # A hypervisor lists the cards of its guests, and a firewall pair shares the inside and the outside address.
        Rule(
            "mac_address+mac_address",
            "mac",
            _STRONG_BUT_MAKER,
            ("agent", "source", "names"),
            contest=_STRONG_BUT_MAKER,
            fan_out=10,
            with_agreement=("mac",),
        ),
        Rule("fqdn", "fqdn", _STRONG, ("agent", "mac", "source_any", "time"), contest=_STRONG, max_distinct=3),
        Rule(
            "name_in_domain",
            "nbname",
            (*_STRONG, "longname"),
            ("agent", "mac", "fqdn", "source_any", "time"),
            contest=_STRONG,
            max_distinct=3,
        ),
    ),
    reviewed=("mac", "host"),
    dropped=(
        Dropped("entra", "entra_dropped"),
        Dropped("adguid", "adguid_dropped"),
        Dropped("sid", "sid_dropped", why="it names no single machine"),
        Dropped("serial", "serial_dropped"),
        Dropped("uuid", "[uuid_dropped, serial_uuid_dropped]", is_list=True),
        Dropped("uuid", "serial_uuid_other", why="a serial number beside a UUID of its own"),
        Dropped("mac", "CASE WHEN seeded THEN mac END", table="macs"),
        Dropped("mac", "CASE WHEN random AND NOT seeded THEN mac END", table="macs", why="locally administered"),
        Dropped("host", "dropped", table="names"),
        Dropped("agent", "dropped", table="agents"),
        Dropped("imei", "imei_dropped"),
        Dropped("cloud", "cloud_dropped"),
        Dropped("resource", "resource_dropped"),
        Dropped("ip", "dropped", table="ips"),
    ),
    review_conflicts=_STRONG,
    rivals={"host": ("mac", "fqdn"), "mac": ("host",)},
    in_full={"host": "longname"},
    common=("host",),
    fingerprint=("host", "mac", "agent", "uuid"),
    fingerprint_label="names, cards or agents",
    # not cards: a product may list one machine by each of its own
    listed=("host", "uuid"),
    crowded={
        "entra": ("dirguid",),
        "adguid": ("dirguid",),
        "cloudq": (),
        "cloud": ("cloudq",),
        "resource": ("path",),
        "sid": ("sid_account", "sid_machine"),
        "serialq": (),
        "serial": ("serialq", "numbered"),
        "uuid": (),
        "imei": ("imei_model",),
        "agent": (),
    },
    long_lists=(
        LongList("host names", f"len({NAMES_TOLD})", "_observed"),
        LongList("MAC addresses", CARDS_TOLD, "_observed"),
        LongList("agent ids", "len(agent_ids)", "_observed"),
    ),
    one_by=("adguid", "entra", "cloud"),
)
