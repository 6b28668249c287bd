"""Resolution: which records of which products are the same asset, and why.

resolve.resolve decides over observations, jsonl.resolve_jsonl over a file, models.resolve_models is what the build runs. In the
order in which a resolution needs them:

    ladders        what each kind of asset is recognised by; kinds has all of them
    observations   records in: lines of a file as a table; intake numbers the records of any table
    forms          one spelling for every identifier, and what identifies nothing (seeds.yaml)
    decisions      what people decided (decisions.yaml)
    clustering     which records are one asset, over integers: facts
    links          which assets are related
    ids            ids of assets that last
    fields         which source gives each field (precedence.yaml)
    reasons        all of it told to people; resolution has the tables, gate what changed since the last run
"""

import os

# numpy asks the kernel for huge pages, and reads this when it is imported. Where memory is full of files the kernel moves
# them away first, which takes several times as long as giving small pages.
os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")

import pyarrow as pa

# Arrow's own allocator asks for new memory where this one gives back what was freed: a resolution of 100,000 machines takes
# a tenth less, and one of a million 250 MB less.
pa.set_memory_pool(pa.system_memory_pool())
