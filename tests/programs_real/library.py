import bz2
import csv
import datetime
import decimal
import doctest
import gzip
import hashlib
import io
import json
import locale
import logging
import lzma
import pickle
import random
import secrets
import select
import selectors
import signal
import socket
import ssl
import statistics
import sys
import tarfile
import time
import unittest
import uuid
import zipfile
import zlib

data = b"data" * 1000
for module in (bz2, gzip, lzma, zlib):
    print(module.__name__, module.decompress(module.compress(data)) == data)
with zipfile.ZipFile("z.zip", "w") as archive:
    archive.writestr("name", data)
print(zipfile.ZipFile("z.zip").read("name") == data)
with tarfile.open("t.tar.xz", "w:xz") as archive:
    archive.add("z.zip")
print(tarfile.open("t.tar.xz").getnames())
print(hashlib.sha256(data).hexdigest()[:16], hashlib.blake2b(data).hexdigest()[:16])
print(len(secrets.token_bytes(8)), uuid.uuid4().version, 0 <= random.SystemRandom().random() < 1)
print(ssl.create_default_context().check_hostname, isinstance(ssl.OPENSSL_VERSION, str))
print(decimal.Decimal(1) / 7, statistics.stdev([1, 2, 3, 4]), datetime.timedelta(hours=5))
print(list(csv.reader(io.StringIO("a,b\n1,2"))), json.dumps({"a": [1, None]}))
print(locale.setlocale(locale.LC_ALL, "C"), time.strftime("%Y", time.gmtime(0)))
ours, theirs = socket.socketpair()
with selectors.DefaultSelector() as selector:
    selector.register(theirs, selectors.EVENT_READ)
    ours.send(b"over a pair")
    print([key.fileobj is theirs for key, _ in selector.select(10)], theirs.recv(100))
print(select.select([], [ours], [], 10)[1] == [ours])
signal.signal(signal.SIGALRM, lambda *args: print("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.01)
signal.sigwait([]) if False else time.sleep(0.1)
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
logging.warning("logged")


class Kept:
    value = 5


print(pickle.loads(pickle.dumps(Kept())).value)


class Case(unittest.TestCase):
    def test_it(self):
        self.assertEqual(1 + 1, 2)


suite = unittest.defaultTestLoader.loadTestsFromTestCase(Case)
print(unittest.TextTestRunner(stream=io.StringIO()).run(suite))
print(doctest.run_docstring_examples.__name__)
with open("written_module.py", "w") as file:
    file.write("def answer(): return 42\n")
sys.path.insert(0, ".")
import written_module

print(written_module.answer())
