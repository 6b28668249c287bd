-- What a product does for the devices it manages. A product that is not named here closes no coverage gap.
select *
from (
    values
        ('defender_endpoint', 'edr'),
        ('crowdstrike', 'edr'),
        ('sentinelone', 'edr'),
        ('defender_cloud', 'cloud_posture'),
        ('wiz', 'cloud_posture'),
        ('prisma_cloud', 'cloud_posture'),
        ('cortex_cloud', 'cloud_posture'),
        ('defender_endpoint', 'vulnerability_scanner'),
        ('tenable', 'vulnerability_scanner'),
        ('qualys', 'vulnerability_scanner'),
        ('rapid7', 'vulnerability_scanner'),
        ('servicenow', 'cmdb'),
        ('intune', 'mdm'),
        ('google_workspace', 'mdm'),
        ('dragos', 'ot_monitoring'),
        ('armis', 'ot_monitoring'),
        ('forescout', 'ot_monitoring')
) as roles (product, role)
