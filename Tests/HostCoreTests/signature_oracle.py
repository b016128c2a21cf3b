"""Signatures by other implementations: `cryptography` and botocore, of PyPI. One JSON document in, one out.

{"rsa": {"text"}} makes a key and signs; {"ed25519": {"pem", "text"}} signs; {"aws": {"requests": [...]}} signs each.
"""
import base64
import datetime
import json
import sys


def rsa(wish):
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.asymmetric import rsa as keys

    key = keys.generate_private_key(public_exponent=65537, key_size=wish["bits"])
    form = {
        "pkcs8": serialization.PrivateFormat.PKCS8,
        "pkcs1": serialization.PrivateFormat.TraditionalOpenSSL,
    }[wish["form"]]
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    signature = key.sign(wish["text"].encode(), padding.PKCS1v15(), hashes.SHA256())
    return {"pem": pem.decode(), "signature": base64.b64encode(signature).decode()}


def ed25519(wish):
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(wish["pem"].encode(), None)
    return {"signature": base64.b64encode(key.sign(wish["text"].encode())).decode()}


def aws(wish):
    from botocore import auth
    from botocore.awsrequest import AWSRequest
    from botocore.config import Config
    from botocore.credentials import Credentials

    moment = datetime.datetime.fromtimestamp(wish["seconds"], datetime.timezone.utc)
    # botocore asks the clock; here it is the test's.
    auth.get_current_datetime = lambda remove_tzinfo=True: moment.replace(tzinfo=None)
    signatures = []
    for one in wish["requests"]:
        credentials = Credentials(wish["id"], wish["key"], one.get("session"))
        url = "https://" + one["host"] + one["path"] + ("?" + one["query"] if one["query"] else "")
        request = AWSRequest(one["method"], url, headers=one["headers"], data=one["body"].encode())
        request.context["client_config"] = Config(s3={"payload_signing_enabled": True})
        signer = auth.S3SigV4Auth if one["service"] == "s3" else auth.SigV4Auth
        signer(credentials, one["service"], one["region"]).add_auth(request)
        signatures.append({name.lower(): value for name, value in request.headers.items()})
    return signatures


wish = json.load(sys.stdin)
(name, rest), = wish.items()
print(json.dumps({"rsa": rsa, "ed25519": ed25519, "aws": aws}[name](rest)))
