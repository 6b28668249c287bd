-- Every record of every asset, with the place where it was landed.
select
    asset_kind, asset_id, product, instance, stream, record_id, first_seen, last_seen,
    record, record_state, sync, page, row_number
from int_assignments
where state = 'resolved'
