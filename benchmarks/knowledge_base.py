"""The whole knowledge base of Qualys: one XML answer without paging, up to 2 GB, through the connector and the landing.

    python benchmarks/knowledge_base.py                      # 2 GB
    python benchmarks/knowledge_base.py --megabytes 200

A server in a process of its own writes the answer while it is read: entries of about 10 KB, most of it text for people, as
the vendor's are. Printed: entries, seconds and MB of XML a second of the whole sync (fetch, land, type), and the peak memory of
the process that syncs.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.pull import whole_sync
from benchmarks.replayed import Place

WANTED_MB = 400
MEGABYTE = 1024**2
ENTRIES = 100
#: Stands for the id of a check, in a block that is written again and again.
MARK = b"Q" * 9
TEXT = (
    "<P>An attacker who is on the network may send a packet to the service, which reads past the end of a buffer. " * 28
)
ENTRY = f"""<VULN><QID>{MARK.decode()}</QID><VULN_TYPE>Vulnerability</VULN_TYPE><SEVERITY_LEVEL>4</SEVERITY_LEVEL>
<TITLE><![CDATA[Remote code execution in a service]]></TITLE><CATEGORY>Windows</CATEGORY>
<LAST_SERVICE_MODIFICATION_DATETIME>2026-10-01T12:00:00Z</LAST_SERVICE_MODIFICATION_DATETIME>
<PUBLISHED_DATETIME>2026-01-01T12:00:00Z</PUBLISHED_DATETIME><PATCHABLE>1</PATCHABLE>
<SOFTWARE_LIST>
{"<SOFTWARE><PRODUCT><![CDATA[server]]></PRODUCT><VENDOR><![CDATA[contoso]]></VENDOR></SOFTWARE>" * 3}</SOFTWARE_LIST>
<CVE_LIST>{"<CVE><ID><![CDATA[CVE-2026-12345]]></ID><URL><![CDATA[http://cve.example/CVE-2026-12345]]></URL></CVE>" * 4}</CVE_LIST>
<DIAGNOSIS><![CDATA[{TEXT}]]></DIAGNOSIS><CONSEQUENCE><![CDATA[{TEXT[:1500]}]]></CONSEQUENCE>
<SOLUTION><![CDATA[{TEXT}]]></SOLUTION>
<CVSS><BASE source="service">7.5</BASE><TEMPORAL>5.5</TEMPORAL></CVSS><CVSS_V3><BASE>8.8</BASE><TEMPORAL>7.7</TEMPORAL></CVSS_V3>
<PCI_FLAG>1</PCI_FLAG><THREAT_INTELLIGENCE><THREAT_INTEL id="2"><![CDATA[Exploit_Public]]></THREAT_INTEL></THREAT_INTELLIGENCE>
<DISCOVERY><REMOTE>1</REMOTE></DISCOVERY></VULN>
""".encode()
OPENING = "<?xml version='1.0' encoding='UTF-8' ?><{0}><RESPONSE><DATETIME>2026-11-23T06:30:00Z</DATETIME>"
ENDING = "</RESPONSE></{0}>"
LISTS = ("HOST_LIST_VM_DETECTION_OUTPUT", "KNOWLEDGE_BASE_VULN_LIST_OUTPUT")


def answer(size: int) -> Iterator[bytes]:
    """The knowledge base, about `size` bytes in blocks."""
    yield (OPENING.format(LISTS[1]) + "<VULN_LIST>").encode()
    for number in range(size // len(ENTRY)):
        yield ENTRY.replace(MARK, b"%09d" % (number + 100_000))
    yield ("</VULN_LIST>" + ENDING.format(LISTS[1])).encode()


def serve(size: int, pipe: Any) -> None:
    """Serve until the process is ended: the knowledge base, and an empty list of detections."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/xml")
            self.end_headers()
            if "/knowledge_base/" in self.path:
                self.wfile.writelines(answer(size))
            else:
                self.wfile.write((OPENING + ENDING).format(LISTS[0]).encode())

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pipe.send(f"http://127.0.0.1:{server.server_port}")
    server.serve_forever()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=2048)
    arguments = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    server = spawn.Process(target=serve, args=(arguments.megabytes * MEGABYTE, theirs), daemon=True)
    server.start()
    try:
        options = {"username": "u", "knowledge_base": "all"}
        place = Place(ours.recv(), options, {"password": "p"})
        result = spawn.Queue()
        with tempfile.TemporaryDirectory() as home:
            sync = spawn.Process(target=whole_sync, args=("qualys", place, home, result, ("knowledge_base",)))
            sync.start()
            whole = result.get()
            sync.join()
    finally:
        server.terminate()
    print(
        f"{whole['records']:,} entries, {arguments.megabytes:,} MB of XML: {whole['seconds']:.0f} s, "
        f"{arguments.megabytes / whole['seconds']:.1f} MB/s, peak {whole['peak_mb']:.0f} MB "
        f"(imports {whole['imports_mb']:.0f} MB), {', '.join(sorted(whole['states']))}"
    )
    print(f"wanted: complete, below {WANTED_MB} MB")
    return 0 if whole["peak_mb"] < WANTED_MB and whole["states"] == {"complete"} else 1


if __name__ == "__main__":
    sys.exit(main())
