//! The native half of the harness: a CPython extension module, `_coding_env`, that template and workers load.
//!
//! `build.rs` compiles this file by itself, without the standard library; the server embeds the result and hands it to
//! the template as a memory file. It holds what Python can't do well: the making of [cells], and the exchange of a report for the next request
//! with no bytecode between the two.
//!
//! It uses only functions that are in CPython's stable interface or have been exported unchanged since 3.7, and the layout of
//! `PyModuleDef`, which is part of the stable ABI (PEP 384) of builds with a GIL. The harness refuses other builds.
//!
//! Every function is called by CPython with the GIL held and valid objects, which is what makes the calls below sound.
#![no_std]

mod calls;
mod source;

use core::ffi::{CStr, c_char, c_int, c_long, c_ulong, c_void};
use core::ptr::{addr_of_mut, null, null_mut};

use calls::{EINTR, MSG_NOSIGNAL, call, exit, nr, plain};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    exit(70)
}

/// What the precompiled core library names where it could be unwound through, which here nothing is: a panic ends the process. Whether such a part of it is linked depends on what the
/// compiler makes of the code.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

// === CPython ===

type Object = *mut c_void;
type Method = unsafe extern "C" fn(Object, Object) -> Object;

#[repr(C)]
struct MethodDef {
    name: *const c_char,
    method: Option<Method>,
    flags: c_int,
    doc: *const c_char,
}

#[repr(C)]
struct ModuleDef {
    refcount: isize,
    kind: *mut c_void,
    init: *mut c_void,
    index: isize,
    copy: *mut c_void,
    name: *const c_char,
    doc: *const c_char,
    size: isize,
    methods: *mut MethodDef,
    slots: *mut c_void,
    traverse: *mut c_void,
    clear: *mut c_void,
    free: *mut c_void,
}

const METH_VARARGS: c_int = 1;
const METH_NOARGS: c_int = 4;
const METH_O: c_int = 8;
/// `PYTHON_ABI_VERSION` of the stable ABI.
const ABI_VERSION: c_int = 3;

unsafe extern "C" {
    fn PyModule_Create2(definition: *mut ModuleDef, version: c_int) -> Object;
    /// `PyArg_ParseTuple` as PY_SSIZE_T_CLEAN names it: sizes are Py_ssize_t in every version.
    #[link_name = "_PyArg_ParseTuple_SizeT"]
    fn PyArg_ParseTuple(args: Object, format: *const c_char, ...) -> c_int;
    #[link_name = "_Py_BuildValue_SizeT"]
    fn Py_BuildValue(format: *const c_char, ...) -> Object;
    fn PyLong_FromLong(value: c_long) -> Object;
    fn PyBytes_FromStringAndSize(text: *const c_char, size: isize) -> Object;
    fn PyBytes_AsString(bytes: Object) -> *mut c_char;
    fn PyBytes_AsStringAndSize(bytes: Object, text: *mut *mut c_char, size: *mut isize) -> c_int;
    static mut _Py_NoneStruct: c_void;
    fn PyEval_SaveThread() -> *mut c_void;
    fn PyEval_RestoreThread(state: *mut c_void);
    fn PyErr_CheckSignals() -> c_int;
    fn PyErr_SetInterrupt();
    fn PyErr_WriteUnraisable(object: Object);
    fn PyErr_Clear();
    fn PyErr_ExceptionMatches(kind: Object) -> c_int;
    static PyExc_KeyboardInterrupt: Object;
    fn Py_DecRef(object: Object);
    fn PyList_Size(list: Object) -> isize;
    fn PyList_GetItem(list: Object, at: isize) -> Object;
    fn PyOS_BeforeFork();
    fn PyOS_AfterFork_Parent();
    fn PyOS_AfterFork_Child();
    fn pthread_self() -> *const u32;
    fn sem_init(semaphore: *mut c_void, shared: c_int, value: u32) -> c_int;
    /// With a null handle, RTLD_DEFAULT: any library that is loaded.
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
}

const EBADMSG: isize = -74;
const EINVAL: isize = -22;

// === template ===

mod cells;
mod forks;
mod maps;

const PROT_WRITE: usize = 2;

/// `share_page_tables(start, bytes, protection) -> int`: writes one byte of a private mapping of a file, with its own value. 0 or a
/// negative errno.
///
/// fork(2) does not copy the page table of a mapping that was never written to: the child faults each page in again (`vma_needs_copy` of
/// mm/memory.c). One written page makes it copy the rest, which costs a worker less than the faults do.
unsafe extern "C" fn share_page_tables(_: Object, args: Object) -> Object {
    let (mut start, mut bytes, mut protection): (u64, u64, u64) = (0, 0, 0);
    // SAFETY: three "K" take three unsigned long long.
    let parsed = unsafe {
        PyArg_ParseTuple(args, c"KKK".as_ptr(), &raw mut start, &raw mut bytes, &raw mut protection)
    };
    if parsed == 0 {
        return null_mut();
    }
    let [start, bytes, protection] = [start as usize, bytes as usize, protection as usize];
    // Executable stays executable throughout: this very code may be in the mapping.
    let mut result = plain(nr::MPROTECT, [start, bytes, protection | PROT_WRITE, 0, 0, 0]);
    if result == 0 {
        let byte = start as *mut u8;
        // SAFETY: the caller read the mapping from /proc/self/maps, it was made writable above, and there is no other thread.
        unsafe { byte.write_volatile(byte.read_volatile()) };
        result = plain(nr::MPROTECT, [start, bytes, protection, 0, 0, 0]);
    }
    // SAFETY: the GIL is held.
    unsafe { PyLong_FromLong(result as c_long) }
}

/// The reference count of an immortal object in CPython 3.12 and 3.13, 64-bit (`_Py_IMMORTAL_REFCNT` of Include/object.h, PEP 683).
const IMMORTAL: isize = 0xffff_ffff;

/// `make_immortal(list)`: stops the counting of references to the objects of a list, so that workers don't copy the pages of the
/// template's objects only to count. For CPython 3.12 and 3.13 alone: see IMMORTAL.
unsafe extern "C" fn make_immortal(_: Object, args: Object) -> Object {
    let mut list: Object = null_mut();
    // SAFETY: "O" takes an object, and lends it.
    if unsafe { PyArg_ParseTuple(args, c"O".as_ptr(), &raw mut list) } == 0 {
        return null_mut();
    }
    // SAFETY: the caller passes a list.
    let count = unsafe { PyList_Size(list) };
    for at in 0..count {
        // SAFETY: within the list, which nobody changes meanwhile; a borrowed reference to a live object.
        let object = unsafe { PyList_GetItem(list, at) };
        // SAFETY: the count is an object's first field; without another thread nobody counts meanwhile.
        unsafe { object.cast::<isize>().write(IMMORTAL) };
    }
    // SAFETY: an empty format builds None.
    unsafe { Py_BuildValue(c"".as_ptr()) }
}

// === worker ===

const RLIMIT_FSIZE: usize = 1;
const RLIMIT_NOFILE: usize = 7;
const RLIMIT_AS: usize = 9;
/// The control socket's descriptor in a worker.
const CONTROL: usize = 3;

fn limit(resource: usize, value: u64) -> isize {
    let pair = [value, value];
    // SAFETY: rlimit64 is two u64; no old value is asked for.
    unsafe { call(nr::PRLIMIT64, [0, resource, pair.as_ptr() as usize, 0, 0, 0]) }
}

/// `set_limits(memory_bytes, open_files, file_bytes) -> int`: soft and hard limit of each. 0 or a negative errno.
unsafe extern "C" fn set_limits(_: Object, args: Object) -> Object {
    let (mut memory, mut files, mut file): (u64, u64, u64) = (0, 0, 0);
    // SAFETY: three "K" take three unsigned long long.
    let parsed = unsafe {
        PyArg_ParseTuple(args, c"KKK".as_ptr(), &raw mut memory, &raw mut files, &raw mut file)
    };
    if parsed == 0 {
        return null_mut();
    }
    let results = [limit(RLIMIT_AS, memory), limit(RLIMIT_NOFILE, files), limit(RLIMIT_FSIZE, file)];
    let first = results.into_iter().find(|result| *result < 0).unwrap_or(0);
    // SAFETY: the GIL is held.
    unsafe { PyLong_FromLong(first as c_long) }
}

/// The memory of a semaphore: a page, as sem_open(3) takes. A `sem_t` has 32 bytes.
const SEMAPHORE_BYTES: usize = 4096;
const PROT_READ: usize = 1;
const MAP_SHARED: usize = 1;
const MAP_ANONYMOUS: usize = 0x20;

/// `make_semaphore(value) -> int`: the address of a semaphore that this process shares with those that it forks from now on, or a negative
/// errno.
unsafe extern "C" fn make_semaphore(_: Object, args: Object) -> Object {
    let mut value: c_int = 0;
    // SAFETY: "i" takes an int.
    if unsafe { PyArg_ParseTuple(args, c"i".as_ptr(), &raw mut value) } == 0 {
        return null_mut();
    }
    let [protection, flags] = [PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS];
    let mut result = plain(nr::MMAP, [0, SEMAPHORE_BYTES, protection, flags, usize::MAX, 0]);
    // SAFETY: new memory, aligned to a page and larger than a semaphore.
    if result > 0 && unsafe { sem_init(result as *mut c_void, 1, value as u32) } != 0 {
        // The only error: the value is larger than SEM_VALUE_MAX.
        plain(nr::MUNMAP, [result as usize, SEMAPHORE_BYTES, 0, 0, 0, 0]);
        result = EINVAL;
    }
    // SAFETY: the GIL is held.
    unsafe { PyLong_FromLong(result as c_long) }
}

/// `drop_semaphore(address)`: unmaps a semaphore that nobody in this process uses any more. Other processes keep theirs.
unsafe extern "C" fn drop_semaphore(_: Object, args: Object) -> Object {
    let mut address: u64 = 0;
    // SAFETY: "K" takes an unsigned long long.
    if unsafe { PyArg_ParseTuple(args, c"K".as_ptr(), &raw mut address) } == 0 {
        return null_mut();
    }
    plain(nr::MUNMAP, [address as usize, SEMAPHORE_BYTES, 0, 0, 0, 0]);
    // SAFETY: an empty format builds None.
    unsafe { Py_BuildValue(c"".as_ptr()) }
}

const MSG_PEEK: usize = 2;
const MSG_DONTWAIT: usize = 0x40;
const BUFFER_BYTES: usize = 16 * 1024;
const HEADER_BYTES: usize = 4;
/// The request to set a worker up, which a step's follows.
const SETUP: u8 = 1;
/// The request to run a step; its number follows.
const STEP: u8 = 2;
/// The request to drop interrupts that came too late for the step before, and its answer: see src/executor/frame.rs.
const DISCARD: u8 = 3;
const READY_FRAME: [u8; 5] = [1, 0, 0, 0, 1];
/// The report of a step that completed without a result: `REPORT_HEADER` of the harness.
const COMPLETED_FRAME: [u8; 35] = {
    let mut frame = [0; 35];
    frame[0] = 31; // the size of the rest
    frame[4] = 2; // REPORT
    frame[9] = 1; // COMPLETED
    frame
};
/// Where the step's number is in it.
const COMPLETED_NUMBER_AT: usize = 5;

/// Requests that were read with an earlier one. Only `exchange` touches it, and only the main thread calls that.
static mut BUFFER: [u8; BUFFER_BYTES] = [0; BUFFER_BYTES];
static mut BUFFER_START: usize = 0;
static mut BUFFER_END: usize = 0;
/// The number of the last step that was asked for.
static mut STEP_NUMBER: u32 = 0;
/// A step was handed out and not reported yet.
static mut STEP_RUNS: bool = false;

/// `step_number() -> int`: of the last request that `exchange` read, also when an interrupt came before its caller saw it.
unsafe extern "C" fn step_number(_: Object, _: Object) -> Object {
    // SAFETY: only the main thread comes here, with the GIL held.
    unsafe { PyLong_FromLong(STEP_NUMBER as c_long) }
}

/// Runs Python's signal handlers with the GIL held. What they raise is theirs: a KeyboardInterrupt that lands outside user code is
/// dropped, anything else is shown as CPython shows an exception that nobody can catch.
fn run_signal_handlers() {
    // SAFETY: the GIL is held; the error indicator is clear on return.
    unsafe {
        while PyErr_CheckSignals() != 0 {
            if PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) != 0 {
                PyErr_Clear();
            } else {
                PyErr_WriteUnraisable(null_mut());
            }
        }
    }
}

/// Repeats a call that a signal broke off, with the handlers run in between. The GIL is held outside and released during the call.
fn with_signals(mut operation: impl FnMut() -> isize) -> isize {
    loop {
        // SAFETY: the GIL is held here and taken again before anything else of CPython is called.
        let state = unsafe { PyEval_SaveThread() };
        let result = operation();
        // SAFETY: the state saved above.
        unsafe { PyEval_RestoreThread(state) };
        if result != EINTR {
            return result;
        }
        run_signal_handlers();
    }
}

/// `exchange(report) -> tuple | bytes | int`: sends a report, then waits for the next request. No Python runs in between but signal
/// handlers. None is the report of most steps: completed, without a result. Returns a request for a step as its number, the most bytes
/// of its result, what its result is (`result_of`), the source, and the media types that displays are to have; another
/// request as it came; 0 when the server has gone, or a negative errno.
unsafe extern "C" fn exchange(_: Object, object: Object) -> Object {
    // SAFETY: only the main thread comes here.
    unsafe { STEP_RUNS = false };
    let mut completed = COMPLETED_FRAME;
    let mut report: *const u8 = completed.as_ptr();
    let mut report_bytes = completed.len() as isize;
    if object == &raw mut _Py_NoneStruct {
        // SAFETY: only the main thread comes here.
        let number = unsafe { STEP_NUMBER };
        completed[COMPLETED_NUMBER_AT..COMPLETED_NUMBER_AT + 4].copy_from_slice(&number.to_le_bytes());
    } else {
        let mut text: *mut c_char = null_mut();
        // SAFETY: it raises for what is no bytes object.
        if unsafe { PyBytes_AsStringAndSize(object, &raw mut text, &raw mut report_bytes) } < 0 {
            return null_mut();
        }
        report = text.cast();
    }
    let mut sent = 0;
    while sent < report_bytes as usize {
        let result = with_signals(|| {
            // SAFETY: within the report, which the caller keeps alive.
            unsafe {
                call(nr::SENDTO, [CONTROL, report as usize + sent, report_bytes as usize - sent, MSG_NOSIGNAL, 0, 0])
            }
        });
        if result <= 0 {
            // SAFETY: the GIL is held.
            return unsafe { PyLong_FromLong(result as c_long) };
        }
        sent += result as usize;
    }
    // SAFETY: only the main thread comes here (see BUFFER).
    let (buffer, mut start, mut end) = unsafe { (addr_of_mut!(BUFFER).cast::<u8>(), BUFFER_START, BUFFER_END) };
    let request = loop {
        if end - start >= HEADER_BYTES {
            // SAFETY: four bytes from `start` are filled and inside the buffer.
            let size = u32::from_le(unsafe { buffer.add(start).cast::<u32>().read_unaligned() }) as usize;
            start += HEADER_BYTES;
            let ready = size.min(end - start);
            // SAFETY: the GIL is held; the size is not negative.
            let bytes = unsafe { PyBytes_FromStringAndSize(null(), size as isize) };
            if bytes.is_null() {
                return null_mut();
            }
            // SAFETY: a bytes object of `size` bytes that nobody else has seen yet.
            let text = unsafe { PyBytes_AsString(bytes) }.cast::<u8>();
            // SAFETY: `ready` bytes are in both, and they don't overlap.
            unsafe { text.copy_from_nonoverlapping(buffer.add(start), ready) };
            start += ready;
            let mut filled = ready;
            while filled < size {
                // An interrupt that comes from here on is for this request: it stays pending.
                let result = read(text.wrapping_add(filled), size - filled);
                if result == EINTR {
                    continue;
                }
                if result <= 0 {
                    // SAFETY: our own reference.
                    unsafe { Py_DecRef(bytes) };
                    // SAFETY: the GIL is held.
                    return unsafe { PyLong_FromLong(result as c_long) };
                }
                filled += result as usize;
            }
            // SAFETY: `size` bytes are filled.
            if size >= 5 && unsafe { text.read() } == STEP {
                // SAFETY: as above.
                let number = u32::from_le(unsafe { text.add(1).cast::<u32>().read_unaligned() });
                // SAFETY: only the main thread comes here.
                unsafe { STEP_NUMBER = number };
            }
            // SAFETY: as above.
            if size == 1 && unsafe { text.read() } == DISCARD {
                // SAFETY: our own reference.
                unsafe { Py_DecRef(bytes) };
                run_signal_handlers();
                // SAFETY: a live constant of that size.
                let result = with_signals(|| unsafe {
                    call(nr::SENDTO, [CONTROL, READY_FRAME.as_ptr() as usize, READY_FRAME.len(), MSG_NOSIGNAL, 0, 0])
                });
                if result <= 0 {
                    // SAFETY: the GIL is held.
                    return unsafe { PyLong_FromLong(result as c_long) };
                }
                continue;
            }
            break bytes;
        }
        // SAFETY: both ranges lie inside the buffer; `copy` allows overlap.
        unsafe { buffer.copy_from(buffer.add(start), end - start) };
        end -= start;
        start = 0;
        let result = read(buffer.wrapping_add(end), BUFFER_BYTES - end);
        if result == EINTR {
            // With a request there (the kernel looks at signals first) it is for that, and stays pending.
            let mut byte = 0_u8;
            // SAFETY: room for one byte; it does not wait.
            let ready = unsafe {
                call(nr::RECVFROM, [CONTROL, &raw mut byte as usize, 1, MSG_PEEK | MSG_DONTWAIT, 0, 0])
            };
            if ready <= 0 {
                run_signal_handlers();
            }
            continue;
        }
        if result <= 0 {
            let result = if result == 0 && end > 0 { EBADMSG } else { result };
            // SAFETY: the GIL is held.
            return unsafe { PyLong_FromLong(result as c_long) };
        }
        end += result as usize;
    };
    // SAFETY: as above.
    unsafe {
        BUFFER_START = start;
        BUFFER_END = end;
    }
    keep_interrupts(request);
    step_request(request)
}

/// Since the setup, and until the step that follows it.
static mut SETTING_UP: bool = false;
/// An interrupt came before the setup was begun.
static mut INTERRUPTED: bool = false;
const SIG_BLOCK: usize = 0;
const SIG_UNBLOCK: usize = 1;
static SIGINT_SET: u64 = 1 << (2 - 1);

/// An interrupt that comes while a worker is set up is for the step, which was sent with the setup. It is kept until that step is known: raised
/// before, it would undo the setup, and be reported as the end of no step.
fn keep_interrupts(request: Object) {
    // SAFETY: a bytes object of ours; behind its last byte there is a zero.
    let kind = unsafe { PyBytes_AsString(request).cast::<u8>().read() };
    // SAFETY: a live set of the size told. There is one thread as long as no user code has run.
    let mask = |how| unsafe { call(nr::SIGPROCMASK, [how, &raw const SIGINT_SET as usize, 0, 8, 0, 0]) };
    // SAFETY: only the main thread comes here, with the GIL held.
    unsafe {
        if kind == SETUP {
            mask(SIG_BLOCK);
            SETTING_UP = true;
            INTERRUPTED = PyErr_CheckSignals() != 0;
            PyErr_Clear();
        } else if kind == STEP && SETTING_UP {
            SETTING_UP = false;
            mask(SIG_UNBLOCK);
            if core::mem::replace(&mut *addr_of_mut!(INTERRUPTED), false) {
                PyErr_SetInterrupt();
            }
        }
    }
}

/// `show(pid, frame) -> int`: sends a frame of the running step, ahead of its report. 1, or 0 where that can't be: between steps, in a
/// thread beside the main one, and in a process that is not the worker with this pid. Such a frame could come after the report.
unsafe extern "C" fn show(_: Object, args: Object) -> Object {
    let mut pid: c_int = 0;
    let mut frame: *const u8 = null();
    let mut bytes: isize = 0;
    // SAFETY: "i" takes an int, "y#" a pointer into the object, which the arguments keep alive, and a Py_ssize_t.
    if unsafe { PyArg_ParseTuple(args, c"iy#".as_ptr(), &raw mut pid, &raw mut frame, &raw mut bytes) } == 0 {
        return null_mut();
    }
    let is_main = plain(nr::GETTID, [0; 6]) == pid as isize;
    // SAFETY: only the main thread writes it; others look at it in vain.
    let now = is_main && unsafe { STEP_RUNS };
    if now {
        // SAFETY: the GIL is held here and taken again before anything else of CPython is called.
        let state = unsafe { PyEval_SaveThread() };
        let mut sent = 0;
        while sent < bytes as usize {
            // SAFETY: within the frame, which nobody changes.
            let result = unsafe {
                call(nr::SENDTO, [CONTROL, frame as usize + sent, bytes as usize - sent, MSG_NOSIGNAL, 0, 0])
            };
            match result {
                // An interrupt stays pending until the frame is whole.
                EINTR => {}
                // The server has gone: `exchange` finds out.
                ..=0 => break,
                _ => sent += result as usize,
            }
        }
        // SAFETY: the state saved above.
        unsafe { PyEval_RestoreThread(state) };
    }
    // SAFETY: the GIL is held.
    unsafe { PyLong_FromLong(c_long::from(now)) }
}

/// What the head of a request for a step takes: its kind, its number, the most bytes of its result, of what its result is, and how many of
/// media types follow.
const STEP_HEADER_BYTES: usize = 12;

/// What a step's result is, as `exchange` tells the harness: 0 the value of a last expression, 1 nothing, because there is certainly
/// no such expression, 2 the value of the last statement, as the incumbent shows it.
fn result_of(asked: u8, source: &[u8]) -> c_int {
    if asked == 1 { 2 } else { c_int::from(source::ends_in_statement(source)) }
}

/// Takes a request for a step apart. Consumes the request and returns a new reference.
fn step_request(request: Object) -> Object {
    let mut text: *mut c_char = null_mut();
    let mut bytes: isize = 0;
    // SAFETY: a bytes object of ours.
    if unsafe { PyBytes_AsStringAndSize(request, &raw mut text, &raw mut bytes) } < 0 {
        return null_mut();
    }
    // SAFETY: the object's own bytes, which nobody changes.
    let whole = unsafe { core::slice::from_raw_parts(text.cast::<u8>(), bytes as usize) };
    let Some((head, source)) = whole.split_first_chunk::<STEP_HEADER_BYTES>().filter(|(head, _)| head[0] == STEP) else {
        return request;
    };
    let number = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
    let result_bytes = u32::from_le_bytes([head[5], head[6], head[7], head[8]]);
    let mime_bytes = usize::from(u16::from_le_bytes([head[10], head[11]]));
    let (types, source) = source.split_at(mime_bytes.min(source.len()));
    let shown = result_of(head[9], source);
    // SAFETY: "I" takes an unsigned int, "i" an int, "s#" a pointer and a Py_ssize_t that bounds it. It raises if that isn't UTF-8.
    let step = unsafe {
        let (types, types_bytes) = (types.as_ptr(), types.len() as isize);
        let (source, source_bytes) = (source.as_ptr(), source.len() as isize);
        Py_BuildValue(c"(IIis#s#)".as_ptr(), number, result_bytes, shown, source, source_bytes, types, types_bytes)
    };
    // SAFETY: only the main thread comes here.
    unsafe { STEP_RUNS = true };
    // SAFETY: our own reference.
    unsafe { Py_DecRef(request) };
    step
}

/// `pollfd` of poll(2).
#[repr(C)]
struct PollFd {
    fd: c_int,
    events: i16,
    revents: i16,
}

const POLLIN: i16 = 1;

/// One read from the control socket, without the GIL.
fn read(to: *mut u8, bytes: usize) -> isize {
    // SAFETY: the GIL is held here and taken again before anything else of CPython is called.
    let state = unsafe { PyEval_SaveThread() };
    let mut wait = PollFd { fd: CONTROL as c_int, events: POLLIN, revents: 0 };
    // A read that blocks is woken, too, when the server has taken off what was sent before; a poll for reading is not.
    // SAFETY: one pollfd; no time limit and no signal mask.
    let mut result = unsafe { call(nr::PPOLL, [&raw mut wait as usize, 1, 0, 0, 0, 0]) };
    if result > 0 {
        // SAFETY: the callers pass room for `bytes` bytes.
        result = unsafe { call(nr::READ, [CONTROL, to as usize, bytes, 0, 0, 0]) };
    }
    // SAFETY: the state saved above.
    unsafe { PyEval_RestoreThread(state) };
    result
}

// === module ===

const fn method(name: &'static CStr, method: Method, flags: c_int) -> MethodDef {
    MethodDef { name: name.as_ptr(), method: Some(method), flags, doc: null() }
}

static mut METHODS: [MethodDef; 16] = [
    method(c"confine", cells::confine, METH_VARARGS),
    method(c"serve_orders", cells::serve_orders, METH_NOARGS),
    method(c"share_page_tables", share_page_tables, METH_VARARGS),
    method(c"make_immortal", make_immortal, METH_VARARGS),
    method(c"set_limits", set_limits, METH_VARARGS),
    method(c"make_semaphore", make_semaphore, METH_VARARGS),
    method(c"drop_semaphore", drop_semaphore, METH_VARARGS),
    method(c"exchange", exchange, METH_O),
    method(c"step_number", step_number, METH_NOARGS),
    method(c"show", show, METH_VARARGS),
    method(c"make_copies", forks::make_copies, METH_O),
    method(c"ask_for_facts", forks::ask_for_facts, METH_NOARGS),
    method(c"copy_is_ready", forks::copy_is_ready, METH_NOARGS),
    method(c"renew_mapping", forks::renew_mapping, METH_VARARGS),
    method(c"next_own_mapping", maps::next_own_mapping, METH_VARARGS),
    MethodDef { name: null(), method: None, flags: 0, doc: null() },
];

static mut MODULE: ModuleDef = ModuleDef {
    refcount: 1,
    kind: null_mut(),
    init: null_mut(),
    index: 0,
    copy: null_mut(),
    name: c"_coding_env".as_ptr(),
    doc: null(),
    size: -1,
    methods: null_mut(),
    slots: null_mut(),
    traverse: null_mut(),
    clear: null_mut(),
    free: null_mut(),
};

/// Called by CPython once, on import.
///
/// # Safety
/// The GIL is held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInit__coding_env() -> Object {
    // SAFETY: import is serialised by the GIL, and nothing else refers to these statics before it.
    unsafe {
        (*addr_of_mut!(MODULE)).methods = addr_of_mut!(METHODS).cast();
        PyModule_Create2(addr_of_mut!(MODULE), ABI_VERSION)
    }
}

const _: () = assert!(size_of::<c_ulong>() == 8, "written for 64-bit Linux");
