"""Just enough of S3 to make buckets and look into them, with nothing of the program under test in it."""

import datetime
import hashlib
import hmac
import http.client
import re
import urllib.parse

from support import cli

REGION = "us-east-1"


class S3:
    """A server's address with the credentials for it; signs with AWS Signature Version 4."""

    def __init__(self, address: str, access_key: str, secret_key: str):
        self.address = address
        self.access_key = access_key
        self.secret_key = secret_key

    def request(self, method: str, path: str, query=None, body: bytes = b"", headers=None) -> tuple[int, bytes]:
        """Status and body."""
        host = urllib.parse.urlsplit(self.address).netloc
        path = urllib.parse.quote(path, safe="/-_.~")
        query = urllib.parse.urlencode(sorted((query or {}).items()), quote_via=urllib.parse.quote, safe="-_.~")
        now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
        content = hashlib.sha256(body).hexdigest()
        signed = {"host": host, "x-amz-content-sha256": content, "x-amz-date": now}
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        canonical = "\n".join([method, path, query, lines, names, content])
        scope = f"{now[:8]}/{REGION}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = f"AWS4{self.secret_key}".encode()
        for part in (now[:8], REGION, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.new(key, text.encode(), "sha256").hexdigest()
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        connection = http.client.HTTPConnection(host, timeout=30)
        try:
            all_headers = signed | {"authorization": authorization} | (headers or {})
            connection.request(method, path + (f"?{query}" if query else ""), body or None, all_headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def make_bucket(self, name: str) -> "Bucket":
        status, body = self.request("PUT", f"/{name}")
        assert status == 200, (status, body)
        return Bucket(self, name)


class Bucket:
    def __init__(self, server: S3, name: str):
        self.server = server
        self.name = name

    def url(self, folder: str = "data") -> str:
        return f"s3://{self.name}/{folder}"

    def environment(self, **changes: str) -> dict[str, str]:
        """Environment of a program that works in this bucket: the credentials are nowhere else."""
        ours = {
            "AWS_ACCESS_KEY_ID": self.server.access_key,
            "AWS_SECRET_ACCESS_KEY": self.server.secret_key,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.server.address,
            "AWS_ALLOW_HTTP": "true",
        }
        return cli.environment() | ours | changes

    def keys(self, prefix: str = "") -> list[str]:
        found, marker = [], ""
        while True:
            query = {"list-type": "2", "prefix": prefix} | ({"continuation-token": marker} if marker else {})
            status, body = self.server.request("GET", f"/{self.name}", query)
            assert status == 200, (status, body)
            text = body.decode()
            found += re.findall(r"<Key>(.*?)</Key>", text)
            more = re.search(r"<NextContinuationToken>(.*?)</NextContinuationToken>", text)
            if not more:
                return found
            marker = more.group(1)

    def put(self, key: str, body: bytes, **headers: str) -> int:
        return self.server.request("PUT", f"/{self.name}/{key}", body=body, headers=headers)[0]

    def get(self, key: str) -> bytes:
        status, body = self.server.request("GET", f"/{self.name}/{key}")
        assert status == 200, (key, status)
        return body
