"""What a signed URL of CloudKey costs, beside one of other clouds by their own libraries."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from measure import Effort, Peer, Work, compare
from table import Row

from cloudreel.cloudkey.nonces import fresh_nonce
from cloudreel.signing import sign_url
from signing import KEY, URL

LIFE = timedelta(hours=2)


def rows(effort: Effort) -> Iterator[Row]:
    """Yield a row for each of the other clouds."""

    def ours() -> str:
        return sign_url(URL, KEY, expires=int(time.time()) + 7200, nonce=fresh_nonce())

    rsa = ("cryptography",)
    peers = [
        (Peer("botocore", s3, "S3, SigV4", ("botocore",)), 140),
        (Peer("botocore", cloudfront, "CloudFront", ("botocore", *rsa)), 260),
        (Peer("google-cloud-storage", google, "V4", ("google.cloud.storage", *rsa)), 270),
    ]
    for peer, times in peers:
        yield compare("signed URL", ours, peer, effort, target=1 / times)


def s3() -> Work:
    """Return botocore's signer of S3 URLs."""
    from botocore.config import Config
    from botocore.session import Session

    session = Session()
    session.set_credentials("AKIAEXAMPLEEXAMPLE", "secret/example")
    s3v4 = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    client = session.create_client("s3", region_name="eu-west-1", config=s3v4)
    where = {"Bucket": "films", "Key": "4c922386dede830447000009/mp4_h264_aac.mp4"}
    return partial(client.generate_presigned_url, "get_object", Params=where, ExpiresIn=7200)


def cloudfront() -> Work:
    """Return botocore's signer of CloudFront URLs, over the RSA of cryptography."""
    from botocore.signers import CloudFrontSigner
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def sign(message: bytes) -> bytes:
        signature: bytes = key.sign(message, padding.PKCS1v15(), hashes.SHA1())  # CloudFront's only choice
        return signature

    signer = CloudFrontSigner("KEXAMPLE", sign)
    return lambda: signer.generate_presigned_url(URL, date_less_than=datetime.now(UTC) + LIFE)


def google() -> Work:
    """Return Google's signer of Cloud Storage URLs."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from google.cloud.storage import Client
    from google.oauth2.service_account import Credentials

    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "client_email": "films@example.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.example/token",
        "private_key": pem.decode(),
    }
    client = Client(project="films", credentials=Credentials.from_service_account_info(account))
    blob = client.bucket("films").blob("4c922386dede830447000009/mp4_h264_aac.mp4")
    return lambda: blob.generate_signed_url(version="v4", expiration=LIFE)
