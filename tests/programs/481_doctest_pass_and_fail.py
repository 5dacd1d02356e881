import doctest
def double(x):
    """
    >>> double(2)
    4
    >>> double("a")
    'aa'
    """
    return x * 2
print(doctest.testmod())
p = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "made", "made.txt", 0)
r = doctest.DocTestRunner(verbose=False)
r.run(p, out=lambda s: None)
print(r.failures, r.tries)
