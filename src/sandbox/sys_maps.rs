//! What a process has in memory, one mapping at a time: PROCMAP_QUERY of /proc/PID/maps (Linux 6.11), which takes less time than the file's text.
#![expect(
    unsafe_code,
    reason = "each block is one call and says why it is sound"
)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

/// _IOWR('f', 17, struct procmap_query).
const QUERY: libc::c_ulong = 0xc068_6611;
/// PROCMAP_QUERY_COVERING_OR_NEXT_VMA, PROCMAP_QUERY_FILE_BACKED_VMA, PROCMAP_QUERY_VMA_SHARED of linux/fs.h.
const NEXT: u64 = 0x10;
const WITH_FILE: u64 = 0x20;
const SHARED: u64 = 0x8;
/// The longest name that the kernel tells: PATH_MAX.
const NAME_BYTES_MAX: u32 = 4096;

/// `struct procmap_query` of linux/fs.h.
#[repr(C)]
#[derive(Default)]
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
    device_major: u32,
    device_minor: u32,
    /// With the zero at its end.
    name_bytes: u32,
    build_id_bytes: u32,
    name: u64,
    build_id: u64,
}

/// A file that a process has in memory, or memory that it shares.
pub(super) struct FileMapping<'a> {
    pub(super) is_shared: bool,
    /// Major and minor.
    pub(super) device: (u32, u32),
    /// As it is, unlike in the text.
    pub(super) path: &'a [u8],
}

/// Shows each mapping that has a file, of an open /proc/PID/maps, for as long as `goes_on` says so.
///
/// # Errors
/// Where this kernel does not answer, and when the process has ended.
pub(super) fn each(
    maps: &File,
    mut goes_on: impl FnMut(&FileMapping<'_>) -> bool,
) -> io::Result<()> {
    let mut name = [0_u8; NAME_BYTES_MAX as usize];
    let mut address = 0;
    loop {
        let mut query = Query {
            size: size_of::<Query>() as u64,
            wanted: NEXT | WITH_FILE,
            address,
            name_bytes: NAME_BYTES_MAX,
            name: name.as_mut_ptr() as u64,
            ..Query::default()
        };
        // SAFETY: both addresses are of live locals of the sizes that are told.
        let result = unsafe { libc::ioctl(maps.as_raw_fd(), QUERY as _, &raw mut query) };
        if result < 0 {
            let error = io::Error::last_os_error();
            return match error.raw_os_error() {
                Some(libc::ENOENT) => Ok(()), // there is no more
                _ => Err(error),
            };
        }
        let bytes = usize::try_from(query.name_bytes).unwrap_or(0);
        let mapping = FileMapping {
            is_shared: query.flags & SHARED != 0,
            device: (query.device_major, query.device_minor),
            path: name.get(..bytes.saturating_sub(1)).unwrap_or_default(),
        };
        if !goes_on(&mapping) {
            return Ok(());
        }
        address = query.end;
    }
}
