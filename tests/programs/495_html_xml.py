import html
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
print(html.escape("<a href='x'>"), html.unescape("&eacute;&lt;"))
r = ET.fromstring("<r><i n='1'>a</i><i n='2'/></r>")
print([(i.get("n"), i.text) for i in r.iter("i")], ET.tostring(r))
class P(HTMLParser):
    def handle_starttag(self, tag, attrs): print("start", tag, attrs)
    def handle_data(self, d): print("data", repr(d))
P().feed("<p class=x>hi <b>there</b></p>")
try:
    ET.fromstring("<a><b></a>")
except ET.ParseError as e:
    print(e)
