"""Private authorities, proxies, and the certificate of the service, on real TLS connections."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from consumer.adapters import tls
from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import SystemClock
from consumer.adapters.nakadi import Nakadi
from consumer.adapters.tls import Tls
from consumer.adapters.token import NoToken
from consumer.commands.check_table import _remedy
from consumer.core.lasting import REMIND_SECONDS
from consumer.errors import Misconfigured, Retryable
from tests.authority import PASSWORD, Authority, needs_openssl, openssl
from tests.connect_proxy import ConnectProxy, connect_proxy
from tests.unit.adapters.aws_environment import point_at
from tests.wire import Say, Wire, http, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = needs_openssl
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def server(authority: Authority) -> AsyncIterator[Wire]:
    async with wire(authority.server()) as running:
        running.say(Say(http(b"{}")))
        yield running


@pytest.fixture
async def strict(authority: Authority) -> AsyncIterator[Wire]:
    """A server that wants a certificate of its clients."""
    async with wire(authority.server(wants_client=True)) as running:
        running.say(Say(http(b"{}"), "close"))
        yield running


@pytest.fixture
async def proxy() -> AsyncIterator[ConnectProxy]:
    async with connect_proxy() as running:
        yield running


@pytest.fixture(autouse=True)
def environment(use_aws: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        use_aws.delenv(name, raising=False)
    for name in PROXIES:
        use_aws.delenv(name, raising=False)
        use_aws.delenv(name.lower(), raising=False)
    return use_aws


def nakadi(url: str, identity: Tls | None = None) -> Nakadi:
    return Nakadi(url, "orders", NoToken(), SystemClock(), concurrency=1, timeout=5.0, tls=identity)


async def failure(url: str, identity: Tls | None = None) -> tuple[str, str]:
    """How a request to Nakadi fails: reason and text; both empty if it does not."""
    async with nakadi(url, identity) as port:
        try:
            await port.event_type()
        except Retryable as error:
            return error.reason, str(error)
        return "", ""


async def aws_failure() -> tuple[str, str]:
    async with Aws() as aws:
        client = DynamoDbStreams(await aws.streams(1), await aws.dynamodb(1), SystemClock())
        try:
            await client.get_records("iterator")
        except Retryable as error:
            return error.reason, str(error)
        return "", ""


async def test_a_private_authority_of_nakadi(
    server: Wire, authority: Authority, environment: pytest.MonkeyPatch
) -> None:
    reason, text = await failure(server.url)
    assert (reason, "certificate verify failed" in text) == ("tls", True)
    environment.setenv("SSL_CERT_FILE", str(authority.pem))
    assert await failure(server.url) == ("", "")


async def test_a_private_authority_of_aws(
    server: Wire, authority: Authority, environment: pytest.MonkeyPatch
) -> None:
    point_at(environment, server.url)
    server.say(Say(http(b'{"Records":[],"NextShardIterator":"next"}')))
    reason, text = await aws_failure()
    assert (reason, "certificate verify failed" in text) == ("tls", True)
    environment.setenv("AWS_CA_BUNDLE", str(authority.pem))
    assert await aws_failure() == ("", "")


def test_check_names_the_variable() -> None:
    failed = Retryable("certificate verify failed", "tls")
    assert "SSL_CERT_FILE" in _remedy("event type", failed)
    for dependency in ("stream", "lease table", "dead letter queue"):
        assert "AWS_CA_BUNDLE" in _remedy(dependency, failed)


@pytest.mark.parametrize("content", [None, "not a certificate"])
async def test_an_authority_that_cannot_be_read_is_one_line(
    environment: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_text(content)
    environment.setenv("SSL_CERT_FILE", str(file))
    with pytest.raises(Misconfigured, match=r"SSL_CERT_FILE: found .*authority\.pem.*wanted"):
        Tls()
    point_at(environment, "https://127.0.0.1:1")
    environment.setenv("AWS_CA_BUNDLE", str(file))
    async with Aws() as aws:
        with pytest.raises(Misconfigured, match=r"AWS_CA_BUNDLE: found .*authority\.pem.*wanted"):
            await aws.dynamodb(1)


async def test_a_client_certificate(
    strict: Wire, authority: Authority, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("SSL_CERT_FILE", str(authority.pem))
    cert, key = authority.issue("relay")
    assert (await failure(strict.url))[0] != ""
    assert await failure(strict.url, Tls(cert, key)) == ("", "")
    both = tmp_path / "both.pem"
    both.write_text(cert.read_text() + key.read_text())
    assert await failure(strict.url, Tls(both)) == ("", "")


async def test_a_renewed_certificate_is_shown_without_a_restart(
    strict: Wire,
    authority: Authority,
    environment: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The old one is of another authority, and is not accepted."""
    environment.setenv("SSL_CERT_FILE", str(authority.pem))
    environment.setattr(tls, "PAUSE", 0.0)
    cert, key = (tmp_path / "tls.crt", tmp_path / "tls.key")
    for source, target in zip(
        Authority.make(tmp_path / "old").issue("a"), (cert, key), strict=True
    ):
        shutil.copy(source, target)
    async with nakadi(strict.url, Tls(cert, key)) as port:
        with pytest.raises(Retryable):
            await port.event_type()
        new_cert, new_key = authority.issue("renewed")
        cert.unlink()
        with capture_logs() as logs, pytest.raises(Retryable):
            await port.event_type()
        shutil.copy(new_cert, cert)  # the key is still the old one
        with pytest.raises(Retryable):
            await port.event_type()
        shutil.copy(new_key, key)
        assert (await port.event_type())[0] == 200
    assert [each["event"] for each in logs] == ["client_certificate_unreadable"]


def test_files_that_stay_unusable_are_named_again_and_their_return_is_told(
    authority: Authority, tmp_path: Path
) -> None:
    cert, key = (tmp_path / name for name in ("tls.crt", "tls.key"))
    for source, target in zip(authority.issue("used"), (cert, key), strict=True):
        shutil.copy(source, target)
    shown = Tls(cert, key)
    aside = cert.rename(tmp_path / "aside")
    with capture_logs() as logs:
        for now in range(1, int(REMIND_SECONDS + 2 * tls.PAUSE), 5):
            shown.refresh(float(now))
        aside.rename(cert)  # the same file, unchanged
        shown.refresh(2 * REMIND_SECONDS)
        cert.rename(aside)
        shown.refresh(3 * REMIND_SECONDS)
    assert [(log["event"], log.get("condition"), log.get("detail")) for log in logs] == [
        ("client_certificate_unreadable", None, "No such file or directory"),
        ("client_certificate_unreadable", None, "No such file or directory"),
        ("condition_over", "client_certificate_unreadable", None),
        ("client_certificate_unreadable", None, "No such file or directory"),
    ]


def test_a_certificate_that_cannot_be_used_is_one_line(
    authority: Authority, tmp_path: Path
) -> None:
    cert, key = authority.issue("used")
    locked = tmp_path / "locked.key"
    openssl("ec", "-in", key, "-aes128", "-passout", f"pass:{PASSWORD}", "-out", locked)
    other = authority.issue("other")[1]
    for pair in ((tmp_path / "absent", key), (cert, other), (cert, locked), (cert, None)):
        with pytest.raises(Misconfigured, match="CONSUMER_NAKADI_CLIENT_CERT_FILE") as caught:
            Tls(*pair)
        assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:.*(BasicAuth|proxy_auth).*:DeprecationWarning")  # of a library
async def test_a_proxy_with_a_password(
    server: Wire, proxy: ConnectProxy, authority: Authority, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SSL_CERT_FILE", str(authority.pem))
    environment.setenv("AWS_CA_BUNDLE", str(authority.pem))
    environment.setenv("HTTPS_PROXY", proxy.url())
    point_at(environment, server.url)
    server.say(Say(http(b'{"Records":[],"NextShardIterator":"next"}')))
    assert await failure(server.url) == ("", "")
    assert await aws_failure() == ("", "")
    host = server.url.removeprefix("https://")
    assert {line.split(" ")[1] for line in proxy.requests} == {host}
    proxy.requests.clear()
    environment.setenv("NO_PROXY", "127.0.0.1")
    assert await failure(server.url) == ("", "")
    assert await aws_failure() == ("", "")
    assert proxy.requests == []


async def test_a_service_account_asks_the_sts_of_its_region(
    proxy: ConnectProxy, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The global one, which botocore asks without a region, is in us-east-1."""
    token = tmp_path / "token"
    token.write_text("a.b.c")
    environment.setenv("HTTPS_PROXY", proxy.url())
    environment.setenv("AWS_REGION", "eu-central-1")
    environment.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    environment.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/relay")
    environment.setattr("botocore.retryhandler.delay_exponential", lambda *_, **__: 0.0)
    assert (await aws_failure())[0] == "credentials"
    assert {line.split(" ")[1] for line in proxy.requests} == {"sts.eu-central-1.amazonaws.com:443"}


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    "proxy",
    ["http://proxy..example:3128", f"{'a' * 64}:3128", "http://u:s3cret@256.0.0.1:1", "[:::1]:1"],
)
def test_a_proxy_that_cannot_be_looked_up_is_refused_at_the_start(
    environment: pytest.MonkeyPatch, name: str, proxy: str
) -> None:
    environment.setenv(name, proxy)
    with pytest.raises(Misconfigured, match=f"^{name.upper()}: found a value that is not shown"):
        Tls()


@pytest.mark.parametrize(
    "proxy", ["proxy", "http://proxy.example.:3128/", "https://u:p%40@10.0.0.1:1", "http://[::1]:1"]
)
def test_a_proxy_that_may_be_one_is_accepted(environment: pytest.MonkeyPatch, proxy: str) -> None:
    environment.setenv("HTTPS_PROXY", proxy)
    assert Tls().context
