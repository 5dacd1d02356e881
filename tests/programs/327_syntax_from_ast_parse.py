import ast
def load(text):
    return ast.parse(text, filename="<config>")
load("a = 1\nb = (2,\n")
