print("héllo wörld ñ 日本語 🐍 \u200b|\u2028|")
print("e\u0301", len("e\u0301"), "🐍"[0], len("🐍"))
print(ascii("日本"), "ß".upper(), "İ".lower().encode())
