{}[("tuple", 1)]
