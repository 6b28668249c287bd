SELECT product, instance, stream, scope, state, synced_at, records, stale FROM run.syncs
