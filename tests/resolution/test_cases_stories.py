"""Stories: what several products tell of one, two or three machines, each in its own way."""

# ruff: noqa: E501
from __future__ import annotations

import pytest
from case_table import Case, CaseTable

OLD = {"first_seen": "2025-01-01T00:00:00Z", "last_seen": "2026-03-01T00:00:00Z", "observed_at": "2026-03-01T00:00:00Z"}
NEW = {"first_seen": "2026-05-03T00:00:00Z", "last_seen": "2026-11-20T09:00:00Z"}

CASES = {
    "laptop in seven products behind a dock": Case(
        {
            "intune.a": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1501", "mac_addresses": ["3c:7c:3f:~:00:01"], "hostnames": ["LT-~"], "agent_ids": {"intune": "0d0000~-12f4-4e74-af7c-3b54377d1509"}, "attributes": {"os": "Windows", "model": "Latitude 7440"}},
            "entra_id.b": {"entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1501", "hostnames": ["LT-~"], "attributes": {"os": "Windows"}},
            "defender_endpoint.c": {"entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1501", "fqdns": ["lt-~.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:01", "00:e0:4c:68:~:01"], "agent_ids": {"mde": "~01~01~01~01~01~01~01~01"}, "ip_addresses": ["10.¤.1.5"]},
            "tenable.d": {"fqdns": ["lt-~.corp.example"], "netbios_name": "LT-~", "mac_addresses": ["00:e0:4c:68:~:01"], "smbios_uuid": "4c4c4544-00~-3110-8001-b4c04f5632~", "ip_addresses": ["10.¤.1.5"]},
            "qualys.e": {"netbios_name": "LT-~", "mac_addresses": ["3c:7c:3f:~:00:01"], "smbios_uuid": "44454c4c-~00-1031-8001-b4c04f5632~"},
            "servicenow.f": {"serial_number": "7xk~01q", "manufacturer": "DELL", "hostnames": ["lt-~"], "asset_tag": "A-¤", "attributes": {"model": "Latitude 7440"}},
            "forescout.g": {"mac_addresses": ["00:e0:4c:68:~:01"], "ip_addresses": ["10.¤.1.5"]},
        },
        "abcdef g", held="g",
    ),
    "re-imaged laptop for another person beside the old row": Case(
        {
            "intune.a": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1501", "hostnames": ["LT-ANNA~"], "state": "retired", **OLD},
            "defender_endpoint.b": {"entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1501", "fqdns": ["lt-anna~.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:01"], **OLD},
            "servicenow.c": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "hostnames": ["LT-ANNA~"], "attributes": {"owner": "anna"}},
            "intune.d": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1502", "hostnames": ["LT-BOB~"], "mac_addresses": ["3c:7c:3f:~:00:01"], **NEW},
            "defender_endpoint.e": {"entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1502", "fqdns": ["lt-bob~.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:01"], **NEW},
        },
        "abcde",
    ),
    "anna's name goes to her new laptop, the old one goes to bob": Case(
        {
            "intune.a": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1501", "hostnames": ["LT-BOB~"], **NEW},
            "servicenow.b": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "hostnames": ["LT-ANNA~"], "fqdns": ["lt-anna~.corp.example"], **OLD},
            "intune.c": {"serial_number": "7XK~02Q", "manufacturer": "Dell Inc.", "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1502", "hostnames": ["LT-ANNA~"], **NEW},
            "defender_endpoint.d": {"entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1502", "fqdns": ["lt-anna~.corp.example"], **NEW},
            "tenable.e": {"fqdns": ["lt-anna~.corp.example"], **NEW},
        },
        "ab cde",
    ),
    "azure vm in six products": Case(
        {
            "wiz.a": {"cloud_provider": "Azure", "cloud_account_id": "5b4a000~-0000-4000-8000-0000000000aa", "cloud_instance_id": "/subscriptions/5b4a000~-0000-4000-8000-0000000000aa/resourceGroups/RG-¤/providers/Microsoft.Compute/virtualMachines/VM-¤", "hostnames": ["vm-¤"]},
            "defender_cloud.b": {"cloud_provider": "azure", "cloud_account_id": "5b4a000~-0000-4000-8000-0000000000aa", "cloud_instance_id": "/subscriptions/5b4a000~-0000-4000-8000-0000000000aa/resourcegroups/rg-¤/providers/microsoft.compute/virtualmachines/vm-¤", "mac_addresses": ["00-22-48-~-00-01"], "hostnames": ["vm-¤"]},
            "defender_endpoint.c": {"cloud_provider": "azure", "cloud_account_id": "5b4a000~-0000-4000-8000-0000000000aa", "cloud_instance_id": "c7a100~-5d0f-4a4f-9f3b-3a7c112200~", "fqdns": ["vm-¤.corp.example"], "mac_addresses": ["002248~0001"], "agent_ids": {"mde": "~01~01~01~01~01~01~01~01"}},
            "crowdstrike.d": {"cloud_provider": "AZURE", "cloud_account_id": "5b4a000~-0000-4000-8000-0000000000aa", "cloud_instance_id": "c7a100~-5d0f-4a4f-9f3b-3a7c112200~", "serial_number": "0000-0015-7893-2020-4141-9~", "manufacturer": "Microsoft Corporation", "hostnames": ["VM-¤"], "mac_addresses": ["00-22-48-~-00-01"], "agent_ids": {"aid": "~02~02~02~02~02~02~02~02"}},
            "tenable.e": {"cloud_provider": "azure", "cloud_instance_id": "C7A100~-5D0F-4A4F-9F3B-3A7C112200~", "smbios_uuid": "~00a1c7-0f5d-4f4a-9f3b-3a7c112200~", "fqdns": ["vm-¤.corp.example"]},
            "servicenow.f": {"serial_number": "0000-0015-7893-2020-4141-9~", "hostnames": ["VM-¤"], "cloud_provider": "azure", "cloud_account_id": "5b4a000~-0000-4000-8000-0000000000aa", "cloud_instance_id": "/subscriptions/5b4a000~-0000-4000-8000-0000000000aa/resourceGroups/RG-¤/providers/Microsoft.Compute/virtualMachines/VM-¤"},
        },
        "abcdef",
    ),
    "autoscaled successor with the golden image of its predecessor in four products": Case(
        {
            "wiz.a": {"cloud_provider": "aws", "cloud_account_id": "222222222¤", "cloud_instance_id": "i-0bb00000000001~", "hostnames": ["asg-web"], "ip_addresses": ["10.¤.2.9"]},
            "crowdstrike.b": {"cloud_provider": "aws", "cloud_account_id": "222222222¤", "cloud_instance_id": "i-0bb00000000001~", "hostnames": ["asg-web"], "ip_addresses": ["10.¤.2.9"], "agent_ids": {"aid": "~07~07~07~07~07~07~07~07"}, "serial_number": "ec2~001-1111-2222-3333-4444444400~"},
            "tenable.c": {"cloud_provider": "aws", "cloud_account_id": "222222222¤", "cloud_instance_id": "i-0bb00000000001~", "hostnames": ["asg-web"], "ip_addresses": ["10.¤.2.9"], "smbios_uuid": "ec2~001-1111-2222-3333-4444444400~"},
            "wiz.d": {"cloud_provider": "aws", "cloud_account_id": "222222222¤", "cloud_instance_id": "i-0bb00000000002~", "hostnames": ["asg-web"], "ip_addresses": ["10.¤.2.9"]},
            "crowdstrike.e": {"cloud_provider": "aws", "cloud_account_id": "222222222¤", "cloud_instance_id": "i-0bb00000000002~", "hostnames": ["asg-web"], "ip_addresses": ["10.¤.2.9"], "agent_ids": {"aid": "~07~07~07~07~07~07~07~07"}, "serial_number": "ec2~002-1111-2222-3333-4444444400~"},
            "tenable.f": {"cloud_provider": "aws", "cloud_account_id": "222222222¤", "cloud_instance_id": "i-0bb00000000002~", "hostnames": ["asg-web"], "ip_addresses": ["10.¤.2.9"], "smbios_uuid": "ec2~002-1111-2222-3333-4444444400~"},
            "qualys.g": {"ip_addresses": ["10.¤.2.9"], "hostnames": ["asg-web"]},
        },
        "abc def g", held="g",
    ),
    "vcenter guest in five products and its host with a controller": Case(
        {
            "vcenter.a": {"cloud_provider": "vmware", "cloud_instance_id": "502e00~-aaaa-bbbb-cccc-0011223300~", "smbios_uuid": "422e00~-331b-58e1-2730-ca560789e5~", "hostnames": ["app~"], "mac_addresses": ["00:50:56:a1:~:01"]},
            "crowdstrike.b": {"serial_number": "VMware-42 2e 00 ~ 33 1b 58 e1-27 30 ca 56 07 89 e5 ~", "manufacturer": "VMware, Inc.", "hostnames": ["APP~"], "mac_addresses": ["00-50-56-a1-~-01"], "agent_ids": {"aid": "~01~01~01~01~01~01~01~01"}},
            "tenable.c": {"smbios_uuid": "~002e42-1b33-e158-2730-ca560789e5~", "fqdns": ["app~.corp.example"]},
            "servicenow.d": {"serial_number": "vmware-42 2e 00 ~ 33 1b 58 e1-27 30 ca 56 07 89 e5 ~", "hostnames": ["app~"], "attributes": {"model": "VMware Virtual Platform"}},
            "rapid7.e": {"fqdns": ["app~.corp.example"], "mac_addresses": ["00:50:56:A1:~:01"]},
            "vcenter.h": {"serial_number": "CZJ~1", "manufacturer": "HPE", "smbios_uuid": "30373237-3132-435a-4a00-0000000000~", "fqdns": ["esx~.corp.example"], "mac_addresses": ["48:df:37:~:00:01", "48:df:37:~:00:02"], "attributes": {"os": "VMware ESXi"}},
            "tenable.i": {"fqdns": ["esx~.corp.example"], "mac_addresses": ["48:df:37:~:00:01"], "attributes": {"os": "VMware ESXi 8.0"}},
            "oneview.k": {"serial_number": "CZJ~1", "hostnames": ["ILOCZJ~1"], "mac_addresses": ["48:df:37:~:00:09"], "attributes": {"model": "iLO 5"}},
            "tenable.l": {"fqdns": ["iloczj~1.mgmt.example"], "mac_addresses": ["48:df:37:~:00:09"]},
            "servicenow.m": {"serial_number": "CZJ~1", "manufacturer": "Hewlett Packard Enterprise", "hostnames": ["esx~"], "attributes": {"model": "ProLiant DL380 Gen10"}},
        },
        "abcde him kl", links=("k part of h",),
    ),
    "vm migrated from vmware to hyper-v under one objectguid": Case(
        {
            "ad.a": {"ad_object_guid": "0d0000~-12f4-4e74-af7c-3b54377d1501", "fqdns": ["srv~.corp.example"]},
            "sccm.b": {"ad_object_guid": "0d0000~-12f4-4e74-af7c-3b54377d1501", "smbios_uuid": "422e~01--331b-58e1-2730-ca560789e5~", "serial_number": "VMware-42 2e ~ 01 33 1b 58 e1-27 30 ca 56 07 89 e5 ~", "mac_addresses": ["00:50:56:a2:~:01"], "fqdns": ["srv~.corp.example"], **OLD},
            "servicenow.c": {"serial_number": "VMware-42 2e ~ 01 33 1b 58 e1-27 30 ca 56 07 89 e5 ~", "hostnames": ["srv~"], **OLD},
            "sccm.d": {"ad_object_guid": "0d0000~-12f4-4e74-af7c-3b54377d1501", "smbios_uuid": "4c4c4544-00~-3110-8008-b4c04f5632~", "serial_number": "1234-9~01-8811-2233-4455-66", "manufacturer": "Microsoft Corporation", "mac_addresses": ["00:15:5d:a2:~:01"], "fqdns": ["srv~.corp.example"], **NEW},
            "tenable.e": {"smbios_uuid": "4c4c4544-00~-3110-8008-b4c04f5632~", "fqdns": ["srv~.corp.example"], **NEW},
        },
        "abcde",
    ),
    "firewall pair in three products and a scan of the virtual address": Case(
        {
            "panorama.a": {"serial_number": "0119010~1", "manufacturer": "Palo Alto Networks", "hostnames": ["fw~-a"], "mac_addresses": ["00:1b:17:~:00:01"], "ip_addresses": ["10.¤.0.1", "10.¤.0.2"], "attributes": {"model": "PA-3220"}},
            "panorama.b": {"serial_number": "0119010~2", "manufacturer": "Palo Alto Networks", "hostnames": ["fw~-b"], "mac_addresses": ["00:1b:17:~:00:01"], "ip_addresses": ["10.¤.0.1", "10.¤.0.3"], "attributes": {"model": "PA-3220"}},
            "servicenow.c": {"serial_number": "0119010~1", "hostnames": ["fw~-a"]},
            "servicenow.d": {"serial_number": "0119010~2", "hostnames": ["fw~-b"]},
            "tenable.e": {"mac_addresses": ["00:1b:17:~:00:01"], "ip_addresses": ["10.¤.0.1"]},
        },
        "ac bd e", held="e", links=("a member of b", "b member of a",),
    ),
    "windows cluster with both nodes in three products and a role name": Case(
        {
            "ad.a": {"ad_object_guid": "0d0000~-12f4-4e74-af7c-3b54377d1501", "fqdns": ["sqln~1.corp.example"]},
            "ad.b": {"ad_object_guid": "0d0000~-12f4-4e74-af7c-3b54377d1502", "fqdns": ["sqln~2.corp.example"]},
            "ad.c": {"ad_object_guid": "0d0000~-12f4-4e74-af7c-3b54377d1503", "fqdns": ["sqlclu¤.corp.example"], "ip_addresses": ["10.¤.7.5"]},
            "defender_endpoint.d": {"fqdns": ["sqln~1.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:01"], "ip_addresses": ["10.¤.7.1", "10.¤.7.5"], "agent_ids": {"mde": "~01~01~01~01~01~01~01~01"}},
            "defender_endpoint.e": {"fqdns": ["sqln~2.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:02"], "ip_addresses": ["10.¤.7.2"], "agent_ids": {"mde": "~02~02~02~02~02~02~02~02"}},
            "tenable.f": {"fqdns": ["sqlclu¤.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:01"], "ip_addresses": ["10.¤.7.5"]},
            "servicenow.g": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "hostnames": ["sqln~1"], "fqdns": ["sqln~1.corp.example"]},
            "servicenow.h": {"serial_number": "7XK~02Q", "manufacturer": "Dell Inc.", "hostnames": ["sqln~2"], "fqdns": ["sqln~2.corp.example"]},
        },
        "adg beh cf", links=("c runs on d",),
    ),
    "iphone and ipad of one owner": Case(
        {
            "intune.a": {"serial_number": "F2LX~1", "imei": "35328500¤¤¤0", "manufacturer": "Apple", "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1501", "hostnames": ["iPhone"], "attributes": {"owner": "anna@corp.example", "os": "iOS"}},
            "intune.b": {"serial_number": "DMPX~2", "manufacturer": "Apple", "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1502", "hostnames": ["iPad"], "attributes": {"owner": "anna@corp.example", "os": "iPadOS"}},
            "entra_id.c": {"entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1501", "hostnames": ["iPhone"], "attributes": {"owner": "anna@corp.example"}},
            "entra_id.d": {"entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1502", "hostnames": ["iPad"], "attributes": {"owner": "anna@corp.example"}},
            "servicenow.e": {"serial_number": "f2lx~1", "hostnames": ["Anna's iPhone"], "attributes": {"owner": "anna@corp.example"}},
            "defender_endpoint.f": {"entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1502", "hostnames": ["annas-ipad"], "mac_addresses": ["da:aa:bb:~:00:01"]},
            "nac.g": {"hostnames": ["iPhone"], "mac_addresses": ["da:aa:bb:~:00:02"]},
        },
        "ace bdf g", held="g",
    ),
    "plc in three passive sensors and its engineering station": Case(
        {
            "claroty.a": {"mac_addresses": ["00:1b:1b:~:00:01"], "serial_number": "S C-F~2018", "manufacturer": "Siemens AG", "hostnames": ["plc_line~"], "ip_addresses": ["192.168.0.1"], "attributes": {"model": "6ES7 315-2EH14-0AB0"}},
            "nozomi.b": {"mac_addresses": ["00:1b:1b:~:00:01"], "hostnames": ["PLC_LINE~"], "ip_addresses": ["192.168.0.1"]},
            "armis.c": {"mac_addresses": ["00:1b:1b:~:00:01"], "serial_number": "SC-F~2018", "manufacturer": "Siemens", "ip_addresses": ["192.168.0.1"]},
            "claroty.d": {"mac_addresses": ["3c:7c:3f:~:00:02", "3c:7c:3f:~:00:03"], "hostnames": ["ES-LINE~"], "ip_addresses": ["192.168.0.10"], "attributes": {"os": "Windows 10"}},
            "nozomi.e": {"mac_addresses": ["3c:7c:3f:~:00:02"], "hostnames": ["es-line~"], "ip_addresses": ["192.168.0.10"]},
            "crowdstrike.f": {"serial_number": "7XK~03Q", "manufacturer": "Dell Inc.", "mac_addresses": ["3c:7c:3f:~:00:02", "3c:7c:3f:~:00:03"], "hostnames": ["ES-LINE~"], "agent_ids": {"aid": "~01~01~01~01~01~01~01~01"}},
        },
        "abc def",
    ),
    "merger: two companies with one windows domain name in two scopes": Case(
        {
            "ad.one.a": {"ad_object_guid": "0d0000~-12f4-4e74-af7c-3b54377d1501", "hostnames": ["CORP\\WEB~$"], "scope": "co1"},
            "defender_endpoint.one.b": {"fqdns": ["web~.corp.local"], "mac_addresses": ["3c:7c:3f:~:00:01"], "scope": "co1"},
            "tenable.one.c": {"netbios_name": "WEB~", "domain": "CORP", "mac_addresses": ["3c:7c:3f:~:00:01"], "scope": "co1"},
            "ad.two.d": {"ad_object_guid": "0d0000~-12f4-4e74-af7c-3b54377d1502", "hostnames": ["CORP\\WEB~$"], "scope": "co2"},
            "defender_endpoint.two.e": {"fqdns": ["web~.corp.local"], "mac_addresses": ["3c:7c:3f:~:00:02"], "scope": "co2"},
            "tenable.two.f": {"netbios_name": "WEB~", "domain": "CORP", "mac_addresses": ["3c:7c:3f:~:00:02"], "scope": "co2"},
        },
        "abc def",
    ),
    "one typo in the cmdb's serial number": Case(
        {
            "servicenow.a": {"serial_number": "5CG~401", "manufacturer": "HP", "hostnames": ["ty~"], "fqdns": ["ty~.corp.example"]},
            "intune.b": {"serial_number": "5CG~4O1", "manufacturer": "HP", "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1501", "hostnames": ["ty~"]},
            "crowdstrike.c": {"serial_number": "5CG~4O1", "fqdns": ["ty~.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:01"]},
            "tenable.d": {"fqdns": ["ty~.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:01"]},
        },
        "a bcd",
    ),
    "scan with the stale reverse name of another laptop": Case(
        {
            "intune.a": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "hostnames": ["LTA~"], "mac_addresses": ["3c:7c:3f:~:00:01"], "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1501"},
            "defender_endpoint.b": {"entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1501", "fqdns": ["lta~.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:01"]},
            "intune.c": {"serial_number": "7XK~02Q", "manufacturer": "Dell Inc.", "hostnames": ["LTB~"], "mac_addresses": ["3c:7c:3f:~:00:02"], "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1502"},
            "defender_endpoint.d": {"entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1502", "fqdns": ["ltb~.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:02"]},
            "tenable.e": {"fqdns": ["ltb~.corp.example"], "netbios_name": "LTA~", "mac_addresses": ["3c:7c:3f:~:00:01"], "ip_addresses": ["10.¤.1.1"]},
        },
        "abe cd",
    ),
    "two forests of one name, controllers of one name, one scope": Case(
        {
            "ad.one.a": {"ad_object_guid": "0d0000~-12f4-4e74-af7c-3b54377d1501", "fqdns": ["dc~.corp.local"]},
            "defender_endpoint.b": {"ad_object_guid": "0d0000~-12f4-4e74-af7c-3b54377d1501", "fqdns": ["dc~.corp.local"], "mac_addresses": ["3c:7c:3f:~:00:01"]},
            "ad.two.c": {"ad_object_guid": "0d0000~-12f4-4e74-af7c-3b54377d1502", "fqdns": ["dc~.corp.local"]},
            "crowdstrike.d": {"ad_object_guid": "0d0000~-12f4-4e74-af7c-3b54377d1502", "fqdns": ["dc~.corp.local"], "mac_addresses": ["3c:7c:3f:~:00:02"]},
            "tenable.e": {"fqdns": ["dc~.corp.local"]},
            "qualys.f": {"fqdns": ["dc~.corp.local"], "mac_addresses": ["3c:7c:3f:~:00:02"]},
        },
        "ab cdf e", held="e", review="ea ec",
    ),
    "two rows of the cmdb with their serial numbers swapped": Case(
        {
            "intune.a": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "hostnames": ["sa~"], "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1501", "mac_addresses": ["3c:7c:3f:~:00:01"]},
            "intune.b": {"serial_number": "7XK~02Q", "manufacturer": "Dell Inc.", "hostnames": ["sb~"], "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1502", "mac_addresses": ["3c:7c:3f:~:00:02"]},
            "servicenow.c": {"serial_number": "7XK~02Q", "manufacturer": "Dell Inc.", "fqdns": ["sa~.corp.example"]},
            "servicenow.d": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "fqdns": ["sb~.corp.example"]},
            "tenable.e": {"fqdns": ["sa~.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:01"]},
            "tenable.f": {"fqdns": ["sb~.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:02"]},
        },
        "ade bcf",
    ),
    "server with its idrac in openmanage, scanner and cmdb": Case(
        {
            "openmanage.a": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "hostnames": ["srv~"], "mac_addresses": ["d0:94:66:~:00:09"], "attributes": {"model": "PowerEdge R650"}},
            "crowdstrike.b": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "hostnames": ["SRV~"], "mac_addresses": ["d0:94:66:~:00:01", "d0:94:66:~:00:02"], "smbios_uuid": "4c4c4544-00~-3110-8001-b4c04f5632~"},
            "tenable.c": {"fqdns": ["srv~.corp.example"], "mac_addresses": ["d0:94:66:~:00:01"], "smbios_uuid": "44454c4c-~00-1031-8001-b4c04f5632~"},
            "tenable.d": {"fqdns": ["idrac-7xk~01q.mgmt.example"], "mac_addresses": ["d0:94:66:~:00:09"], "attributes": {"os": "Dell iDRAC Controller"}},
            "servicenow.e": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "fqdns": ["srv~.corp.example"]},
            "servicenow.f": {"serial_number": "7XK~01Q", "hostnames": ["srv~-idrac"], "mac_addresses": ["d0:94:66:~:00:09"]},
        },
        "abce d f", links=("f part of a",),
    ),
    "warranty replacement under the tag and name of the broken laptop": Case(
        {
            "servicenow.a": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "asset_tag": "A¤", "hostnames": ["wr~"], "state": "retired"},
            "intune.b": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1501", "hostnames": ["WR~"], **OLD},
            "servicenow.c": {"serial_number": "7XK~02Q", "manufacturer": "Dell Inc.", "asset_tag": "A¤", "hostnames": ["wr~"]},
            "intune.d": {"serial_number": "7XK~02Q", "manufacturer": "Dell Inc.", "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1502", "hostnames": ["WR~"], **NEW},
            "crowdstrike.e": {"serial_number": "7XK~02Q", "manufacturer": "Dell Inc.", "hostnames": ["WR~"], "mac_addresses": ["3c:7c:3f:~:00:02"], **NEW},
        },
        "ab cde",
    ),
    "kiosk: two identical thin pcs, names swapped after a repair": Case(
        {
            "intune.a": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "hostnames": ["KI~1"], "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1501", "mac_addresses": ["3c:7c:3f:~:00:01"], **OLD},
            "intune.b": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "hostnames": ["KI~2"], "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1503", "mac_addresses": ["3c:7c:3f:~:00:01"], **NEW},
            "intune.c": {"serial_number": "7XK~02Q", "manufacturer": "Dell Inc.", "hostnames": ["KI~2"], "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1502", "mac_addresses": ["3c:7c:3f:~:00:02"], **OLD},
            "intune.d": {"serial_number": "7XK~02Q", "manufacturer": "Dell Inc.", "hostnames": ["KI~1"], "entra_device_id": "0d0000~-12f4-4e74-af7c-3b54377d1504", "mac_addresses": ["3c:7c:3f:~:00:02"], **NEW},
            "tenable.e": {"hostnames": ["KI~1"], "mac_addresses": ["3c:7c:3f:~:00:02"], **NEW},
            "tenable.f": {"hostnames": ["KI~1"], "mac_addresses": ["3c:7c:3f:~:00:01"], **OLD},
        },
        "abf cde",
    ),
    "vm restored from backup beside the original, same uuid, other instance id, other card": Case(
        {
            "vcenter.a": {"cloud_provider": "vmware", "cloud_instance_id": "0d0000~-12f4-4e74-af7c-3b54377d1501", "smbios_uuid": "4c4c4544-00~-3110-8001-b4c04f5632~", "hostnames": ["rs~"], "mac_addresses": ["00:50:56:a1:~:01"]},
            "vcenter.b": {"cloud_provider": "vmware", "cloud_instance_id": "0d0000~-12f4-4e74-af7c-3b54377d1502", "smbios_uuid": "4c4c4544-00~-3110-8001-b4c04f5632~", "hostnames": ["rs~-restore"], "mac_addresses": ["00:50:56:a1:~:02"]},
            "crowdstrike.c": {"serial_number": "VMware-4c 4c 45 44 00 ~ 31 10-80 01 b4 c0 4f 56 32 ~", "hostnames": ["RS~"], "mac_addresses": ["00:50:56:a1:~:01"]},
            "tenable.d": {"fqdns": ["rs~.corp.example"], "mac_addresses": ["00:50:56:a1:~:01"], "smbios_uuid": "4c4c4544-00~-3110-8001-b4c04f5632~"},
        },
        "acd b",
    ),
    "card of a docking station first, in seven laptops with a scan each": Case(
        {
            **{f"intune.{x}": {"serial_number": f"5CG~D{i}", "hostnames": [f"dk~-{i}"], "mac_addresses": ["00:e0:4c:68:~:01"]} for i, x in enumerate("adgjmps")},
            **{f"crowdstrike.{x}": {"serial_number": f"5CG~D{i}", "fqdns": [f"dk~-{i}.corp.example"], "mac_addresses": ["00:e0:4c:68:~:01", f"3c:7c:3f:~:00:0{i}"]} for i, x in enumerate("behknqt")},
            **{f"tenable.{x}": {"fqdns": [f"dk~-{i}.corp.example"], "mac_addresses": ["00:e0:4c:68:~:01"]} for i, x in enumerate("cfiloru")},
            "qualys.z": {"mac_addresses": ["00:e0:4c:68:~:01"], "ip_addresses": ["10.¤.1.1"]},
        },
        "abc def ghi jkl mno pqr stu z", held="z",
    ),
    "printer replaced under its name and address": Case(
        {
            "jetadmin.a": {"serial_number": "VNB~01", "hostnames": ["prt-¤"], "fqdns": ["prt-¤.corp.example"], "mac_addresses": ["a0:48:1c:~:00:01"], "ip_addresses": ["10.¤.3.3"], **OLD},
            "jetadmin.b": {"serial_number": "VNB~02", "hostnames": ["prt-¤"], "fqdns": ["prt-¤.corp.example"], "mac_addresses": ["a0:48:1c:~:00:02"], "ip_addresses": ["10.¤.3.3"], **NEW},
            "tenable.c": {"fqdns": ["prt-¤.corp.example"], "mac_addresses": ["a0:48:1c:~:00:02"], **NEW},
            "tenable.d": {"fqdns": ["prt-¤.corp.example"], "mac_addresses": ["a0:48:1c:~:00:01"], **OLD},
            "servicenow.e": {"serial_number": "vnb~01", "hostnames": ["prt-¤"]},
        },
        "ade bc",
    ),
    "old app name points to the new server, the old server retired": Case(
        {
            "crowdstrike.a": {"serial_number": "7XK~01Q", "manufacturer": "Dell Inc.", "fqdns": ["so~1.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:01"]},
            "tenable.b": {"fqdns": ["so~1.corp.example", "erq~.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:01"], **OLD},
            "crowdstrike.c": {"serial_number": "7XK~02Q", "manufacturer": "Dell Inc.", "fqdns": ["so~2.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:02"]},
            "tenable.d": {"fqdns": ["so~2.corp.example", "erq~.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:02"], **NEW},
            "qualys.e": {"fqdns": ["erq~.corp.example"], **NEW},
        },
        "ab cde",
    ),
}  # fmt: skip

TABLE = CaseTable("device", CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    TABLE.check(name)
