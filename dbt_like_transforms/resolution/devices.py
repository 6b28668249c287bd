"""The ladder for devices."""

from __future__ import annotations

from dbt_like_transforms.resolution.ladder import (
    RUNG_AGENT,
    RUNG_DIRECTORY,
    RUNG_HARDWARE,
    RUNG_MAC,
    RUNG_NAME,
    RUNG_SHORT_NAME,
    Identifier,
    Ladder,
    Rule,
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

# A management controller reports the serial number and UUID of the server it sits in; a chassis lends its serial number
# to every blade; a container reads the firmware of its host. Their identifiers live in a room of their own (`role`), so
# that they can never merge with the machine, and the equal value becomes a link.
_BMC_NAME = (
    r"^(ilo|idrac|drac|imm2?|xcc|cimc|ilom|irmc|bmc|ipmi)([-_].+|[a-z0-9]*[0-9][a-z0-9]*|)$"
    r"|^.+[-_](ilo|idrac|drac|imm|xcc|cimc|ilom|irmc|bmc|ipmi|rac)[0-9]?$"
)
_BMC_TEXT = (
    r"(^|[^a-z])(ilo ?[2-7]|idrac ?[5-9]?|integrated lights[- ]out|remote access controller|xclarity controller"
    r"|integrated management module|baseboard management|cimc|irmc|ilom|bmc)([^a-z]|$)"
)
_CHASSIS_TEXT = (
    r"(^|[^a-z])(chassis|enclosure|bladesystem|bladecenter|c7000|c3000|m1000e|mx7000|synergy 12000|flex system"
    r"|fx2s?|ucs[- ]?5108)([^a-z]|$)"
)
_CONTAINER_TEXT = r"(^|[^a-z])(container|containerd|docker|pod|podman|cri-o)([^a-z]|$)"

# Each step gives columns to the next, because a macro copies its argument; see `normalise`.
_NORM = f"""
WITH lowered AS (
    SELECT idx,
        coalesce(n_lower(scope), 'default') AS scope,
        n_lower(serial_number) AS serial_l, n_lower(manufacturer) AS maker_l, n_lower(smbios_uuid) AS uuid_l,
        n_lower(domain) AS domain_l, n_lower(entra_device_id) AS entra_l, n_lower(ad_sid) AS sid_l,
        n_lower(cloud_provider) AS provider_l, n_lower(cloud_account_id) AS account_l,
        n_lower(cloud_instance_id) AS cloud_l, n_lower(cloud_resource_id) AS resource_l, n_lower(imei) AS imei_l,
        ad_object_guid,
        list_transform(mac_addresses, lambda m: n_lower(m)) AS mac_l,
        list_transform(list_concat(coalesce(hostnames, []), coalesce(fqdns, []),
            CASE WHEN netbios_name IS NULL THEN [] ELSE [netbios_name] END), lambda h: n_lower(h)) AS name_l,
        list_filter(list_transform(agent_ids, lambda a: n_lower(a)), lambda a: a IS NOT NULL) AS agent_all,
        list_filter(list_transform(list_transform(ip_addresses, lambda i: n_lower(i)), lambda i: l_ip(i)),
            lambda i: i IS NOT NULL) AS ip_all,
        lower(concat_ws(' ', model, os_platform, device_category)) AS kind_text
    FROM _observed
), formed AS (
    SELECT idx, scope, agent_all, ip_all, kind_text,
        l_serial_hex(serial_l) AS serial_hex, l_serial(serial_l) AS serial_text, l_maker(maker_l) AS maker,
        l_hex32(uuid_l) AS uuid_hex, l_domain(domain_l) AS domain_text, l_guid(entra_l) AS entra,
        CASE WHEN ad_object_guid IS NOT NULL THEN n_directory_guid(ad_object_guid) END AS adguid, l_sid(sid_l) AS sid,
        l_provider(provider_l) AS provider, coalesce(account_l, l_cloud_account_of(cloud_l)) AS account,
        l_cloud_id(cloud_l) AS cloud_text, l_resource_id(resource_l) AS resource, l_imei(imei_l) AS imei_text,
        list_filter(list_transform(list_transform(mac_l, lambda m: l_mac_digits(m)), lambda m: l_mac_hex(m)),
            lambda m: m IS NOT NULL) AS mac_all,
        list_filter(list_transform(name_l, lambda h: l_name(h)), lambda h: h IS NOT NULL) AS names
    FROM lowered
), shaped AS (
    SELECT * EXCLUDE (serial_hex, uuid_hex, domain_text),
        n_either(serial_hex) AS serial_uuid, n_either(uuid_hex) AS uuid_text, n_alnum(serial_text) AS serial_plain,
        CASE WHEN NOT seeded_host_domain(domain_text) THEN domain_text END AS domain,
        list_transform(names, lambda n: struct_pack(
            host := l_host(n), dns := l_dns(n), nb := l_netbios_domain(n))) AS split_names,
        list_filter(mac_all, lambda m: seeded_mac_address(m) OR m[2] IN ('2', '6', 'a', 'e')) AS mac_dropped,
        list_filter(agent_all, lambda a: seeded_agent_id(split_part(a, '=', 2))) AS agent_dropped,
        list_filter(ip_all, lambda i: seeded_ip_address(i)) AS ip_dropped
    FROM formed
), qualified AS (
    SELECT * EXCLUDE (split_names),
        list_transform(list_filter(split_names, lambda p: p.host IS NOT NULL AND NOT seeded_host_name(p.host)),
            lambda p: struct_pack(host := p.host,
                dns := CASE WHEN NOT seeded_host_domain(p.dns) THEN p.dns END,
                nb := CASE WHEN NOT seeded_host_domain(p.nb) THEN p.nb END)) AS parts,
        list_filter(list_transform(split_names, lambda p: p.host), lambda h: seeded_host_name(h)) AS name_dropped,
        list_filter([uuid_text, serial_uuid], lambda u: u IS NOT NULL) AS uuid_all,
        seeded_serial_number(serial_plain) AS serial_bad, seeded_imei(imei_text) AS imei_bad,
        seeded_cloud_id(cloud_text) AS cloud_bad,
        CASE
            WHEN regexp_matches(kind_text, '{_BMC_TEXT}')
                OR len(list_filter(split_names, lambda p: regexp_matches(p.host, '{_BMC_NAME}'))) > 0 THEN 'bmc'
            WHEN regexp_matches(kind_text, '{_CHASSIS_TEXT}') THEN 'chassis'
            WHEN regexp_matches(kind_text, '{_CONTAINER_TEXT}')
                OR len(list_filter(agent_all, lambda a: regexp_matches(a, '^[^=]*(container|pod)[^=]*='))) > 0
                OR (len(list_filter(names, lambda n: length(n) = 12 AND regexp_matches(n, '^[0-9a-f]*$'))) > 0
                    AND len(list_filter(mac_all, lambda m: NOT starts_with(m, '0242'))) = 0) THEN 'container'
            ELSE '' END AS role
    FROM shaped
), named AS (
    SELECT * EXCLUDE (parts, uuid_all),
        list_transform(parts, lambda p: n_short(p.host)) AS hosts,
        list_transform(list_filter(parts, lambda p: p.dns IS NOT NULL OR contains(domain, '.')),
            lambda p: p.host || '.' || coalesce(p.dns,
                CASE WHEN coalesce(p.nb = split_part(domain, '.', 1), true) THEN domain END)) AS fqdns,
        list_transform(list_filter(parts, lambda p: p.nb IS NOT NULL OR p.dns IS NOT NULL OR domain IS NOT NULL),
            lambda p: coalesce(p.nb, split_part(coalesce(p.dns, domain), '.', 1)) || chr(92) || n_short(p.host))
            AS nbnames,
        list_filter(uuid_all, lambda u: NOT seeded_uuid(u)) AS uuids,
        list_filter(uuid_all, lambda u: seeded_uuid(u)) AS uuid_dropped,
        CASE WHEN len(mac_all) > 64 THEN []
            WHEN len(mac_dropped) > 0 THEN list_filter(mac_all, lambda m: NOT list_contains(mac_dropped, m))
            ELSE mac_all END AS macs
    FROM qualified
)
SELECT idx, scope, role, maker, domain, names, kind_text, entra, adguid, sid, resource, provider, account,
    mac_all, mac_dropped, name_dropped, agent_dropped, ip_dropped, uuids, uuid_dropped, macs, hosts, nbnames,
    list_filter(fqdns, lambda f: f IS NOT NULL) AS fqdns,
    CASE WHEN NOT cloud_bad THEN cloud_text END AS cloud, CASE WHEN cloud_bad THEN cloud_text END AS cloud_dropped,
    CASE WHEN NOT serial_bad THEN serial_text END AS serial, CASE WHEN serial_bad THEN serial_text END AS serial_dropped,
    CASE WHEN NOT imei_bad THEN imei_text END AS imei, CASE WHEN imei_bad THEN imei_text END AS imei_dropped,
    CASE WHEN len(agent_dropped) > 0 THEN list_filter(agent_all, lambda a: NOT list_contains(agent_dropped, a))
        ELSE agent_all END AS agents,
    CASE WHEN len(ip_dropped) > 0 THEN list_filter(ip_all, lambda i: NOT list_contains(ip_dropped, i))
        ELSE ip_all END AS ips,
    coalesce(list_min(hosts), list_min(macs)) AS fingerprint
FROM named
"""

_STRONG = ("entra", "adguid", "sid", "cloud", "cloudq", "serial", "serialq", "uuid", "imei_model")
_DIRECTORY_VETOES = ("cloud", "cloudq", "serial", "serialq")


def _without(*names: str) -> tuple[str, ...]:
    return tuple(name for name in _STRONG if name not in names)


_GUID = "n_dashed(value)"
# Inside a role's room: '' for ordinary machines.
_ROOM = "CASE WHEN role <> '' THEN role || ' ' ELSE '' END"

LADDER = Ladder(
    kind="device",
    norm=_NORM,
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
        Identifier("cloud", "cloud", "cloud instance id", "cloud_instance_id", RUNG_DIRECTORY),
        Identifier("cloudq", "cloud || ' in ' || account", "cloud instance id with account", "cloud_instance_id"),
        Identifier("resource", "resource", "cloud resource id", "cloud_resource_id", RUNG_DIRECTORY),
        # A container's serial number is its host's: it never identifies the container.
        Identifier(
            "serial",
            f"CASE WHEN role <> 'container' THEN {_ROOM} || serial END",
            "serial number",
            "serial_number",
            RUNG_HARDWARE,
        ),
        Identifier(
            "serialq",
            f"CASE WHEN role <> 'container' THEN {_ROOM} || serial || ' by ' || maker END",
            "serial number with manufacturer",
            "serial_number",
        ),
        Identifier(
            "uuid",
            "CASE WHEN role <> '' THEN list_transform(uuids, lambda u: role || ' ' || u) ELSE uuids END",
            "SMBIOS UUID",
            "smbios_uuid",
            RUNG_HARDWARE,
            is_list=True,
            shown="replace(value, right(value, 32), n_dashed(right(value, 32)))",
        ),
        Identifier("imei", "imei", "IMEI", "imei", RUNG_HARDWARE),
        # The two radios of a dual-SIM phone share the type code; different codes are different models.
        Identifier("imei_model", "imei[1:8]", "IMEI type code", "imei"),
        Identifier(
            "agent",
            "list_transform(agents, lambda a: CASE WHEN length(a) - strpos(a, '=') < 16 "
            "THEN a || ' at ' || scope ELSE a END)",
            "agent id",
            "agent_ids",
            RUNG_AGENT,
            is_list=True,
        ),
        Identifier(
            "mac", "macs", "MAC address", "mac_addresses", RUNG_MAC, is_list=True, scoped=True, shown="n_colons(value)"
        ),
        Identifier("fqdn", "fqdns", "fully qualified name", "fqdns", RUNG_NAME, is_list=True, scoped=True),
        Identifier("nbname", "nbnames", "name in its domain", "hostnames", RUNG_NAME, is_list=True, scoped=True),
        Identifier("host", "hosts", "short host name", "hostnames", RUNG_SHORT_NAME, is_list=True, scoped=True),
        Identifier("ip", "ips", "IP address", "ip_addresses", None, is_list=True, scoped=True),
    ),
    rules=(
        Rule("entra_device_id", "entra", ("adguid", *_DIRECTORY_VETOES), contest=("adguid", *_DIRECTORY_VETOES)),
        Rule("ad_object_guid", "adguid", ("entra", *_DIRECTORY_VETOES), contest=("entra", *_DIRECTORY_VETOES)),
        Rule(
            "entra_device_id=ad_object_guid",
            "dirguid",
            ("entra", "adguid", *_DIRECTORY_VETOES),
            contest=_DIRECTORY_VETOES,
        ),
        Rule(
            "cloud_instance_id+account",
            "cloudq",
            ("entra", "adguid", "serial", "serialq"),
            contest=("entra", "adguid", "serial", "serialq"),
        ),
        Rule(
            "cloud_instance_id",
            "cloud",
            ("entra", "adguid", "serial", "serialq", "cloudq"),
            contest=("entra", "adguid", "serial", "serialq", "cloudq"),
        ),
        Rule("cloud_resource_id", "resource", _without("sid", "imei_model"), contest=("cloud", "uuid", "serial")),
        Rule("ad_sid", "sid", _without("sid"), contest=_without("sid"), fan_out=10),
        Rule(
            "serial_number+manufacturer",
            "serialq",
            _without("serial", "serialq"),
            # blades that report the serial number of their chassis differ in what one product lists of each
            ("clone_same_source",),
            contest=_without("serial", "serialq"),
            fan_out=10,
        ),
        Rule(
            "serial_number",
            "serial",
            _without("serial"),
            ("clone_same_source",),
            contest=_without("serial"),
            fan_out=10,
        ),
        Rule("smbios_uuid", "uuid", _without("uuid"), ("clone_same_source",), contest=_without("uuid"), fan_out=10),
        Rule("imei", "imei", _without("imei_model"), contest=_without("imei_model"), fan_out=10),
        Rule("agent_id", "agent", _STRONG, ("clone",), contest=_STRONG, fan_out=10),
        Rule(
            "mac_address",
            "mac",
            _STRONG,
            ("agent", "source"),
            contest=_STRONG,
            fan_out=10,
            with_agreement=("host", "mac"),
        ),
        Rule("fqdn", "fqdn", _STRONG, ("agent", "mac", "source_any", "time"), contest=_STRONG, max_distinct=3),
        Rule(
            "name_in_domain",
            "nbname",
            _STRONG,
            ("agent", "mac", "fqdn", "source_any", "time"),
            contest=_STRONG,
            max_distinct=3,
        ),
    ),
    reviewed=("mac", "host"),
    dropped=(
        ("serial", "[serial_dropped]"),
        ("uuid", "uuid_dropped"),
        ("mac", "mac_dropped"),
        ("host", "name_dropped"),
        ("agent", "agent_dropped"),
        ("imei", "[imei_dropped]"),
        ("cloud", "[cloud_dropped]"),
        ("ip", "ip_dropped"),
    ),
    review_conflicts=_STRONG,
    rivals={"host": ("mac", "fqdn"), "mac": ("host",)},
)
