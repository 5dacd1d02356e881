import ast
t = ast.parse("x = 1 + f(y)\nfor i in z: pass")
print([type(n).__name__ for n in t.body], ast.dump(t.body[0].targets[0]))
print(ast.literal_eval("[1, {'a': (2.5, None)}]"), ast.unparse(ast.parse("a=b  if c else d")))
class V(ast.NodeVisitor):
    def visit_Name(self, n): print("name", n.id)
V().visit(t)
tree = ast.parse("1 + 2", mode="eval")
tree.body.op = ast.Mult()
print(eval(compile(tree, "<ast>", "eval")))
