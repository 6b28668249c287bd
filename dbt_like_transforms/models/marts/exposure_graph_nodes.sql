-- The nodes of the exposure graph in Microsoft's columns: assets, the CVEs and recommendations that are open on them, and
-- public addresses. The members of rawData follow Microsoft's names.
with services as (
    select asset_kind, asset_id, list_sort(array_agg(distinct application_name)) as business_applications
    from business_context
    group by asset_kind, asset_id
),

facts as (
    select
        a.*,
        c.criticality_level,
        c.rule_level,
        c.manual_level,
        c.rule_names,
        i.is_internet_exposed,
        i.exposure_reasons,
        i.public_ip_addresses,
        i.open_vulnerabilities,
        i.high_or_critical_vulnerabilities,
        i.max_cvss_score,
        i.exploit_available,
        i.vulnerable_to_remote_code_execution,
        i.vulnerable_to_privilege_escalation,
        i.missing_protection,
        s.business_applications
    from assets as a
    left join criticality as c on c.asset_kind = a.asset_kind and c.asset_id = a.node_id
    left join exposure_insights as i on i.asset_kind = a.asset_kind and i.asset_id = a.node_id
    left join services as s on s.asset_kind = a.asset_kind and s.asset_id = a.node_id
),

common as (
    select
        *,
        to_json({
            'criticalityLevel': case when criticality_level is not null then {
                'type': 'CriticalityLevel',
                'criticalityLevel': criticality_level,
                'ruleBasedCriticalityLevel': rule_level,
                'manualCriticalityLevel': manual_level,
                'ruleNames': rule_names
            } end,
            'isInternetFacing': is_internet_exposed,
            'exposedToInternet': case when is_internet_exposed then {
                'type': 'InternetExposure', 'reasons': exposure_reasons, 'publicIps': public_ip_addresses
            } end,
            'hasVulnerabilities': case when open_vulnerabilities > 0 then true end,
            'vulnerableToRCE': case when vulnerable_to_remote_code_execution then true end,
            'VulnerableToPrivilegeEscalation': case when vulnerable_to_privilege_escalation then true end,
            'highRiskVulnerabilityInsights': case when open_vulnerabilities > 0 then {
                'type': 'HighRiskVulnerabilityInsights',
                'hasHighOrCritical': high_or_critical_vulnerabilities > 0,
                'maxCvssScore': max_cvss_score,
                'hasExploit': exploit_available,
                'vulnerableToRemoteCodeExecution': {'hasHighOrCritical': vulnerable_to_remote_code_execution},
                'vulnerableToPrivilegeEscalation': {'hasHighOrCritical': vulnerable_to_privilege_escalation}
            } end,
            'missingProtection': case when array_length(missing_protection) > 0 then missing_protection end,
            'businessApplications': business_applications
        })::varchar as insights
    from facts
),

described as (
    select
        c.asset_kind, c.node_id,
        d.properties,
        to_json({
            'deviceName': d.display_name,
            'deviceCategory': coalesce(d.device_category, 'Unknown'),
            'osPlatform': d.os_platform,
            'osVersion': d.os_version,
            'vendor': d.manufacturer,
            'model': d.model,
            'serialNumber': d.serial_number,
            'macAddress': d.mac_addresses[1],
            'ipAddresses': d.ip_addresses,
            'aadDeviceId': d.entra_device_id,
            'machineSid': d.ad_sid,
            'environmentName': d.environment,
            'lastSeen': d.last_seen,
            'firstSeenByInventory': d.first_seen,
            'discoverySources-udi': {'type': 'DiscoverySources', 'sources': d.discovery_sources}
        })::varchar as named,
        d.discovery_sources,
        list_filter(
            list_transform(coalesce(d.agent_ids, []), lambda agent: case split_part(agent, '=', 1)
                when 'mde' then {'type': 'SenseDeviceId', 'id': split_part(agent, '=', 2)}
            end)
            || list_transform(coalesce(d.agent_ids, []), lambda agent: case split_part(agent, '=', 1)
                when 'mde' then {'type': 'DeviceInventoryId', 'id': split_part(agent, '=', 2)}
            end)
            || [
                case when lower(d.cloud_resource_id) like '/subscriptions/%'
                    then {'type': 'AzureResourceId', 'id': lower(d.cloud_resource_id)} end,
                case when d.ad_sid is not null then {'type': 'SecurityIdentifier', 'id': lower(d.ad_sid)} end
            ],
            lambda id: id is not null
        ) as entity_ids,
        -- Defender's own id of a machine stands above under Microsoft's names
        list_filter(d.source_records, lambda record: split_part(record, ':', 1) <> 'defender_endpoint') as own_records
    from common as c
    join devices as d on c.asset_kind = 'device' and d.device_id = c.node_id
    union all
    select
        c.asset_kind, c.node_id, i.properties,
        to_json({
            'accountDisplayName': i.display_name,
            'accountName': i.sam_account_name,
            'accountUpn': i.upn,
            'accountDomain': i.domain,
            'accountEnabled': i.is_enabled,
            'accountObjectId': i.entra_object_id,
            'activeDirectoryObjectId': i.ad_object_guid,
            'emailAddress': i.email,
            'adSid': i.ad_sid,
            'sidHistory': i.sid_history,
            'appId': i.app_id,
            'isMfaRegistered': i.mfa_registered,
            'jobTitle': i.job_title,
            'department': i.department,
            'identityType': case when i.identity_type = 'user' then 'User' end,
            'discoverySources-udi': {'type': 'DiscoverySources', 'sources': i.discovery_sources}
        })::varchar,
        i.discovery_sources,
        list_filter(
            [
                case when i.entra_object_id is not null then {
                    'type': 'AadObjectId', 'id': concat('tenantid=', i.entra_tenant_id, ';objectid=', i.entra_object_id)
                } end,
                case when i.ad_sid is not null then {'type': 'SecurityIdentifier', 'id': lower(i.ad_sid)} end,
                case when i.ad_object_guid is not null then {'type': 'ActiveDirectoryObjectGuid', 'id': i.ad_object_guid} end,
                case when i.okta_id is not null then {'type': 'OktaUserId', 'id': i.okta_id} end
            ],
            lambda id: id is not null
        ),
        list_filter(i.source_records, lambda record: split_part(record, ':', 1) = 'servicenow')
    from common as c
    join identities as i on c.asset_kind = 'identity' and i.identity_id = c.node_id
    union all
    select
        c.asset_kind, c.node_id, p.properties,
        to_json({
            'name': p.display_name,
            'applicationType': p.application_type,
            'owner': p.owner,
            'vendor': p.vendor,
            'environmentName': p.environment,
            'discoverySources-udi': {'type': 'DiscoverySources', 'sources': p.discovery_sources}
        })::varchar,
        p.discovery_sources,
        list_filter(
            [
                case when p.app_id is not null then {'type': 'AadApplicationId', 'id': p.app_id} end,
                case when p.cmdb_id is not null then {'type': 'ServiceNowCmdbAssetId', 'id': p.cmdb_id} end
            ],
            lambda id: id is not null
        ),
        cast([] as varchar[])
    from common as c
    join applications as p on c.asset_kind = 'application' and p.application_id = c.node_id
    union all
    select
        c.asset_kind, c.node_id, r.properties,
        to_json({
            'name': r.display_name,
            'nativeEnvironmentRegionName': r.region,
            'environmentName': r.provider,
            'hierarchyIdentifier': r.account_id,
            'containsSensitiveData': r.contains_sensitive_data,
            'discoverySources-udi': {'type': 'DiscoverySources', 'sources': r.discovery_sources}
        })::varchar,
        r.discovery_sources,
        list_filter(
            [
                case
                    when lower(r.native_id) like '/subscriptions/%' then {'type': 'AzureResourceId', 'id': lower(r.native_id)}
                    when r.native_id is not null then {'type': 'CloudResourceId', 'id': r.native_id}
                end
            ],
            lambda id: id is not null
        ),
        -- Defender for Cloud has no other id than the cloud's own, and an account that Prisma Cloud tells of its resources none
        list_filter(
            r.source_records,
            lambda record: split_part(record, ':', 1) <> 'defender_cloud' and split_part(record, ':', 3) not like 'account|%'
        )
    from common as c
    join cloud_resources as r on c.asset_kind = 'cloud_resource' and r.resource_id = c.node_id
),

-- what the products that have the asset call it
owned as (
    select
        *,
        list_transform(own_records, lambda record: {
            'type': case split_part(record, ':', 1)
                when 'servicenow' then 'ServiceNowCmdb'
                else list_aggregate(
                    list_transform(string_split(split_part(record, ':', 1), '_'), lambda word: upper(word[1]) || word[2:]),
                    'string_agg', ''
                )
            end || 'AssetId',
            'id': substr(record, length(split_part(record, ':', 1)) + length(split_part(record, ':', 2)) + 3)
        }) as own_ids
    from described
)

select
    c.node_id as NodeId,
    c.node_label as NodeLabel,
    c.node_name as NodeName,
    c.categories as Categories,
    -- the two objects share no member, so that their texts can be joined; the patch leaves out what is null
    concat('{"rawData":', json_merge_patch(
        coalesce(a.properties, '{}'), concat(substr(a.named, 1, length(a.named) - 1), ',', substr(c.insights, 2))
    )::varchar, '}') as NodeProperties,
    coalesce(to_json(a.entity_ids || a.own_ids)::varchar, '[]') as EntityIds,
    c.asset_kind,
    a.discovery_sources,
    coalesce(c.criticality_level, 4) as criticality_level,
    coalesce(c.is_internet_exposed, false) as is_internet_exposed,
    coalesce(c.vulnerable_to_remote_code_execution, false) as vulnerable_to_remote_code_execution,
    coalesce(c.vulnerable_to_privilege_escalation, false) as vulnerable_to_privilege_escalation,
    coalesce(c.exploit_available, false) as exploit_available,
    c.max_cvss_score,
    coalesce(c.open_vulnerabilities, 0) as open_vulnerabilities
from common as c
join owned as a on a.asset_kind = c.asset_kind and a.node_id = c.node_id
union all
select
    md5('Cve:' || v.cve_id), 'Cve', v.cve_id, ['vulnerability_finding'],
    to_json({
        'rawData': {
            'severity': upper(v.severity[1]) || v.severity[2:],
            'cvssScore': v.cvss_score,
            'epssScore': v.epss_score,
            'hasExploit': v.exploit_available,
            'publishedDate': v.published_at
        }
    })::varchar,
    to_json([{'type': 'CveId', 'id': v.cve_id}])::varchar,
    'vulnerability', v.discovery_sources, 4, false, coalesce(w.allows_remote_code_execution, false),
    coalesce(w.allows_privilege_escalation, false), v.exploit_available, v.cvss_score, 0
from vulnerabilities as v
left join vulnerability_classes as w on w.cve_id = v.cve_id
where v.cve_id in (select cve_id from open_vulnerabilities)
union all
select
    node_id, 'mdcSecurityRecommendation', any_value(title), ['finding', 'security_finding'],
    to_json({'rawData': {'severity': max(severity), 'description': any_value(title)}})::varchar,
    to_json(case when any_value(assessment_key) is not null then [{'type': 'MdcAssessmentId', 'id': any_value(assessment_key)}] else [] end)::varchar,
    'recommendation', list_sort(array_agg(distinct source)), 4, false, false, false, false, null, 0
from open_recommendations
group by node_id
union all
select
    md5('IP address:' || ip), 'IP address', ip, ['ip_address', 'network'],
    to_json({'rawData': {'ipAddress': ip}})::varchar,
    to_json([{'type': 'IPv4Address', 'id': ip}])::varchar,
    'ip_address', cast([] as varchar[]), 4, true, false, false, false, null, 0
from (select distinct unnest(public_ip_addresses) as ip from internet_exposure)
