def _reseed_generators(seed: int, names: "dict[str, object]") -> "list[str]":
    """Gives each random generator that is bound to one of these names a state that follows from the seed and the name. Returns the names."""
    import hashlib, random, sys

    numpy, torch = sys.modules.get("numpy.random"), sys.modules.get("torch")
    done = []
    for name in sorted(names):
        value = names[name]
        material = "{}/{}".format(seed, name).encode("utf-8", "surrogatepass")
        number = int.from_bytes(hashlib.sha256(material).digest()[:8], "little")
        if isinstance(value, random.Random):
            value.seed(number)
        elif numpy is not None and isinstance(value, numpy.RandomState):
            value.seed(numpy.SeedSequence(number).generate_state(4))
        elif numpy is not None and isinstance(value, (numpy.Generator, numpy.BitGenerator)):
            bits = getattr(value, "bit_generator", value)
            bits.state = type(bits)(number).state
        elif torch is not None and isinstance(value, torch.Generator):
            value.manual_seed(number)
        else:
            continue
        done.append(name)
    return done
