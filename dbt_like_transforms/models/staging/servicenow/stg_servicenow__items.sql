-- every configuration item that becomes an asset: what kind it is, and whether it is in use
select instance, record_id as sys_id, 'device' as kind, record, state, last_seen from stg_servicenow__devices
union all
select instance, record_id, 'application', record, state, last_seen from stg_servicenow__applications
