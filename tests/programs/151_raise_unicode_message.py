raise ValueError("größer als 日本 🐍 \u2028 \x07 end")
