from unittest import mock
m = mock.Mock(return_value=3)
print(m(1, k=2), m.call_args, m.call_count)
with mock.patch("json.dumps", lambda o: "patched"):
    import json
    print(json.dumps({}))
print(json.dumps({}))
try:
    m.assert_called_with(5)
except AssertionError as e:
    print("assertion")
