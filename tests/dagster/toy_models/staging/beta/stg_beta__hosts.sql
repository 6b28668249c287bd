SELECT _product || ':' || _instance || ':' || _record_id AS host_id, name, state, tags, seen, _product AS product
FROM landed.beta__hosts
