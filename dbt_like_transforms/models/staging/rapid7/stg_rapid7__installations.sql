-- Software on machines, one row a machine and product; only a console lists it
with listed as (
    select
        _product, _instance, _stream, _sync, _page, _row, _synced_at, _record_id as machine_id, unnest(software) as item
    from landed.rapid7__assets
),

named as (
    select *, coalesce(nullif(item.product, ''), nullif(item.description, '')) as name from listed
)

select
    _product as product,
    _instance as instance,
    _stream as stream,
    machine_id,
    lower(name) as software_id,
    min(name) as name,
    min(item.vendor) as vendor,
    min(case when item.cpe.vendor <> '' then concat(item.cpe.vendor, ':', item.cpe.product) end) as cpe,
    list_sort(array_agg(distinct item.version)) as versions,
    max(_synced_at) as synced_at,
    min({'row_number': _row, 'page': _page, 'sync': _sync}) as place
from named
where name is not null
group by _product, _instance, _stream, machine_id, lower(name)
