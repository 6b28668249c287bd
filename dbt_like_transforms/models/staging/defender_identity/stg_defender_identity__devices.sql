-- Hosts of sensors. A sensor knows its host by name alone, so it only ever adds to a machine that others report
with sensors as (
    select *,
        case
            when lower(sensorType) = 'domaincontrollerintegrated' and array_length(settings.domainControllerDnsNames) = 1
            then lower(nullif(trim(settings.domainControllerDnsNames[1], '. '), ''))
        end as own_name,
        lower(nullif(trim(displayName, '. '), '')) as shown_name,
        lower(nullif(trim(domainName, '. '), '')) as domain_name
    from landed.defender_identity__sensors
),

named as (
    select *,
        coalesce(
            own_name,
            case
                when strpos(shown_name, '.') > 0 then shown_name
                when shown_name is not null and domain_name is not null then concat(shown_name, '.', domain_name)
                else shown_name
            end
        ) as full_name
    from sensors
),

-- The same product's graph may know the host under Defender for Endpoint's id: by its full name, or as the one domain
-- controller of that short name
machines as (
    select n.instance, lower(n.mde_id) as mde_id, lower(e.NodeProperties.rawData.deviceName) as device_name,
        coalesce(try_cast(e.NodeProperties.rawData.isDomainController as boolean), false) as is_controller
    from stg_defender_identity__exposure_nodes as n
    inner join landed.defender_identity__exposure_nodes as e on e._instance = n.instance and e._record_id = n.node_id
    where n.kind = 'device' and n.mde_id is not null
),

hosts as (
    select s._instance, s._record_id, min(m.mde_id) as mde_id
    from named as s
    inner join machines as m
        on m.instance = s._instance
        and (
            m.device_name = s.full_name
            or m.is_controller
            and lower(s.sensorType) = 'domaincontrollerintegrated'
            and m.device_name = split_part(s.full_name, '.', 1)
        )
    group by s._instance, s._record_id
    having count(distinct m.mde_id) = 1
)

select
    concat(n._product, ':', n._instance, ':', n._record_id) as record,
    n._product as product,
    n._instance as instance,
    n._stream as stream,
    n._record_id as record_id,
    'default' as scope,
    _synced_at as observed_at,
    createdDateTime as first_seen,
    cast(null as timestamp) as last_seen,
    'active' as state,
    'update' as authority,
    n._sync as sync,
    n._page as page,
    n._row as row_number,
    cast(null as varchar) as serial_number,
    cast(null as varchar) as manufacturer,
    cast(null as varchar) as smbios_uuid,
    cast([] as varchar[]) as mac_addresses,
    case when full_name is null then cast([] as varchar[]) else [split_part(full_name, '.', 1)] end as hostnames,
    case when strpos(full_name, '.') > 0 then [full_name] else cast([] as varchar[]) end as fqdns,
    cast(null as varchar) as netbios_name,
    case when strpos(full_name, '.') > 0 then substr(full_name, strpos(full_name, '.') + 1) else domain_name end as domain,
    cast(null as varchar) as entra_device_id,
    cast(null as varchar) as ad_object_guid,
    cast(null as varchar) as ad_sid,
    cast(null as varchar) as cloud_provider,
    cast(null as varchar) as cloud_account_id,
    cast(null as varchar) as cloud_instance_id,
    cast(null as varchar) as cloud_resource_id,
    cast(null as varchar) as imei,
    list_concat(
        [concat('mdi=', n.id)], case when h.mde_id is null then cast([] as varchar[]) else [concat('mde=', h.mde_id)] end
    ) as agent_ids,
    cast([] as varchar[]) as ip_addresses,
    cast(null as varchar) as asset_tag,
    displayName as display_name,
    'Server' as device_category,
    cast(null as varchar) as os_platform,
    cast(null as varchar) as os_version,
    cast(null as varchar) as model,
    cast(null as varchar) as owner,
    cast(null as boolean) as is_internet_facing,
    cast(null as boolean) as is_managed,
    -- Microsoft's default levels: a domain controller is very high, servers of AD FS, AD CS and Entra Connect are high
    case
        when lower(sensorType) = 'domaincontrollerintegrated' then 0
        when lower(sensorType) in ('adfsintegrated', 'adcsintegrated', 'aadconnectintegrated', 'entraconnectintegrated') then 1
    end as criticality,
    cast(null as varchar) as environment,
    cast(to_json({
        'sensorType': sensorType,
        'deploymentStatus': deploymentStatus,
        'healthStatus': healthStatus,
        'openHealthIssuesCount': openHealthIssuesCount,
        'sensorVersion': version,
        'isDomainController': case when lower(sensorType) = 'domaincontrollerintegrated' then true end
    }) as varchar) as properties
from named as n
left join hosts as h on h._instance = n._instance and h._record_id = n._record_id
