#!/usr/bin/env bash
# dicomweb-client 0.61.2: when a store request of more than chunk_size is retried, the second request has an empty body.
#
# Bodies larger than chunk_size (1 MB by default) go out chunked, from a generator that is made once; the retry, which is on by
# default for 429, 408, 504 and 503 answers, sends the same generator again, which has nothing left. An archive that was only busy gets
# an empty request the second time, and a lenient one that answers it with 200 leaves the caller believing that its objects
# are stored. Ways round it: set_http_retry_params(retry=False), or a chunk_size above the largest body.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check dicomweb-client==0.61.2 pydicom==3.0.2 numpy==2.3.5
"$work/env/bin/python" - <<'END'
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer as HTTPServer
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid
from dicomweb_client import DICOMwebClient

sizes = []

class Archive(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        size = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(size)
        while self.headers.get("Transfer-Encoding") == "chunked":
            length = int(self.rfile.readline(), 16)
            self.rfile.read(length + 2)
            size += length
            if not length:
                break
        sizes.append(size)
        self.send_response(503 if len(sizes) == 1 else 200)
        self.send_header("Content-Type", "application/dicom+json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Archive)
threading.Thread(target=server.serve_forever, daemon=True).start()
picture = Dataset()
picture.file_meta = FileMetaDataset()
picture.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
picture.file_meta.MediaStorageSOPClassUID = picture.SOPClassUID = SecondaryCaptureImageStorage
picture.file_meta.MediaStorageSOPInstanceUID = picture.SOPInstanceUID = generate_uid()
picture.StudyInstanceUID, picture.SeriesInstanceUID = generate_uid(), generate_uid()
picture.Rows, picture.Columns, picture.BitsAllocated, picture.SamplesPerPixel = 1500, 1000, 16, 1
picture.PixelData = bytes(3_000_000)
answer = DICOMwebClient(f"http://127.0.0.1:{server.server_address[1]}/dicom-web").store_instances([picture])
print("bytes of the first request:", sizes[0], "of the second:", sizes[1:], "answer:", type(answer).__name__)
server.shutdown()
assert sizes[0] > 3_000_000 and sizes[1:] == [0], sizes
END
echo "as stated: the retry was empty, and taken for a success"
