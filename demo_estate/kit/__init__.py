"""What every emulated vendor is built from: a strict little HTTP server and the state vendors keep.

Standard library only (orjson for speed). Nothing here knows a product or the company.
"""

from demo_estate.kit.buckets import Bucket, BucketState
from demo_estate.kit.clock import VirtualClock
from demo_estate.kit.exports import ExportJob, ExportJobs
from demo_estate.kit.faults import Fault, FaultPlan
from demo_estate.kit.http import Refusal, Request, Response, Route, Router
from demo_estate.kit.journal import Journal
from demo_estate.kit.pagers import CursorExpired, Cursors, keyset_slice, link_header, page_bounds
from demo_estate.kit.service import Service
from demo_estate.kit.tokens import TokenStore, basic_credentials, bearer_token

__all__ = [
    "Bucket",
    "BucketState",
    "CursorExpired",
    "Cursors",
    "ExportJob",
    "ExportJobs",
    "Fault",
    "FaultPlan",
    "Journal",
    "Refusal",
    "Request",
    "Response",
    "Route",
    "Router",
    "Service",
    "TokenStore",
    "VirtualClock",
    "basic_credentials",
    "bearer_token",
    "keyset_slice",
    "link_header",
    "page_bounds",
]
