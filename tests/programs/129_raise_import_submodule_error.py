import json.nothing_here
