"""A certificate authority of a company, made by the program `openssl`."""

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.patience import PATIENCE

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(
    OPENSSL is None, reason="no openssl (Debian: apt-get install openssl)"
)

PASSWORD = "word"  # noqa: S105 - of a key that is made for a test
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def openssl(*words: object) -> None:
    command = [str(OPENSSL), *map(str, words)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)


@dataclass(frozen=True)
class Authority:
    """`pem` is what has to be trusted; certificates are made in `folder`."""

    folder: Path
    pem: Path

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        folder.mkdir(exist_ok=True)
        pem = folder / "authority.pem"
        openssl("req", "-x509", *KEY, "-nodes", "-days", 2, "-subj", "/CN=authority",
                "-keyout", folder / "authority.key", "-out", pem)  # fmt: skip
        return cls(folder, pem)

    def issue(self, name: str) -> tuple[Path, Path]:
        """Certificate and key of a server on 127.0.0.1, or of a client."""
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        openssl("req", "-x509", *KEY, "-nodes", "-days", 2, "-subj", f"/CN={name}",
                "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                "-addext", "basicConstraints=critical,CA:FALSE",
                "-CA", self.pem, "-CAkey", self.folder / "authority.key",
                "-keyout", key, "-out", cert)  # fmt: skip
        return cert, key

    def server(self, *, wants_client: bool = False) -> ssl.SSLContext:
        """What a server with a certificate of this authority needs."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.pem)
        context.load_cert_chain(*self.issue("server"))
        context.verify_mode = ssl.CERT_REQUIRED if wants_client else ssl.CERT_NONE
        return context
