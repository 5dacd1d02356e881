# requires: 3.11
e = ValueError("base")
e.__notes__ = ["text", 5, "日本"]
raise e
