-- Who uses a device, and what was found on it; Microsoft's labels, in Microsoft's directions
with people as (
    select _product, _instance, _stream, lower(_record_id) as device_id, lower(userId) as user_id, true as is_primary,
        cast(null as timestamp) as last_seen
    from landed.intune__managed_devices
    where userId <> ''
    union all
    select _product, _instance, _stream, lower(_record_id), lower(logon.userId), false,
        try_cast(logon.lastLogOnDateTime as timestamptz) at time zone 'UTC'
    from (
        select _product, _instance, _stream, _record_id, unnest(usersLoggedOn) as logon from landed.intune__managed_devices
    )
),

users_of_devices as (
    -- year 1 is how Intune writes that nobody logged on
    select _product, _instance, _stream, device_id, user_id,
        bool_or(is_primary) as is_primary,
        max(last_seen) filter (where last_seen between timestamp '1970-01-02' and timestamp '9999-01-01') as last_seen
    from people
    group by _product, _instance, _stream, device_id, user_id
),

installed as (
    select i._product, i._instance, i._stream, lower(i.device_id) as device_id,
        lower(concat(coalesce(trim(a.publisher), ''), '-_-', trim(a.displayName))) as software_id,
        list_sort(array_agg(distinct a.version)) as versions
    from landed.intune__detected_app_devices as i
    inner join landed.intune__detected_apps as a on a._instance = i._instance and lower(a.id) = lower(i.app_id)
    where trim(a.displayName) <> ''
    group by i._product, i._instance, i._stream, lower(i.device_id),
        lower(concat(coalesce(trim(a.publisher), ''), '-_-', trim(a.displayName)))
)

select
    u._product as product,
    u._instance as instance,
    u._stream as stream,
    'frequently logged in by' as relationship,
    'device' as source_kind,
    d.record as source_record,
    'identity' as target_kind,
    p.record as target_record,
    cast(to_json({'isPrimaryUser': u.is_primary}) as varchar) as properties,
    true as is_active,
    cast(null as timestamp) as first_seen,
    u.last_seen
from users_of_devices as u
inner join stg_intune__devices as d on d.instance = u._instance and d.record_id = u.device_id
inner join stg_intune__identities as p on p.instance = u._instance and p.record_id = u.user_id
union all
select
    i._product, i._instance, i._stream, 'runs on', 'application', a.record, 'device', d.record,
    cast(to_json({'versions': i.versions}) as varchar), true, cast(null as timestamp), cast(null as timestamp)
from installed as i
inner join stg_intune__applications as a on a.instance = i._instance and a.record_id = i.software_id
inner join stg_intune__devices as d on d.instance = i._instance and d.record_id = i.device_id
