"""An S3-compatible server on this machine, for tests of remotes."""

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
import pytest
from moto.server import ThreadedMotoServer

BUCKET = "shelf"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "anyone", "AWS_SECRET_ACCESS_KEY": "secret"}
ALONE = {
    "AWS_EC2_METADATA_DISABLED": "true",  # or boto asks an address on the internet for credentials
    "AWS_CONFIG_FILE": "none",
    "AWS_SHARED_CREDENTIALS_FILE": "none",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass(frozen=True)
class Server:
    """A server with one bucket, which takes any credentials."""

    url: str

    @property
    def client(self):
        """A client of boto3."""
        return boto3.client("s3", endpoint_url=self.url)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse all credentials for a while."""
        self._set_free_requests(0)
        yield
        self._set_free_requests(10**9)

    def _set_free_requests(self, count: int) -> None:
        request = urllib.request.Request(
            f"{self.url}/moto-api/reset-auth",
            data=str(count).encode(),
            headers={"Content-Type": "text/plain"},
            method="POST",
        )
        urllib.request.urlopen(request).close()


@contextmanager
def running() -> Iterator[Server]:
    """Run a server, with its credentials in the environment."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (ALONE | CREDENTIALS).items():
            patch.setenv(name, value)
        started = Server(f"http://{host}:{port}")
        started.client.create_bucket(Bucket=BUCKET)
        yield started
    server.stop()
