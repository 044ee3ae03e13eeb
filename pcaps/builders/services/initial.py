"""Initial packets of QUIC version 1, protected as RFC 9001 says, with AES of FIPS 197 and its mode of SP 800-38D."""

from __future__ import annotations

import hashlib
import hmac
import struct
from functools import cache
from itertools import pairwise

SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
TAG = 16


def _double(octet: int) -> int:
    return (octet << 1 ^ 0x1B) & 0xFF if octet & 0x80 else octet << 1


@cache
def _substitution() -> bytes:
    table = bytearray(256)
    power = inverse = 1
    while True:
        power ^= _double(power)
        for shift in (1, 2, 4):
            inverse ^= inverse << shift & 0xFF
        inverse ^= 0x09 if inverse & 0x80 else 0
        turned = inverse
        for shift in range(1, 5):
            turned ^= (inverse << shift | inverse >> (8 - shift)) & 0xFF
        table[power] = turned ^ 0x63
        if power == 1:
            break
    table[0] = 0x63
    return bytes(table)


def _round_keys(key: bytes) -> list[bytes]:
    box, words, constant = _substitution(), [key[at : at + 4] for at in range(0, 16, 4)], 1
    while len(words) < 44:
        word = words[-1]
        if len(words) % 4 == 0:
            word = bytes(box[octet] for octet in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = _double(constant)
        words.append(bytes(a ^ b for a, b in zip(words[-4], word, strict=True)))
    return [b"".join(words[at : at + 4]) for at in range(0, 44, 4)]


def aes(key: bytes, block: bytes) -> bytes:
    """One block."""
    box, keys = _substitution(), _round_keys(key)
    state = bytes(a ^ b for a, b in zip(block, keys[0], strict=True))
    for number, round_key in enumerate(keys[1:], 1):
        state = bytes(box[state[(at + 4 * (at % 4)) % 16]] for at in range(16))
        if number < 10:
            mixed = bytearray()
            for column in (state[at : at + 4] for at in range(0, 16, 4)):
                whole = column[0] ^ column[1] ^ column[2] ^ column[3]
                pairs = pairwise((*column, column[0]))
                mixed += bytes(a ^ whole ^ _double(a ^ b) for a, b in pairs)
            state = bytes(mixed)
        state = bytes(a ^ b for a, b in zip(state, round_key, strict=True))
    return state


def _multiply(one: int, other: int) -> int:
    product = 0
    for bit in range(127, -1, -1):
        product ^= other if one >> bit & 1 else 0
        other = other >> 1 ^ (0xE1 << 120 if other & 1 else 0)
    return product


def seal(key: bytes, nonce: bytes, associated: bytes, plain: bytes) -> bytes:
    """Encrypted octets and their tag."""
    blocks = range(0, len(plain), 16)
    stream = b"".join(aes(key, nonce + struct.pack(">I", number)) for number in range(2, len(blocks) + 2))
    sealed = bytes(a ^ b for a, b in zip(plain, stream, strict=False))
    hash_key, digest = int.from_bytes(aes(key, bytes(16))), 0
    padded = b"".join(part + bytes(-len(part) % 16) for part in (associated, sealed))
    padded += struct.pack(">QQ", 8 * len(associated), 8 * len(sealed))
    for at in range(0, len(padded), 16):
        digest = _multiply(digest ^ int.from_bytes(padded[at : at + 16]), hash_key)
    mask = int.from_bytes(aes(key, nonce + struct.pack(">I", 1)))
    return sealed + (digest ^ mask).to_bytes(TAG)


def _expand(secret: bytes, label: bytes, length: int) -> bytes:
    info = struct.pack(">HB", length, 6 + len(label)) + b"tls13 " + label + b"\0\x01"
    return hmac.digest(secret, info, "sha256")[:length]


def packet(connection: bytes, from_client: bool, number: int, frames: bytes, ends: tuple[bytes, bytes]) -> bytes:
    """An Initial packet of 1200 octets to and from these connection identifiers."""
    initial = hmac.digest(SALT, connection, hashlib.sha256)
    secret = _expand(initial, b"client in" if from_client else b"server in", 32)
    key, vector, header_key = (
        _expand(secret, b"quic " + name, size) for name, size in ((b"key", 16), (b"iv", 12), (b"hp", 16))
    )
    destination, source = ends
    header = b"\xc1\0\0\0\x01" + bytes([len(destination)]) + destination + bytes([len(source)]) + source + b"\0"
    length = 1200 - len(header) - 2
    header += struct.pack(">H", 0x4000 | length)
    plain = frames + bytes(length - 2 - TAG - len(frames))
    nonce = vector[:10] + (int.from_bytes(vector[10:]) ^ number).to_bytes(2)
    clear = header + struct.pack(">H", number)
    sealed = seal(key, nonce, clear, plain)
    mask = aes(header_key, sealed[2:18])
    hidden = bytes(a ^ b for a, b in zip(clear[-2:], mask[1:3], strict=True))
    return bytes([clear[0] ^ mask[0] & 0x0F]) + header[1:] + hidden + sealed
