import random
random.seed(42)
print(random.random(), random.randint(1, 100), random.choice("abcdef"))
l = list(range(10))
random.shuffle(l)
print(l, random.sample(range(100), 3))
r = random.Random("text seed")
print(r.gauss(0, 1), r.getrandbits(64), r.choices("ab", [1, 9], k=5))
