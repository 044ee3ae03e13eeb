"""A server of OPC UA with its clients on loopback, by asyncua (LGPL-3.0: a tool of tests, in a process of its own).

    python -m tests.servers.opcua_plant PORT FOLDER

Sessions: anonymous, by user name (wrong, then right), signed, encrypted, and with a certificate that a second server
(at the next port) does not trust. Each reads, writes, browses or calls; what each met is told as a line of JSON.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import sys
from pathlib import Path
from typing import Any, Final

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.methods import uamethod
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
from asyncua.server.server import Server
from asyncua.server.user_managers import UserManager
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.services.leaks import SECRET

SPEED: Final = "ns=2;s=Pump.Speed"
RESET: Final = "ns=2;s=Pump.Reset"
USER: Final = "eva"


class Users(UserManager):
    """Everybody may do everything; a user needs the password."""

    def get_user(
        self, iserver: Any, username: str | None = None, password: Any = None, certificate: Any = None
    ) -> User | None:
        """Who opens a session; none where the password is another."""
        if username is None:
            return User(role=UserRole.Admin)
        given = password.encode() if isinstance(password, str) else password
        return User(role=UserRole.Admin, name=username) if (username, given) == (USER, SECRET) else None


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that an application made for itself, and its key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"urn:plant:{name}")]), False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.der", folder / f"{name}.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.DER))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


@uamethod
def reset(_: Any, user: str, word: str) -> bool:
    """A method that is given a secret."""
    return bool(user and word)


async def serve(port: int, folder: Path) -> Server:
    """A pump with a speed and a method."""
    server = Server(user_manager=Users())
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/pumps")
    await server.set_application_uri("urn:plant:server")
    server.set_server_name("Pump server")
    server.set_security_policy(
        [
            ua.SecurityPolicyType.NoSecurity,
            ua.SecurityPolicyType.Basic256Sha256_Sign,
            ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
        ],
    )
    shown, key = certificate(folder, "server")
    await server.load_certificate(str(shown))
    await server.load_private_key(str(key))
    await server.register_namespace("urn:plant:pumps")
    pump = await server.nodes.objects.add_object(ua.NodeId.from_string("ns=2;s=Pump"), "2:Pump")
    speed = await pump.add_variable(ua.NodeId.from_string("ns=2;s=Pump.Speed"), "2:Speed", 1450.5)
    await speed.set_writable()
    texts = [ua.VariantType.String, ua.VariantType.String]
    await pump.add_method(ua.NodeId.from_string("ns=2;s=Pump.Reset"), "2:Reset", reset, texts, [ua.VariantType.Boolean])
    return server


async def work(client: Client, value: float) -> None:
    """What each session does."""
    async with client:
        await client.nodes.objects.get_children()
        speed = client.get_node(SPEED)
        await speed.read_value()
        await speed.write_value(ua.DataValue(ua.Variant(value, ua.VariantType.Double)))
        await client.get_node("ns=2;s=Pump").call_method(
            ua.NodeId.from_string("ns=2;s=Pump.Reset"), USER, SECRET.decode()
        )


async def session(name: str, client: Client, value: float) -> None:
    """One session, and what became of it."""
    try:
        await work(client, value)
    except Exception as error:  # whatever the stack raises is what is told
        print(json.dumps([name, type(error).__name__]), flush=True)
    else:
        print(json.dumps([name, "done"]), flush=True)


def user(url: str, password: str, kind: type[Client] = Client) -> Client:
    client = kind(url)
    client.set_user(USER)
    client.set_password(password)
    return client


class InTheClear(Client):
    """A client that does not encrypt the password."""

    def server_policy(self, token_type: ua.UserTokenType) -> ua.UserTokenPolicy:
        policy = super().server_policy(token_type)
        policy.SecurityPolicyUri = None
        return policy


async def secured(url: str, folder: Path, mode: ua.MessageSecurityMode, password: str | None) -> Client:
    client = Client(url) if password is None else user(url, password)
    client.application_uri = "urn:plant:client"
    shown, key = folder / "client.der", folder / "client.pem"
    await client.set_security(SecurityPolicyBasic256Sha256, str(shown), str(key), mode=mode)
    return client


async def main(port: int, folder: Path) -> None:
    """Serves, and asks."""
    certificate(folder, "client")
    password = SECRET.decode()
    server, strict = await serve(port, folder), await serve(port + 1, folder)
    (folder / "trusted").mkdir()
    other, _ = certificate(folder, "somebody-else")
    other.rename(folder / "trusted" / other.name)
    trusted = TrustStore([folder / "trusted"], [])
    await trusted.load()
    strict.set_certificate_validator(CertificateValidator(CertificateValidatorOptions.TRUSTED_VALIDATION, trusted))
    url, distrusts = (f"opc.tcp://127.0.0.1:{one}/pumps" for one in (port, port + 1))
    modes = ua.MessageSecurityMode
    async with server, strict:
        await session("anonymous", Client(url), 1500)
        await session("wrong password", user(url, password[::-1]), 1)
        await session("user", user(url, password), 1510)
        await session("in the clear", user(url, password, InTheClear), 1515)
        await session("signed", await secured(url, folder, modes.Sign, password), 1520)
        await session("encrypted", await secured(url, folder, modes.SignAndEncrypt, password), 1530)
        await session("not trusted", await secured(distrusts, folder, modes.SignAndEncrypt, None), 1540)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
