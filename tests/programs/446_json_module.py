import json
d = {"a": [1, 2.5, None, True], "ü": "日本", "n": {"x": {}}}
print(json.dumps(d), json.dumps(d, ensure_ascii=False, sort_keys=True))
print(json.dumps(d, indent=2))
print(json.loads('{"x": 1e3, "y": "\\u00e9"}'), json.dumps(float("inf")))
try:
    json.dumps({1, 2})
except TypeError as e:
    print(e)
try:
    json.loads('{"a": }')
except json.JSONDecodeError as e:
    print(e)
