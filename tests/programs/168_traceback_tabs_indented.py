def f():
	if True:
		return [0][1]
f()
