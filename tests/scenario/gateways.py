#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gateways.py DIR: answers FastCGI, uwsgi and SCGI on sockets in DIR with a page of ?max_results=N posts.

?half=1 breaks off after the first post. gateways.log has the protocol of each request; a Licet-* parameter is told there too.
"""
import json
import os
import socket
import struct
import sys
import threading
import urllib.parse

DIR = sys.argv[1]


def page(protocol, params):
    told = protocol + "".join(" " + k for k in params if k.startswith("HTTP_LICET"))
    with open(DIR + "/gateways.log", "a") as log:
        log.write(told + "\n")
    query = dict(urllib.parse.parse_qsl(params.get("QUERY_STRING", "")))
    head = "Status: 200 OK\r\nContent-Type: application/json\r\n"
    body = json.dumps({"data": [{"id": str(i)} for i in range(int(query.get("max_results", 10)))]})
    if "half" in query:
        return (head + "Content-Length: 500\r\n\r\n" + '{"data":[{"id":"1"}').encode()
    return (head + "\r\n" + body).encode()


def exactly(f, n):
    data = f.read(n)
    if len(data) < n:
        raise EOFError
    return data


def fastcgi(f):
    params, at = b"", 0
    while True:
        _, kind, request, length, padding, _ = struct.unpack(">BBHHBB", exactly(f, 8))
        content = exactly(f, length)
        exactly(f, padding)
        if kind == 4:
            params += content
        elif kind == 5 and length == 0:
            break
    pairs = {}
    while at < len(params):
        sizes = []
        for _ in range(2):
            size = params[at]
            at += 1
            if size >> 7:
                size = struct.unpack(">I", params[at - 1 : at + 3])[0] & 0x7FFFFFFF
                at += 3
            sizes.append(size)
        name, value = params[at : at + sizes[0]], params[at + sizes[0] : at + sum(sizes)]
        pairs[name.decode()] = value.decode()
        at += sum(sizes)
    out = page("fastcgi", pairs)
    answer = struct.pack(">BBHHBB", 1, 6, request, len(out), 0, 0) + out
    if b"Content-Length: 500" not in out:
        answer += struct.pack(">BBHHBB", 1, 6, request, 0, 0, 0) + struct.pack(">BBHHBB8x", 1, 3, request, 8, 0, 0)
    return answer


def uwsgi(f):
    _, size, _ = struct.unpack("<BHB", exactly(f, 4))
    data, at, words = exactly(f, size), 0, []
    while at < size:
        (length,) = struct.unpack_from("<H", data, at)
        words.append(data[at + 2 : at + 2 + length].decode())
        at += 2 + length
    return page("uwsgi", dict(zip(words[::2], words[1::2])))


def scgi(f):
    size = b""
    while not size.endswith(b":"):
        size += exactly(f, 1)
    words = exactly(f, int(size[:-1])).decode().split("\0")
    return page("scgi", dict(zip(words[::2], words[1::2])))


def serve(name, answer):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("%s/%s.sock" % (DIR, name))
    listener.listen(16)
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as f:
            connection.sendall(answer(f))


for protocol in (fastcgi, uwsgi):
    threading.Thread(target=serve, args=(protocol.__name__, protocol), daemon=True).start()
serve("scgi", scgi)
