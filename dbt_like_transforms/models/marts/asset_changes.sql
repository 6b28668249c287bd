-- What changed against the newest earlier snapshot. On the first day every asset appears.
with today as (
    select 'device' as asset_kind, device_id as asset_id, lifecycle_state, source_records from devices
    union all
    select 'identity', identity_id, lifecycle_state, source_records from identities
    union all
    select 'application', application_id, lifecycle_state, source_records from applications
    union all
    select 'cloud_resource', resource_id, lifecycle_state, source_records from cloud_resources
),

gone as (
    select k.asset_kind, k.asset_id, k.lifecycle_state, k.source_records
    from int_known_assets as k
    anti join today as t on t.asset_kind = k.asset_kind and t.asset_id = k.asset_id
),

new as (
    select t.asset_kind, t.asset_id, t.lifecycle_state, t.source_records
    from today as t
    anti join int_known_assets as k on k.asset_kind = t.asset_kind and k.asset_id = t.asset_id
),

records_today as (
    select asset_kind, asset_id, unnest(source_records) as record from today
),

records_gone as (
    select asset_kind, asset_id, unnest(source_records) as record from gone
),

records_new as (
    select asset_kind, asset_id, unnest(source_records) as record from new
),

records_before as (
    select asset_kind, asset_id, unnest(source_records) as record from int_known_assets
),

merged as (
    -- an id that is gone while its records live on under another
    select distinct g.asset_kind, g.asset_id as merged_id, t.asset_id as into_id
    from records_gone as g
    join records_today as t on t.asset_kind = g.asset_kind and t.record = g.record
),

split as (
    -- a new id made of records of an asset that is still there
    select distinct n.asset_kind, b.asset_id as split_id, n.asset_id as new_id
    from records_new as n
    join records_before as b on b.asset_kind = n.asset_kind and b.record = n.record
    anti join gone as g on g.asset_kind = b.asset_kind and g.asset_id = b.asset_id
),

came_and_went as (
    select asset_kind, asset_id, 'appeared' as change, null::varchar as field, null::varchar as before,
        null::varchar as after
    from new as n
    where not exists (select 1 from split as s where s.asset_kind = n.asset_kind and s.new_id = n.asset_id)
        and not exists (select 1 from merged as m where m.asset_kind = n.asset_kind and m.into_id = n.asset_id)
        and lifecycle_state <> 'retired'
    union all
    select asset_kind, asset_id, 'disappeared', null, null, null
    from gone as g
    where not exists (select 1 from merged as m where m.asset_kind = g.asset_kind and m.merged_id = g.asset_id)
        and lifecycle_state <> 'retired'
    union all
    select
        t.asset_kind, t.asset_id, case when t.lifecycle_state = 'retired' then 'disappeared' else 'appeared' end,
        null, null, null
    from today as t
    join int_known_assets as k on k.asset_kind = t.asset_kind and k.asset_id = t.asset_id
    where (t.lifecycle_state = 'retired') <> (k.lifecycle_state = 'retired')
    union all
    select asset_kind, into_id, 'merged', null, merged_id, into_id from merged
    union all
    select asset_kind, new_id, 'split', null, split_id, new_id from split
),

compared as (
    select 'device' as asset_kind, t.device_id as asset_id, [
        {'field': 'display_name', 'before': p.display_name, 'after': t.display_name},
        {'field': 'fqdn', 'before': p.fqdn, 'after': t.fqdn},
        {'field': 'device_category', 'before': p.device_category, 'after': t.device_category},
        {'field': 'os_platform', 'before': p.os_platform, 'after': t.os_platform},
        {'field': 'os_version', 'before': p.os_version, 'after': t.os_version},
        {'field': 'manufacturer', 'before': p.manufacturer, 'after': t.manufacturer},
        {'field': 'model', 'before': p.model, 'after': t.model},
        {'field': 'serial_number', 'before': p.serial_number, 'after': t.serial_number},
        {
            'field': 'mac_addresses',
            'before': array_to_string(p.mac_addresses, ', '),
            'after': array_to_string(t.mac_addresses, ', ')
        },
        {'field': 'cloud_resource_id', 'before': p.cloud_resource_id, 'after': t.cloud_resource_id},
        {'field': 'entra_device_id', 'before': p.entra_device_id, 'after': t.entra_device_id},
        {'field': 'owner', 'before': p.owner, 'after': t.owner},
        {
            'field': 'is_internet_facing',
            'before': p.is_internet_facing::varchar,
            'after': t.is_internet_facing::varchar
        },
        {'field': 'is_managed', 'before': p.is_managed::varchar, 'after': t.is_managed::varchar},
        {'field': 'criticality_level', 'before': p.criticality_level::varchar, 'after': t.criticality_level::varchar},
        {
            'field': 'discovery_sources',
            'before': array_to_string(p.discovery_sources, ', '),
            'after': array_to_string(t.discovery_sources, ', ')
        },
        {'field': 'lifecycle_state', 'before': p.lifecycle_state, 'after': t.lifecycle_state}
    ] as fields
    from devices as t
    join previous.devices as p on p.device_id = t.device_id
    union all
    select 'identity', t.identity_id, [
        {'field': 'display_name', 'before': p.display_name, 'after': t.display_name},
        {'field': 'identity_type', 'before': p.identity_type, 'after': t.identity_type},
        {'field': 'upn', 'before': p.upn, 'after': t.upn},
        {'field': 'email', 'before': p.email, 'after': t.email},
        {'field': 'employee_id', 'before': p.employee_id, 'after': t.employee_id},
        {'field': 'is_enabled', 'before': p.is_enabled::varchar, 'after': t.is_enabled::varchar},
        {'field': 'is_privileged', 'before': p.is_privileged::varchar, 'after': t.is_privileged::varchar},
        {'field': 'mfa_registered', 'before': p.mfa_registered::varchar, 'after': t.mfa_registered::varchar},
        {'field': 'criticality_level', 'before': p.criticality_level::varchar, 'after': t.criticality_level::varchar},
        {
            'field': 'discovery_sources',
            'before': array_to_string(p.discovery_sources, ', '),
            'after': array_to_string(t.discovery_sources, ', ')
        },
        {'field': 'lifecycle_state', 'before': p.lifecycle_state, 'after': t.lifecycle_state}
    ]
    from identities as t
    join previous.identities as p on p.identity_id = t.identity_id
    union all
    select 'application', t.application_id, [
        {'field': 'display_name', 'before': p.display_name, 'after': t.display_name},
        {'field': 'application_type', 'before': p.application_type, 'after': t.application_type},
        {'field': 'owner', 'before': p.owner, 'after': t.owner},
        {'field': 'vendor', 'before': p.vendor, 'after': t.vendor},
        {'field': 'version', 'before': p.version, 'after': t.version},
        {'field': 'environment', 'before': p.environment, 'after': t.environment},
        {'field': 'criticality_level', 'before': p.criticality_level::varchar, 'after': t.criticality_level::varchar},
        {
            'field': 'discovery_sources',
            'before': array_to_string(p.discovery_sources, ', '),
            'after': array_to_string(t.discovery_sources, ', ')
        },
        {'field': 'lifecycle_state', 'before': p.lifecycle_state, 'after': t.lifecycle_state}
    ]
    from applications as t
    join previous.applications as p on p.application_id = t.application_id
    union all
    select 'cloud_resource', t.resource_id, [
        {'field': 'display_name', 'before': p.display_name, 'after': t.display_name},
        {'field': 'resource_type', 'before': p.resource_type, 'after': t.resource_type},
        {'field': 'region', 'before': p.region, 'after': t.region},
        {
            'field': 'is_internet_facing',
            'before': p.is_internet_facing::varchar,
            'after': t.is_internet_facing::varchar
        },
        {
            'field': 'contains_sensitive_data',
            'before': p.contains_sensitive_data::varchar,
            'after': t.contains_sensitive_data::varchar
        },
        {'field': 'criticality_level', 'before': p.criticality_level::varchar, 'after': t.criticality_level::varchar},
        {
            'field': 'discovery_sources',
            'before': array_to_string(p.discovery_sources, ', '),
            'after': array_to_string(t.discovery_sources, ', ')
        },
        {'field': 'lifecycle_state', 'before': p.lifecycle_state, 'after': t.lifecycle_state}
    ]
    from cloud_resources as t
    join previous.cloud_resources as p on p.resource_id = t.resource_id
),

differing as (
    select
        asset_kind, asset_id,
        unnest(list_filter(fields, lambda entry: entry.before is distinct from entry.after)) as entry
    from compared
),

changes as (
    select asset_kind, asset_id, change, field, before, after from came_and_went
    union all
    select asset_kind, asset_id, 'field', entry.field, entry.before, entry.after from differing
)

select x.snapshot_date, c.asset_kind, c.asset_id, c.change, c.field, c.before, c.after
from changes as c
cross join run.context as x
