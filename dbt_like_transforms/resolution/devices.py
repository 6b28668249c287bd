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

_NORM = f"""
WITH cleaned AS (
    SELECT idx,
        coalesce(n_lower(scope), 'default') AS scope,
        n_serial(serial_number) AS serial_text,
        n_serial_uuid(serial_number) AS serial_uuid,
        n_maker(manufacturer) AS maker,
        n_uuid(smbios_uuid) AS uuid_text,
        n_present(list_transform(mac_addresses, lambda m: n_mac(m))) AS mac_all,
        n_present(list_transform(
            list_concat(coalesce(hostnames, []), coalesce(fqdns, []), [netbios_name]), lambda h: n_name(h))) AS names,
        n_name(coalesce(hostnames[1], netbios_name, fqdns[1], display_name)) AS first_name,
        CASE WHEN NOT seeded_host_domain(n_domain(domain)) THEN n_domain(domain) END AS domain,
        n_guid(entra_device_id) AS entra,
        n_directory_guid(ad_object_guid) AS adguid,
        n_sid(ad_sid) AS sid,
        n_provider(cloud_provider) AS provider,
        coalesce(n_lower(cloud_account_id), n_cloud_account_of(cloud_instance_id)) AS account,
        n_cloud_id(cloud_instance_id) AS cloud_text,
        n_resource_id(cloud_resource_id) AS resource,
        n_imei(imei) AS imei_text,
        n_present(list_transform(agent_ids, lambda a: n_lower(a))) AS agent_all,
        n_present(list_transform(ip_addresses, lambda i: n_ip(i))) AS ip_all,
        lower(concat_ws(' ', model, os_platform, device_category)) AS kind_text
    FROM _records
), named AS (
    SELECT *,
        list_filter(mac_all, lambda m: seeded_mac_address(m) OR regexp_matches(m, '^.[26ae]:')) AS mac_dropped,
        list_filter(names, lambda n: NOT seeded_host_name(n_host(n)) AND NOT seeded_host_name(n)) AS good_names,
        list_filter(names, lambda n: seeded_host_name(n_host(n)) OR seeded_host_name(n)) AS name_dropped,
        list_filter(agent_all, lambda a: seeded_agent_id(regexp_replace(a, '^[^=]*=', ''))) AS agent_dropped,
        CASE
            WHEN regexp_matches(kind_text, '{_BMC_TEXT}')
                OR list_bool_or(list_transform(names, lambda n: regexp_matches(n_host(n), '{_BMC_NAME}'))) THEN 'bmc'
            WHEN regexp_matches(kind_text, '{_CHASSIS_TEXT}') THEN 'chassis'
            WHEN regexp_matches(kind_text, '{_CONTAINER_TEXT}')
                OR list_bool_or(list_transform(agent_all,
                    lambda a: regexp_matches(a, '^[^=]*(container|pod)[^=]*=')))
                OR (list_bool_or(list_transform(names, lambda n: regexp_matches(n, '^[0-9a-f]{{12}}$')))
                    AND list_bool_and(list_transform(mac_all, lambda m: starts_with(m, '02:42:')))) THEN 'container'
            ELSE '' END AS role
    FROM cleaned
), qualified AS (
    SELECT *,
        list_transform(good_names, lambda n: struct_pack(
            host := n_host(n),
            dns := CASE WHEN seeded_host_domain(n_dns(n)) THEN NULL ELSE n_dns(n) END,
            nb := CASE WHEN seeded_host_domain(n_netbios_domain(n)) THEN NULL ELSE n_netbios_domain(n) END)) AS parts
    FROM named
)
SELECT idx, scope, role, maker, domain, names, first_name, kind_text,
    entra, adguid, sid, resource, provider, account, mac_all, mac_dropped, name_dropped, agent_dropped,
    CASE WHEN NOT seeded_cloud_id(cloud_text) THEN cloud_text END AS cloud,
    CASE WHEN seeded_cloud_id(cloud_text) THEN cloud_text END AS cloud_dropped,
    CASE WHEN NOT seeded_serial_number(serial_text) THEN serial_text END AS serial,
    CASE WHEN seeded_serial_number(serial_text) THEN serial_text END AS serial_dropped,
    list_filter(n_present([uuid_text, serial_uuid]), lambda u: NOT seeded_uuid(u)) AS uuids,
    list_filter(n_present([uuid_text, serial_uuid]), lambda u: seeded_uuid(u)) AS uuid_dropped,
    CASE WHEN NOT seeded_imei(imei_text) THEN imei_text END AS imei,
    CASE WHEN seeded_imei(imei_text) THEN imei_text END AS imei_dropped,
    CASE WHEN len(mac_all) <= 64 THEN list_filter(mac_all, lambda m: NOT list_contains(mac_dropped, m)) ELSE [] END
        AS macs,
    list_filter(agent_all, lambda a: NOT list_contains(agent_dropped, a)) AS agents,
    list_filter(ip_all, lambda i: NOT seeded_ip_address(i)) AS ips,
    list_filter(ip_all, lambda i: seeded_ip_address(i)) AS ip_dropped,
    n_present(list_transform(parts, lambda p: n_short(p.host))) AS hosts,
    n_present(list_transform(parts, lambda p: p.host || '.' || coalesce(p.dns,
        CASE WHEN contains(domain, '.') AND coalesce(p.nb = split_part(domain, '.', 1), true) THEN domain END))) AS fqdns,
    n_present(list_transform(parts, lambda p: coalesce(p.nb, split_part(coalesce(p.dns, domain), '.', 1))
        || chr(92) || n_short(p.host))) AS nbnames,
    coalesce(list_min(hosts), list_min(macs)) AS fingerprint
FROM qualified
"""

_STRONG = ("entra", "adguid", "sid", "cloud", "cloudq", "serial", "serialq", "uuid", "imei_model")
_DIRECTORY_VETOES = ("cloud", "cloudq", "serial", "serialq")


def _without(*names: str) -> tuple[str, ...]:
    return tuple(name for name in _STRONG if name not in names)


# Inside a role's room: '' for ordinary machines.
_ROOM = "CASE WHEN role <> '' THEN role || ' ' ELSE '' END"

LADDER = Ladder(
    kind="device",
    norm=_NORM,
    identifiers=(
        Identifier("entra", "entra", "Entra device id", "entra_device_id", RUNG_DIRECTORY),
        Identifier("adguid", "adguid", "AD objectGUID", "ad_object_guid", RUNG_DIRECTORY),
        # A hybrid-joined computer's Entra device id is its AD objectGUID.
        Identifier(
            "dirguid", "[entra, adguid]", "Entra device id = AD objectGUID", "entra_device_id", None, is_list=True
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
            f"list_transform(uuids, lambda u: {_ROOM} || u)",
            "SMBIOS UUID",
            "smbios_uuid",
            RUNG_HARDWARE,
            is_list=True,
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
        Identifier("mac", "macs", "MAC address", "mac_addresses", RUNG_MAC, is_list=True, scoped=True),
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
        Rule("serial_number", "serial", _without("serial"), ("clone_same_source",), contest=_without("serial"), fan_out=10),
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
