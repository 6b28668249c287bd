-- What Defender for Cloud works out itself: which resources the internet reaches, and which hold sensitive data
with factors as (
    select instance, asset_name, unnest(risk_factors) as factor
    from stg_defender_cloud__assessed
    where status_code = 'unhealthy'
    union all
    select instance, asset_name, unnest(json_extract_string(path, '$.riskFactors[*]'))
    from stg_defender_cloud__attack_path_entities
    where is_entry_point
    union all
    -- "Internet" is an entity of its own
    select instance, target_name, 'internet exposure'
    from stg_defender_cloud__attack_path_steps
    where source_type = 'internet' or (source_type like '%internet%' and source_name is null)
)

select
    instance,
    asset_name,
    bool_or(regexp_matches(lower(factor), 'internet.*expos|expos.*internet')) as is_internet_exposed,
    bool_or(regexp_matches(lower(factor), 'sensitive')) as holds_sensitive_data
from factors
where asset_name is not null and factor is not null
group by instance, asset_name
