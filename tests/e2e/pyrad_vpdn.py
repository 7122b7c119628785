"""Logs a device in with pyrad and prints its tunnels, a line a Tag: pyrad_vpdn.py SERVER SECRET USER NUMBER."""

import hashlib
import sys

from pyrad_login import login

TYPE, MEDIUM, SERVER, PASSWORD, ASSIGNMENT, PREFERENCE = 64, 65, 67, 69, 82, 83


def clear(secret, authenticator, salt, hidden):
    """A Tunnel-Password behind Tag and salt (RFC 2868 section 3.5), which pyrad can write but not read."""
    before, plain = authenticator + salt, b""
    for at in range(0, len(hidden), 16):
        block = hidden[at : at + 16]
        pad = hashlib.md5(secret + before).digest()
        plain += bytes(octet ^ mask for octet, mask in zip(block, pad, strict=True))
        before = block
    return plain[1 : 1 + plain[0]].decode()


def main():
    server, secret, user, number = sys.argv[1:]
    secret = secret.encode()
    request, reply = login(server, secret, user, "wonderland", [("Calling-Station-Id", number)])
    print("code", reply.code)
    by_tag = {number: {value[0]: value[1:] for value in reply[number]} for number in (TYPE, MEDIUM, SERVER, PREFERENCE)}
    assignments = {value[0]: value[1:].decode() for value in reply[ASSIGNMENT]}
    for value in reply[PASSWORD]:
        tag, salt, hidden = value[0], value[1:3], value[3:]
        assert salt[0] & 0x80, "the top bit of the salt is not set"
        password = clear(secret, request.authenticator, salt, hidden)
        preference, kind, medium = (int.from_bytes(by_tag[it][tag], "big") for it in (PREFERENCE, TYPE, MEDIUM))
        print(tag, preference, kind, medium, by_tag[SERVER][tag].decode(), password, assignments[tag], salt.hex())


main()
