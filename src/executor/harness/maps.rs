//! What of a worker's memory its copies have to have for themselves: mappings of its own files, and those that a fork would share and that have no name.
//!
//! /proc/self/maps answers for one mapping at a time (PROCMAP_QUERY, Linux 6.11), which takes less time than its text: a worker with a few libraries has some hundred mappings, and next
//! to never one of these.

use core::ffi::{c_char, c_int, c_long};
use core::mem::MaybeUninit;
use core::ptr::{addr_of_mut, null_mut};

use crate::calls::{call, nr};
use crate::{Object, Py_BuildValue, PyArg_ParseTuple, PyLong_FromLong};

/// _IOWR('f', 17, struct procmap_query).
const PROCMAP_QUERY: usize = 0xc068_6611;
/// The mapping at the address or the next one, of those with a file.
const NEXT: u64 = 0x10;
const WITH_FILE: u64 = 0x20;
const SHARED: u64 = 0x8;
/// The longest name that the kernel tells: PATH_MAX.
const NAME_BYTES_MAX: usize = 4096;
const DELETED: &[u8] = b" (deleted)";
const ENOENT: isize = -2;

/// `struct procmap_query` of linux/fs.h.
#[repr(C)]
struct Query {
    size: u64,
    wanted: u64,
    address: u64,
    start: u64,
    end: u64,
    flags: u64,
    page_bytes: u64,
    offset: u64,
    inode: u64,
    device: [u32; 2],
    /// With the zero at its end.
    name_bytes: u32,
    build_id_bytes: u32,
    name: u64,
    build_id: u64,
}

/// `next_own_mapping(maps, address, places) -> None | int | (int, int, int, int, int, bytes)`: the first mapping from that address on that a copy has to have for itself: its first address, the
/// address behind it, its flags (1: read, 2: write, 4: execute, 8: shared), its offset, its inode and its path. `places` are directories of the episode's, with a zero between them.
/// None: there is no more. A negative errno where this kernel does not answer.
pub(crate) unsafe extern "C" fn next_own_mapping(_: Object, args: Object) -> Object {
    let mut file: c_int = 0;
    let mut address: u64 = 0;
    let mut places: *const c_char = core::ptr::null();
    let mut places_bytes: isize = 0;
    // SAFETY: "i" takes an int, "K" an unsigned long long, "y#" a pointer and a Py_ssize_t.
    let parsed = unsafe {
        PyArg_ParseTuple(args, c"iKy#".as_ptr(), &raw mut file, &raw mut address, &raw mut places, &raw mut places_bytes)
    };
    if parsed == 0 {
        return null_mut();
    }
    let places = Text { start: places.cast(), bytes: places_bytes as usize };
    let deleted = Text { start: DELETED.as_ptr(), bytes: DELETED.len() };
    let mut name = MaybeUninit::<[u8; NAME_BYTES_MAX]>::uninit();
    loop {
        let mut query = Query {
            size: size_of::<Query>() as u64,
            wanted: NEXT | WITH_FILE,
            address,
            start: 0,
            end: 0,
            flags: 0,
            page_bytes: 0,
            offset: 0,
            inode: 0,
            device: [0; 2],
            name_bytes: NAME_BYTES_MAX as u32,
            build_id_bytes: 0,
            name: addr_of_mut!(name) as u64,
            build_id: 0,
        };
        let arguments = [file as usize, PROCMAP_QUERY, addr_of_mut!(query) as usize, 0, 0, 0];
        // SAFETY: both addresses are of live locals of the sizes that are told.
        let result = unsafe { call(nr::IOCTL, arguments) };
        if result == ENOENT {
            // SAFETY: an empty format builds None.
            return unsafe { Py_BuildValue(c"".as_ptr()) };
        }
        if result < 0 {
            // SAFETY: the GIL is held.
            return unsafe { PyLong_FromLong(result as c_long) };
        }
        let bytes = (query.name_bytes as usize).saturating_sub(1);
        // The kernel has filled as many, which are at most NAME_BYTES_MAX.
        let path = Text { start: name.as_ptr().cast(), bytes };
        if query.flags & SHARED != 0 && path.ends_with(deleted) || path.is_in(places) {
            // SAFETY: "K" takes an unsigned long long, "y#" a pointer and a Py_ssize_t.
            return unsafe {
                Py_BuildValue(
                    c"(KKKKKy#)".as_ptr(),
                    query.start,
                    query.end,
                    query.flags & 0xf,
                    query.offset,
                    query.inode,
                    path.start,
                    bytes as isize,
                )
            };
        }
        address = query.end;
    }
}

/// Bytes, without what slices have of the standard library's, which this half does without.
#[derive(Clone, Copy)]
struct Text {
    start: *const u8,
    bytes: usize,
}

impl Text {
    fn byte(self, at: usize) -> Option<u8> {
        // SAFETY: whoever made this knows of so many bytes, for as long as it is used.
        if at < self.bytes { Some(unsafe { self.start.add(at).read() }) } else { None }
    }

    /// Whether these bytes are there from this one on.
    fn has_at(self, start: usize, other: Text) -> bool {
        let mut at = 0;
        while at < other.bytes {
            if self.byte(start.wrapping_add(at)) != other.byte(at) {
                return false;
            }
            at += 1;
        }
        true
    }

    fn ends_with(self, end: Text) -> bool {
        self.bytes >= end.bytes && self.has_at(self.bytes - end.bytes, end)
    }

    /// Whether this path is one of these, which have a zero between them, or below one.
    fn is_in(self, places: Text) -> bool {
        let mut start = 0;
        while start < places.bytes {
            let mut bytes = 0;
            while places.byte(start + bytes).is_some_and(|byte| byte != 0) {
                bytes += 1;
            }
            // SAFETY: within these places.
            let place = Text { start: unsafe { places.start.add(start) }, bytes };
            if self.has_at(0, place) && matches!(self.byte(bytes), None | Some(b'/')) {
                return true;
            }
            start += bytes + 1;
        }
        false
    }
}
