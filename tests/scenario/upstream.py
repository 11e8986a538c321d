#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""upstream.py PORT KIND: a platform on loopback for the stories that varnishtest cannot tell.

KIND stream: three chunks of four posts, some time apart.   page N: a page of N posts with a Content-Length.
     half:   the head promises more than comes, then the connection closes.   silent: half, then nothing.   mute: no head.
"""
import http.server
import json
import random
import sys
import time


def post(i):
    noise = "%0200x" % random.Random(i).getrandbits(800)  # does not compress away
    return {"id": str(10**18 + i), "text": "post %d of a page that is as long as pages are " % i + noise}


# made before anybody can ask for it
PAGE = json.dumps({"data": [post(i) for i in range(int(sys.argv[3]) if len(sys.argv) > 3 else 0)]}).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def do_GET(self):
        try:
            self.answer()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def answer(self):
        kind = sys.argv[2]
        if self.path.endswith("?wait"):
            time.sleep(0.8)
        if self.path.startswith("/stream") and kind == "stream":
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for i in range(3):
                self.chunk(json.dumps({"data": [{"id": str(4 * i + j)} for j in range(4)]}).encode() + b"\n")
                time.sleep(0.1)
            self.chunk(b"")
            return
        if kind == "mute":
            time.sleep(5)
            return
        body = PAGE
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if kind in ("half", "silent"):
            body = body[: len(body) // 2]
        self.wfile.write(body)
        self.wfile.flush()
        if kind == "silent":
            time.sleep(5)
        if kind in ("half", "silent"):
            self.close_connection = True


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
