import shlex, difflib, email.message
print(shlex.split("a 'b c' \"d\\\"e\""), shlex.quote("it's"))
print("\n".join(difflib.unified_diff(["a", "b"], ["a", "c"], lineterm="")))
print(difflib.get_close_matches("appel", ["ape", "apple", "peach"]))
m = email.message.EmailMessage()
m["Subject"] = "Hi"
m.set_content("body")
print(m.as_string())
