names = [n for n in dir() if n not in ("__file__", "__cached__", "__annotations__", "__annotate__")]
print(names)
