"""What a step shows beside its text, as a notebook does: the second part of the harness's Python half.

A worker runs this file in the harness's names when something is first to be shown, or pyplot or plotly are imported; a template does when they
are among its preloads. Code that shows nothing pays for none of it. The other end of the frames is src/executor/display.rs, which checks the
same bounds.
"""

import binascii

DISPLAY, DISPLAYS_DROPPED = 3, 4  # reports
IS_RESULT = 1  # flag of a display
DISPLAY_HEADER = struct.Struct("<IBIBB")  # size, kind, step number, flags, representations
REPRESENTATION_HEADER = struct.Struct("<BBQI")  # the lengths of media type and path, all bytes there are, those that follow
DROPPED_FRAME = struct.Struct("<IBII")  # size, kind, step number, how many
REPRESENTATION_BYTES_MAX = 1 << 20  # larger ones go into files
REPRESENTATIONS_MAX = 16
MIME_TYPE_BYTES_MAX = 128
MIME_TYPE_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&-^_.+")
FOLDER = ".displays"  # in the workspace, for what is too large for a frame
SUFFIXES = {
    "image/png": "png", "image/svg+xml": "svg", "image/jpeg": "jpg", "image/gif": "gif", "application/pdf": "pdf",
    "text/html": "html", "text/markdown": "md", "text/latex": "tex", "text/plain": "txt", "application/json": "json",
}
FIGURE_FORMATS = {"image/png": "png", "image/svg+xml": "svg", "image/jpeg": "jpg", "application/pdf": "pdf"}
UNDATED = {"image/svg+xml": {"Date": None}, "application/pdf": {"CreationDate": None}}  # the same figure is the same file


class Displays:
    """What this worker shows in its step."""

    def __init__(self, worker):
        self.worker = worker
        self.lock = _thread.RLock()
        self.count = self.bytes = self.dropped = 0  # of the running step
        self.files = 0
        self.drawn = set()  # figures of pyplot that were shown in the step
        self.waiting = []  # of other threads, and from between steps

    def show(self, values, include=None, exclude=None, raw=False):
        """Shows values as they represent themselves, or mappings of media types to data as they are."""
        wanted = Wanted(self.worker.mime_types, include, exclude)
        for value in values:
            if getpid() != self.worker.pid:
                print(repr(value))  # a process that user code forked has no other way
            elif raw:
                found = {}
                take(found, value, wanted)
                self.add(found, False)
            else:
                self.add(represent(value, wanted), False)
                self.drawn.add(id(value))

    def show_result(self, value):
        """Shows the last statement's value, whose repr the report has."""
        if getpid() == self.worker.pid:
            self.add(represent(value, Wanted(self.worker.mime_types, None, ("text/plain",))), True)
            self.drawn.add(id(value))

    def show_figures(self, close):
        """Shows the figures that pyplot holds, but for those that were shown as they are."""
        helpers = sys.modules.get("matplotlib._pylab_helpers")
        if helpers is None:
            return
        for manager in helpers.Gcf.get_all_fig_managers():
            figure = manager.canvas.figure
            if len(figure.get_children()) > 1 and (id(figure) not in self.drawn or figure.stale):
                self.show((figure,))
        if close:
            sys.modules["matplotlib.pyplot"].close("all")

    def finish(self, interrupted):
        """The step has ended. One that was interrupted has no time to draw: its figures stay open."""
        if getpid() != self.worker.pid:
            return
        try:
            if not interrupted:
                self.show_figures(True)
            with self.lock:
                self.send()
                if self.dropped:
                    size = DROPPED_FRAME.size - 4
                    dropped, self.dropped = min(self.dropped, 0xFFFFFFFF), 0
                    self.worker.native.show(
                        self.worker.pid, DROPPED_FRAME.pack(size, DISPLAYS_DROPPED, self.worker.step_number(), dropped))
        except Exception as error:
            tell_mistake(error)
        finally:
            with self.lock:
                self.drawn.clear()
                self.count = len(self.waiting)
                self.bytes = sum(inline for _, _, inline, _ in self.waiting)

    def add(self, found, is_result):
        """Takes one more display, within the bounds."""
        if not found:
            return
        with self.lock:
            count_max, bytes_max = self.worker.display_limits
            if self.count >= count_max:
                self.dropped += 1
                return
            self.count += 1
            parts, inline = [], 0
            for mime_type, data in list(found.items())[:REPRESENTATIONS_MAX]:
                total, path = len(data), ""
                if total > REPRESENTATION_BYTES_MAX or self.bytes + total > bytes_max:
                    path, data = self.put_into_file(mime_type, data), b""
                self.bytes += len(data)
                inline += len(data)
                parts.append(REPRESENTATION_HEADER.pack(len(mime_type), len(path), total, len(data)))
                parts.append(mime_type.encode() + path.encode())
                parts.append(data)
            self.waiting.append((IS_RESULT if is_result else 0, len(parts) // 3, inline, b"".join(parts)))
            self.send()

    def send(self):
        """Sends what waits, unless this is another thread or no step runs."""
        while self.waiting:
            flags, count, inline, body = self.waiting.pop(0)
            head = DISPLAY_HEADER.pack(
                DISPLAY_HEADER.size - 4 + len(body), DISPLAY, self.worker.step_number(), flags, count)
            if not self.worker.native.show(self.worker.pid, head + body):
                self.waiting.insert(0, (flags, count, inline, body))
                return

    def put_into_file(self, mime_type, data):
        """Puts what is too large for a frame into the workspace. Returns its path there, none when there is no room."""
        self.files += 1
        path = "{}/{}-{}.{}".format(FOLDER, self.worker.step_number(), self.files, SUFFIXES.get(mime_type, "bin"))
        whole = os.path.join(self.worker.home, path)
        try:
            os.makedirs(os.path.dirname(whole), exist_ok=True)
            with open(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644), "wb") as file:
                file.write(data)
        except OSError:
            try:
                os.unlink(whole)
            except OSError:
                pass
            return ""
        return path


class Wanted:
    """Which representations a display is to have: those that the step's caller and the code both name, if they name any."""

    def __init__(self, mime_types, include, exclude):
        self.named = set(include) if include is not None else None
        if mime_types:
            asked = set(mime_types.split(" "))
            self.named = asked if self.named is None else asked & self.named
        self.exclude = set(exclude or ())

    def __contains__(self, mime_type):
        if mime_type in self.exclude:
            return False
        return self.named is None or mime_type in self.named or mime_type == "text/plain"


def represent(value, wanted):
    """The ways in which a value shows itself: media types and bytes, the preferred ones first."""
    found = {}
    figures = sys.modules.get("matplotlib.figure")
    if figures is not None and isinstance(value, figures.Figure):
        draw(found, value, wanted)
    else:
        kind = type(value)
        for name, mime_type in RICH.items():
            if getattr(kind, name, None) is None:
                continue
            if mime_type is None:
                bundle = attempt(value, name, include=wanted.named, exclude=wanted.exclude or None)
                if bundle is not None:
                    take(found, without_metadata(bundle), wanted)
            elif mime_type == "image/jpeg" and wanted.named is None and "image/png" in found:
                pass  # the same picture again, and not as good
            elif mime_type in wanted and mime_type not in found:
                data = without_metadata(attempt(value, name))
                if data is not None:
                    take(found, {mime_type: data}, wanted)
    if "text/plain" in wanted and "text/plain" not in found:
        try:
            found["text/plain"] = encode(repr(value))
        except Exception as error:
            tell_mistake(error)
    return found


def attempt(value, name, **arguments):
    """What a method of a value returns, None if it raises: that is told as a mistake of the program, and the step goes on."""
    try:
        return getattr(value, name)(**arguments)
    except NotImplementedError:
        return None
    except Exception as error:
        tell_mistake(error)
        return None


def without_metadata(made):
    """These methods may return a pair: what was asked for, and remarks on it."""
    return made[0] if type(made) is tuple and len(made) == 2 and isinstance(made[1], dict) else made


def take(found, bundle, wanted):
    """Adds what is wanted of a mapping from media types to data."""
    try:
        bundle = dict(bundle)
    except Exception as error:
        tell_mistake(error)
        return
    for mime_type, data in bundle.items():
        if mime_type in wanted and data is not None:
            try:
                check_mime_type(mime_type)
                found[mime_type] = as_bytes(mime_type, data)
            except Exception as error:
                tell_mistake(error)


def check_mime_type(mime_type):
    kind, slash, name = str.partition(mime_type, "/")
    if not (kind and name and MIME_TYPE_CHARACTERS.issuperset(kind + name) and len(mime_type) <= MIME_TYPE_BYTES_MAX):
        raise ValueError("{!r} is no media type without parameters, as image/png is".format(mime_type[:MIME_TYPE_BYTES_MAX]))


def as_bytes(mime_type, data):
    """What a program has as text, as bytes, or, of JSON, as values."""
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    if isinstance(data, str):
        is_text = mime_type == "image/svg+xml" or not mime_type.startswith(("image/", "audio/", "video/", "application/pdf"))
        return encode(data) if is_text else binascii.a2b_base64(data)
    if mime_type == "application/json" or mime_type.endswith("+json"):
        import json

        return encode(json.dumps(data))
    raise TypeError("{} has to be str or bytes, not {}".format(mime_type, type(data).__name__))


def draw(found, figure, wanted):
    """Draws a figure of matplotlib, which user code has imported."""
    for mime_type, kind in FIGURE_FORMATS.items():
        if mime_type not in wanted or wanted.named is None and mime_type != "image/png":
            continue
        file = io.BytesIO()
        try:
            figure.savefig(file, format=kind, dpi="figure", bbox_inches="tight", metadata=UNDATED.get(mime_type))
        except Exception as error:
            tell_mistake(error)
        else:
            found[mime_type] = file.getvalue()
    figure.stale = False


def tell_mistake(error):
    """Prints an exception of what shows a value, with the frames that are not the harness's."""
    error.__traceback__ = lines = without_own_frames(error.__traceback__)
    print_exception(error, lines)


def show_by_pyplot(module):
    """Lets pyplot's `show`, and that of its figures, show here. What `block=False` shows stays open, to be drawn on."""
    real = module.show

    def show(*args, **kwargs):
        if getpid() != Worker.current.pid:
            return real(*args, **kwargs)
        block = kwargs.get("block", args[0] if args else None)
        displays().show_figures(block is not False)

    def show_figure(self, warn=True):
        """Shows the figure."""
        displays().show((self,))

    for name in ("__doc__", "__name__", "__qualname__", "__module__"):
        setattr(show, name, getattr(real, name, None))
    module.show = show
    sys.modules["matplotlib.figure"].Figure.show = show_figure


def show_by_plotly(module):
    """Makes displays what plotly shows figures by, unless PLOTLY_RENDERER names something else: the figure as data, and as a page."""
    real = module.show

    class Renderer(module.MimetypeRenderer):
        def to_mimebundle(self, figure):
            import plotly.io

            return {
                "application/vnd.plotly.v1+json": plotly.io.to_json(figure, validate=False),
                "text/html": plotly.io.to_html(figure, full_html=False, include_plotlyjs="cdn", validate=False),
            }

    def show(fig, renderer=None, validate=True, **kwargs):
        if (renderer or module.renderers.default) != "coding_env":
            return real(fig, renderer=renderer, validate=validate, **kwargs)
        figure = module.validate_coerce_fig_to_dict(fig, validate)
        displays().show((module.renderers["coding_env"].to_mimebundle(figure),), raw=True)

    show.__doc__ = real.__doc__
    module.renderers["coding_env"] = Renderer()
    if not os.environ.get("PLOTLY_RENDERER"):
        module.renderers.default = "coding_env"
    module.show = show


SHOWN_BY = {"matplotlib.pyplot": show_by_pyplot, "plotly.io._renderers": show_by_plotly}
