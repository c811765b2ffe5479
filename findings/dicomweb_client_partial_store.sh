#!/usr/bin/env bash
# dicomweb-client 0.61.2: store_instances() returns normally when the archive says that it refused objects.
#
# By PS3.18 10.5.3 a STOW-RS server answers 202 (Accepted) when some instances were stored with warnings or failed, and lists
# the failures in FailedSOPSequence. The client raises for 4xx and 5xx only; its own look at FailedSOPSequence stands behind
# `if not response.ok`, which nothing reaches after raise_for_status(). So an answer of 202, or of 200, with failures comes back like any
# other: the caller has to look into the returned data set for FailedSOPSequence.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check dicomweb-client==0.61.2 pydicom==3.0.2 numpy==2.3.5
"$work/env/bin/python" - <<'END'
import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer as HTTPServer
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid
from dicomweb_client import DICOMwebClient

said = []
logging.getLogger("dicomweb_client").addHandler(type("Keep", (logging.Handler,), {"emit": lambda self, r: said.append(r)})())
refusal = {"00081150": {"vr": "UI", "Value": [SecondaryCaptureImageStorage]}, "00081197": {"vr": "US", "Value": [0xA700]}}
body = json.dumps({"00081198": {"vr": "SQ", "Value": [refusal]}}).encode()

class Archive(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202)
        self.send_header("Content-Type", "application/dicom+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Archive)
threading.Thread(target=server.serve_forever, daemon=True).start()
object_ = Dataset()
object_.file_meta = FileMetaDataset()
object_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
object_.file_meta.MediaStorageSOPClassUID = object_.SOPClassUID = SecondaryCaptureImageStorage
object_.file_meta.MediaStorageSOPInstanceUID = object_.SOPInstanceUID = generate_uid()
object_.StudyInstanceUID, object_.SeriesInstanceUID = generate_uid(), generate_uid()
answer = DICOMwebClient(f"http://127.0.0.1:{server.server_address[1]}/dicom-web").store_instances([object_])
server.shutdown()
reason = answer.FailedSOPSequence[0].FailureReason
print(f"returned {type(answer).__name__}, FailureReason {reason:04X}H, warnings logged: {len(said)}")
assert reason == 0xA700 and not said
END
echo "as stated: no exception and no warning, though nothing was stored"
