"""A client of ClamAV's daemon: one file in, one verdict out, over its INSTREAM command."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

SECONDS = 20
CHUNK = 64 * 1024


class Unavailable(Exception):
    """No verdict: it can't be reached, takes too long, or says something else than a verdict."""


@dataclass(frozen=True, slots=True)
class Verdict:
    clean: bool


def scan(data: bytes, address: str) -> Verdict:
    """Ask the daemon at `address` (host:port, or the path of its socket). Raises Unavailable."""
    try:
        with _connect(address) as connection:
            connection.sendall(b"zINSTREAM\0")
            for start in range(0, len(data), CHUNK):
                part = data[start : start + CHUNK]
                connection.sendall(struct.pack(">I", len(part)) + part)
            connection.sendall(struct.pack(">I", 0))
            answer = b""
            while not answer.endswith(b"\0") and len(answer) < 4096:
                more = connection.recv(4096)
                if not more:
                    break
                answer += more
    except (OSError, ValueError) as error:
        raise Unavailable from error
    said = answer.rstrip(b"\0\r\n")
    if said == b"stream: OK":
        return Verdict(clean=True)
    if said.startswith(b"stream: ") and said.endswith(b" FOUND"):
        return Verdict(clean=False)
    raise Unavailable


def _connect(address: str) -> socket.socket:
    if address.startswith("/"):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(SECONDS)
        try:
            connection.connect(address)
        except OSError:
            connection.close()
            raise
        return connection
    host, _colon, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS)
