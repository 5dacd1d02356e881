# requires: 3.13
def run(*, timeout=1): pass
run(timeot=3)
