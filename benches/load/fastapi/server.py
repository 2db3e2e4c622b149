"""`nearby` with FastAPI: BOTTLE_DB=FILE uvicorn server:app --workers 2"""

import base64
import hashlib
import hmac
import os
import sqlite3
import time
from urllib.parse import unquote

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import FastAPI, Request, Response

COOKIE = "bottle_session"

db = sqlite3.connect(f"file:{os.environ['BOTTLE_DB']}?mode=ro", uri=True)
db.execute(f"PRAGMA mmap_size = {2**36}")
app = FastAPI()


def encryption_key() -> AESGCM:
    """Returns the key for private cookies: the second half of HKDF's output for the file's key."""
    (text,) = db.execute("SELECT value FROM meta WHERE key = 'cookie_key'").fetchone()
    info = b"COOKIE;SIGNED:HMAC-SHA256;PRIVATE:AEAD-AES-256-GCM"
    part = hmac.digest(bytes.fromhex(text), info + b"\x01", "sha256")
    return AESGCM(hmac.digest(bytes.fromhex(text), part + info + b"\x02", "sha256"))


key = encryption_key()


def viewer(request: Request) -> int | None:
    """Returns the account of the live session in the request's private cookie."""
    try:
        sealed = base64.b64decode(unquote(request.cookies[COOKIE]))
        token = key.decrypt(sealed[:12], sealed[12:], COOKIE.encode())
    except (KeyError, ValueError, InvalidTag):
        return None
    found = db.execute(
        """SELECT user_id FROM sessions
           WHERE token_hash = ? AND contract = 'bottle' AND expires_at > ?""",
        (hashlib.sha256(token).digest(), int(time.time() * 1000)),
    ).fetchone()
    return found and found[0]


# Runs on the event loop, because the query takes less time than the trip to a thread.
@app.get("/api/bottles/nearby")
async def nearby(
    request: Request,
    latitude: float,
    longitude: float,
    latitude_span: float,
    longitude_span: float,
) -> Response:
    asks = viewer(request)
    if asks is None:
        return Response(status_code=401)
    rows = db.execute(
        """SELECT bottles.id, owner_id, style, latitude, longitude, formatted_address
           FROM bottles_rtree CROSS JOIN bottles ON bottles.id = bottles_rtree.id
           WHERE max_latitude >= ?1 AND min_latitude <= ?2
             AND max_longitude >= ?3 AND min_longitude <= ?4
             AND latitude BETWEEN ?1 AND ?2 AND longitude BETWEEN ?3 AND ?4
           LIMIT 10000""",
        (
            latitude - latitude_span,
            latitude + latitude_span,
            longitude - longitude_span,
            longitude + longitude_span,
        ),
    ).fetchall()
    bottles = [
        {
            "bottle_id": row[0],
            "style": row[2],
            "is_owner": row[1] == asks,
            "location": {"formatted_address": row[5], "latitude": row[3], "longitude": row[4]},
        }
        for row in sorted(rows)
    ]
    data = {
        "center": {"latitude": latitude, "longitude": longitude},
        "span": {"latitude": latitude_span, "longitude": longitude_span},
        "bottles": bottles,
        "total": len(bottles),
        "truncated": False,
        "next": None,
    }
    answer = {"status": "OK", "msg": "查询附近的漂流瓶成功", "data": data}
    return Response(orjson.dumps(answer), media_type="application/json")
