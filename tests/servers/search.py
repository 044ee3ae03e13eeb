"""Elasticsearch and OpenSearch: the nodes that their own tests run, from Maven Central, with nothing in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.servers.parts import BRIEF, Server, free_port, java, listens, maven, running, unprivileged

Product = Literal["elasticsearch-9", "elasticsearch-8", "opensearch-3"]


@dataclass(frozen=True)
class Distribution:
    """Where a product comes from, and what it needs."""

    group: str
    name: str
    version: str
    java: tuple[int, int]
    settings: Mapping[str, str]


DISTRIBUTIONS: Mapping[Product, Distribution] = {
    "elasticsearch-9": Distribution(
        "org.elasticsearch.distribution.integ-test-zip",
        "elasticsearch",
        "9.5.3",
        (21, 99),
        {"xpack.security.enabled": "false"},
    ),
    "elasticsearch-8": Distribution(
        "org.elasticsearch.distribution.integ-test-zip",
        "elasticsearch",
        "8.19.21",
        (17, 24),
        {"xpack.security.enabled": "false"},
    ),
    "opensearch-3": Distribution("org.opensearch.distribution.integ-test-zip", "opensearch", "3.6.0", (21, 99), {}),
}
SETTINGS: Mapping[str, str] = {
    "cluster.name": "test",
    "discovery.type": "single-node",
    "network.host": "127.0.0.1",
    "cluster.routing.allocation.disk.threshold_enabled": "false",
}


@dataclass
class Node:
    """A node that runs."""

    server: Server
    port: int
    config: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def node(
    folder: Path,
    product: Product = "elasticsearch-9",
    settings: Mapping[str, str] | None = None,
    files: Sequence[Path] = (),
    user: tuple[str, str] | None = None,
) -> Iterator[Node]:
    """A node that runs while the context lasts. `files` are put into its configuration; `user` is made a superuser."""
    made = DISTRIBUTIONS[product]
    home = java(*made.java)
    with zipfile.ZipFile(maven(made.group, made.name, made.version)) as file:
        file.extractall(folder)
    unpacked = next(path for path in folder.iterdir() if path.name.startswith(made.name))
    for script in (unpacked / "bin").iterdir():
        script.chmod(0o755)
    port, config = free_port(), folder / "config"
    shutil.copytree(unpacked / "config", config)
    for path in files:
        shutil.copy(path, config)
    places = {
        "http.port": str(port),
        "transport.port": str(free_port()),
        "path.data": f"{folder}/data",
        "path.logs": f"{folder}/logs",
    }
    lines = [f"{key}: {value}" for key, value in {**SETTINGS, **made.settings, **places, **(settings or {})}.items()]
    (config / f"{made.name}.yml").write_text("\n".join(lines) + "\n")
    prefix = made.name.upper()
    short = "ES" if made.name == "elasticsearch" else prefix
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        f"{short}_PATH_CONF": str(config),
        f"{short}_JAVA_HOME": str(home),
        f"{short}_JAVA_OPTS": f"-Xms512m -Xmx512m {BRIEF}",
    }
    if user is not None:
        command = [str(unpacked / "bin/elasticsearch-users"), "useradd", user[0], "-p", user[1], "-r", "superuser"]
        subprocess.run(command, env=environment, check=True, capture_output=True)
    command = [*unprivileged(folder), str(unpacked / "bin" / made.name)]
    with running(Server(command, environment, folder / "node.log", lambda: listens(port))) as server:
        yield Node(server, port, config)
