# requires: 3.13
import warnings
@warnings.deprecated("use g")
def f(): return 1
with warnings.catch_warnings(record=True) as got:
    warnings.simplefilter("always")
    f()
print(got[0].category.__name__, got[0].message)
