"""One value in the spellings of many products, and values that differ although they look alike."""

# ruff: noqa: E501
from __future__ import annotations

from typing import Any

import pytest
from case_table import Case, CaseTable

MAC = "3c:d9:2b:~:00:01"
GUID = "0a1b2c3d-0000-4000-8000-0000000000~"
ARM = "/subscriptions/0a1b2c3d-1111-4222-8333-4444555566~/resourceGroups/RG-¤/providers/Microsoft.Compute/virtualMachines/vm-¤"
EC2 = {"cloud_provider": "aws", "cloud_account_id": "003456789¤", "cloud_instance_id": "i-0abc12345678900~"}
FQDN = {"fqdns": ["srv¤.corp.local"]}


def two(one: dict[str, Any], other: dict[str, Any], assets: str = "ab") -> Case:
    return Case({"cmdb.a": one, "edr.b": other}, assets)


#: Of each a SID, and a spelling of its bytes as they lie in memory.
SIDS = {
    "base64": ("S-1-5-21-372676048-1189045421-4047760665-1104", "AQUAAAAAAAUVAAAA0JU2Fq1k30YZ7UPxUAQAAA=="),
    "hex": ("S-1-5-21-3623811015-3361044348-30300820-1013", "010500000000000515000000C7F7FED77C7755C8945ACE01F5030000"),
    "hex for a database": (
        "S-1-5-21-2127521184-1604012920-1887927527-11866",
        "0x010500000000000515000000a065cf7e784b9b5fe77c87705a2e0000",
    ),
    "hex with dashes": (
        "S-1-5-21-977923109-2952828257-175163757-387119",
        "01-05-00-00-00-00-00-05-15-00-00-00-25-EC-49-3A-61-95-00-B0-6D-C9-70-0A-2F-E8-05-00",
    ),
    "hex of a filter": (
        "S-1-5-21-3623811015-3361044348-30300820-1014",
        r"\01\05\00\00\00\00\00\05\15\00\00\00\c7\f7\fe\d7\7c\77\55\c8\94\5a\ce\01\f6\03\00\00",
    ),
}
DEVICES = {
    "distinguished name": two(FQDN, {"hostnames": ["CN=SRV¤,OU=Servers,DC=corp,DC=local"]}),
    "domain as distinguished name": two(FQDN, {"hostnames": ["srv¤"], "domain": "DC=corp,DC=local"}),
    "domain as canonical name": two(FQDN, {"hostnames": ["srv¤"], "domain": "corp.local/Servers"}),
    "domain with a backslash": two(FQDN, {"hostnames": ["srv¤"], "domain": "CORP\\"}),
    "zero-width space": two(FQDN, {"fqdns": ["srv¤\u200b.corp.local"]}),
    "right-to-left marks": two(FQDN, {"fqdns": ["\u200fsrv¤.corp.local\u202c"]}),
    "full-width letters": two(FQDN, {"fqdns": ["ｓｒｖ¤.corp.local"]}),
    "composed and decomposed accent": two({"fqdns": ["café¤.corp.local"]}, {"fqdns": ["cafe\u0301¤.corp.local"]}),
    "accent or none": two({"fqdns": ["café¤.corp.local"]}, {"fqdns": ["cafe¤.corp.local"]}, "a b"),
    "cyrillic letter that looks latin": two({"fqdns": ["s\u0430v¤.corp.local"]}, {"fqdns": ["sav¤.corp.local"]}, "a b"),
    "dotless i": two({"fqdns": ["f\u0131le¤.corp.local"]}, {"fqdns": ["file¤.corp.local"]}, "a b"),
    "sharp s": two({"fqdns": ["straße¤.corp.local"]}, {"fqdns": ["strasse¤.corp.local"]}, "a b"),
    **{f"sid and its bytes as {name}": two({"ad_sid": sid}, {"ad_sid": text}) for name, (sid, text) in SIDS.items()},
    "name as the address of a page": two(FQDN, {"fqdns": ["https://srv¤.corp.local:8443/login"]}),
    "name with a port": two(FQDN, {"hostnames": ["SRV¤.corp.local:443"]}),
    "canonical name": two(FQDN, {"hostnames": ["corp.local/Servers/Web/SRV¤"]}),
    "canonical names of two laptops at one dock": two({"hostnames": ["corp.local/Laptops/LT¤A"], "mac_addresses": [MAC]}, {"hostnames": ["corp.local/Laptops/LT¤B"], "mac_addresses": [MAC]}, "a b"),
    "name of a service in its realm": two(FQDN, {"hostnames": ["host/srv¤.corp.local@CORP.LOCAL"]}),
    "name behind who signs in there": two(FQDN, {"hostnames": ["ssh://root@srv¤.corp.local:22"]}),
    "name of a service on it": two(FQDN, {"hostnames": ["MSSQLSvc/srv¤.corp.local:1433"]}),
    "hyphen of a word processor": two({"fqdns": ["srv-¤-a.corp.local"]}, {"fqdns": ["srv\u2010¤\u2013a.corp.local"]}),
    "uuid with dashes": two({"smbios_uuid": "4c4c4544-00~-3510-8052-b4c04f4a3202"}, {"smbios_uuid": "4c4c4544\u201300~\u20133510\u20138052\u2013b4c04f4a3202"}),
    **{f"mac {name}": two({"mac_addresses": [MAC], "hostnames": ["w¤"]}, {"mac_addresses": [spelled], "hostnames": ["w¤"]})
       for name, spelled in {"behind its card": f"eth0 {MAC}", "before its maker": f"{MAC} (Cisco Systems)", "in brackets": f"[{MAC}]", "with a mask": f"{MAC}/48"}.items()},
    "eight bytes are no mac": Case({"cmdb.a": {"mac_addresses": [MAC], "hostnames": ["w¤"]}, "edr.b": {"mac_addresses": [f"{MAC}:00:01"], "hostnames": ["w¤"]}}, "a b", held="b"),
    **{f"arm id {name}": two({"cloud_resource_id": ARM}, {"cloud_resource_id": spelled})
       for name, spelled in {"as a link of its api": f"https://management.azure.com{ARM}?api-version=2023-03-01", "as a page of the portal": f"https://portal.azure.com/#@corp.onmicrosoft.com/resource{ARM}"}.items()},
    **{f"guid {name}": two({"entra_device_id": GUID}, {"entra_device_id": spelled})
       for name, spelled in {"in brackets": f"({GUID})", "in quotes": f'"{GUID}"', "behind its label": f"UUID: {GUID}"}.items()},
    "instance id of a virtual machine in bytes": two({"cloud_instance_id": "503d553b-05b4-4f4b-a83b-f0171e357a~"}, {"cloud_instance_id": "50 3d 55 3b 05 b4 4f 4b-a8 3b f0 17 1e 35 7a ~"}),
    "client of configuration manager": two({"agent_ids": {"sccm": f"GUID:{GUID.upper()}"}, "hostnames": ["w¤"]}, {"agent_ids": {"sccm": GUID}, "hostnames": ["w¤"]}),
    "mac with hyphens that break no line": two({"mac_addresses": [MAC], "hostnames": ["w¤"]}, {"mac_addresses": [MAC.replace(":", "\u2011")], "hostnames": ["w¤"]}),
    "serial marked as text": two({"serial_number": "5CG~Q¤"}, {"serial_number": "'5CG~Q¤"}),
    "serial in quotes": two({"serial_number": "5CG~Q¤"}, {"serial_number": '"5CG~Q¤"'}),
    "mac with 0x": two({"mac_addresses": [MAC], "hostnames": ["w¤"]}, {"mac_addresses": ["0x3CD92B~0001"], "hostnames": ["w¤"]}),
    "two macs in one text": two({"mac_addresses": [MAC], "hostnames": ["w¤"]}, {"mac_addresses": ["3c:d9:2b:~:00:07, 3c:d9:2b:~:00:01"], "hostnames": ["w¤"]}),
    "uuid as urn": two({"smbios_uuid": "4c4c4544-00~-3510-8052-b4c04f4a3201"}, {"smbios_uuid": "urn:uuid:4C4C4544-00~-3510-8052-B4C04F4A3201"}),
    "objectguid as ldap filter": two({"ad_object_guid": "8f2d1c34-5a6b-4c7d-9e8f-0011223344~"}, {"ad_object_guid": "\\34\\1c\\2d\\8f\\6b\\5a\\7d\\4c\\9e\\8f\\00\\11\\22\\33\\44\\~"}),
    "imei with its label": two({"imei": "352099¤0¤12"}, {"imei": "IMEI 1: 352099-¤0¤1-2"}),
    "maker in one word": two({"serial_number": "01~X¤", "manufacturer": "Palo Alto Networks"}, {"serial_number": "01~X¤", "manufacturer": "PaloAltoNetworks"}),
    "maker by its initials": two({"serial_number": "06~X¤", "manufacturer": "International Business Machines"}, {"serial_number": "06~X¤", "manufacturer": "IBM"}),
    "arn as resource id": two(EC2, {"cloud_resource_id": "arn:aws:ec2:us-east-1:003456789¤:instance/i-0abc12345678900~"}),
    "arn of another account": two(EC2, {"cloud_resource_id": "arn:aws:ec2:us-east-1:993456789¤:instance/i-0abc12345678900~"}, "a b"),
    "arn of a volume is no instance": two(EC2, {"cloud_resource_id": "arn:aws:ec2:us-east-1:003456789¤:volume/vol-0abc12345678900~"}, "a b"),
    "account that lost its zeros": two(EC2, {**EC2, "cloud_account_id": "3456789¤"}),
    "account as arn": two(EC2, {**EC2, "cloud_account_id": "arn:aws:iam::003456789¤:root"}),
    "account as subscription": two({"cloud_account_id": GUID, "cloud_instance_id": "vm-x¤-1"}, {"cloud_account_id": f"/subscriptions/{GUID}", "cloud_instance_id": "vm-x¤-1"}),
    "arm id as link": two({"cloud_resource_id": ARM}, {"cloud_resource_id": f"https://management.azure.com{ARM}"}),
    "arm id without its slash": two({"cloud_resource_id": ARM}, {"cloud_instance_id": ARM[1:]}),
    "arm id of another group": two({"cloud_resource_id": ARM}, {"cloud_resource_id": ARM[1:].replace("RG-", "RH-")}, "a b"),
    "vmid is the uuid whatever azure is called": two({"cloud_provider": "AzureVM", "cloud_instance_id": "5b1e3c2a-1111-4222-8333-4444555566~"}, {"smbios_uuid": "2A3C1E5B-1111-2242-8333-4444555566~"}),
}  # fmt: skip

UPN = {"entra_object_id": GUID, "upn": "js¤@corp.com"}
GUEST = {"entra_object_id": GUID, "upn": "bob¤_partner.com#EXT#@t.onmicrosoft.com"}
#: Of each an objectGUID, and a spelling of its bytes as they lie in memory.
BYTES = {
    "hex": ("8f2d1c34-5a6b-4c7d-9e8f-001122335501", "341C2D8F6B5A7D4C9E8F001122335501"),
    "hex for a database": ("8f2d1c34-5a6b-4c7d-9e8f-001122335502", "0x341c2d8f6b5a7d4c9e8f001122335502"),
    "hex with dashes": ("8f2d1c34-5a6b-4c7d-9e8f-001122335503", "34-1C-2D-8F-6B-5A-7D-4C-9E-8F-00-11-22-33-55-03"),
    "hex with blanks": ("8f2d1c34-5a6b-4c7d-9e8f-001122335504", "34 1c 2d 8f 6b 5a 7d 4c 9e 8f 00 11 22 33 55 04"),
    "base64 of a token": ("8f2d1c34-5a6b-4c7d-9efb-ff1122335505", "NBwtj2tafUye-_8RIjNVBQ"),
    "base64 with one sign at its end": ("8f2d1c34-5a6b-4c7d-9e8f-001122335506", "NBwtj2tafUyejwARIjNVBg="),
    "base64 in a link": ("8f2d1c34-5a6b-4c7d-9efb-ff1122335507", "NBwtj2tafUye%2B%2F8RIjNVBw%3D%3D"),
}
IDENTITIES = {
    "mailto": two(UPN, {"okta_id": "00u¤", "login_names": ["mailto:JS¤@corp.com"]}),
    "name and brackets": two(UPN, {"emails": ["John Smith <js¤@corp.com>"]}),
    "zero-width space in a upn": two(UPN, {"okta_id": "00u¤", "login_names": ["js¤\u200b@corp.com"]}),
    "decomposed accent in a upn": two({**UPN, "upn": "josé¤@corp.com"}, {"okta_id": "00u¤", "login_names": ["jose\u0301¤@corp.com"]}),
    "accent or none in a upn": two({**UPN, "upn": "josé¤@corp.com"}, {"okta_id": "00u¤", "login_names": ["jose¤@corp.com"]}, "a b"),
    "domain in the field of the account name": two({"ad_object_guid": GUID, "sam_account_name": "JS¤", "domain": "corp¤"}, {"sam_account_name": "CORP¤\\js¤"}),
    "domain in the field of the upn": two({"ad_object_guid": GUID, "sam_account_name": "JS¤", "domain": "corp¤"}, {"upn": "CORP¤\\js¤"}),
    "another domain in the field of the account name": two({"ad_object_guid": GUID, "sam_account_name": "JS¤", "domain": "corp¤"}, {"sam_account_name": "DEV¤\\js¤"}, "a b"),
    "immutable id without its padding": two({"ad_object_guid": "8f2d1c34-5a6b-4c7d-9e8f-001122334457"}, {"immutable_id": "NBwtj2tafUyejwARIjNEVw"}),
    **{f"objectguid and its bytes as {name}": two({"ad_object_guid": guid}, {"immutable_id": text}) for name, (guid, text) in BYTES.items()},
    **{f"sid and its bytes as {name}": two({"ad_sid": sid}, {"ad_sid": text}) for name, (sid, text) in SIDS.items()},
    "former sid in base64": two({"ad_sid": "S-1-5-21-372676048-1189045421-4047760665-501"}, {"ad_sid": "S-1-5-21-9-9-9-2¤", "sid_history": ["AQUAAAAAAAUVAAAA0JU2Fq1k30YZ7UPx9QEAAA=="]}, "a b"),
    "former sid of a person in base64": two({"ad_sid": "S-1-5-21-372676048-1189045421-4047760665-1105"}, {"ad_sid": "S-1-5-21-9-9-9-3¤", "sid_history": ["AQUAAAAAAAUVAAAA0JU2Fq1k30YZ7UPxUQQAAA=="]}),
    "one mail and two sids in base64": two({"ad_sid": "AQUAAAAAAAUVAAAA0JU2Fq1k30YZ7UPxUgQAAA==", "emails": ["b64¤@corp.com"]}, {"ad_sid": "AQUAAAAAAAUVAAAA0JU2Fq1k30YZ7UPxUwQAAA==", "emails": ["b64¤@corp.com"]}, "a b"),
    "objectguid in hex, either way": Case({"ad.a": {"ad_object_guid": "8f2d1c34-5a6b-4c7d-9e8f-001122335508", "upn": "hx¤@corp.com"}, "ldap.b": {"ad_object_guid": "341c2d8f6b5a7d4c9e8f001122335508", "upn": "hx¤@corp.com"}, "edr.c": {"ad_object_guid": "8F2D1C345A6B4C7D9E8F001122335508", "upn": "hx¤@corp.com"}}, "abc"),
    "base64 in small letters is another value": two({"ad_object_guid": "8f2d1c34-5a6b-4c7d-9e8f-001122335509"}, {"immutable_id": "nbwtj2tafuyejwarijnvcq=="}, "a b"),
    "login of sharepoint": two(UPN, {"login_names": ["i:0#.f|membership|JS¤@corp.com"]}),
    "windows login of sharepoint": two({"sam_account_name": "js¤", "domain": "corp¤"}, {"login_names": ["i:0#.w|CORP¤\\js¤"]}),
    "guest's login of sharepoint": two(GUEST, {"login_names": ["i:0#.f|membership|bob¤_partner.com#ext#@t.onmicrosoft.com"]}),
    "guest in a link": two(GUEST, {"upn": "bob¤_partner.com%23EXT%23@t.onmicrosoft.com"}),
    "member of google's policies": two(UPN, {"login_names": ["user:JS¤@corp.com"]}),
    "microsoft account": two({"okta_id": "00u¤", "login_names": ["js¤@outlook.com"]}, {"login_names": ["live.com#js¤@outlook.com"]}),
    "22 letters that are no guid": two({"ad_object_guid": "8f2d1c34-5a6b-4c7d-9e8f-001122334457"}, {"immutable_id": "NBwtj2tafUyejwARIjNEVx"}, "a b"),
}  # fmt: skip

TABLES = {"device": CaseTable("device", DEVICES), "identity": CaseTable("identity", IDENTITIES)}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, table in TABLES.items() for name in table.cases])
def test_case(kind: str, name: str) -> None:
    TABLES[kind].check(name)
