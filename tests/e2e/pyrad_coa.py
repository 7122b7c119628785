"""Sends a CoA- or Disconnect-Request with pyrad and judges the answer: pyrad_coa.py SERVER SECRET coa|disconnect NAS."""

import os
import socket
import sys

from pyrad import packet
from pyrad.dictionary import Dictionary


def main():
    server, secret, kind, nas = sys.argv[1:]
    words = os.path.join(os.path.dirname(__file__), "pyrad_dictionary")
    code = {"coa": packet.CoARequest, "disconnect": packet.DisconnectRequest}[kind]
    request = packet.CoAPacket(code=code, secret=secret.encode(), dict=Dictionary(words))
    request["NAS-IP-Address"] = nas
    request["Acct-Session-Id"] = "from pyrad"
    data = request.RequestPacket()
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.settimeout(5)
    link.sendto(data, (server, 3799))
    data = link.recv(4096)
    reply = request.CreateReply(packet=data)
    assert request.VerifyReply(reply, data), "the Response Authenticator does not verify"
    print("code", reply.code, "verified")


main()
