#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""platform.py LOG PORT...: a platform on loopback for the stories about nginx's own directives.

Each request is a line of LOG: the port's place in the list, method, target, and the request headers in lower case.
  /search?max_results=N  a page of N posts (10), with N ids       /items/x  one post in an object
  /auth?status=N         an empty answer                          ?sleep=S   after S seconds
  ?brief=1               to be cached for a second
  ?encoded=1             gzip where it is asked for               ?ranges=1  a part where one is asked for
  ?broken=K              the K-th port of the list answers 500    ?close=K   the K-th port hangs up without an answer
"""
import gzip
import http.server
import json
import sys
import threading
import time
import urllib.parse

log_lock = threading.Lock()


def handler(place, log):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def do_GET(self):
            headers = " ".join("%s=%s" % (k.lower(), v) for k, v in self.headers.items())
            with log_lock:
                log.write("%d %s %s %s\n" % (place, self.command, self.path, headers))
                log.flush()
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            target = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(target.query))
            time.sleep(float(query.get("sleep", 0)))
            if query.get("close") == str(place):
                self.close_connection = True
                return
            status = 500 if query.get("broken") == str(place) else int(query.get("status", 200))
            posts = [{"id": str(i), "text": "post %d" % i} for i in range(int(query.get("max_results", 10)))]
            page = {"data": {"id": "1"}} if target.path.startswith("/items/") else {"data": posts}
            body = json.dumps(page).encode() if status == 200 and not target.path.startswith("/auth") else b""
            span = self.headers.get("Range") if query.get("ranges") else None
            if "gzip" in self.headers.get("Accept-Encoding", "") and query.get("encoded"):
                body = gzip.compress(body)
            whole = len(body)
            if span:
                first, last = span.split("=")[1].split("-")
                last = min(int(last or whole), whole - 1)
                body, status = body[int(first) : last + 1], 206
            self.send_response(status)
            if span:
                self.send_header("Content-Range", "bytes %s-%d/%d" % (first, last, whole))
            if "gzip" in self.headers.get("Accept-Encoding", "") and query.get("encoded"):
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", '"page"')
            if query.get("brief"):
                self.send_header("X-Accel-Expires", "1")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_POST = do_PUT = do_GET

    return Handler


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


with open(sys.argv[1], "a") as out:
    servers = [Server(("127.0.0.1", int(port)), handler(i, out)) for i, port in enumerate(sys.argv[2:], 1)]
    for server in servers[:-1]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    servers[-1].serve_forever()
