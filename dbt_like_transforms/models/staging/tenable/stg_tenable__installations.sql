-- Software on machines, one row a machine and product, from the CPEs of what an agent or a credentialed scan found.
-- Operating systems and hardware have CPEs too and are no software of a machine
with listed as (
    select _product, _instance, _stream, _sync, _page, _row, _synced_at, _record_id as machine_id, unnest(installed_software) as cpe
    from landed.tenable__assets
),

-- cpe:/a:vendor:product:version, or cpe:2.3:a:vendor:product:version:*:*...; a version may be missing
parts as (
    select
        *,
        list_transform(
            string_split(
                regexp_replace(
                    replace(regexp_replace(cpe, '(?i)^cpe:(/|2[.]3:)', ''), '\:', '%3a'), '\\(.)', '\1', 'g'
                ),
                ':'
            ),
            -- what is no text once decoded (%e9) stays as it is written
            lambda written: coalesce(try(url_decode(written)), written)
        ) as part
    from listed
    where regexp_matches(cpe, '(?i)^cpe:(/|2[.]3:)a:[^:]*:[^:]+')
),

named as (
    select
        * exclude (part),
        nullif(replace(part[2], '_', ' '), '*') as vendor,
        replace(part[3], '_', ' ') as name,
        case when part[4] not in ('', '*', '-') then part[4] end as version
    from parts
)

select
    _product as product,
    _instance as instance,
    _stream as stream,
    machine_id,
    lower(concat(coalesce(vendor, ''), '-_-', name)) as software_id,
    min(name) as name,
    min(nullif(vendor, '')) as vendor,
    min(cpe) as cpe,
    list_sort(coalesce(array_agg(distinct version) filter (where version is not null), cast([] as varchar[]))) as versions,
    max(_synced_at) as synced_at,
    min({'row_number': _row, 'page': _page, 'sync': _sync}) as place
from named
where name not in ('', '*', '-')
group by _product, _instance, _stream, machine_id, lower(concat(coalesce(vendor, ''), '-_-', name))
