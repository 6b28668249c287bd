select
    product,
    instance,
    cve_id,
    case max(case severity when 'critical' then 4 when 'high' then 3 when 'medium' then 2 when 'low' then 1 else 0 end)
        when 4 then 'critical' when 3 then 'high' when 2 then 'medium' when 1 then 'low' else 'info'
    end as severity,
    -- 0 is how Compute writes that a weakness has no score
    nullif(max(cvss), 0) as cvss_score,
    cast(null as double) as epss_score,
    bool_or(coalesce(has_exploit, false)) as exploit_available,
    min(published_at) as published_at,
    max(synced_at) as observed_at
from stg_prisma_cloud__weaknesses
where cve_id is not null
group by product, instance, cve_id
