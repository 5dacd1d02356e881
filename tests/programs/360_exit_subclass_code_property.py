class Quit(SystemExit):
    @property
    def code(self):
        return 22
raise Quit(1)
