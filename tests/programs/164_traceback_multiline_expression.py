values = {"x": 1, "y": 0}
ratio = (
    values["x"]
    + 10
    / values["y"]
    - 3
)
