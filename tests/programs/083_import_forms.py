import os.path as p
import collections.abc, importlib
from xml.etree import ElementTree as ET
m = importlib.import_module("json.decoder")
print(p.join("a", "b"), issubclass(list, collections.abc.Sequence), ET.fromstring("<a b='1'/>").get("b"), m.__name__)
print(__import__("math").floor(1.5))
