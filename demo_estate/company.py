"""Fixed facts of the invented company: its name, sites, domains, departments and people's names.

All domain names and public addresses are reserved for examples.
"""

from __future__ import annotations

from demo_estate.entities import Site

COMPANY = "Halden Works"
TENANT_DOMAIN = "haldenworks.onmicrosoft.example"

#: (DNS name, NetBIOS name); the last is a second forest.
DOMAINS = (
    ("corp.example", "CORP"),
    ("eu.corp.example", "EU"),
    ("us.corp.example", "US"),
    ("dev.example", "DEV"),
)
DEV_DOMAIN = 3

SITES = (
    Site(0, "LON", "London", "GB", 0, "office-lon"),
    Site(1, "OSL", "Oslo", "NO", 1, "office-osl"),
    Site(2, "MUC", "Munich", "DE", 1, "office-muc"),
    Site(3, "NYC", "New York", "US", 2, "office-nyc"),
    Site(4, "DEN", "Denver", "US", 2, "office-den"),
    Site(5, "SIN", "Singapore", "SG", 0, "office-sin"),
    Site(6, "GDN", "Gdansk", "PL", 1, "plant-gdn"),
    Site(7, "LAB", "Bristol", "GB", 0, "lab"),
)

DEPARTMENTS = (
    "Engineering",
    "Finance",
    "Sales",
    "Marketing",
    "Human Resources",
    "Legal",
    "Operations",
    "Customer Support",
    "Research",
    "Manufacturing",
    "Procurement",
    "Information Technology",
)
IT_DEPARTMENT = 11
TITLES = ("Analyst", "Specialist", "Engineer", "Coordinator", "Manager", "Senior Engineer", "Consultant", "Associate")

_GIVEN_NAMES = """
    Ada Amir Anna Astrid Ben Bianca Carlos Chen Clara Daniel Diana Elena Emil Eva Farid Fiona Gita Greta Hana Hugo
    Ida Ivan Jack Jana Joao John Julia Kai Karin Lars Lena Leo Linh Lucas Maja Marco Maria Mei Mika Nadia Nils Nina
    Noor Olga Omar Oscar Paula Pedro Petra Priya Rafael Rosa Ruth Samir Sara Sofia Stefan Tara Theo Tom Uma Vera
    Viktor Yara Yusuf Zoe
"""
_SURNAMES = """
    Abbott Adeyemi Ahmed Andersen Baker Bauer Berg Bianchi Brandt Brown Campbell Chen Costa Dahl Davies Diaz Dubois
    Eriksen Evans Fischer Fontaine Garcia Gruber Haas Hansen Harris Hoffmann Ito Ivanova Jansen Johansson Jones Kaya
    Keller Khan Kim Klein Kowalski Kumar Larsen Lee Lehmann Lopez Martin Meyer Moreau Morgan Muller Nakamura Nguyen
    Novak Olsen Okafor Patel Pereira Petrov Popescu Reyes Rossi Sato Schmidt Silva Singh Smith Sousa Suzuki Svensson
    Taylor Torres Vogel Walker Weber White Wilson Wolf Wong Yilmaz Young Zhang Ziegler
"""
GIVEN_NAMES = tuple(_GIVEN_NAMES.split())
SURNAMES = tuple(_SURNAMES.split())

GUEST_DOMAINS = ("partner.example", "supplier.example", "audit.example", "agency.example")

SERVICE_NAMES = ("sql", "backup", "scan", "deploy", "print", "web", "erp", "monitor", "sync", "mail")
