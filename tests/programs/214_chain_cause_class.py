raise ValueError("top") from KeyError
