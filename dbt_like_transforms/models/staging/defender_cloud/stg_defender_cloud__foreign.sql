-- One row a resource of another cloud: all Defender for Cloud tells of it lies in its assessments
with ranked as (
    select a.*,
        regexp_matches(a.asset_name, '^arn:aws[a-z-]*:ec2:[^:]*:[^:]*:instance/i-')
            or regexp_matches(a.asset_name, 'compute[.]googleapis[.]com/projects/[^/]+/zones/[^/]+/instances/') as is_machine
    from stg_defender_cloud__assessed as a
    where a.source in ('aws', 'gcp')
        -- a machine that Azure Arc connected is read as one of Azure's machines
        and not exists (select 1 from stg_defender_cloud__items as i where i.instance = a.instance and i.asset_name = a.arc_name)
        -- without a name of its own cloud only what lies below a connector is a resource of that cloud
        and (a.asset_name not like '/subscriptions/%' or a.asset_name like '%/securityentitydata/%')
    qualify row_number() over (partition by a.instance, a.asset_name order by a.sync desc, a.assessment_id) = 1
)

select
    product, instance, stream, sync, page, row_number, synced_at, source as provider, asset_name, native_id, account_id, region,
    case
        when account_id is null then null
        when source = 'aws' then concat('arn:aws:iam::', account_id, ':root')
        else concat('//cloudresourcemanager.googleapis.com/projects/', account_id)
    end as account_name,
    nullif(concat_ws('/', resource_provider, told_type), '') as resource_type,
    coalesce(resource_name, regexp_replace(native_id, '^.*[/:]', '')) as display_name,
    connector_id,
    arm_name,
    coalesce(is_machine, false) as is_machine
from ranked
