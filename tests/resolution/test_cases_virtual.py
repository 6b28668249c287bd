"""More of T10 to T27: hypervisors, clones, clouds."""

# ruff: noqa: E501
from __future__ import annotations

import pytest
from case_table import Case, CaseTable

U = "~b4a1c9-12f4-4e74-af7c-3b54377d15~"
SWAPPED = "c9a1b4~-f412-744e-af7c-3b54377d15~"
V = "~000000-1111-4222-8333-000000000099"
W = "~000000-1111-4222-8333-0000000000aa"
ARM = "/subscriptions/0b5b7a39-0000-4000-8000-0000000000~/resourceGroups/RG-~/providers/Microsoft.Compute/virtualMachines/vm~"
ARC = "/subscriptions/0b5b7a39-0000-4000-8000-0000000000~/resourceGroups/RG-~/providers/Microsoft.HybridCompute/machines/srv~"
OLD = {"first_seen": "2026-01-01T00:00:00Z", "last_seen": "2026-06-01T00:00:00Z", "observed_at": "2026-06-01T00:00:00Z"}
NEW = {"first_seen": "2026-06-03T00:00:00Z", "last_seen": "2026-11-20T09:00:00Z"}

CASES = {
    "virtualbox and parallels hand the uuid as serial": Case(
        {
            "edr.a": {"serial_number": "Parallels-~ B4 A1 C9 12 F4 4E 74 AF 7C 3B 54 37 7D 15 ~"},
            "mdm.b": {"smbios_uuid": U},
            "edr.c": {"serial_number": "VirtualBox-~000000-1111-4222-8333-000000000099"},
            "cmdb.d": {"smbios_uuid": V},
        },
        "ab cd",
    ),
    "nutanix and kvm serial is the uuid": Case(
        {
            "prism.a": {"serial_number": U, "manufacturer": "Nutanix"},
            "edr.b": {"smbios_uuid": U, "manufacturer": "Red Hat"},
            "scan.c": {"smbios_uuid": SWAPPED},
        },
        "abc",
    ),
    "google serial is the uuid": Case(
        {"gcp.a": {"serial_number": "GoogleCloud-~B4A1C912F44E74AF7C3B54377D15~"}, "edr.b": {"smbios_uuid": U}}, "ab"
    ),
    "amazon serial is the uuid": Case(
        {"edr.a": {"serial_number": "ec2~000-1111-4222-8333-000000000099"}, "scan.b": {"smbios_uuid": "EC2~000-1111-4222-8333-000000000099"}}, "ab"
    ),
    "hyper-v guests have serials of their own and one host's name in none": Case(
        {
            "edr.a": {"serial_number": "1234-5678-9012-3456-7890-1234-~", "manufacturer": "Microsoft Corporation", "hostnames": ["hv~a"]},
            "scvmm.b": {"serial_number": "1234-5678-9012-3456-7890-1234-~", "hostnames": ["HV~A"]},
            "edr.c": {"serial_number": "1234-5678-9012-3456-7890-1235-~", "manufacturer": "Microsoft Corporation", "hostnames": ["hv~b"]},
        },
        "ab c",
    ),
    "copied vm keeps the bios uuid under another instance id": Case(
        {
            "vcenter.a": {"smbios_uuid": U, "cloud_instance_id": "50211111-0000-4000-8000-0000000000~", "hostnames": ["tmpl~"]},
            "vcenter.b": {"smbios_uuid": U, "cloud_instance_id": "50212222-0000-4000-8000-0000000000~", "hostnames": ["app~"]},
            "edr.c": {"smbios_uuid": SWAPPED, "hostnames": ["app~"], "agent_ids": {"aid": "~" * 16}},
        },
        "a b c",
        review="bc",
        words={"a": "cloud instance id"},
    ),
    "azure vmId is the smbios uuid, in the other byte order on linux": Case(
        {
            "azure.a": {"cloud_provider": "Azure", "cloud_instance_id": U, "hostnames": ["az~"]},
            "edr.b": {"smbios_uuid": SWAPPED, "hostnames": ["az~"]},
        },
        "ab",
    ),
    "azure vm by arm id here and by vmId there is one machine": Case(
        {
            "azure.a": {"cloud_provider": "azure", "cloud_instance_id": ARM, "smbios_uuid": U},
            "mdc.b": {"cloud_provider": "azure", "cloud_instance_id": ARM.upper().replace("/SUBSCRIPTIONS", "/subscriptions")},
            "mde.c": {"cloud_provider": "azure", "cloud_instance_id": U, "agent_ids": {"mde": "~" * 20}},
            "edr.d": {"smbios_uuid": SWAPPED},
        },
        "abcd",
    ),
    "two vms of one name in two resource groups": Case(
        {
            "azure.a": {"cloud_instance_id": ARM, "hostnames": ["vm~"]},
            "azure.b": {"cloud_instance_id": ARM.replace("RG-", "DEV-"), "hostnames": ["vm~"]},
            "scan.c": {"hostnames": ["vm~"], "mac_addresses": ["00:0d:3a:~:00:01"]},
        },
        "a b c",
        held="c",
        review="ca cb",
    ),
    "vm deleted and made again under one arm id": Case(
        {
            "mde.a": {"cloud_provider": "azure", "cloud_instance_id": U, "cloud_resource_id": ARM, **OLD},
            "mde.b": {"cloud_provider": "azure", "cloud_instance_id": V, "cloud_resource_id": ARM, **NEW},
        },
        "a b",
    ),
    "vm moved to another resource group keeps its vmId": Case(
        {
            "azure.a": {"cloud_provider": "azure", "cloud_instance_id": U, "cloud_resource_id": ARM, **OLD},
            "azure.b": {"cloud_provider": "azure", "cloud_instance_id": U, "cloud_resource_id": ARM.replace("RG-", "PROD-")},
        },
        "ab",
    ),
    "google instances of one name in two projects": Case(
        {
            "gcp.a": {"cloud_instance_id": "https://www.googleapis.com/compute/v1/projects/p1-~/zones/europe-west1-b/instances/web"},
            "gcp.b": {"cloud_instance_id": "https://www.googleapis.com/compute/v1/projects/p2-~/zones/europe-west1-b/instances/web"},
            "k8s.c": {"cloud_instance_id": "gce://p1-~/europe-west1-b/web"},
            "cai.d": {"cloud_instance_id": "//compute.googleapis.com/projects/p2-~/zones/europe-west1-b/instances/web"},
        },
        "ac bd",
    ),
    "google numeric id is unique and its project may be missing": Case(
        {
            "gcp.a": {"cloud_provider": "gcp", "cloud_account_id": "proj-~", "cloud_instance_id": "8123456789012345¤"},
            "edr.b": {"cloud_provider": "GCE", "cloud_instance_id": "8123456789012345¤"},
            "wiz.c": {"cloud_provider": "Google Cloud", "cloud_instance_id": "//compute.googleapis.com/projects/proj-~/zones/z/instances/8123456789012345¤"},
        },
        "abc",
    ),
    "ec2 by id, arn and provider id": Case(
        {
            "aws.a": {"cloud_account_id": "111111111111", "cloud_instance_id": "i-0abc00000000000~"},
            "edr.b": {"cloud_instance_id": "arn:aws:ec2:eu-west-1:111111111111:instance/i-0abc00000000000~"},
            "k8s.c": {"cloud_instance_id": "aws:///eu-west-1a/I-0ABC00000000000~"},
            "edr.d": {"asset_tag": "i-0abc00000000000~", "smbios_uuid": V},
        },
        "abcd",
    ),
    "one instance id claimed by two accounts": Case(
        {
            "aws.a": {"cloud_account_id": "111111111111", "cloud_instance_id": "i-0abd00000000000~"},
            "aws.b": {"cloud_account_id": "222222222222", "cloud_instance_id": "i-0abd00000000000~"},
            "edr.c": {"cloud_instance_id": "i-0abd00000000000~"},
        },
        "a b c",
        held="c",
        review="ca cb",
    ),
    "account with dashes is the same account": Case(
        {
            "aws.a": {"cloud_account_id": "1111-2222-3333", "cloud_instance_id": "i-0abe00000000000~"},
            "wiz.b": {"cloud_account_id": "111122223333", "cloud_instance_id": "i-0abe00000000000~"},
        },
        "ab",
    ),
    "managed object number means something in one vcenter only": Case(
        {
            "vcenter.dc1.a": {"cloud_provider": "vmware", "cloud_instance_id": "vm-10~", "hostnames": ["v~a"]},
            "vcenter.dc2.b": {"cloud_provider": "vmware", "cloud_instance_id": "vm-10~", "hostnames": ["v~b"]},
        },
        "a b",
    ),
    "autoscaling gives the name and address to the next instance": Case(
        {
            "aws.a": {"cloud_instance_id": "i-0ac000000000000~", "hostnames": ["web-asg~"], "fqdns": ["web-asg~.corp.example"], "ip_addresses": ["10.0.9.4"], **OLD},
            "aws.b": {"cloud_instance_id": "i-0ac100000000000~", "hostnames": ["web-asg~"], "fqdns": ["web-asg~.corp.example"], "ip_addresses": ["10.0.9.4"], **NEW},
            "edr.c": {"cloud_instance_id": "i-0ac100000000000~", "fqdns": ["web-asg~.corp.example"], "agent_ids": {"aid": "~" * 16}},
        },
        "a bc",
    ),
    "autoscaling: agent without instance id is not guessed": Case(
        {
            "aws.a": {"cloud_instance_id": "i-0ac200000000000~", "fqdns": ["asg~.corp.example"]},
            "aws.b": {"cloud_instance_id": "i-0ac300000000000~", "fqdns": ["asg~.corp.example"]},
            "edr.c": {"fqdns": ["asg~.corp.example"]},
        },
        "a b c",
        held="c",
        review="ca cb",
    ),
    "instance restored from a snapshot of another has its agent and sid": Case(
        {
            "aws.a": {"cloud_instance_id": "i-0ad000000000000~", "hostnames": ["db~"], "agent_ids": {"aid": "~" * 16}, "ad_sid": "S-1-5-21-1-2-3-1~"},
            "aws.b": {"cloud_instance_id": "i-0ad100000000000~", "hostnames": ["db~"], "agent_ids": {"aid": "~" * 16}, "ad_sid": "S-1-5-21-1-2-3-1~"},
        },
        "a b",
        words={"a": "cloned"},
    ),
    "physical machine becomes virtual under one directory object": Case(
        {
            "ad.x": {"ad_object_guid": U, "ad_sid": "S-1-5-21-9-9-9-10¤", "hostnames": ["CORP\\P2V~$"], "fqdns": ["p2v~.corp.example"]},
            "edr.a": {"serial_number": "CZ~P2V1", "manufacturer": "HPE", "smbios_uuid": V, "ad_object_guid": U, "hostnames": ["p2v~"], **OLD},
            "edr.b": {"serial_number": "VMware-42 02 30 81 33 1b 58 e1-27 30 ca 56 07 89 e5 ~", "manufacturer": "VMware, Inc.", "ad_object_guid": U, "hostnames": ["p2v~"], **NEW},
        },
        "xab",
    ),
    "physical machine becomes virtual, only the name stays": Case(
        {
            "edr.a": {"serial_number": "CZ~P2V2", "smbios_uuid": V, "fqdns": ["p2w~.corp.example"], **OLD},
            "edr.b": {"smbios_uuid": W, "fqdns": ["p2w~.corp.example"], **NEW},
        },
        "a b",
    ),
    "sysprep forgotten: one machine sid on three desktops with uuids of their own": Case(
        {f"mde.{x}": {"ad_sid": "S-1-5-21-1004336348-1177238915-68200¤", "smbios_uuid": f"~000000-1111-4222-8333-0000000000{x}{x}", "hostnames": [f"dt~{x}"]} for x in "abc"},
        "a b c",
        words={"a": "image cloned"},
    ),
    "sysprep forgotten: one machine sid, placeholder serials, names and cards tell": Case(
        {f"sccm.{x}": {"ad_sid": "S-1-5-21-1004336349-1177238916-68201¤", "serial_number": "Default string", "mac_addresses": [f"3c:7c:3f:~:07:0{x}"], "fqdns": [f"wb{x}~.corp.example"]} for x in "ab"}, "a b", words={"a": "one image on two machines"}
    ),
    "sysprep forgotten: one machine sid and MachineGuid, placeholders for serial and board, an agent each": Case(
        {f"edr.{x}": {"ad_sid": "S-1-5-21-1004336352-1177238916-68201¤", "serial_number": "To be filled by O.E.M.", "smbios_uuid": "03000200-0400-0500-0006-000700080009", "agent_ids": {"machine_guid": U, "aid": f"{x}~" * 8}, "hostnames": [f"wc~{x}"]} for x in "abc"},
        "a b c", words={"a": "image cloned: their names differ, and two other installations of one agent"},
    ),
    "renamed at a dock: the sid of the account, or the machine's sid in two products": Case(
        {"mde.a": {"ad_sid": "S-1-5-21-1004336350-1177238917-68202-1¤", "mac_addresses": ["3c:7c:3f:~:08:0a"], "hostnames": ["ra~"]}, "mde.b": {"ad_sid": "S-1-5-21-1004336350-1177238917-68202-1¤", "mac_addresses": ["3c:7c:3f:~:08:0b"], "hostnames": ["rb~"]}, "mde.c": {"ad_sid": "S-1-5-21-1004336351-1177238917-68203¤", "mac_addresses": ["3c:7c:3f:~:08:0c"], "hostnames": ["rc~"]}, "sccm.d": {"ad_sid": "S-1-5-21-1004336351-1177238917-68203¤", "mac_addresses": ["3c:7c:3f:~:08:0d"], "hostnames": ["rd~"]}}, "ab cd"
    ),
    "linked clones with new hardware and the parent's agent": Case(
        {f"crowdstrike.{x}": {"agent_ids": {"aid": "c~" * 8}, "hostnames": [f"lc~{x}"], "mac_addresses": [f"00:50:56:a2:~:0{x}"]} for x in "abcd"},
        "a b c d",
    ),
    "pod and its node": Case(
        {
            "edr.a": {"serial_number": "CNX~10", "smbios_uuid": U, "hostnames": ["node~"], "mac_addresses": ["3c:7c:3f:~:00:01"]},
            "falco.b": {"serial_number": "CNX~10", "smbios_uuid": U, "hostnames": ["payments-7d9c5b6f4-x2x~"], "attributes": {"model": "Kubernetes Pod"}},
        },
        "a b",
        links=("b runs on a",),
    ),
    "container with the name of its host by host networking": Case(
        {
            "edr.a": {"serial_number": "CNX~11", "hostnames": ["nodeh~"], "mac_addresses": ["3c:7c:3f:~:00:02"], "fqdns": ["nodeh~.corp.example"]},
            "edr.b": {"serial_number": "CNX~11", "hostnames": ["nodeh~"], "mac_addresses": ["3c:7c:3f:~:00:02"], "agent_ids": {"container_id": "~" * 32}},
        },
        "a b",
        links=("b runs on a",),
    ),
    "kubernetes node replaced under one name": Case(
        {
            "k8s.a": {"cloud_instance_id": "aws:///eu-west-1a/i-0ae000000000000~", "hostnames": ["ip-10-0-1-7"], **OLD},
            "k8s.b": {"cloud_instance_id": "aws:///eu-west-1a/i-0ae100000000000~", "hostnames": ["ip-10-0-1-7"], **NEW},
        },
        "a b",
    ),
    "amazon default names are no names": Case(
        {
            "edr.a": {"fqdns": ["ip-10-0-1-9.eu-west-1.compute.internal"], "agent_ids": {"aid": "~" * 16}, "scope": "s~"},
            "scan.b": {"fqdns": ["ip-10-0-1-9.eu-west-1.compute.internal"], "scope": "s~"},
        },
        "a b",
        held="b",
    ),
    "azure default names are no names in a domain": Case(
        {
            "edr.a": {"fqdns": ["app~.reddog.microsoft.com"], "agent_ids": {"aid": "~" * 16}, "scope": "s~"},
            "scan.b": {"fqdns": ["app~.reddog.microsoft.com"], "scope": "s~"},
        },
        "a b",
        held="b",
    ),
    "guest shown the serial number of its host": Case(
        {
            "edr.a": {"serial_number": "CZ~RH", "smbios_uuid": U, "mac_addresses": ["3c:7c:3f:~:00:01"], "hostnames": ["esx~"]},
            "edr.b": {"serial_number": "CZ~RH", "smbios_uuid": V, "mac_addresses": ["00:50:56:ab:~:01"], "hostnames": ["guest~"]},
        },
        "a b",
        links=("b runs on a",),
    ),
    "stack members and their chassis number": Case(
        {
            "dnac.a": {"serial_number": "FCW~A1", "hostnames": ["sw~"], "mac_addresses": ["00:1b:2a:~:00:01"], "ip_addresses": ["10.¤.0.1"]},
            "dnac.b": {"serial_number": "FCW~A2", "hostnames": ["sw~"], "mac_addresses": ["00:1b:2a:~:00:02"], "ip_addresses": ["10.¤.0.1"]},
        },
        "a b",
        links=("a member of b",),
    ),
    "blade replaced in its chassis slot": Case(
        {
            "oneview.a": {"serial_number": "CZ~CHS", "smbios_uuid": U, "hostnames": ["bl~a"], "mac_addresses": ["3c:7c:3f:~:00:01"], **OLD},
            "oneview.b": {"serial_number": "CZ~CHS", "smbios_uuid": V, "hostnames": ["bl~b"], "mac_addresses": ["3c:7c:3f:~:00:02"], **NEW},
        },
        "a b",
    ),
    "openstack instance id is the smbios uuid": Case(
        {"nova.a": {"cloud_provider": "openstack", "cloud_instance_id": U}, "edr.b": {"smbios_uuid": U}}, "ab"
    ),
    "vcenter instance id is no smbios uuid": Case(
        {"vcenter.a": {"cloud_provider": "vmware", "cloud_instance_id": U, "smbios_uuid": V}, "edr.b": {"smbios_uuid": U}}, "a b"
    ),
    "failover copy at the recovery site is registered beside the original": Case(
        {
            "vcenter.dc1.a": {"cloud_provider": "vmware", "cloud_instance_id": U, "hostnames": ["dr~"], "ip_addresses": ["10.0.0.4"], **OLD},
            "vcenter.dr.b": {"cloud_provider": "vmware", "cloud_instance_id": U, "hostnames": ["dr~"], "ip_addresses": ["10.99.0.4"]},
            "edr.c": {"hostnames": ["dr~"], "cloud_instance_id": U},
        },
        "abc",
    ),
    "vm moved to another subscription keeps its vmId": Case(
        {"mdc.a": {"cloud_provider": "azure", "cloud_account_id": "0b5b7a39-0000-4000-8000-00000000000a", "cloud_instance_id": U}, "mde.b": {"cloud_provider": "azure", "cloud_account_id": "0b5b7a39-0000-4000-8000-00000000000b", "cloud_instance_id": U}}, "ab"
    ),
    "failover to the other vcenter keeps the instance id": Case(
        {"vcenter.a": {"cloud_provider": "vmware", "cloud_account_id": "vc-prod", "cloud_instance_id": U, "ip_addresses": ["10.¤.0.4"]}, "vcenter.dr.b": {"cloud_provider": "vmware", "cloud_account_id": "vc-dr", "cloud_instance_id": U, "ip_addresses": ["10.¤.9.4"]}}, "ab"
    ),
    "oracle machine told with its tenancy here and its compartment there": Case(
        {"oci.a": {"cloud_provider": "oci", "cloud_account_id": "ocid1.tenancy.oc1..t~", "cloud_instance_id": "ocid1.instance.oc1.iad.anuw~x"}, "wiz.b": {"cloud_provider": "Oracle Cloud", "cloud_account_id": "ocid1.compartment.oc1..c~", "cloud_instance_id": "OCID1.INSTANCE.OC1.IAD.ANUW~X"}, "oci.c": {"cloud_instance_id": "ocid1.instance.oc1.iad.anuw~y"}}, "ab c"
    ),
    "google instance number of two projects": Case(
        {"gcp.a": {"cloud_provider": "gcp", "cloud_account_id": "proj-a", "cloud_instance_id": "42~¤"}, "wiz.b": {"cloud_provider": "gcp", "cloud_account_id": "proj-b", "cloud_instance_id": "42~¤"}}, "a b"
    ),
    "copies of one template, an agent that knows the uuid only": Case(
        {"vcenter.a": {"smbios_uuid": U, "cloud_instance_id": V}, "vcenter.b": {"smbios_uuid": U, "cloud_instance_id": W}, "edr.c": {"smbios_uuid": U}}, "a b c", held="c", review="ca cb"
    ),
    "stopped and started with a new address": Case(
        {"aws.a": {"cloud_instance_id": "i-0af00000000000~", "ip_addresses": ["10.¤.0.5"], "hostnames": ["ip-10-0-0-5"]}, "wiz.b": {"cloud_instance_id": "i-0af00000000000~", "ip_addresses": ["10.¤.0.9"], "hostnames": ["ip-10-0-0-9"]}}, "ab"
    ),
    "imaged with the agent: one machine guid, two directory ids": Case(
        {"mde.a": {"entra_device_id": V, "agent_ids": {"machine_guid": "~" * 16}}, "mde.b": {"entra_device_id": W, "agent_ids": {"machine_guid": "~" * 16}}, "sccm.c": {"agent_ids": {"machine_guid": "~" * 16}}},
        "a b c", held="c", review="ca cb", words={"a": "agent cloned", "b": "agent cloned"},
    ),
    "containers by their cards, the host without one": Case(
        {"cmdb.h": {"serial_number": "CNX~30", "smbios_uuid": U, "hostnames": ["dh~"]}, "wiz.a": {"serial_number": "CNX~30", "smbios_uuid": V, "hostnames": ["web~"], "mac_addresses": ["02:42:ac:11:00:02"]}, "wiz.b": {"serial_number": "CNX~30", "smbios_uuid": W, "hostnames": ["sql~"], "mac_addresses": ["02:42:ac:11:00:03"]}},
        "h a b", links=("a runs on h", "b runs on h"),
    ),
    "containers by the product that lists them": Case(
        {"cmdb.h": {"serial_number": "CNX~31", "smbios_uuid": U, "hostnames": ["kh~"]}, "kubernetes.a": {"serial_number": "CNX~31", "smbios_uuid": V, "hostnames": ["pay~"]}, "kubernetes.b": {"serial_number": "CNX~31", "smbios_uuid": W, "hostnames": ["cart~"]}},
        "h a b", links=("a runs on h", "b runs on h"),
    ),
    "container of docker with the serial of its host and no uuid": Case(
        {"cmdb.h": {"serial_number": "CNX~32", "hostnames": ["ph~"]}, "docker.a": {"serial_number": "CNX~32", "hostnames": ["shop~"]}}, "h a", links=("a runs on h",)
    ),
    "container without a name has its own uuid": Case(
        {"edr.h": {"serial_number": "CNX~33", "smbios_uuid": U}, "edr.a": {"serial_number": "CNX~33", "smbios_uuid": V, "attributes": {"model": "Docker Container"}}}, "h a", links=("a runs on h",)
    ),
    "containers without a name show the uuid of their host": Case(
        {"edr.h": {"serial_number": "CNX~34", "smbios_uuid": U}, "edr.a": {"smbios_uuid": U, "attributes": {"model": "Docker Container"}}, "edr.b": {"smbios_uuid": U, "attributes": {"model": "Docker Container"}}}, "h a b", held="ab", links=("a runs on h", "b runs on h")
    ),
    "containers that ask the cloud for its id get that of their host": Case(
        {"wiz.h": {"cloud_provider": "aws", "cloud_account_id": "11112222¤3", "cloud_instance_id": "i-0c0de00000000~", "hostnames": ["node~"]}, "prisma.a": {"cloud_instance_id": "i-0c0de00000000~", "hostnames": ["aabbccddee~"]}, "edr.b": {"cloud_account_id": "11112222¤3", "cloud_instance_id": "i-0c0de00000000~", "hostnames": ["cart-7d9c5b6f48-x2xkq"]},
         "prisma.c": {"cloud_instance_id": "i-0c0de00000000~", "attributes": {"model": "Docker container"}}, "siem.d": {"cloud_instance_id": "i-0c0de00000000~", "hostnames": ["AABBCCDDEE~"]}, "cmdb.e": {"cloud_instance_id": "i-0c0de00000000~"}},
        "he ad b c", held="c", links=("a runs on h", "b runs on h", "c runs on h"),
    ),
    "containers without a name, and their host is not listed": Case({f"edr.{x}": {"cloud_instance_id": "i-0c0df00000000~", "agent_ids": {"aid": f"~{x}" * 8}, "attributes": {"model": "Docker container"}} for x in "ab"}, "a b"),
    "container that shows the resource of its host": Case({"mdc.h": {"cloud_resource_id": ARM, "hostnames": ["aks~"]}, "prisma.a": {"cloud_resource_id": ARM, "hostnames": ["aabbccddee~"]}, "edr.b": {"cloud_instance_id": ARM, "hostnames": ["aabbccddff~"]}}, "h a b"),
    "container that has an id of its own in the cloud": Case({f"{product}.{x}": {"cloud_instance_id": "task-0c0de000~", "attributes": {"model": "Container"}} for product, x in (("wiz", "a"), ("prisma", "b"))}, "ab"),
    "containers of one name on a virtual machine, each with a uuid": Case(
        {"edr.h": {"serial_number": "VMware-42 02 30 81 33 1b 58 e1-27 30 ca 56 07 89 e6 ~", "hostnames": ["vh~"]}, "edr.a": {"serial_number": "VMware-42 02 30 81 33 1b 58 e1-27 30 ca 56 07 89 e6 ~", "smbios_uuid": V, "hostnames": ["job~"], "attributes": {"os": "container"}}, "edr.b": {"serial_number": "VMware-42 02 30 81 33 1b 58 e1-27 30 ca 56 07 89 e6 ~", "smbios_uuid": W, "hostnames": ["job~"], "attributes": {"os": "container"}}},
        "h a b", links=("a runs on h", "b runs on h"),
    ),
    "numbers and names that only one console knows": Case(
        {f"proxmox.dc{i}.{x}": {"cloud_provider": "proxmox", "cloud_instance_id": number, "hostnames": [f"px~{x}"]} for x, i, number in (("a", 1, "qemu/10¤"), ("b", 2, "qemu/10¤"), ("c", 1, "instance-00000¤"), ("d", 2, "instance-00000¤"))},
        "a b c d",
    ),
    "number of one console in two products": Case(
        {"proxmox.a": {"cloud_account_id": "px-~", "cloud_instance_id": "qemu/11¤"}, "backup.b": {"cloud_account_id": "PX-~", "cloud_instance_id": "QEMU/11¤"}}, "ab"
    ),
    "ec2 id of eight digits is known everywhere": Case({"aws.a": {"cloud_instance_id": "i-12345¤"}, "edr.b": {"cloud_instance_id": "I-12345¤"}}, "ab"),
    "kubernetes node on vsphere: its provider id is the smbios uuid": Case(
        {"k8s.a": {"cloud_instance_id": f"vsphere://{U}", "smbios_uuid": SWAPPED}, "vcenter.b": {"smbios_uuid": U, "cloud_instance_id": V}, "k8s.c": {"cloud_instance_id": f"vsphere://{W}"}, "edr.d": {"smbios_uuid": W}}, "ab cd"
    ),
    "kubernetes node on openstack and on nutanix": Case(
        {"k8s.a": {"cloud_instance_id": f"openstack:///{U}"}, "k8s.b": {"cloud_instance_id": f"openstack://RegionOne/{U}"}, "nova.c": {"cloud_provider": "openstack", "cloud_instance_id": U}, "k8s.d": {"cloud_instance_id": f"nutanix://{V}"}, "prism.e": {"cloud_provider": "nutanix", "cloud_instance_id": V}}, "abc de"
    ),
    "google machine by its number and by a link that ends in it": Case(
        {"gcp.a": {"cloud_instance_id": "71234567890123¤"}, "scc.b": {"cloud_resource_id": "//compute.googleapis.com/projects/p~/zones/z/instances/71234567890123¤"}}, "ab"
    ),
    "golden image on a laptop and in two clouds: a number that is a uuid is another one than a maker's": Case(
        {
            "edr.a": {"agent_ids": {"aid": "c1~" * 10}, "serial_number": "5CG~GLD", "hostnames": ["gia~"]},
            "edr.b": {"agent_ids": {"aid": "c1~" * 10}, "serial_number": "ec2~000-1111-4222-8333-0000000000bb", "hostnames": ["gib~"]},
            "edr.c": {"agent_ids": {"aid": "c2~" * 10}, "serial_number": "5CG~GLE", "hostnames": ["gic~"]},
            "edr.d": {"agent_ids": {"aid": "c2~" * 10}, "serial_number": "VMware-~ B4 A1 C9 12 F4 4E 74 AF 7C 3B 54 37 7D 15 ~", "hostnames": ["gid~"]},
        },
        "a b c d",
        words={"a": "agent cloned", "d": "agent cloned"},
    ),
    "laptop made a virtual machine, and one whose number only the inventory knows": Case(
        {
            "edr.a": {"agent_ids": {"aid": "c1~" * 10}, "serial_number": "5CG~P2V", "hostnames": ["p2v~"]},
            "edr.b": {"agent_ids": {"aid": "c1~" * 10}, "serial_number": "VMware-~ B4 A1 C9 12 F4 4E 74 AF 7C 3B 54 37 7D 15 ~", "hostnames": ["p2v~"]},
            "cmdb.c": {"serial_number": "VM¤0001", "smbios_uuid": W, "hostnames": ["inv~"]},
            "edr.d": {"serial_number": "VMware-~ 00 00 00 11 11 42 22-83 33 00 00 00 00 00 aa", "hostnames": ["inv~"]},
        },
        "ab cd",
    ),
    "golden image on a hypervisor that makes up the addresses of its cards": Case(
        {
            "edr.a": {"agent_ids": {"aid": "c1~" * 10}, "hostnames": ["kva~"], "mac_addresses": ["52:54:00:~:00:01"]},
            "edr.b": {"agent_ids": {"aid": "c1~" * 10}, "hostnames": ["kvb~"], "mac_addresses": ["52:54:00:~:00:02"]},
            "edr.c": {"ad_sid": "S-1-5-21-17-78-¤", "hostnames": ["kvc~"], "mac_addresses": ["fa:16:3e:~:00:01"]},
            "edr.d": {"ad_sid": "S-1-5-21-17-78-¤", "hostnames": ["kvd~"], "mac_addresses": ["fa:16:3e:~:00:02"]},
        },
        "a b c d",
        words={"a": "agent cloned", "d": "image cloned"},
    ),
    "made-up addresses of one laptop that was renamed, and of a telephone that two products call by two names": Case(
        {
            "edr.a": {"agent_ids": {"aid": "c1~" * 10}, "hostnames": ["mua~"], "mac_addresses": ["3c:52:82:~:00:01", "da:a1:19:~:00:01"]},
            "edr.b": {"agent_ids": {"aid": "c1~" * 10}, "hostnames": ["mub~"], "mac_addresses": ["3c:52:82:~:00:01", "da:a1:19:~:00:02"]},
            "edr.c": {"agent_ids": {"aid": "c2~" * 10}, "hostnames": ["muc~"], "mac_addresses": ["da:a1:19:~:00:03"]},
            "mdm.d": {"agent_ids": {"aid": "c2~" * 10}, "hostnames": ["mud~"], "mac_addresses": ["da:a1:19:~:00:04"]},
        },
        "ab cd",
    ),
    "linked clones: the parent's uuid, an agent that knows uuid, name and card of one": Case(
        {"vcenter.a": {"smbios_uuid": U, "cloud_instance_id": V, "hostnames": ["lca~"], "mac_addresses": ["00:50:56:9a:~:0a"]}, "vcenter.b": {"smbios_uuid": U, "cloud_instance_id": W, "hostnames": ["lcb~"], "mac_addresses": ["00:50:56:9a:~:0b"]}, "edr.c": {"smbios_uuid": U, "hostnames": ["lcb~"], "mac_addresses": ["00:50:56:9a:~:0b"]}}, "a bc"
    ),
    "desktop streamed from an image: its account stays, uuid, card and agent are new": Case(
        {"mde.a": {"ad_object_guid": W, "fqdns": ["mcs~.corp.example"], "smbios_uuid": U, "mac_addresses": ["00:50:56:9a:~:0a"], "agent_ids": {"mde": "a~" * 16}, "observed_at": "2026-11-18T10:00:00Z"}, "mde.b": {"ad_object_guid": W, "fqdns": ["mcs~.corp.example"], "smbios_uuid": V, "mac_addresses": ["00:50:56:9a:~:0b"], "agent_ids": {"mde": "b~" * 16}}}, "ab"
    ),
    "restored from backup under a new instance id, the old one retired": Case(
        {"vcenter.a": {"smbios_uuid": U, "cloud_instance_id": V, "fqdns": ["rb~.corp.example"], "state": "retired", **OLD}, "vcenter.b": {"smbios_uuid": U, "cloud_instance_id": W, "fqdns": ["rb~.corp.example"], **NEW}, "edr.c": {"smbios_uuid": U, "fqdns": ["rb~.corp.example"], **NEW}}, "a bc"
    ),
    "partitions of one power server share its serial number": Case(
        {"edr.a": {"serial_number": "78~F1A", "manufacturer": "IBM", "hostnames": ["lpa~"], "mac_addresses": ["3c:7c:3f:~:00:0a"]}, "edr.b": {"serial_number": "78~F1A", "manufacturer": "IBM", "hostnames": ["lpb~"], "mac_addresses": ["3c:7c:3f:~:00:0b"]}}, "a b"
    ),
    "root volume replaced: the instance id stays, agent and name are new": Case(
        {"aws.a": {"cloud_instance_id": "i-0abe1000000000~"}, "edr.b": {"cloud_instance_id": "i-0abe1000000000~", "agent_ids": {"aid": "a~" * 16}, "hostnames": ["old~"], **OLD}, "edr.c": {"cloud_instance_id": "i-0abe1000000000~", "agent_ids": {"aid": "b~" * 16}, "hostnames": ["new~"], **NEW}}, "abc"
    ),
    "clouds by other names": Case(
        {"prism.a": {"cloud_provider": "Nutanix AHV", "cloud_instance_id": U}, "edr.b": {"smbios_uuid": U}, "nova.c": {"cloud_provider": "Red Hat OpenStack", "cloud_instance_id": V}, "edr.d": {"smbios_uuid": V}}, "ab cd"
    ),
    "google machine by its link beside the number, and by its provider id": Case(
        {"gcp.a": {"cloud_instance_id": "7123456789012¤", "cloud_resource_id": "//compute.googleapis.com/projects/pk-~/zones/z/instances/gke-n1"}, "k8s.b": {"cloud_instance_id": "gce://pk-~/z/gke-n1"}, "k8s.c": {"cloud_instance_id": "gce://pk-~/y/gke-n1"}}, "ab c"
    ),
    "google machine by its full name and by its path": Case(
        {"edr.a": {"cloud_resource_id": "/projects/pk-~/zones/z/instances/gke-n2"}, "mdc.b": {"cloud_resource_id": "//compute.googleapis.com/projects/pk-~/zones/z/instances/gke-n2"}}, "ab"
    ),
    "registered in azure arc, at home in another cloud": Case(
        {"azure.a": {"cloud_provider": "azure", "cloud_resource_id": ARC, "cloud_instance_id": W, "smbios_uuid": U}, "aws.b": {"cloud_provider": "aws", "cloud_account_id": "123456789012", "cloud_instance_id": "i-0abe0000000001~", "smbios_uuid": SWAPPED}, "mdc.c": {"cloud_instance_id": ARC.upper().replace("/SUBSCRIPTIONS", "/subscriptions")}},
        "abc",
    ),
    "registered in azure arc, with its id at the cloud where it is at home": Case(
        {"azure.a": {"cloud_provider": "aws", "cloud_resource_id": ARC, "cloud_instance_id": "i-0abe0000000002~", "cloud_account_id": "123456789012"}, "edr.b": {"cloud_provider": "aws", "cloud_resource_id": ARC, "cloud_instance_id": "i-0abe0000000002~", "cloud_account_id": V}, "scan.c": {"cloud_provider": "aws", "cloud_account_id": "123456789012", "cloud_instance_id": "i-0abe0000000002~"}, "cnapp.d": {"cloud_provider": "aws", "cloud_account_id": "210987654321", "cloud_instance_id": "i-0abe0000000003~"}},
        "abc d",
    ),
    "a name is no instance id of what azure arc registered": Case(
        {"cmdb.a": {"cloud_resource_id": ARC, "cloud_instance_id": "web1"}, "edr.b": {"cloud_resource_id": ARC.replace("RG-", "DMZ-"), "cloud_instance_id": "web1"}}, "a b"
    ),
    "google project by its id and by its number": Case(
        {"edr.a": {"cloud_provider": "gcp", "cloud_account_id": "123456789012", "cloud_instance_id": "7123456789013¤"}, "scan.b": {"cloud_provider": "gcp", "cloud_account_id": "shop-prod-2201", "cloud_instance_id": "7123456789013¤"}}, "ab"
    ),
    "the id that azure arc gives is no uuid of the machine": Case(
        {"azure.a": {"cloud_provider": "azure", "cloud_resource_id": ARC, "cloud_instance_id": W, "serial_number": "CZ~ARC"}, "edr.b": {"serial_number": "CZ~ARC", "smbios_uuid": U}}, "ab"
    ),
    "registered in azure arc anew under another name": Case(
        {"azure.a": {"cloud_resource_id": ARC, "smbios_uuid": U, "hostnames": ["srv~"], **OLD}, "azure.b": {"cloud_resource_id": ARC.replace("srv", "app"), "smbios_uuid": U, "hostnames": ["app~"], **NEW}}, "ab"
    ),
    "two registrations of one uuid at work": Case({"azure.a": {"cloud_resource_id": ARC, "smbios_uuid": U}, "azure.b": {"cloud_resource_id": ARC.replace("srv", "app"), "smbios_uuid": U}}, "a b", review="ab"),
    "registration copied with the disk": Case({"edr.a": {"cloud_resource_id": ARC, "smbios_uuid": U}, "edr.b": {"cloud_resource_id": ARC, "smbios_uuid": V}}, "a b"),
    "guests that show the uuid of their host as serial number": Case(
        {"edr.a": {"smbios_uuid": U, "serial_number": W, "hostnames": ["g~a"]}, "scan.b": {"smbios_uuid": SWAPPED}, "edr.c": {"smbios_uuid": V, "serial_number": W, "hostnames": ["g~b"]}, "edr.h": {"smbios_uuid": W, "serial_number": "CZ~HH", "hostnames": ["h~"]}},
        "ab c h", words={"a": "beside a UUID of its own"},
    ),
    "vcenter tells another uuid than the guest's serial number": Case(
        {"vcenter.a": {"smbios_uuid": V, "serial_number": "VMware-~ b4 a1 c9 12 f4 4e 74-af 7c 3b 54 37 7d 15 ~"}, "edr.b": {"smbios_uuid": U}, "edr.c": {"serial_number": "VMware-~ b4 a1 c9 12 f4 4e 74-af 7c 3b 54 37 7d 15 ~"}}, "abc"
    ),
    "uuid as the file of a virtual machine writes it": Case({"vmx.a": {"smbios_uuid": "~ b4 a1 c9 12 f4 4e 74-af 7c 3b 54 37 7d 15 ~"}, "edr.b": {"smbios_uuid": SWAPPED}}, "ab"),
    **{f"copies of one disk at work in one product under their own names: {name}": Case(
        {"edr.a": {name: value, "hostnames": ["c~a"], "mac_addresses": ["3c:52:82:~:00:01"]}, "edr.b": {name: value, "hostnames": ["c~b"], "mac_addresses": ["3c:52:82:~:00:02"]}}, "a b", review="ab", words={"a": "a clone"}
    ) for name, value in {"entra_device_id": U, "ad_object_guid": U, "cloud_instance_id": "i-0abc0000000000~", "cloud_resource_id": ARM}.items()},
    **{f"copies of one disk in twelve places: {name}": Case(
        {f"edr.{x}": {name: U, "hostnames": [f"c~{x}"], "smbios_uuid": f"~000000-1111-4222-8333-0000000000{i:02}"} for i, x in enumerate("abcdefghijkl")}, "a b c d e f g h i j k l", words={"a": "names, cards or agents"}
    ) for name in ("entra_device_id", "ad_object_guid")},
    "renamed with another card, the row of its old name has fallen silent": Case(
        {"edr.a": {"entra_device_id": U, "hostnames": ["old~"], "mac_addresses": ["3c:52:82:~:00:01"], **OLD}, "edr.b": {"entra_device_id": U, "hostnames": ["new~"], "mac_addresses": ["3c:52:82:~:00:02"], **NEW}}, "ab"
    ),
    "directory id baked into an image, names and boards tell its copies, no cards": Case(
        {f"edr.{x}": {"entra_device_id": W, "hostnames": [f"baked~{x}"], "smbios_uuid": u} for x, u in (("a", U), ("b", V))}, "a b", review="ab", words={"a": "other cards or boards: a clone"}
    ),
    "renamed under one directory id and on another board, one after the other": Case(
        {"edr.a": {"ad_object_guid": W, "hostnames": ["swap~1"], "smbios_uuid": U, **OLD}, "edr.b": {"ad_object_guid": W, "hostnames": ["swap~2"], "smbios_uuid": V, **NEW}}, "ab"
    ),
    "desktop of the day with its directory id, in two products": Case(
        {f"{p}.{x}": {"ad_object_guid": U, "hostnames": ["vdi~"], "mac_addresses": [f"00:50:56:a1:~:{x}{x}"], "smbios_uuid": f"~000000-1111-4222-8333-0000000000{x}{x}"} for x, p in zip("abcd", ("edr", "edr", "mdm", "mdm"), strict=True)}, "abcd"
    ),
}  # fmt: skip

TABLE = CaseTable("device", CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    TABLE.check(name)
