"""Normal forms of the identifiers of devices, as SQL of the tables that the ladder reads: see `Ladder.tables`."""

from __future__ import annotations

from dbt_like_transforms.resolution.forms.derived import Derived
from dbt_like_transforms.resolution.forms.seeds import CLEARED, MOST_VALUES, silent

# A management controller reports the serial number and UUID of the server it sits in; a chassis lends its serial number
# to every blade; a container reads the firmware of its host. Their identifiers live in a room of their own (`role`), so
# that they can never merge with the machine, and the equal value becomes a link.
_BMC_NAME = (
    r"^(ilo|idrac|drac|imm2?|xcc|cimc|ilom|irmc|i?bmc|ipmi|oraclesp)([-_].+|[0-9]{0,4})$"
    # the word and a serial number: ILOUSE1234ABC is one, ilonapc12 is not
    r"|^(ilo|idrac|drac|irmc)[a-z0-9]{2,4}[0-9][a-z0-9]{2,}$"
    # not "rac": Oracle calls its cluster nodes so
    r"|^.+[-_](ilo|idrac|drac|imm|xcc|cimc|ilom|irmc|bmc|ipmi|oob|lom)[0-9]?$"
    # without anything between only behind a digit: WEB01ILO is one, camilo is not
    r"|^.*[a-z].*[0-9](ilo|idrac|drac|xcc|cimc|ilom|irmc|bmc|ipmi)$"
)
_BMC_TEXT = (
    r"(^|[^a-z])(ilo ?[2-7]?|i?drac ?[4-9]?|integrated lights[- ]out|remote access controller|xclarity controller|xcc"
    r"|imm2|integrated management (module|controller)|baseboard management|cisco imc|cimc|irmc|ilom|(open|i)?bmc|ipmi|megarac)"
    r"([^a-z]|$)"
)
_CHASSIS_TEXT = (
    r"(^|[^a-z])(chassis|enclosure|bladesystem|bladecenter|c7000|c3000|m1000e|mx7000|synergy 12000"
    r"|fx2s?|ucs[- ]?5108)([^a-z]|$)"
)
# Servers that sit in a chassis, as makers call them; a "Razer Blade" is a laptop.
_BLADE_TEXT = (
    r"(^|[^a-z])(blade server|server blade|compute node|bl[2-8][0-9]{2}[a-z]*|synergy [4-9][0-9]{2}|ucsb?[- ]?b[0-9]{3}"
    r"|poweredge (m|mx|fc)[0-9]{3}c?|thinksystem sn[0-9]{3}|(hs2|bladecenter [a-z]{2})[0-9]+[ev]?)([^a-z]|$)"
)
# 'BladeCenter H' is the chassis, 'BladeCenter HS22' sits in it.
_IN_BLADECENTER = "bladecenter [a-z]{2}[0-9]"
# Google's "Container-Optimized OS" and CoreOS "Container Linux" run the host.
_CONTAINER_HOST = r"container[- ](optimized|linux|os|host)"
_POD_NAME = r"^[a-z0-9-]+-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$"
_CLUSTER_NAME = (
    r"(clu(s|st(er)?)?|cno|wsfc|vip|vnn|fci|sqlag|lsnr|listener|dag)[-_]?[0-9]*$|[-_]scan$|^(clus?|cluster|vip)[-_0-9]"
)
_CONTAINER_TEXT = r"(^|[^a-z])(container|containerd|docker|pod|podman|cri-o)([^a-z]|$)"

NAMES_TOLD = """list_concat(coalesce(hostnames, []), coalesce(fqdns, []),
            CASE WHEN netbios_name IS NULL THEN [] ELSE [netbios_name] END)"""
# A host of containers has a card of its own making for each of them.
CARDS_TOLD = f"""CASE WHEN len(mac_addresses) > {MOST_VALUES} THEN len(list_filter(mac_addresses,
                lambda m: substr(lower(m), 2, 1) NOT IN ('2', '6', 'a', 'e'))) ELSE len(mac_addresses) END"""

# Each step gives columns to the next, because a macro copies its argument; see `normalise`. No step filters: a filter would
# be pushed down to where it computes everything again, so what says nothing is a row without a value.
_NAMES = f"""
WITH given AS (
    SELECT idx, room, l_domain(n_lower(domain)) AS domain,
        {NAMES_TOLD} AS given
    FROM _observed
), lowered AS (
    SELECT idx, room, wide, CASE WHEN NOT seeded_host_domain(domain) THEN domain END AS domain, n_lower(given) AS given
    FROM (SELECT idx, room, domain, len(given) > {MOST_VALUES} AS wide, unnest(given) AS given FROM given)
), named AS (
    SELECT idx, room, wide, domain, l_name(given) AS name FROM lowered
), split AS (
    SELECT idx, room, wide, domain, l_host(name) AS host, l_dns(name) AS dns, l_netbios_domain(name) AS nb,
        (strlen(name) = 12 AND regexp_matches(name, '^[0-9a-f]*$'))
            OR (strlen(name) >= 16 AND regexp_matches(name, '{_POD_NAME}')) AS is_container
    FROM named
), judged AS (
    SELECT idx, room, wide, domain, host, worded, n_short(worded) AS short, is_container, seeded_host_name(host) AS bad,
        regexp_matches(host, '{_BMC_NAME}') AS is_bmc, regexp_matches(host, '{_CLUSTER_NAME}') AS like_cluster,
        CASE WHEN NOT seeded_host_domain(dns) THEN dns END AS dns,
        CASE WHEN NOT seeded_host_domain(nb) THEN nb END AS nb,
        contains(host, ' ') AS described    -- 'Kyocera TASKalfa 3252ci' is no name in any domain
    -- what a machine outside of any domain calls its domain is itself
    FROM (SELECT * EXCLUDE (domain, nb), nullif(domain, host) AS domain, nullif(nb, host) AS nb,
        -- on the network a Mac calls "Anna's MacBook" annas-macbook
        CASE WHEN contains(host, ' ') THEN translate(host, ' ''’', '-') ELSE host END AS worded FROM split)
)
SELECT idx, room, is_bmc, is_container, like_cluster, CASE WHEN bad THEN host END AS dropped,
    CASE WHEN length(worded) > 15 THEN worded END AS longname,
    CASE WHEN NOT bad AND NOT wide THEN short END AS host,
    -- a name of 15 characters may be the beginning of a longer one
    CASE WHEN NOT bad AND NOT wide AND NOT described THEN host || '.' || coalesce(dns, CASE WHEN contains(domain, '.')
        AND length(host) <> 15 AND coalesce(nb = split_part(domain, '.', 1), true) THEN domain END) END AS fqdn,
    CASE WHEN NOT bad AND NOT wide AND NOT described
        THEN coalesce(nb, split_part(coalesce(dns, domain), '.', 1)) || chr(92) || short END AS nbname
FROM judged
"""

# Names of clusters that active nodes list beside their own: each is that of another computer object. The names of all others
# are many, so that those who have such a name come first.
_CLUSTER_NAMES = """
SELECT DISTINCT idx, host FROM names WHERE like_cluster AND idx IN (
    SELECT idx FROM names WHERE idx IN (SELECT idx FROM names WHERE like_cluster) AND NOT like_cluster AND host IS NOT NULL)
"""

_MACS = f"""
WITH given AS (
    SELECT idx, room, wide, n_lower(given) AS given FROM (
        SELECT idx, room, wide, unnest(given) AS given
        FROM (SELECT idx, room, mac_addresses AS given, {CARDS_TOLD} > {MOST_VALUES} AS wide FROM _observed))
), digits AS (
    SELECT idx, room, wide, l_mac_digits(given) AS digits FROM given
), formed AS (
    SELECT idx, room, wide, l_mac_hex(digits) AS mac FROM digits
)
SELECT idx, room, mac, seeded, random, NOT seeded AND NOT random AND NOT wide AS usable, NOT seeded AND random AND NOT wide AS made
FROM (SELECT *, seeded_mac_address(mac) AS seeded,
    substr(mac, 2, 1) IN ('2', '6', 'a', 'e') AND NOT allowed_mac_address(mac) AS random FROM formed)
"""

_AGENTS = f"""
WITH given AS (
    SELECT idx, room, scope, product, instance, wide, n_lower(given) AS agent FROM (
        SELECT idx, room, scope, product, instance, wide, unnest(given) AS given
        FROM (SELECT idx, room, scope, product, instance, len(agent_ids) > {MOST_VALUES} AS wide, agent_ids AS given
            FROM _observed))
), bare AS (
    -- GUIDs with dashes and braces, or without; Configuration Manager writes 'GUID:' before them
    SELECT * EXCLUDE (agent), CASE WHEN length(agent) - strpos(agent, '=') IN (36, 38, 41) THEN left(agent, strpos(agent, '='))
        || replace(translate(substr(agent, strpos(agent, '=') + 1), '-{{}}', ''), 'guid:', '') ELSE agent END AS agent
    FROM given
), placed AS (
    -- A scanner counts its hosts in each console from 1, a manager its agents from 001.
    SELECT idx, room, scope, wide, counted,
        CASE WHEN counted THEN agent || ' of ' || lower(product || ':' || instance) ELSE agent END AS agent
    FROM (SELECT *, regexp_matches(agent, '=0*[1-9][0-9]{{0,9}}$') AS counted FROM bare)
), judged AS (
    SELECT idx, room, scope, wide, counted, agent, strpos(agent, '=') AS place,
        seeded_agent_id(split_part(agent, '=', 2)) AS bad
    FROM placed
)
SELECT idx, room, counted, CASE WHEN bad THEN agent END AS dropped,
    -- A short id is known in one place only.
    CASE WHEN NOT bad AND NOT wide THEN CASE WHEN length(agent) - place < 16
        THEN agent || ' at ' || coalesce(n_lower(scope), 'default') ELSE agent END END AS agent_id,
    regexp_matches(agent, '^[^=]*(container|pod)[^=]*=') AS is_container
FROM judged
"""

_IPS = """
WITH given AS (
    SELECT idx, room, n_lower(given) AS given
    FROM (SELECT idx, room, unnest(given) AS given
        FROM (SELECT idx, room, ip_addresses AS given FROM _observed))
), formed AS (
    SELECT idx, room, l_ip(given) AS ip FROM given
)
SELECT idx, room, CASE WHEN NOT bad THEN ip END AS ip, CASE WHEN bad THEN ip END AS dropped
FROM (SELECT *, seeded_ip_address(ip) AS bad FROM formed)
"""

# What the names, agents and cards of a record, and its product, tell of its role.
_TOLD = """
SELECT idx, bool_or(is_bmc) AS is_bmc, bool_or(is_container) AS is_container FROM (
    -- twelve digits may be the address of a card, by which cameras and telephones are called
    SELECT idx, is_bmc, is_container AND idx NOT IN (SELECT idx FROM macs WHERE NOT starts_with(mac, '0242'))
        AND coalesce(host, '') NOT IN (
            SELECT mac FROM macs WHERE mac IN (SELECT host FROM names WHERE is_container)) AS is_container
    FROM names WHERE is_bmc OR is_container
    UNION ALL
    SELECT idx, false, true FROM agents WHERE is_container
    UNION ALL
    SELECT idx, false, true FROM _observed WHERE lower(product) IN ('docker', 'podman', 'containerd'))
GROUP BY idx
"""

# Few makers and models make many machines: each is read once.
_MAKERS = """
SELECT manufacturer, CASE WHEN NOT seeded_manufacturer(maker_l) THEN w_maker(word) END AS maker
FROM (SELECT manufacturer, maker_l, l_maker_word(maker_l) AS word
    FROM (SELECT manufacturer, n_lower(manufacturer) AS maker_l FROM (SELECT DISTINCT manufacturer FROM _keyed)))
"""
# Makers and models as they came that say nothing, such as 'System manufacturer'. What was emptied on purpose says so.
_NO_MAKERS = f"""
SELECT given FROM (
    SELECT given, n_lower(given) AS lowered
    FROM (SELECT DISTINCT manufacturer AS given FROM _keyed UNION SELECT DISTINCT model FROM _keyed))
WHERE seeded_manufacturer(lowered) AND lowered <> '{CLEARED}'
"""
# What people and vendors write elsewhere where there is nothing to say, such as 'Unknown'.
WRITTEN = ("device_category", "os_platform", "os_version", "environment", "owner")
# Firmware fills this field as it fills that of the serial number: 'Default string', 'No Asset Tag'. Digits alone are a tag.
_NO_TAGS = """
SELECT given FROM (
    SELECT given, n_alnum(given) AS plain FROM (SELECT DISTINCT asset_tag AS given FROM _keyed WHERE asset_tag IS NOT NULL))
WHERE NOT n_says(given) OR strlen(plain) > 2 AND regexp_matches(plain, '[a-z]') AND seeded_serial_number(plain)
"""
# What every home and every cloud account calls its network: 'local', 'WORKGROUP', 'ec2.internal'.
_NO_DOMAINS = f"""
SELECT given FROM (
    SELECT given, lowered, l_domain(lowered) AS domain FROM (
        SELECT DISTINCT domain AS given, n_lower(domain) AS lowered FROM _keyed WHERE domain IS NOT NULL))
WHERE NOT n_says(given) OR coalesce(seeded_host_domain(domain) AND lowered <> '{CLEARED}', false)
"""
_KINDS = f"""
SELECT model, os_platform, device_category, nullif(n_alnum(model), '') AS model_plain, CASE
    WHEN regexp_matches(told, '{_BMC_TEXT}') THEN 'bmc'
    WHEN regexp_matches(told, '{_CHASSIS_TEXT}') AND NOT regexp_matches(told, '{_IN_BLADECENTER}') THEN 'chassis'
    WHEN regexp_matches(told, '{_CONTAINER_TEXT}') AND NOT regexp_matches(told, '{_CONTAINER_HOST}') THEN 'container'
    ELSE '' END AS kind, regexp_matches(lower(model), '{_BLADE_TEXT}') AS blade
FROM (SELECT *, lower(concat_ws(' ', model, os_platform, device_category)) AS told
    FROM (SELECT DISTINCT model, os_platform, device_category FROM _keyed))
"""

_NORM = Derived(
    f"""_observed o LEFT JOIN ({_MAKERS}) m USING (manufacturer)
        JOIN ({_KINDS}) k ON k.model IS NOT DISTINCT FROM o.model
            AND k.os_platform IS NOT DISTINCT FROM o.os_platform
            AND k.device_category IS NOT DISTINCT FROM o.device_category
        LEFT JOIN ({_TOLD}) told USING (idx)""",
    kept=("idx", "room", "maker", "blade"),
    always=("product", "instance", "model_plain", "kind", "is_bmc", "is_container"),
    untold={
        "registered": "false",
        "_account_kind": "false",
        "_uuid_bad": "false",
        "uuid_turned": "NULL::BOOLEAN",
        "serial_turned": "NULL::BOOLEAN",
    },
    columns={
        "role": "CASE WHEN kind = 'bmc' OR is_bmc THEN 'bmc' WHEN kind = 'chassis' THEN kind "
        "WHEN is_container THEN 'container' ELSE kind END",
        # -- directories ------------------------------------------------------------------------------------------------
        "_entra_l": "n_lower(entra_device_id)",
        "_entra_hex": "l_hex32(_entra_l)",
        "entra": "h_real(_entra_hex)",
        "entra_dropped": "CASE WHEN entra IS NULL THEN _entra_hex END",
        "_adguid_l": "n_lower(ad_object_guid)",
        "_adguid_text": "n_text(ad_object_guid)",
        "_adguid_bytes": "t_base64_hex(_adguid_text)",
        "_adguid_hex": "coalesce(l_hex32(_adguid_l), n_swap(_adguid_bytes))",
        "adguid": "h_real(_adguid_hex)",
        "adguid_dropped": "CASE WHEN adguid IS NULL THEN _adguid_hex END",
        "_sid_text": "n_text(ad_sid)",
        "_sid_l": "t_sid(_sid_text)",
        "sid": "l_sid(_sid_l)",
        "sid_dropped": "CASE WHEN sid IS NULL THEN _sid_l END",
        # -- clouds -----------------------------------------------------------------------------------------------------
        "_provider_l": "n_lower(cloud_provider)",
        "provider": "l_provider(_provider_l)",
        # EC2 shows the instance id as asset tag.
        "_cloud_given": r"""coalesce(n_lower(cloud_instance_id),
            nullif(regexp_extract(n_lower(asset_tag), '^i-[0-9a-f]{8,17}$'), ''),
            CASE WHEN starts_with(lower(cloud_resource_id), 'arn:') THEN nullif(regexp_extract(lower(cloud_resource_id),
                '^arn:[^:]*:ec2:[^:]*:[0-9]*:instance/i-[0-9a-f]+$'), '')
                WHEN contains(cloud_resource_id, '/instances/') THEN nullif(regexp_extract(cloud_resource_id,
                '/instances/([0-9]{15,})/*$', 1), '') END)""",
        # Kubernetes puts the cloud before the id of a node's machine; on vSphere it is the SMBIOS UUID.
        "_cloud_id": "CASE WHEN contains(_cloud_given, '://') THEN nullif(regexp_replace(_cloud_given, "
        "'^(openstack|nutanix)://([^/]*/)*|^vsphere://.*$', ''), '') ELSE _cloud_given END",
        "_node_uuid": "CASE WHEN prefix(_cloud_given, 'vsphere://') THEN substr(_cloud_given, 11) END",
        # 'vm-101' names a machine inside one vCenter only.
        "_cloud_l": "l_local_id(_cloud_id, lower(coalesce(cloud_account_id, product || ':' || instance)))",
        "_cloud_text": "l_cloud_id(_cloud_l)",
        "_cloud_bad": "seeded_cloud_id(_cloud_text)",
        "cloud": "CASE WHEN NOT _cloud_bad THEN _cloud_text END",
        "cloud_dropped": "CASE WHEN _cloud_bad THEN _cloud_text END",
        "_account_l": "n_lower(cloud_account_id)",
        "_account_told": "l_cloud_account(_account_l)",
        # Of a Google project there is an id and a number, each of which may be told; and beside another cloud's machine may
        # stand the subscription by which Azure knows of it. Only what is of one kind can disagree.
        "_account_kind": "provider = 'gcp' AND regexp_matches(_account_l, '^[0-9]+$') "
        "OR provider IN ('aws', 'gcp') AND l_hex32(_account_l) IS NOT NULL",
        "account": "coalesce(CASE WHEN NOT coalesce(_account_kind, false) AND NOT seeded_cloud_id(_account_told) "
        "THEN _account_told END, l_cloud_account_of(_cloud_l))",
        "_resource_l": "n_lower(cloud_resource_id)",
        "_resource_told": "l_resource_id(_resource_l)",
        # no word for nothing is as long as nearly all paths are
        "_resource_bad": "strlen(_resource_told) <= 64 AND seeded_cloud_id(_resource_told)",
        "resource": "CASE WHEN NOT _resource_bad THEN _resource_told END",
        "resource_dropped": "CASE WHEN _resource_bad THEN _resource_told END",
        # Azure Arc registers machines that live elsewhere.
        "registered": "coalesce(contains(resource, '/microsoft.hybridcompute/') "
        "OR contains(_cloud_text, '/microsoft.hybridcompute/'), false)",
        # On these clouds the instance id is the SMBIOS UUID.
        "cloud_uuid": "CASE WHEN provider IN ('azure', 'openstack', 'nutanix') AND length(_cloud_text) = 32 "
        "AND NOT contains(_cloud_text, '/') AND NOT _cloud_bad AND NOT registered THEN n_either(_cloud_text) END",
        # -- hardware ---------------------------------------------------------------------------------------------------
        "_uuid_l": "coalesce(n_lower(smbios_uuid), _node_uuid)",
        # the file of a virtual machine writes its UUID in bytes: '56 4d 4c bc c6 a9 19 69-3f ..'
        "_uuid_hex": "CASE WHEN strlen(_uuid_l) > 38 THEN coalesce(l_hex32(_uuid_l), l_serial_hex(_uuid_l)) "
        "ELSE l_hex32(_uuid_l) END",
        "_uuid": "n_either(_uuid_hex)",
        "_uuid_bad": "seeded_uuid(_uuid)",
        "uuid": "CASE WHEN NOT _uuid_bad THEN _uuid END",
        # in the byte order in which it came, so that a person finds it again
        "uuid_dropped": "CASE WHEN _uuid_bad THEN _uuid_hex END",
        # whether the record writes it in the other byte order
        "uuid_turned": "_uuid_hex <> _uuid",
        # Apple's barcodes put an S before the twelve characters of the serial number.
        "_serial_given": "n_lower(serial_number)",
        "_serial_l": "CASE WHEN maker = 'apple' AND strlen(_serial_given) = 13 AND prefix(_serial_given, 's') "
        "THEN substr(_serial_given, 2) ELSE _serial_given END",
        "_serial_hex": "l_serial_hex(_serial_l)",
        "_serial_uuid": "n_either(_serial_hex)",
        "_serial_uuid_bad": "seeded_uuid(_serial_uuid)",
        "serial_turned": "_serial_hex <> _serial_uuid",
        # KVM can hand a guest the UUID of its host as serial number. Beside a UUID of its own it is another machine's, unless
        # the hypervisor wrote its name in front.
        "_serial_named": "left(_serial_l, 1) BETWEEN 'g' AND 'z'",
        "serial_uuid": "CASE WHEN NOT _serial_uuid_bad AND (_uuid IS NULL OR _uuid_bad OR _uuid = _serial_uuid "
        "OR _serial_named) THEN _serial_uuid END",
        "serial_uuid_other": "CASE WHEN NOT _serial_uuid_bad AND NOT _uuid_bad AND _uuid <> _serial_uuid "
        "AND NOT _serial_named THEN _serial_uuid END",
        "serial_uuid_dropped": "CASE WHEN _serial_uuid_bad THEN _serial_uuid END",
        "_serial_text": "CASE WHEN _serial_hex IS NULL THEN l_serial_text(_serial_l) END",
        "_serial_plain": "n_alnum(_serial_text)",
        # Spreadsheets turn digits into 1.23457E+11: what is left of them is shared by many. Hands fill the field with model or
        # maker, or with words: 'see label', 'dmidecode: command not found'.
        "_serial_bad": r"""seeded_serial_number(_serial_plain)
            OR coalesce(regexp_matches(_serial_text, '^[0-9]([.,][0-9]+)?E[+][0-9]+$'), false)
            OR coalesce(_serial_plain = model_plain, false) OR coalesce(_serial_plain = maker, false)
            OR coalesce(contains(_serial_l, ' ') AND NOT regexp_matches(_serial_l, '[0-9]|^s/n |^s.*[:=#]')
                AND NOT allowed_serial_number(_serial_plain), false)""",
        "serial": "CASE WHEN NOT _serial_bad THEN _serial_text END",
        "serial_dropped": "CASE WHEN _serial_bad THEN _serial_text END",
        "_imei_l": "n_lower(imei)",
        "_imei": "l_imei(_imei_l)",
        "_imei_bad": "seeded_imei(_imei)",
        "imei": "CASE WHEN NOT _imei_bad THEN _imei END",
        "imei_dropped": "CASE WHEN _imei_bad THEN _imei END",
    },
)

# Before a value of a management controller, chassis or container; none for ordinary machines. A container may show the
# UUID and the cloud's id of its host, as all others there do: they count with the container's name, or where no machine has
# the UUID, and the id looks like that of no machine.
_ROLES = """
SELECT idx, role || ' ' AS part,
    CASE WHEN role <> 'container' THEN role || ' ' WHEN name IS NOT NULL THEN role || ' ' || name || ' '
        WHEN uuid NOT IN (SELECT uuid FROM norm WHERE role = '' AND uuid IS NOT NULL) THEN role || ' ' END AS uuid_part,
    CASE WHEN name IS NOT NULL THEN role || ' ' || name || ' '
        WHEN NOT regexp_matches(cloud, '^(i-[0-9a-f]+|[0-9a-f]{32}|[0-9]{15,})$') THEN role || ' ' END AS cloud_part
FROM norm LEFT JOIN (
    SELECT idx, min(coalesce(longname, host)) AS name FROM names
    WHERE idx IN (SELECT idx FROM norm WHERE role = 'container') GROUP BY idx) USING (idx)
WHERE role <> ''
"""

TABLES: dict[str, str | Derived] = {
    "names": _NAMES,
    "cluster_names": _CLUSTER_NAMES,
    "macs": _MACS,
    "agents": _AGENTS,
    "ips": _IPS,
    "norm": _NORM,
    "roles": _ROLES,
    "no_makers": _NO_MAKERS,
    "no_words": silent(WRITTEN),
    "no_tags": _NO_TAGS,
    "no_domains": _NO_DOMAINS,
}
