select
    _instance as instance,
    cmdb_ci as sys_id,
    list_sort(list_distinct(list(mac_address) filter (mac_address is not null))) as mac_addresses,
    list_sort(list_distinct(list(ip_address) filter (ip_address is not null))) as ip_addresses,
    to_json(list({
        'name': name,
        'sysId': sys_id,
        'macAddress': mac_address,
        'ipAddress': ip_address,
        'ipDefaultGateway': ip_default_gateway
    } order by sys_id)) as adapters
from landed.servicenow__network_adapters
where cmdb_ci is not null and coalesce(install_status, '1') not in ('7', '100')
group by _instance, cmdb_ci
