x = "a" + "b" + "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc" + 5 + "ddddddddddddddddddddddddddd"
