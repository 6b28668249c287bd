with items as (
    select
        _product, _instance, _stream, _record_id, _sync, _page, _row, _synced_at, sys_id, number, name, short_description,
        coalesce(business_criticality, busines_criticality) as criticality,
        coalesce(owned_by, it_application_owner) as owned_by, "vendor.name" as vendor, version, environment,
        install_status, operational_status, life_cycle_stage, life_cycle_stage_status, duplicate_of, sys_created_on, sys_updated_on,
        'business_application' as application_type
    from landed.servicenow__business_applications
    union all
    select
        _product, _instance, _stream, _record_id, _sync, _page, _row, _synced_at, sys_id, number, name, short_description,
        busines_criticality, owned_by, cast(null as varchar), version, coalesce(environment, used_for),
        install_status, operational_status, life_cycle_stage, life_cycle_stage_status, duplicate_of, sys_created_on, sys_updated_on,
        'service'
    from landed.servicenow__services
)

select
    concat(i._product, ':', i._instance, ':', i._record_id) as record,
    i._product as product,
    i._instance as instance,
    i._stream as stream,
    i._record_id as record_id,
    'default' as scope,
    coalesce(i.sys_updated_on, i._synced_at) as observed_at,
    i.sys_created_on as first_seen,
    i.sys_updated_on as last_seen,
    case
        when lower(i.install_status) in ('7', '100', 'retired', 'absent') or lower(i.operational_status) in ('6', 'retired')
            or i.duplicate_of is not null
            or lower(i.life_cycle_stage) in ('end of life', 'retired', 'disposed')
            or lower(i.life_cycle_stage_status) in ('retired', 'disposed', 'decommissioned') then 'retired'
        else 'active'
    end as state,
    'create' as authority,
    i._sync as sync,
    i._page as page,
    i._row as row_number,
    i.application_type,
    cast(null as varchar) as app_id,
    cast(null as varchar) as tenant_id,
    cast(null as varchar) as object_id,
    cast(null as varchar) as service_principal_id,
    cast(null as varchar) as entity_id,
    cast([] as varchar[]) as reply_urls,
    i.name,
    -- every instance counts from the same number; an id of the system is another instance's only where one was copied
    coalesce(
        case when min(i._instance) over (partition by i.number) = max(i._instance) over (partition by i.number) then i.number end,
        i.sys_id
    ) as cmdb_id,
    cast(null as varchar) as cpe,
    -- an answer with display values may have a name in place of the id
    coalesce(u.user_name, u.email, case when not regexp_matches(i.owned_by, '^[0-9a-f]{32}$') then i.owned_by end) as owner,
    i.vendor,
    i.version,
    i.environment,
    try_cast(regexp_extract(i.criticality, '^([1-4])', 1) as integer) - 1 as criticality,
    cast(to_json({
        'serviceNowCmdbAssetInfo': {
            'sysId': i.sys_id,
            'number': i.number,
            'description': i.short_description,
            'businessCriticality': i.criticality,
            'installStatus': i.install_status
        }
    }) as varchar) as properties
from items as i
left join landed.servicenow__users as u on u._instance = i._instance and u.sys_id = i.owned_by
