from graphlib import TopologicalSorter, CycleError
print(list(TopologicalSorter({"c": {"b"}, "b": {"a"}}).static_order()))
try:
    list(TopologicalSorter({"a": {"b"}, "b": {"a"}}).static_order())
except CycleError as e:
    print(e.args[0])
