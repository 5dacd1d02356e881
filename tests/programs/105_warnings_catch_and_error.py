import warnings
with warnings.catch_warnings(record=True) as got:
    warnings.simplefilter("always")
    warnings.warn("a", UserWarning)
    warnings.warn("b", RuntimeWarning)
print([(w.category.__name__, str(w.message), w.lineno) for w in got])
with warnings.catch_warnings():
    warnings.simplefilter("error")
    try:
        warnings.warn("now an error")
    except UserWarning as e:
        print("raised", e)
