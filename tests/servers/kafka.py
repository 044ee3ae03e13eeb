"""One broker of Kafka that is its own controller, from the jars of Maven Central."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.servers.parts import BRIEF, Server, free_port, java, listens, running

VERSION = "4.4.0"
POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>test</groupId><artifactId>kafka</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
</dependencies></project>
"""
SETTINGS: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "auto.create.topics.enable": "true",
    "num.partitions": "3",
    "message.max.bytes": "100000",
}


@dataclass
class Broker:
    """A broker that runs."""

    server: Server
    port: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


@cache
def class_path() -> str:
    """The jars; skips where Maven cannot get them."""
    if not shutil.which("mvn"):
        pytest.skip("no Maven")
    with TemporaryDirectory() as folder:
        Path(folder, "pom.xml").write_text(POM)
        command = ["mvn", "-q", "dependency:build-classpath", f"-Dmdep.outputFile={folder}/classpath"]
        found = subprocess.run(command, cwd=folder, capture_output=True, timeout=600, check=False)
        if found.returncode:
            pytest.skip(f"no org.apache.kafka:kafka_2.13:{VERSION}: Maven has no access to a repository")
        return Path(folder, "classpath").read_text().strip()


@contextmanager
def broker(folder: Path, settings: Mapping[str, str] | None = None, listener: str = "PLAINTEXT") -> Iterator[Broker]:
    """Runs while the context lasts."""
    home, jars = java(17), class_path()
    port, controller = free_port(), free_port()
    protocols = "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL"
    places = {
        "listeners": f"{listener}://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"{listener}://127.0.0.1:{port}",
        "inter.broker.listener.name": listener,
        "listener.security.protocol.map": protocols,
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "log.dirs": f"{folder}/data",
    }
    given = folder / "server.properties"
    given.write_text("".join(f"{key}={value}\n" for key, value in {**SETTINGS, **places, **(settings or {})}.items()))
    command = [str(home / "bin/java"), "-Xms256m", "-Xmx256m", BRIEF, "-cp", jars]
    environment = {"PATH": os.environ["PATH"]}
    formatted = [*command, "kafka.tools.StorageTool", "format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", str(given)]
    subprocess.run(formatted, env=environment, check=True, capture_output=True, timeout=120)
    server = Server([*command, "kafka.Kafka", str(given)], environment, folder / "kafka.log", lambda: listens(port))
    with running(server):
        yield Broker(server, port)
