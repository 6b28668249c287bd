-- Vulnerabilities of hosts and images, one row a weakness of a package
with scanned as (
    select _product, _instance, _stream, _record_id, _sync, _page, _row, _synced_at, 'device' as asset_kind, scanTime as seen,
        unnest(vulnerabilities) as v
    from landed.prisma_cloud__hosts
    union all
    select _product, _instance, _stream, _record_id, _sync, _page, _row, _synced_at, 'cloud_resource', scanTime, unnest(vulnerabilities)
    from landed.prisma_cloud__images
),

told as (
    select
        *,
        -- names in a list, a map by name, or one name alone
        list_filter(
            case
                when not json_valid(v.riskFactors) then try_cast(v.riskFactors as varchar[]) -- landed as a list by earlier versions
                when v.riskFactors like '"%' then [json_extract_string(v.riskFactors, '$')]
                else json_keys(v.riskFactors) || json_extract_string(v.riskFactors, '$[*]')
            end,
            lambda r: r <> ''
        ) as risks,
        -- text in any precision, 'Oct 31 2025', seconds or milliseconds; year 1 and zero are no date
        list_transform([v.discovered, v.published, v.fixDate], lambda d: case
            when d like '0001-01-01%' then null
            when try_cast(d as double) between 100000000000 and 253402300799999 then make_timestamp(cast(try_cast(d as double) * 1000 as bigint))
            when try_cast(d as double) between 1 and 99999999999 then make_timestamp(cast(try_cast(d as double) * 1000000 as bigint))
            when regexp_matches(d, '^ *[0-9]{4}[^0-9]') then try_cast(upper(trim(d)) as timestamptz) at time zone 'UTC'
            when trim(d) like '___ %' then try_strptime(trim(d), '%b %d %Y')
        end) as dates
    from scanned
),

read as (
    select
        * exclude (v), nullif(trim(v.cve), '') as name, v.packageName as package, v.packageVersion as version, lower(v.status) as fix_status,
        v.cvss as cvss, v.link as link, v.vecStr as vector, coalesce(risks, []) as risk_factors,
        coalesce(list_bool_or(list_transform(risks, lambda r: lower(r) like '%exploit%')), false)
            -- a word or several, and objects that tell one
            or coalesce(regexp_matches(v.exploit, '"[^",:}\]]|^(true|[1-9])'), false)
            or coalesce(contains(v.exploits, '{"'), false) as has_exploit,
        case lower(v.severity)
            when 'critical' then 'critical' when 'high' then 'high' when 'important' then 'high' when 'medium' then 'medium'
            when 'moderate' then 'medium' when 'low' then 'low' else 'info'
        end as severity,
        dates[1] as discovered_at, dates[2] as published_at, dates[3] as fix_released_at,
        nullif(regexp_extract(v.status, '(?i)^fixed in (.+)$', 1), '') as fixed_version
    from told
)

select
    _product as product, _instance as instance, _stream as stream, _sync as sync, _page as page, _row as row_number,
    _synced_at as synced_at, concat(_product, ':', _instance, ':', _record_id) as asset_record, asset_kind, seen as last_seen,
    concat_ws('|', _record_id, name, package, version) as id,
    name, case when regexp_matches(upper(name), '^CVE-[0-9]{4}-[0-9]{4,}$') then upper(name) end as cve_id,
    package, version, fix_status, fixed_version, severity, cvss, vector, link, risk_factors, has_exploit, discovered_at, published_at,
    fix_released_at
from read
-- the vendor's word that the package does not have the weakness
where name is not null and coalesce(fix_status not like 'not affected%', true)
-- one package may lie in several places
qualify row_number() over (partition by _instance, asset_kind, _record_id, name, package, version order by discovered_at nulls last) = 1
