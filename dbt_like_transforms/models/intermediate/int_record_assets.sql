-- Which asset a record belongs to, for findings and relationships. A record that a partial sync missed still leads to
-- the asset that is carried over for it.
select asset_kind, record, asset_id
from int_assignments
where state = 'resolved'
union all
select asset_kind, record, min(asset_id) as asset_id
from (
    select asset_kind, asset_id, unnest(source_records) as record
    from int_carried_assets
) as carried
group by asset_kind, record
