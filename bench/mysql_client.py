"""As much of the MySQL protocol as it takes to log in and stay idle, without any dependency."""

import hashlib
import socket
import struct


def _scramble(password, nonce):
    first = hashlib.sha256(password).digest()
    second = hashlib.sha256(hashlib.sha256(first).digest() + nonce).digest()
    return bytes(a ^ b for a, b in zip(first, second))


def _read_packet(sock):
    def exactly(n):
        data = b""
        while len(data) < n:
            part = sock.recv(n - len(data))
            if not part:
                raise ConnectionError("the server closed the connection")
            data += part
        return data

    header = exactly(4)
    return header[3], exactly(header[0] | header[1] << 8 | header[2] << 16)


def _write_packet(sock, seq, payload):
    sock.sendall(struct.pack("<I", len(payload))[:3] + bytes([seq]) + payload)


def connect(host, port, user, password):
    """Logs in by caching_sha2_password's fast path and returns the idle socket."""
    sock = socket.create_connection((host, port))
    seq, greeting = _read_packet(sock)
    end = greeting.index(0, 1)
    nonce = greeting[end + 5:end + 13]
    nonce += greeting[end + 32:end + 44]
    capabilities = 0x0000_0001 | 0x0000_0200 | 0x0000_8000 | 0x0008_0000 | 0x0020_0000 | 0x0100_0000
    proof = _scramble(password.encode(), nonce)
    _write_packet(sock, seq + 1, struct.pack("<IIB23x", capabilities, 1 << 24, 45) + user.encode() + b"\0"
                  + bytes([len(proof)]) + proof + b"caching_sha2_password\0")
    while True:
        seq, answer = _read_packet(sock)
        if answer[0] == 0:
            return sock
        if answer[:2] != b"\x01\x03":
            raise ConnectionError(f"login refused: {answer!r}")
