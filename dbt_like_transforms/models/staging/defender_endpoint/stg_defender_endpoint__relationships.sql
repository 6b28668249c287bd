-- A network logon is access to a service of the machine, not use of the machine itself
with logons as (
    select l.*, m.record as machine_record, concat(l._product, ':', l._instance, ':', lower(l.id)) as account_record
    from landed.defender_endpoint__logon_users as l
    inner join stg_defender_endpoint__devices as m on m.instance = l._instance and m.record_id = l.machineId
    qualify row_number() over (partition by l._instance, l.machineId, lower(l.id) order by l.lastSeen desc nulls last, l._row) = 1
),

installed as (
    select s._product, s._instance, s._stream, m.record as machine_record,
        lower(concat(coalesce(s.softwareVendor, ''), '-_-', s.softwareName)) as software_id,
        list_sort(array_agg(distinct s.softwareVersion)) as versions,
        min(s.softwareFirstSeenTimestamp) as first_seen,
        max(s._synced_at) as last_seen
    from landed.defender_endpoint__software as s
    inner join stg_defender_endpoint__devices as m on m.instance = s._instance and m.record_id = s.deviceId
    where s.softwareName is not null and s.softwareName <> ''
    group by s._product, s._instance, s._stream, m.record, lower(concat(coalesce(s.softwareVendor, ''), '-_-', s.softwareName))
)

select
    _product as product,
    _instance as instance,
    _stream as stream,
    'frequently logged in by' as relationship,
    'device' as source_kind,
    machine_record as source_record,
    'identity' as target_kind,
    account_record as target_record,
    cast(to_json({'logonTypes': string_split_regex(trim(logonTypes), '\s*,\s*'), 'isDomainAdmin': isDomainAdmin}) as varchar) as properties,
    true as is_active,
    firstSeen as first_seen,
    lastSeen as last_seen
from logons
where not coalesce(isOnlyNetworkUser, false)
union all
select
    _product, _instance, _stream, 'can authenticate to', 'identity', account_record, 'device', machine_record,
    cast(to_json({
        'userRightsOnDevice': {'type': 'RightsOnDevice', 'logonMethods': ['network']}, 'isDomainAdmin': isDomainAdmin
    }) as varchar),
    true, firstSeen, lastSeen
from logons
where coalesce(isOnlyNetworkUser, false)
union all
select
    _product, _instance, _stream, 'runs on', 'application', concat(_product, ':', _instance, ':', software_id),
    'device', machine_record, cast(to_json({'versions': versions}) as varchar), true, first_seen, last_seen
from installed
