raise SyntaxError("by hand", ("somefile", 3, 5, "the text of the line", ))
