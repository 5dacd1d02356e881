x, s, d = 3.14159, "hi", {"k": 1}
print(f"{x:.2f} {x:>10.3f}| {s!r:>6} {s:*^8} {d['k']} {{literal}}")
print(f"{x=} {s = } {x*2=:.1f}")
w = 10
print(f"{s:>{w}} {1000000:,} {255:#x} {0.25:.0%} {5:+d} {-5:05d}")
print(f"""multi {
    s
} line""", rf"\d{s}")
print(f"{(lambda v: v * 2)(4)} {'nested ' + f'{s}'}")
