if True:
	print("tab indented")
	if True:
		print("deeper")
print("after form feed")
