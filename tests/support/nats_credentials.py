# SPDX-License-Identifier: MIT
"""NATS' decentralised accounts for a test: an operator, an account that may use JetStream, a user's .creds file.

Keys are Ed25519 (openssl makes them and signs); NATS writes them in base32 with a prefix and a CRC-16, and what they vouch for as
JWTs. Only the standard library and openssl are used.
"""

import base64
import json
import subprocess
import time
from pathlib import Path

OPERATOR, ACCOUNT, USER, SEED = 14 << 3, 0, 20 << 3, 18 << 3
UNLIMITED = {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": True, "conn": -1, "leaf": -1}
JETSTREAM = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=True).stdout


def encode(raw):
    """Base32 with the CRC-16 (XMODEM) behind it."""
    crc = 0
    for byte in raw:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
            crc &= 0xFFFF
    return base64.b32encode(raw + crc.to_bytes(2, "little")).decode().rstrip("=")


class Key:
    def __init__(self, directory, prefix):
        self.file = Path(directory) / f"key-{prefix}-{time.monotonic_ns()}.pem"
        self.file.write_bytes(openssl("genpkey", "-algorithm", "ed25519"))
        public = openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")[-32:]
        private = openssl("pkey", "-in", self.file, "-outform", "DER")[-32:]
        self.name = encode(bytes([prefix]) + public)
        self.seed = encode(bytes([SEED | prefix >> 5, (prefix & 31) << 3]) + private)

    def vouch(self, subject, name, nats):
        """A JWT of this key about `subject`."""
        claims = {"jti": name, "iat": int(time.time()), "iss": self.name, "name": name, "sub": subject.name}
        parts = [{"typ": "JWT", "alg": "ed25519-nkey"}, {**claims, "nats": {**nats, "version": 2}}]
        text = ".".join(base64url(json.dumps(part).encode()) for part in parts)
        unsigned = self.file.with_suffix(".txt")
        unsigned.write_text(text)
        signature = openssl("pkeyutl", "-sign", "-inkey", self.file, "-rawin", "-in", unsigned)
        return f"{text}.{base64url(signature)}"


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Accounts:
    """`config` is for the server; user() writes a .creds file that it lets in."""

    def __init__(self, directory):
        self.directory = Path(directory)
        operator = Key(directory, OPERATOR)
        system = Key(directory, ACCOUNT)
        self.account = Key(directory, ACCOUNT)
        tokens = {
            key.name: operator.vouch(key, name, {"type": "account", "limits": limits, "default_permissions": {"pub": {}, "sub": {}}})
            for key, name, limits in [(system, "SYS", UNLIMITED), (self.account, "A", {**UNLIMITED, **JETSTREAM})]
        }
        self.config = "\n".join([
            f"operator: {operator.vouch(operator, 'O', {'type': 'operator'})}",
            f"system_account: {system.name}",
            "resolver: MEMORY",
            "resolver_preload: {",
            *(f"  {name}: {token}" for name, token in tokens.items()),
            "}",
        ])  # fmt: skip

    def user(self, name, signer=None):
        user = Key(self.directory, USER)
        nats = {"type": "user", "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1}
        token = (signer or self.account).vouch(user, name, nats)
        file = self.directory / f"{name}.creds"
        file.write_text(
            f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
        )
        file.chmod(0o600)
        return file
