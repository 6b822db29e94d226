"""A mail server on loopback. Prints its port, then each mail that it accepted, a JSON object a line.

usage: server.py PORT [USER PASSWORD]

With TLS_MODE=starttls or tls in the environment, TLS_CERTIFICATE and TLS_KEY are the files that it shows; then nothing is
taken from an open line.

Recipients: unknown@ is refused for good; busy@ for now, the first time; at crash@ the first mail is accepted, but the
sender never hears of it.
"""
import asyncio
import json
import logging
import os
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult


def mode():
    return os.environ.get("TLS_MODE", "")


def certificate():
    if not mode():
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(os.environ["TLS_CERTIFICATE"], os.environ["TLS_KEY"])
    return context


class Handler:
    def __init__(self):
        self.seen = set()

    def first(self, name):
        new = name not in self.seen
        self.seen.add(name)
        return new

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "unknown":
            return f"550 5.1.1 <{address}> does not exist"
        if name == "busy" and self.first(name):
            return f"451 4.2.0 <{address}> is busy"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        said = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "authenticated": session.authenticated,
            "tls": session.ssl is not None or mode() == "tls",
            "content": envelope.content.decode(),
        }
        print(json.dumps(said), flush=True)
        if envelope.rcpt_tos[0].startswith("crash@") and self.first("crash"):
            await asyncio.Event().wait()
        return "250 accepted"


async def main():
    port, credentials = int(sys.argv[1]), tuple(sys.argv[2:4])

    def authenticate(server, session, envelope, mechanism, data):
        right = (data.login.decode(), data.password.decode()) == credentials
        return AuthResult(success=right, handled=False)

    handler = Handler()
    tls = certificate()

    def protocol():
        return SMTP(
            handler,
            authenticator=authenticate if credentials else None,
            auth_required=bool(credentials),
            auth_require_tls=False,
            tls_context=tls if mode() == "starttls" else None,
            require_starttls=mode() == "starttls",
        )

    loop = asyncio.get_running_loop()
    at_once = tls if mode() == "tls" else None
    server = await loop.create_server(protocol, "127.0.0.1", port, ssl=at_once)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


# Credentials over loopback, and handshakes that fail, are what the tests want.
warnings.simplefilter("ignore")
logging.disable(logging.ERROR if mode() else logging.WARNING)
asyncio.run(main())
