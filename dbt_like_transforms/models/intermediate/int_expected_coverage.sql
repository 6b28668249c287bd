-- Which roles each category of device should be covered by.
select *
from (
    values
        ('Endpoint', 'edr'),
        ('Endpoint', 'vulnerability_scanner'),
        ('Endpoint', 'cmdb'),
        ('Endpoint', 'mdm'),
        ('Server', 'edr'),
        ('Server', 'vulnerability_scanner'),
        ('Server', 'cmdb'),
        ('Virtual', 'edr'),
        ('Virtual', 'vulnerability_scanner'),
        ('Virtual', 'cmdb'),
        ('Mobile', 'mdm'),
        ('Mobile', 'cmdb'),
        ('NetworkDevice', 'vulnerability_scanner'),
        ('NetworkDevice', 'cmdb'),
        ('IoT', 'cmdb'),
        ('OT', 'ot_monitoring'),
        ('OT', 'cmdb'),
        ('Unknown', 'edr'),
        ('Unknown', 'vulnerability_scanner'),
        ('Unknown', 'cmdb')
) as expected (device_category, role)
