-- Today's survivors, and the last known values of assets that no record describes any more.
with today as (
    select
        w.asset_id as identity_id,
        coalesce(w.display_name, w.upn, w.emails[1], w.sam_account_name, w.login_names[1], w.app_id, w.asset_id)
            as display_name,
        w.emails[1] as email,
        w.* exclude (asset_id, display_name, first_seen, last_seen),
        l.lifecycle_state,
        l.retired_at,
        l.first_seen,
        l.last_seen,
        l.source_streams
    from int_identities_winners as w
    join int_asset_lifecycle as l on l.asset_id = w.asset_id
    where l.asset_kind = 'identity' and l.values_from = 'today'
)

select
    identity_id, display_name, identity_type, upn, email, employee_id, is_enabled, is_privileged, mfa_registered,
    criticality as criticality_level, discovery_sources, source_records, first_seen, last_seen, lifecycle_state,
    retired_at, source_streams, emails, login_names, sam_account_name, domain, entra_object_id, entra_tenant_id,
    ad_object_guid, ad_sid, sid_history, immutable_id, okta_id, app_id, department, job_title, properties
from today
union all
select
    p.identity_id, p.display_name, p.identity_type, p.upn, p.email, p.employee_id, p.is_enabled, p.is_privileged,
    p.mfa_registered, p.criticality_level, p.discovery_sources, p.source_records, l.first_seen, l.last_seen,
    l.lifecycle_state,
    l.retired_at, l.source_streams, p.emails, p.login_names, p.sam_account_name, p.domain, p.entra_object_id,
    p.entra_tenant_id, p.ad_object_guid, p.ad_sid, p.sid_history, p.immutable_id, p.okta_id, p.app_id, p.department,
    p.job_title, p.properties
from previous.identities as p
join int_asset_lifecycle as l on l.asset_id = p.identity_id
where l.asset_kind = 'identity' and l.values_from = 'previous'
