-- Every directory object a statement may name by its id, as the record it became
select instance, record_id as object_id, 'identity' as kind, record from stg_entra_id__identities
union all
select instance, record_id, 'identity', record from stg_entra_id__identities_groups
union all
select instance, record_id, 'identity', record from stg_entra_id__identities_service_principals
union all
select instance, record_id, 'device', record from stg_entra_id__devices
