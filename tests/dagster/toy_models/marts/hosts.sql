SELECT h.host_id, h.name AS display_name, h.state AS lifecycle_state, h.tags, h.seen AS last_seen, h.product, c.hosts AS hosts_of_product
FROM int_hosts AS h
JOIN int_counts AS c ON c.product = h.product
