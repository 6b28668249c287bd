-- Every name by which Azure or Defender for Cloud speaks of an asset, as the record it became
with records as (
    select instance, record_id as asset_name, 'device' as kind, record from stg_defender_cloud__devices
    union all
    select instance, record_id, 'device', record from stg_defender_cloud__devices_foreign
    union all
    select instance, record_id, 'cloud_resource', record from stg_defender_cloud__cloud_resources
    union all
    select instance, record_id, 'cloud_resource', record from stg_defender_cloud__cloud_resources_containers
    union all
    select instance, record_id, 'cloud_resource', record from stg_defender_cloud__cloud_resources_foreign
    union all
    select instance, record_id, 'cloud_resource', record from stg_defender_cloud__cloud_resources_assessed
),

named as (
    select instance, asset_name, kind, record, 1 as rank from records
    union all
    -- the name that Azure itself gives to a resource of another cloud
    select f.instance, f.arm_name, r.kind, r.record, 2
    from stg_defender_cloud__foreign as f
    inner join records as r on r.instance = f.instance and r.asset_name = f.asset_name
    union all
    -- the name that its own cloud gives to a machine that Azure Arc connected
    select a.instance, a.asset_name, r.kind, r.record, 3
    from stg_defender_cloud__assessed as a
    inner join records as r on r.instance = a.instance and r.asset_name = a.arc_name
    where a.asset_name <> a.arc_name
)

select instance, asset_name, kind, record
from named
qualify row_number() over (partition by instance, asset_name order by rank, record) = 1
