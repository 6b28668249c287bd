-- Attack paths as findings of the resources that they lead over
with risen as (
    select e.*, a.kind, a.record as asset_record,
        lower(list_filter(
            [json_extract_string(path, '$.riskLevel'), json_extract_string(path, '$.potentialImpact')], lambda v: v <> ''
        )[1]) as risk_level
    from stg_defender_cloud__attack_path_entities as e
    inner join stg_defender_cloud__assets as a on a.instance = e.instance and a.asset_name = e.asset_name
    -- an asset that a path touches twice has it once, as what matters most there
    qualify row_number() over (
        partition by e.instance, e.path_id, a.record order by e.is_target desc, e.is_entry_point desc, e.entity_id
    ) = 1
)

select
    concat(product, ':', instance, ':', path_id, ':', entity_id) as record,
    product,
    instance,
    stream,
    concat(path_id, ':', entity_id) as record_id,
    sync,
    page,
    row_number,
    kind as asset_kind,
    asset_record,
    cast(null as varchar) as cve_id,
    coalesce(nullif(json_extract_string(path, '$.displayName'), ''), 'Attack path') as title,
    'open' as status,
    case when risk_level in ('critical', 'high', 'medium', 'low') then risk_level end as severity,
    cast(null as timestamp) as first_seen,
    synced_at as last_seen,
    cast(null as timestamp) as fixed_at,
    cast(to_json({
        'attackPathId': coalesce(json_extract_string(path, '$.attackPathId'), regexp_replace(path_id, '^.*/', '')),
        'attackPathType': json_extract_string(path, '$.attackPathType'),
        'isEntryPoint': is_entry_point,
        'isTarget': is_target,
        'riskLevel': json_extract_string(path, '$.riskLevel'),
        'riskFactors': json_extract(path, '$.riskFactors'),
        'riskCategories': json_extract(path, '$.riskCategories'),
        'potentialImpact': json_extract_string(path, '$.potentialImpact'),
        'description': coalesce(json_extract_string(path, '$.description'), json_extract_string(path, '$.attackStory')),
        'remediation': coalesce(
            json_extract(path, '$.manualRemediationSteps'), json_extract(path, '$.remediationSteps'), json_extract(path, '$.remediation')
        ),
        'isPartialAttackPath': json_extract(path, '$.isPartialAttackPath'),
        'mITRETacticsAndTechniques': json_extract(path, '$.mITRETacticsAndTechniques')
    }) as varchar) as evidence
from risen
