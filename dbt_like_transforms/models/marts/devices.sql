-- Today's survivors, and the last known values of assets that no record describes any more.
-- Every product writes operating systems in its own words: they are shown in those of Defender (Windows11, WindowsServer2019,
-- RedHatEnterpriseLinux), and as they are where those have none.
with written as (
    select *, lower(trim(os_platform)) as os
    from int_devices_winners
),

survivors as (
    select
        * exclude (os, os_platform, os_version),
        case
            when regexp_matches(os, 'windows.*\b20[0-9]{2}\b|windowsserver20') and regexp_matches(os, 'server')
                then concat('WindowsServer', upper(replace(regexp_extract(os, '(20[0-9]{2}(?: ?r2\b)?)', 1), ' ', '')))
            when regexp_matches(os, 'windows ?(11|10|8[.]1|8|7|vista|xp)\b')
                then concat('Windows', regexp_extract(os, 'windows ?(11|10|8[.]1|8|7|vista|xp)\b', 1))
            when os in ('windows', 'microsoft windows') then 'Windows'
            when regexp_matches(os, '^(mac ?os|mac ?mdm|os ?x|darwin)') then 'macOS'
            when regexp_matches(os, '^(apple )?(iphone os|ios)\b') then 'iOS'
            when regexp_matches(os, '^(apple )?ipad ?os\b') then 'iPadOS'
            when regexp_matches(os, '^android\b') then 'Android'
            when regexp_matches(os, '\bred ?hat|\brhel\b') then 'RedHatEnterpriseLinux'
            when regexp_matches(os, '\bubuntu\b') then 'Ubuntu'
            when regexp_matches(os, '\bdebian\b') then 'Debian'
            when regexp_matches(os, '\bcentos\b') then 'CentOS'
            when regexp_matches(os, '\b(open)?suse|\bsles\b') then 'SUSE'
            when regexp_matches(os, '\bamazon linux\b') then 'AmazonLinux'
            when regexp_matches(os, '\boracle linux\b') then 'OracleLinux'
            when regexp_matches(os, '\brocky\b') then 'RockyLinux'
            when regexp_matches(os, '\balma ?linux\b') then 'AlmaLinux'
            when regexp_matches(os, '\bfedora\b') then 'Fedora'
            when os in ('linux', 'gnu/linux') then 'Linux'
            else os_platform
        end as os_platform,
        coalesce(
            os_version,
            nullif(regexp_extract(regexp_replace(os, 'kernel [^ ]+', ''), '\b([0-9]+(?:[.][0-9]+)+)', 1), '')
        ) as os_version
    from written
),

today as (
    select
        w.asset_id as device_id,
        coalesce(
            w.display_name, w.hostnames[1], w.fqdns[1], w.netbios_name, w.cloud_instance_id, w.serial_number,
            w.ip_addresses[1], w.asset_id
        ) as display_name,
        w.fqdns[1] as fqdn,
        w.* exclude (asset_id, display_name, first_seen, last_seen),
        l.lifecycle_state,
        l.retired_at,
        l.first_seen,
        l.last_seen,
        l.source_streams
    from survivors as w
    join int_asset_lifecycle as l on l.asset_id = w.asset_id
    where l.asset_kind = 'device' and l.values_from = 'today'
)

select
    device_id, display_name, fqdn, device_category, os_platform, os_version, manufacturer, model, serial_number,
    mac_addresses, ip_addresses, cloud_provider, cloud_resource_id, entra_device_id, owner, is_internet_facing,
    is_managed, criticality as criticality_level, discovery_sources, source_records,
    first_seen, last_seen, lifecycle_state,
    retired_at, source_streams, hostnames, fqdns, netbios_name, domain, smbios_uuid, imei, asset_tag, agent_ids,
    ad_object_guid, ad_sid, cloud_account_id, cloud_instance_id, environment, properties
from today
union all
select
    p.device_id, p.display_name, p.fqdn, p.device_category, p.os_platform, p.os_version, p.manufacturer, p.model,
    p.serial_number, p.mac_addresses, p.ip_addresses, p.cloud_provider, p.cloud_resource_id, p.entra_device_id,
    p.owner, p.is_internet_facing, p.is_managed, p.criticality_level, p.discovery_sources, p.source_records,
    l.first_seen, l.last_seen, l.lifecycle_state,
    l.retired_at, l.source_streams, p.hostnames, p.fqdns, p.netbios_name, p.domain, p.smbios_uuid, p.imei,
    p.asset_tag, p.agent_ids, p.ad_object_guid, p.ad_sid, p.cloud_account_id, p.cloud_instance_id, p.environment,
    p.properties
from previous.devices as p
join int_asset_lifecycle as l on l.asset_id = p.device_id
where l.asset_kind = 'device' and l.values_from = 'previous'
