"""The vectors of DrawRulesTests, by another implementation than the server's: python3 tests/Core/Draws/draw_vectors.py"""
import hashlib
import hmac

SEED = bytes(range(32))
ORDERS = [(f"0190b5c8{i:024x}", "1A", f"user-{i}") for i in range(6)]


def entry(order, offer, user):
    return hashlib.sha256(f"{order}:{offer}:{user}".encode("ascii")).digest()


print("commitment", hashlib.sha256(SEED).hexdigest())
entries = [entry(*order) for order in ORDERS]
for order, one in zip(ORDERS, entries):
    print("entry", ":".join(order), one.hex())
for one in sorted(entries, key=lambda e: hmac.new(SEED, e, hashlib.sha256).digest()):
    print("drawn", hmac.new(SEED, one, hashlib.sha256).hexdigest()[:8], one.hex())
