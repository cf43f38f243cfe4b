"""How the state of an order is packed: its JSON in one frame of Zstandard (RFC 8878).

SQLite has the states of orders that have ended packed, as bytes: such an order is seldom read or written any more,
and lies there for a year. While it lives, to pack its state for every event would take more processor time than the
shorter row saves. PostgreSQL has all packed, as text: there an update writes the whole row anew, and logs it.

The states of two orders have names, statuses and the frame of an item in common. With a dictionary of these 500 of
1,700 bytes are left, without it 750. It is the same for ever: what was written with another one could not be read.
PostgreSQL compresses nothing under 2 kB by itself.
"""

from __future__ import annotations

import binascii

from avisa.store.sql.zstandard import inflated, zstd

_IN_BASE64 = "z"  # what a frame in base64 begins with: no JSON does, and no hexadecimal digits

# What comes last is found at the least cost, so the names that every order has come last.
_DICTIONARY = (
    b'"told_facts":{"reason":"","next_step":""},"told_facts_before":{},"told_once":[],"changed":[],"notes":[],'
    b'"promise_moved_at":17,"promise_moved_before":17,"unreached_at":"","alerts":["stuck"],"asking":[null,null,[],'
    b'"reminders":1,"spent":true,"customers":[[17,-1,1,""]],"customer.phone":["+351","customer.channels":[["email"]],'
    b'"brand":[,"default"],"owner":[,"production"],"reason":[,"next_step":["noticed":["at_risk 2026-"],"due":17'
    b'"packed"],"shipped"],"out_for_delivery"],"delivered"],"cancelled"],"confirmed"],"in_production"],'
    b'"deadline":17,"told_until":17,"told_until_before":17,"counted_from":17,'
    b'"ordinals":{"update":1,"reminder":1,"promise_moved":1,"ask_owner":1},"Europe/Lisbon"],"Europe/Madrid"],'
    b'"America/Sao_Paulo"],"pt-PT"],"pt-BR"],"es"],"en"],"EUR"],"BRL"],'
    b'{"status":"delivered","status_rank":[17,-1,1],"episode":1,"entered_at":17,"final":true,"ended_at":17,"feed":"/0",'
    b'"facts":{"promised_at":[17,-1,1,"2026-"],"customer.id":[17,-1,1,""],"customer.name":[17,-1,1,""],'
    b'"customer.email":[17,-1,1,"@gmail.com"],"customer.locale":[17,-1,1,"pt-PT"],'
    b'"customer.time_zone":[17,-1,1,"Europe/Lisbon"],"details.number":[17,-1,1,""],"details.url":[17,-1,1,"https://'
    b'www."],"details.items":[17,-1,1,[{"name":"","quantity":1},{"name":"","quantity":2}]],'
    b'"details.total":[17,-1,1,".90"],"details.currency":[17,-1,1,"EUR"]},"statuses":[[17,-1,1,"confirmed"],'
    b'[17,-1,2,"in_production"],[17,-1,3,"shipped"],[17,-1,4,"out_for_delivery"],[17,-1,5,"delivered"]],"seen":"",'
    b'"arrivals":1,"told_until":17,"told_until_before":17,"counted_from":17,"ordinals":{"update":1},"seq":1,'
    b'"told_episode":1,"told_seq":1,"promise_first":"2026-","promise_told":"2026-","promise_told_before":"2026-",'
    b'"told_status":"delivered","told_status_before":"out_for_delivery",'
    b'"promise":{"date":"2026-","state":"kept","since":17,"message_seq":1,"fulfilled_at":17}}'
)
_SHARED = zstd.ZstdDict(_DICTIONARY, is_raw=True)
_OPTIONS: dict[int, int] = {
    zstd.CompressionParameter.compression_level: 3,
    zstd.CompressionParameter.window_log: 13,  # few are longer than 8 kB
}
_LONGEST = 4 * 1024 * 1024  # bytes of a state: of its details alone there are 64 KiB, of 200 parts 2 MiB
_COMPRESSOR = zstd.ZstdCompressor(options=_OPTIONS, zstd_dict=_SHARED)


def pack(state: str) -> bytes:
    """The JSON of a state, compressed."""
    return _COMPRESSOR.compress(state.encode(), zstd.ZstdCompressor.FLUSH_FRAME)


def pack_as_text(state: str) -> str:
    """The same in base64."""
    return _IN_BASE64 + binascii.b2a_base64(pack(state), newline=False).decode()


def unpack(state: str) -> str:
    """The JSON of a state, written as it is, packed as text, or packed in hexadecimal digits. Raises ValueError if it
    is longer than any state; what is in the store may be from somebody else."""
    if state.startswith("{"):
        return state
    packed = binascii.a2b_base64(state[1:]) if state.startswith(_IN_BASE64) else bytes.fromhex(state)
    return inflated(packed, _SHARED, most=_LONGEST).decode()
