def t(v):
    try:
        r = 10 / v
    except (ZeroDivisionError, TypeError) as e:
        print("except", type(e).__name__)
    else:
        print("else", r)
    finally:
        print("finally")
t(2); t(0); t("a")
