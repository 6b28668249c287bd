-- Software on machines, one row a machine and product. Where CSAM knows a machine, what the host asset says is left out
with listed as (
    select
        c._product, c._instance, c._stream, c._sync, c._page, c._row, c._synced_at, m.machine_id,
        unnest(c.softwareListData.software) as item, 'csam' as origin
    from landed.qualys__csam_assets as c
    inner join stg_qualys__machines as m on m.instance = c._instance and m.csam_id = c._record_id
    union all by name
    select
        a._product, a._instance, a._stream, a._sync, a._page, a._row, a._synced_at, m.machine_id,
        unnest(list_transform(a.software, lambda s: {
            'id': cast(null as varchar), 'fullName': s.name, 'productName': s.name, 'version': s.version,
            'publisher': cast(null as varchar), 'cpe': cast(null as varchar), 'isIgnored': false
        })) as item, 'asset' as origin
    from landed.qualys__host_assets as a
    inner join stg_qualys__machines as m on m.instance = a._instance and m.asset_id = a._record_id and m.csam_id is null
),

named as (
    select *, coalesce(nullif(item.productName, ''), nullif(item.fullName, '')) as name
    from listed
    where not coalesce(item.isIgnored, false)
)

select
    _product as product,
    _instance as instance,
    _stream as stream,
    machine_id,
    lower(name) as software_id,
    min(name) as name,
    min(item.publisher) as vendor,
    min(item.cpe) as cpe,
    list_sort(array_agg(distinct item.version)) as versions,
    max(_synced_at) as synced_at,
    min({'row_number': _row, 'page': _page, 'sync': _sync}) as place
from named
where name is not null
group by _product, _instance, _stream, machine_id, lower(name)
