import uuid, ipaddress
from urllib.parse import urlparse, quote, parse_qs, urljoin
print(uuid.uuid5(uuid.NAMESPACE_DNS, "example.org"), uuid.UUID(int=5))
print(ipaddress.ip_address("10.0.0.1") in ipaddress.ip_network("10.0.0.0/8"))
print(urlparse("http://u@h:80/p?q=1#f").port, quote("a b/é"), parse_qs("a=1&a=2"), urljoin("http://x/a/b", "../c"))
