"""Logs in with pyrad and judges the answer: pyrad_login.py SERVER SECRET USER PASSWORD."""

import hashlib
import hmac
import os
import socket
import struct
import sys

from pyrad import packet
from pyrad.dictionary import Dictionary


def login(server, secret, user, password, more=()):
    """Gives the request and its reply, which verifies and has its Message-Authenticator first."""
    words = os.path.join(os.path.dirname(__file__), "pyrad_dictionary")
    request = packet.AuthPacket(code=packet.AccessRequest, secret=secret, dict=Dictionary(words))
    request["User-Name"] = user
    request["User-Password"] = request.PwCrypt(password)
    request["NAS-Identifier"] = "pyrad"
    for name, value in more:
        request[name] = value
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.settimeout(5)
    # The Message-Authenticator by hand: pyrad's releases differ in what they offer for it.
    data = request.RequestPacket() + b"\x50\x12" + bytes(16)
    data = data[:2] + struct.pack(">H", len(data)) + data[4:]
    data = data[:-16] + hmac.new(secret, data, hashlib.md5).digest()
    link.sendto(data, (server, 1812))
    data = link.recv(4096)
    reply = request.CreateReply(packet=data)
    assert request.VerifyReply(reply, data), "the Response Authenticator does not verify"
    assert data[20] == 80 and data[21] == 18, "Message-Authenticator is not the first attribute"
    zeroed = data[:4] + request.authenticator + data[20:22] + bytes(16) + data[38:]
    assert hmac.new(secret, zeroed, hashlib.md5).digest() == data[22:38], "the Message-Authenticator does not verify"
    assert struct.unpack(">H", data[2:4])[0] == len(data)
    return request, reply


if __name__ == "__main__":
    _, answer = login(sys.argv[1], sys.argv[2].encode(), sys.argv[3], sys.argv[4])
    print("code", answer.code, "message-authenticator verified")
