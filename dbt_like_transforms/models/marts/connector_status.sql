select
    product,
    instance,
    stream,
    coalesce(scope, 'default') as scope,
    state,
    synced_at,
    records,
    quarantined,
    requests,
    waited_seconds,
    reason,
    stale,
    read_sync,
    read_synced_at
from run.syncs
