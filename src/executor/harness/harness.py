"""The Python half of coding-env: the template's fork loop, and a worker's step loop.

The template runs this file as a script, imports the preloads and then only forks. A worker is such a fork: it takes
requests from the server one at a time (native `exchange`), runs them in a fresh `__main__`, and reports. It shares
its interpreter with user code, so nothing that it reports is more than a claim; the server measures the rest.

Frames, little-endian, are described in src/executor/frame.rs, the other end.
"""

import builtins
import gc
import importlib.machinery
import io
import linecache
import os
import struct
import sys
import traceback
import types

import _ast
import _thread

HERE = __file__
ONLY_AST = 0x400  # PyCF_ONLY_AST of Include/cpython/compile.h, as in `ast`
# What `from __future__` leaves in a code object: the compiler flags that the next step inherits.
FUTURE_FLAGS = 0
for _name in __import__("__future__").all_feature_names:
    FUTURE_FLAGS |= getattr(__import__("__future__"), _name).compiler_flag

CONTROL = 3
NATIVE = "/proc/self/fd/4"  # stays open in the template: its number is a worker's while it is set up
FILTER = 6
OF_LEVEL = 8  # more of the harness, which one level needs
OF_DISPLAYS = 9  # more of the harness, for what shows something
OF_COPIES = 10  # more of the harness, for workers that are copied

SETUP, FORK = 1, 4  # the requests that `exchange` does not take apart
READY, REPORT, OBSTACLES_FRAME = 1, 2, 5  # reports
COMPLETED, RAISED, EXITED = 1, 2, 3  # how a step ended
SYNTAX_ERROR, INTERRUPTED, HAS_RESULT, RESULT_CUT = 1, 2, 4, 8  # flags of a report
NO_RESULT, OF_STATEMENT = 1, 2  # what a step's result is, beside the value of a last expression: `result_of` of native.rs
KEPT = "__coding_env_value__"  # holds what a last assignment assigns, for as long as it runs

# Kind, has seed, seed, memory, open files, file size, displays, their bytes, environment entries.
SETUP_HEADER = struct.Struct("<BBQQQQIII")
REPORT_HEADER = struct.Struct("<IBIBBiQIII")  # size, kind, step number, end, flags, exit code, result bytes, three lengths
TEXT_BYTES_MAX = 4096  # of an exception's type or message
SHARED_BYTES_MIN = 512 << 10  # of a mapping whose page table workers get
SOURCES_KEPT_BYTES_MAX = 16 << 20  # of steps, for tracebacks and inspect.getsource

len, isinstance, compile, exec, eval, repr, str, type = (
    builtins.len, builtins.isinstance, builtins.compile, builtins.exec, builtins.eval, builtins.repr, builtins.str,
    builtins.type,
)
STDOUT, STDERR, StringIO = sys.stdout, sys.stderr, io.StringIO
getpid, leave, linecache_entries, EXCEPTHOOK = os.getpid, os._exit, linecache.cache, sys.__excepthook__

# The methods by which objects show themselves in a notebook, and what they give: the first gives several things at once.
RICH = {
    "_repr_mimebundle_": None, "_repr_html_": "text/html", "_repr_svg_": "image/svg+xml", "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg", "_repr_pdf_": "application/pdf", "_repr_latex_": "text/latex", "_repr_markdown_": "text/markdown",
    "_repr_json_": "application/json", "_repr_javascript_": "application/javascript",
}
# Types without them, of most last expressions.
PLAIN = frozenset((
    int, float, complex, bool, str, bytes, list, tuple, dict, set, frozenset, range, type, types.FunctionType,
    types.BuiltinFunctionType, types.ModuleType,
))
DISPLAYS_SOURCE = b""  # displays.py, in the template and its workers
COPIES_SOURCE = b""  # copies.py, likewise


def own_json():
    """`json.dumps` for the harness. User code imports the module as if nobody had: it may be a file of its own."""
    import json

    for name in [name for name in sys.modules if name in ("json", "_json") or name.startswith("json.")]:
        del sys.modules[name]
    return json.dumps


def load_native():
    loader = importlib.machinery.ExtensionFileLoader("_coding_env", NATIVE)
    spec = importlib.machinery.ModuleSpec("_coding_env", loader, origin=NATIVE)
    module = loader.create_module(spec)
    loader.exec_module(module)
    sys.modules.pop("_coding_env", None)
    return module


dumps = own_json()


# === template ===


def template(level, preloads):
    """Imports the preloads, says so to the warden, and makes a cell for each order until the warden is gone."""
    native = None
    os.environ.pop("LD_BIND_NOW", None)  # it was for this process's own start
    make_output_pipes()
    problem = check_interpreter() or import_preloads(preloads)
    if problem is None:
        try:
            native = load_native()
        except Exception as error:
            problem = "the harness's native half can't be loaded: {}: {}".format(type(error).__name__, error)
    if problem is not None:
        complain(problem)
    if level == "landlock":
        with open(OF_LEVEL, encoding="utf-8") as file:
            file.seek(0)
            exec(compile(file.read(), HERE, "exec"), globals())
        do_without_shared_memory(native)
    get_ready_to_show()
    get_ready_to_copy()
    main = types.ModuleType("__main__")
    main.__builtins__ = builtins
    main.__annotations__ = {}
    main.__loader__ = importlib.machinery.BuiltinImporter
    sys.modules["__main__"] = main
    sys.argv = [""]
    sys.path[0] = ""
    gc.collect()
    make_forks_cheap(native)
    gc.freeze()
    if level != "none":
        failed = native.confine(FILTER)
        if failed:
            complain("the system call filter can't be installed: " + os.strerror(-failed))
    told = ["{}.{}.{}".format(*sys.version_info[:3])] + sys.path[1:]
    os.write(CONTROL, b"R" + os.fsencode("\0".join(told))[:TEXT_BYTES_MAX])
    directories = native.serve_orders()  # returns in workers only
    try:
        Worker(native, main).start(directories)
    finally:
        leave(70)


def complain(problem):
    """Tells the warden why there is no template, and ends."""
    os.write(CONTROL, b"E" + problem.encode("utf-8", "replace")[:TEXT_BYTES_MAX])
    leave(1)


def make_output_pipes():
    """Makes stdout and stderr streams that know that they write to pipes, as they will in workers, and can't seek. What preloads
    print goes on to where it went."""
    reader, writer = os.pipe()
    for stream in (sys.stdout, sys.stderr):
        fd, name = stream.fileno(), stream.name
        kept = os.dup(fd)
        os.dup2(writer, fd)
        raw = open(fd, "wb", 0, closefd=False)
        raw.name = name
        stream.__init__(
            raw, stream.encoding, stream.errors, "\n", line_buffering=stream.line_buffering, write_through=stream.write_through)
        os.dup2(kept, fd)
        os.close(kept)
    for fd in (reader, writer):
        os.close(fd)


def make_forks_cheap(native):
    """Spares each worker some page faults (3.13, no preloads: about 183 by the end of a first step instead of 333). What the host does not allow is left as it is."""
    with open("/proc/self/maps") as maps:
        for line in maps.read().splitlines():
            fields = line.split(None, 5)
            start, end = (int(address, 16) for address in fields[0].split("-"))
            # Code and constants of the interpreter and of libc. Smaller mappings, and what the loader alone reads (it stands at a file's
            # beginning), are not worth their page table.
            if len(fields) == 6 and fields[5].startswith("/") and end - start >= SHARED_BYTES_MIN and (
                    fields[1] == "r-xp" or fields[1] == "r--p" and int(fields[2], 16) > 0):
                native.share_page_tables(start, end - start, 5 if "x" in fields[1] else 1)
    if sys.version_info[:2] in ((3, 12), (3, 13)) and sys.maxsize > 1 << 32:
        found, seen = gc.get_objects(), set()
        seen.update(map(id, found), (id(found), id(seen)))
        at = 0
        while at < len(found):
            for value in gc.get_referents(found[at]):
                if id(value) not in seen:
                    seen.add(id(value))
                    found.append(value)
            at += 1
        native.make_immortal([value for value in found if type(value) is not types.FrameType])


def check_interpreter():
    """Returns what is wrong with this interpreter, or None."""
    if sys.version_info < (3, 9):
        return "python 3.9 or newer is needed, this is {}.{}".format(*sys.version_info[:2])
    if sys.implementation.name != "cpython":
        return "CPython is needed, this is " + sys.implementation.name
    if "t" in getattr(sys, "abiflags", ""):
        return "a CPython with a GIL is needed, this is a free-threaded build"
    return None


def import_preloads(preloads):
    """Imports the preloads. Returns what is wrong, or None."""
    for name in preloads:
        try:
            importlib.import_module(name)
        except BaseException as error:
            return "preload `{}` failed: {}: {}".format(name, type(error).__name__, error)
    os.environ.pop("MPLCONFIGDIR", None)  # matplotlib's place for caches, in a /tmp that is not its episodes'
    threads = count_threads()
    if threads != 1:
        return "preloads left {} threads running; a template must have one (set the library's thread count to 1)".format(
            threads)
    return None


def count_threads():
    """This process's threads, once those that are ending have ended: matplotlib's clock of its search for fonts."""
    import time

    for _ in range(100):
        threads = len(os.listdir("/proc/self/task"))
        if threads == 1:
            break
        time.sleep(0.01)
    return threads


# === worker ===


class Worker:
    """One episode's interpreter."""

    current = None
    shared_memory = "/dev/shm"
    shows = False  # displays.py is loaded
    displays = None  # what it made, once something was shown

    def __init__(self, native, main):
        self.exchange = native.exchange
        self.step_number = native.step_number
        self.native = native
        self.names = main.__dict__
        self.pid = getpid()
        self.futures = 0
        self.sources_bytes = 0
        self.sources = []
        self.mime_types = ""

    def start(self, directories):
        home, temporary = os.fsdecode(directories).split("\0")
        os.environ["HOME"] = os.environ["PWD"] = home
        os.environ["TMPDIR"] = Worker.temporary = temporary
        Worker.current, self.home = self, home
        self.streams = [stat[1:3][::-1] for stat in map(os.fstat, (1, 2))]  # their device and inode
        keep_fork_as_start_method()
        reseed_loaded(None)
        self.serve(struct.pack("<IB", 1, READY))

    def serve(self, report):
        """Answers requests until the server is gone."""
        while True:
            try:
                request = self.exchange(report)
                report = b""
                if type(request) is tuple:
                    report = self.step(*request)
                elif type(request) is int:
                    leave(0)
                elif request[0] == SETUP:
                    self.set_up(request)
                elif request[0] == FORK:
                    report = self.copy()
            except BaseException as error:
                # An interrupt that landed on the way to or from user code, or user code that broke what the harness stands
                # on (the recursion limit, say): the step is over and the report says so.
                self.leave_if_child(1)
                number = self.step_number()
                interrupted = isinstance(error, KeyboardInterrupt)
                report = pack_report(number, RAISED, INTERRUPTED if interrupted else 0, 130 if interrupted else 1)

    def leave_if_child(self, status):
        """A process that user code forked has come to the end of the code: it leaves without reporting."""
        if getpid() != self.pid:
            flush()
            leave(status & 255)

    def set_up(self, request):
        _, has_seed, seed, memory, open_files, file_bytes, *self.display_limits, entries = SETUP_HEADER.unpack_from(request)
        at = SETUP_HEADER.size
        for _ in range(entries):
            pair = []
            for _ in range(2):
                (size,) = struct.unpack_from("<I", request, at)
                at += 4
                pair.append(request[at:at + size])
                at += size
            os.environb[pair[0]] = pair[1]
        if has_seed:
            reseed_loaded(seed)
            sys.meta_path.insert(0, SeedLater(seed))
        self.native.set_limits(memory, open_files, file_bytes)

    def copy(self):
        """Has this worker copied: see copies.py. Returns the report, of the copy in that."""
        if "copy_worker" not in globals():
            exec(compile(COPIES_SOURCE, HERE, "exec"), globals())
        return copy_worker(self)

    def owns(self, path):
        """Whether a path is one of the episode's own files."""
        return any(path == place or path.startswith(place + "/") for place in self.places())

    def places(self):
        return self.home, Worker.temporary, Worker.shared_memory

    def step(self, number, result_bytes_max, result_of, source, mime_types):
        """Runs one step and returns its report, None for the most common one: see `exchange`."""
        end, exit_code, marks, kind, text, result, result_bytes = COMPLETED, 0, 0, "", "", None, 0
        self.mime_types = mime_types
        try:
            value = None
            try:
                value, marks, is_expression = self.run(number, source, result_of)
                if value is not None:
                    if is_expression:
                        builtins._ = value
                    if result_of == OF_STATEMENT and (not is_expression or sys.displayhook is sys.__displayhook__):
                        result = as_json(value)
                    elif sys.displayhook is sys.__displayhook__:
                        result = repr(value)
                        if type(value) not in PLAIN and is_rich(value):
                            displays().show_result(value)
                    else:
                        sys.displayhook(value)
            except SystemExit as error:
                end, exit_code = EXITED, exit_status(error)
            except BaseException as error:
                end, exit_code = RAISED, 1
                if isinstance(error, SyntaxError):
                    marks |= getattr(error, "_coding_env_parse", 0)
                if isinstance(error, KeyboardInterrupt):
                    exit_code, marks = 130, marks | INTERRUPTED
                kind, text = describe(error)
                show(error)
            if result is not None:
                marks |= HAS_RESULT
                result, result_bytes, cut = clip(result, result_bytes_max)
                if cut:
                    marks |= RESULT_CUT
            if Worker.shows:
                displays().finish(marks & INTERRUPTED)
            # Streams that write through hold nothing back.
            if not (sys.stdout is STDOUT and sys.stderr is STDERR and STDOUT.write_through and STDERR.write_through):
                flush()
            if sys.stdin is None or sys.stdin.closed:
                sys.stdin = open(0, encoding="utf-8", closefd=False)
        except KeyboardInterrupt:
            # Landed after the code's end, while it was being shown.
            end, exit_code, marks, result = RAISED, 130, marks | INTERRUPTED, None
            kind, text = "KeyboardInterrupt", ""
        self.leave_if_child(exit_code)
        if end == COMPLETED and marks == 0:
            return None
        return pack_report(number, end, marks, exit_code, result or b"", result_bytes, kind, text)

    def run(self, number, source, result_of):
        """Compiles and runs the source. Returns the value of the last expression, or statement, the report's flags, and whether it is an
        expression's."""
        name = "<step %d>" % number
        marks = 0
        if source.startswith("\ufeff"):
            marks = SYNTAX_ERROR  # ast.parse refuses the mark; a person who pasted it wants it gone
            source = source[1:]
        self.keep_source(name, source)
        if result_of == NO_RESULT:
            self.run_statements(name, source)
            return None, marks, False
        tree = code = last = value = kept = None
        try:
            tree = compile(source, name, "exec", ONLY_AST | self.futures, True)
            body = tree.body
            if body and type(body[-1]) is _ast.Expr:
                last = _ast.Expression(body.pop().value)
            elif body and result_of == OF_STATEMENT:
                kept = keep_value(body[-1])
                if kept is not None and type(kept) is not str:
                    kept = compile(kept, name, "eval", self.futures, True)
            if body:
                code = compile(tree, name, "exec", self.futures, True)
                self.futures |= code.co_flags & FUTURE_FLAGS
            if last is not None:
                last = compile(last, name, "eval", self.futures, True)
        except SyntaxError as error:
            mark_syntax_error(error, name, tree is not None)
            raise
        if kept is not None:
            return self.run_and_keep(code, kept), marks, False
        if code is not None:
            exec(code, self.names)
        if last is not None:
            value = eval(last, self.names)
        return value, marks, last is not None

    def run_and_keep(self, code, kept):
        """Runs code whose last statement gives something a name, and returns that: see `keep_value`."""
        try:
            exec(code, self.names)
            if type(kept) is str:
                return self.names.get(kept)
            try:
                return eval(kept, self.names)
            except Exception:
                return None  # the program itself did not read it, and has come to its end
        finally:
            self.names.pop(KEPT, None)

    def run_statements(self, name, source):
        """Compiles and runs a source that has no last expression, without a syntax tree."""
        try:
            code = compile(source, name, "exec", self.futures, True)
        except SyntaxError as error:
            mark_syntax_error(error, name, is_parsed(source, name, self.futures))
            raise
        self.futures |= code.co_flags & FUTURE_FLAGS
        exec(code, self.names)

    def keep_source(self, name, source):
        """Lets tracebacks and `inspect` find the lines of a step, of as many steps as there is room for."""
        if "\r" in source:
            source = source.replace("\r\n", "\n").replace("\r", "\n")
        lines = StringIO(source).readlines()
        if lines and lines[-1][-1] != "\n":
            lines[-1] += "\n"
        linecache_entries[name] = (len(source), None, lines, name)
        self.sources.append((name, len(source)))
        self.sources_bytes += len(source)
        while self.sources_bytes > SOURCES_KEPT_BYTES_MAX and len(self.sources) > 1:
            oldest, size = self.sources.pop(0)
            self.sources_bytes -= size
            linecache_entries.pop(oldest, None)


def keep_value(statement):
    """How the value of a last statement that is no expression is had once that has run: a name, or an expression to read. None when it has
    no value that can be had without evaluating a part of it again."""
    kind = type(statement)
    if kind is _ast.Assign:
        # One target more, before the user's: the value is evaluated once, whatever they are.
        first = statement.targets[0]
        statement.targets.insert(0, placed(_ast.Name(KEPT, _ast.Store()), first))
        return KEPT
    if kind in (_ast.FunctionDef, _ast.AsyncFunctionDef, _ast.ClassDef):
        return statement.name
    if kind is _ast.AugAssign or kind is _ast.AnnAssign and statement.value is not None:
        target = statement.target
        if type(target) is _ast.Name:
            return target.id
        if is_plain(target):
            read = (_ast.Attribute(target.value, target.attr, _ast.Load()) if type(target) is _ast.Attribute
                    else _ast.Subscript(target.value, target.slice, _ast.Load()))
            return _ast.Expression(placed(read, target))
    return None


def placed(node, like):
    for name in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
        setattr(node, name, getattr(like, name))
    return node


def is_plain(node):
    """Whether a node is made of names, attributes, subscripts and constants alone."""
    kind = type(node)
    if kind is _ast.Attribute:
        return is_plain(node.value)
    if kind is _ast.Subscript:
        return is_plain(node.value) and is_plain(node.slice)
    return kind is _ast.Name or kind is _ast.Constant


def as_json(value):
    """A value as the incumbent shows it: JSON where it can be that, else its repr."""
    try:
        return dumps(value)
    except Exception:
        return repr(value)


def is_parsed(source, name, futures):
    """Whether `ast.parse` takes a source. What that warns of has been told."""
    import warnings

    try:
        with warnings.catch_warnings(record=True):
            compile(source, name, "exec", ONLY_AST | futures, True)
    except SyntaxError:
        return False
    return True


def mark_syntax_error(error, name, parsed):
    if not parsed:
        error._coding_env_parse = SYNTAX_ERROR
    elif error.text is None and error.lineno:
        error.text = linecache.getline(name, error.lineno) or None  # CPython looks for a file of that name


def pack_report(number, end, marks, exit_code, result=b"", result_bytes=0, kind="", text=""):
    kind = encode(kind)[:TEXT_BYTES_MAX]
    text = encode(text)[:TEXT_BYTES_MAX]
    size = REPORT_HEADER.size - 4 + len(result) + len(kind) + len(text)
    return REPORT_HEADER.pack(
        size, REPORT, number, end, marks, exit_code, result_bytes, len(result), len(kind), len(text),
    ) + result + kind + text


def encode(text):
    """UTF-8; lone surrogates come out as bytes that the server shows as U+FFFD."""
    try:
        return str.encode(text, "utf-8")
    except UnicodeEncodeError:
        return str.encode(text, "utf-8", "surrogatepass")


def clip(text, bytes_max):
    """At most `bytes_max` bytes of a text, how many bytes there were (at least), and whether any were cut."""
    size = str.__len__(text)  # `__repr__` may return a str that lies
    whole = encode(text if size <= bytes_max else str.__getitem__(text, slice(bytes_max + 1)))
    return whole[:bytes_max], max(len(whole), size), len(whole) > bytes_max


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except KeyboardInterrupt:
            raise
        except BaseException:
            pass


def describe(error):
    """The exception's class and text, as a report carries them."""
    kind = type(error)
    name = getattr(kind, "__qualname__", "")
    module = getattr(kind, "__module__", None)
    if isinstance(module, str) and module not in ("builtins", "__main__"):
        name = module + "." + str(name)
    try:
        text = str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:
        text = "<exception str() failed>"
    return str(name), str.__getitem__(text, slice(TEXT_BYTES_MAX))


def without_own_frames(lines):
    """A traceback from the first frame on that is not the harness's."""
    while lines is not None and lines.tb_frame.f_code.co_filename == HERE:
        lines = lines.tb_next
    return lines


def show(error):
    """Prints an uncaught exception as python does, with the user's frames only."""
    error.__traceback__ = lines = without_own_frames(error.__traceback__)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, lines
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    hook = sys.excepthook
    if hook is EXCEPTHOOK:
        print_exception(error, lines)
        return
    try:
        hook(type(error), error, lines)
    except SystemExit:
        pass
    except BaseException as second:
        inner = second.__traceback__
        print("Error in sys.excepthook:", file=sys.stderr)
        print_exception(second, inner.tb_next if inner is not None else None)
        print("\nOriginal exception was:", file=sys.stderr)
        print_exception(error, lines)


def print_exception(error, lines):
    """The interpreter's own display. Before 3.13 it is in C, and looks for source lines in files only: a step's are in no file."""
    if sys.version_info >= (3, 13):
        EXCEPTHOOK(type(error), error, lines)
    elif sys.version_info >= (3, 11):
        sys.stderr.write(traceback_with_c_ending(error, lines))
    else:
        print_with_files(error, lines)


def print_with_files(error, lines):
    """3.9 and 3.10 open the files that they show lines of by `io.open`: there, steps are given to them as files."""
    real = io.open

    def open_step(name, *args, **kwargs):
        entry = linecache_entries.get(name) if type(name) is str and name.startswith("<step ") else None
        if entry is None:
            return real(name, *args, **kwargs)
        # A file without a name: the filter of system calls allows none in memory alone.
        file = real(os.open(os.environ.get("TMPDIR", "/tmp"), os.O_TMPFILE | os.O_RDWR, 0o600), "wb+", buffering=0)
        file.write(encode("".join(entry[2])))
        file.seek(0)
        return file

    io.open = open_step
    try:
        EXCEPTHOOK(type(error), error, lines)
    finally:
        io.open = real


def traceback_with_c_ending(error, lines):
    """3.11 and 3.12 refuse names like `<step 1>`. The traceback module shows the same, but for the last lines of the exceptions to
    which the display in C adds a suggestion."""
    text = "".join(traceback.format_exception(type(error), error, lines))
    if not isinstance(error, (NameError, AttributeError, ImportError, SyntaxError)):
        return text
    ending = "".join(traceback.format_exception_only(type(error), error))
    if not text.endswith(ending):
        return text
    chain = error.__cause__, error.__context__, error.__suppress_context__
    stderr, sys.stderr = sys.stderr, io.StringIO()
    try:
        error.__cause__ = error.__context__ = None
        EXCEPTHOOK(type(error), error, lines)
        shown = sys.stderr.getvalue()
    finally:
        sys.stderr = stderr
        error.__cause__, error.__context__, error.__suppress_context__ = chain
    first = ending.split("\n", 1)[0].split(":", 1)[0]
    start = shown.rfind("\n" + first) + 1
    if isinstance(error, SyntaxError):
        location = shown.rfind('  File "')
        if location >= 0 and ", in " not in shown[location:].split("\n", 1)[0]:
            start = location
    return text[:-len(ending)] + shown[start:]


def exit_status(error):
    """What a process that raised this SystemExit would end with (handle_system_exit of Python/pythonrun.c)."""
    code = error.code
    if code is None:
        return 0
    if isinstance(code, int):
        # PyLong_AsLong, then int, then what the kernel keeps of it.
        return code & 255 if -(1 << 63) <= code < 1 << 63 else 255
    try:
        print(code, file=sys.stderr)
    except KeyboardInterrupt:
        raise
    except BaseException:
        print(file=sys.stderr)
    return 1


# === random state and start method ===

SEEDED = ("random", "numpy.random", "torch")


def seed_module(name, module, seed):
    """Seeds a library's global generator: from the kernel's entropy when `seed` is None."""
    if name == "random":
        module.seed(seed)
    elif name == "numpy.random":
        # numpy takes 32 bits, or an array of them, which it hashes.
        module.seed(seed if seed is None or seed < 1 << 32 else [seed & 0xFFFFFFFF, seed >> 32])
    elif seed is None:
        module.seed()
    else:
        module.manual_seed(seed)


def reseed_loaded(seed):
    for name in SEEDED:
        module = sys.modules.get(name)
        if module is not None and not (seed is None and name == "random"):  # CPython reseeds that one after a fork
            seed_module(name, module, seed)


class AfterImport:
    """A finder that runs `act(name, module)` once after each named module is first imported."""

    def __init__(self, names):
        self.names = set(name for name in names if name not in sys.modules)

    def find_spec(self, name, path=None, target=None):
        if name not in self.names:
            return None
        self.names.discard(name)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            self.act(name, module)

        spec.loader.exec_module = exec_module
        return spec


class SeedLater(AfterImport):
    """Seeds the libraries that an episode with a seed imports later."""

    def __init__(self, seed):
        super().__init__(SEEDED)
        self.seed = seed

    def act(self, name, module):
        seed_module(name, module, self.seed)


class ForkByDefault(AfterImport):
    """Keeps multiprocessing's start method `fork`, which CPython 3.14 changed: others need a main file."""

    def act(self, name, module):
        module._default_context = module.DefaultContext(module._concrete_contexts["fork"])


def keep_fork_as_start_method():
    if sys.version_info >= (3, 14):
        sys.meta_path.insert(0, ForkByDefault(["multiprocessing.context"]))


# === displays ===

LOADING = _thread.RLock()


def display(*objects, include=None, exclude=None, raw=False):
    """Shows objects beside the step's text, as a notebook does: by their `_repr_html_`, `_repr_png_` and the like, and their repr.

    `include` and `exclude` choose among media types. With `raw` the objects are mappings from media types to data.
    """
    displays().show(objects, include, exclude, raw)


display.__module__ = "builtins"
builtins.display = display


def is_rich(value):
    """Whether a value's class has more to show than a repr."""
    kind = type(value)
    for name in RICH:
        if getattr(kind, name, None) is not None:
            return True
    return False


def displays():
    """What shows things in this worker."""
    with LOADING:
        if Worker.displays is None:
            load_displays()
            Worker.displays = Displays(Worker.current)
        return Worker.displays


def load_displays():
    """Makes the names of displays.py, if they are not there yet. From now on the end of a step has to look at what is to be shown."""
    if not Worker.shows:
        exec(compile(DISPLAYS_SOURCE, HERE, "exec"), globals())
        Worker.shows = True


class ShowLater(AfterImport):
    """Lets the libraries that have a `show` of their own show by displays."""

    def act(self, name, module):
        load_displays()
        SHOWN_BY[name](module)


def get_ready_to_show():
    global DISPLAYS_SOURCE
    DISPLAYS_SOURCE = os.pread(OF_DISPLAYS, os.lseek(OF_DISPLAYS, 0, os.SEEK_END), 0)
    os.close(OF_DISPLAYS)
    names = ("matplotlib.pyplot", "plotly.io._renderers")
    later = ShowLater(names)
    sys.meta_path.insert(0, later)
    for name in names:
        if name in sys.modules:
            later.act(name, sys.modules[name])


# === copies ===


def get_ready_to_copy():
    global COPIES_SOURCE
    COPIES_SOURCE = os.pread(OF_COPIES, os.lseek(OF_COPIES, 0, os.SEEK_END), 0)
    os.close(OF_COPIES)


template(sys.argv[2], sys.argv[3:])  # the isolation level and the preloads; the first is the runtime's name, for `ps`
