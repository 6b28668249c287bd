"""Resolution: which records of which products are the same asset, and why.

resolve.resolve decides over observations, jsonl.resolve_jsonl over a file; survivorship.Survivors gives the values of
the merged assets; gate.changes and gate.gate hold a run against the last published one; manual.load_decisions reads
what people decided; models.resolve_models is what the build runs.
"""

import os

# numpy asks the kernel for huge pages, and reads this when it is imported. Where memory is full of files the kernel moves
# them away first, which takes several times as long as giving small pages.
os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")

import pyarrow as pa

# Arrow's own allocator asks for new memory where this one gives back what was freed: a resolution of 100,000 machines takes
# a tenth less, and one of a million 250 MB less.
pa.set_memory_pool(pa.system_memory_pool())
