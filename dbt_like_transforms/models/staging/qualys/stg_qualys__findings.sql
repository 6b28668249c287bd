-- one row a CVE of a check; a check that stands for no CVE, or that the knowledge base does not know, keeps one row
with checks as (
    select
        d.*,
        k.TITLE as title,
        k.CATEGORY as category,
        k.SOLUTION as solution,
        coalesce(m.machine_id, nullif(d.ASSET_ID, ''), concat('host-', d.HOST_ID)) as machine_id,
        case when array_length(coalesce(k.cves, [])) > 0 then list_distinct(k.cves) else [cast(null as varchar)] end as cves
    from landed.qualys__detections as d
    left join stg_qualys__host_machines as m on m.instance = d._instance and m.host_id = d.HOST_ID
    left join landed.qualys__knowledge_base as k on k._instance = d._instance and k._record_id = d.QID
),

exploded as (
    select * exclude (cves), unnest(cves) as cve from checks
)

select
    concat_ws(':', _product, _instance, _record_id, upper(cve)) as record,
    _product as product,
    _instance as instance,
    _stream as stream,
    concat_ws(':', _record_id, upper(cve)) as record_id,
    _sync as sync,
    _page as page,
    _row as row_number,
    'device' as asset_kind,
    concat(_product, ':', _instance, ':', machine_id) as asset_record,
    upper(cve) as cve_id,
    coalesce(title, concat('QID ', QID)) as title,
    case when lower(STATUS) = 'fixed' then 'fixed' else 'open' end as status,
    case SEVERITY when 5 then 'critical' when 4 then 'high' when 3 then 'medium' when 2 then 'low' else 'info' end as severity,
    FIRST_FOUND_DATETIME as first_seen,
    LAST_FOUND_DATETIME as last_seen,
    case
        when lower(STATUS) = 'fixed'
            then coalesce(LAST_FIXED_DATETIME, LAST_UPDATE_DATETIME, LAST_TEST_DATETIME, LAST_FOUND_DATETIME, _synced_at)
    end as fixed_at,
    cast(to_json({
        'qid': QID,
        'type': TYPE,
        'state': STATUS,
        'port': PORT,
        'protocol': PROTOCOL,
        'ssl': SSL,
        'qds': QDS,
        'timesFound': TIMES_FOUND,
        'ignored': IS_IGNORED,
        'disabled': IS_DISABLED,
        'category': category,
        'solution': solution
    }) as varchar) as evidence
from exploded
where HOST_ID is not null and HOST_ID <> ''
qualify row_number() over (partition by _instance, _record_id, upper(cve) order by _row desc) = 1
