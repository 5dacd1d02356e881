class Quit(SystemExit):
    def __init__(self):
        self.code = 21
raise Quit
