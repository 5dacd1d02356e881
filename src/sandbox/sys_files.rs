//! The calls by which a thread of the server works with an episode's rights on files.
#![expect(
    unsafe_code,
    reason = "each block is one call and says why it is sound"
)]

use std::io;
use std::marker::PhantomData;

/// While it lives, this thread does what it does to files as another user: setfsuid(2), setfsgid(2). With the uid go the capabilities that
/// pass over permissions. It stays on its thread, and so does its effect.
#[derive(Debug)]
pub(crate) struct ActingAs {
    uid: u32,
    gid: u32,
    stays: PhantomData<*const ()>,
}

impl ActingAs {
    /// Begins.
    ///
    /// # Errors
    /// When this process may not.
    pub(crate) fn begin(uid: u32, gid: u32) -> io::Result<Self> {
        // The group first: without the uid of root it may not be changed.
        let before = Self {
            gid: set_gid(gid),
            uid: set_uid(uid),
            stays: PhantomData,
        };
        // The calls never fail; they tell what was before. An id that can't be is one that changes nothing.
        if (set_uid(u32::MAX), set_gid(u32::MAX)) == (uid, gid) {
            Ok(before)
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
}

impl Drop for ActingAs {
    fn drop(&mut self) {
        set_uid(self.uid);
        set_gid(self.gid);
    }
}

fn set_uid(uid: u32) -> u32 {
    // SAFETY: numbers only; of this thread alone.
    unsafe { libc::setfsuid(uid) }.cast_unsigned()
}

fn set_gid(gid: u32) -> u32 {
    // SAFETY: numbers only; of this thread alone.
    unsafe { libc::setfsgid(gid) }.cast_unsigned()
}
