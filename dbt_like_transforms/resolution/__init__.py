"""Resolution: which records of which products are the same asset, and why.

resolve.resolve decides over observations, jsonl.resolve_jsonl over a file, models.resolve_models is what the build runs. The files
in the order in which a resolution needs them:

    what identifies     ladder; kinds: devices (device_forms), identities, applications
    records in          observations, intake; normalise, suppress (seeds.yaml); facts: all of it as integers
    decisions in        manual (decisions.yaml), applied
    which are one       clustering
    related assets      links
    ids                 assets, inheritance
    values              survivorship (precedence.yaml), over told, values, chosen, objects, gathered
    told to people      resolution: its tables; reasons; gate
"""

import os

# numpy asks the kernel for huge pages, and reads this when it is imported. Where memory is full of files the kernel moves
# them away first, which takes several times as long as giving small pages.
os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")

import pyarrow as pa

# Arrow's own allocator asks for new memory where this one gives back what was freed: a resolution of 100,000 machines takes
# a tenth less, and one of a million 250 MB less.
pa.set_memory_pool(pa.system_memory_pool())
