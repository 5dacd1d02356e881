raise OSError(2, "made up", "some name", None, "other name")
