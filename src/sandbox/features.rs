//! What this machine lets a server use for isolation, as the [probe](super::probe) has found it. A pure value.

use super::plan::Uids;
use crate::wire::{Malformed, Reader, Writer};

/// Something that was tried: what came out, or why it does not work here, in words for a person.
pub(crate) type Found<T = ()> = Result<T, String>;

/// The most ranges of mapped uids that are looked at: the kernel allows 340 (user_namespaces(7)).
const UID_RANGES_MAX: u32 = 340;

/// What namespaces can do, entered in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Namespaces {
    /// A cell: pid, mount and ipc namespaces of its own, with a tmpfs that keeps to its size.
    pub(crate) cell: Found,
    /// A new root, with a directory of the host bound into it read-only, and the old one gone: pivot_root(2).
    pub(crate) root: Found,
    /// A /proc of the cell's own, that shows its processes.
    pub(crate) proc: Found,
    /// Such a /proc that shows nothing but processes (`subset=pid`, Linux 5.8).
    pub(crate) proc_subset: Found,
    /// A network namespace, in which nothing can be reached.
    pub(crate) network: Found,
    /// The loopback interface of a network namespace can be set up.
    pub(crate) loopback: Found,
}

/// Control groups that cells can be bounded by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cgroups {
    /// Version 1 (a hierarchy per controller) or 2 (one for all).
    pub(crate) version: u8,
    /// The controller `cpu` is among them; `memory` and `pids` always are.
    pub(crate) cpu: bool,
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Features {
    /// The effective uid that the probe, and so the warden, has.
    pub(crate) euid: u32,
    /// Namespaces with the privilege of this process.
    pub(crate) privileged: Namespaces,
    /// Namespaces without privilege: in a user namespace, each cell in one of its own within it.
    pub(crate) unprivileged: Namespaces,
    /// RLIMIT_NPROC counts the processes of a user namespace by themselves (Linux 5.14; never for the host's root).
    pub(crate) process_count: Found,
    /// The Landlock ABI, from 1, and a domain keeps files out.
    pub(crate) landlock: Found<u32>,
    /// A Landlock domain keeps kill(2) of a process outside it out.
    pub(crate) landlock_signals: Found,
    /// A filter of system calls can be installed, and works.
    pub(crate) seccomp: Found,
    /// A filter can ask another process, whose answer becomes the call's result or lets it run, and a process can be signalled by a descriptor:
    /// what the signal broker needs (Linux 5.19).
    pub(crate) user_notification: Found,
    /// A process can become another user, for good, and this one can give that user files and signal its processes.
    pub(crate) set_uid: Found,
    /// This process can open up another user's files and open them, whatever their mode: what it takes to remove them.
    pub(crate) others_files: Found,
    /// Another user can open the interpreters, what they import, and what the operator shows; or that was not tried, because this process
    /// can give episodes a root directory of their own.
    pub(crate) open_to_others: Found,
    /// The uids that exist here (and gids of the same numbers): all on a machine, some in a user namespace.
    pub(crate) mapped_uids: Vec<Uids>,
    /// prctl(2) PR_SET_NO_NEW_PRIVS.
    pub(crate) no_new_privs: Found,
    /// All descriptors from one on can be closed by one call: close_range(2), Linux 5.9.
    pub(crate) close_range: Found,
    /// A process can start one that is its parent's child: clone(2) with CLONE_PARENT.
    pub(crate) clone_parent: Found,
    /// What it takes to make copies of a worker others' users: the capabilities for that, that a call's answer can bring descriptors (Linux 5.9), and that another
    /// user's process can be looked at.
    pub(crate) copies: Found,
    /// What it takes beside that to give each a root of its own: the capabilities for that.
    pub(crate) copies_roots: Found,
    /// Control groups below the server's own, with limits that hold.
    pub(crate) cgroup: Found<Cgroups>,
}

/// How a value that was found is written.
trait Wire: Sized {
    fn put(&self, message: Writer) -> Writer;
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed>;
}

/// A byte that has to be 0 or 1.
fn flag(reader: &mut Reader<'_>) -> Result<bool, Malformed> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed),
    }
}

impl Wire for () {
    fn put(&self, message: Writer) -> Writer {
        message
    }
    fn take(_: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(())
    }
}

impl Wire for u32 {
    fn put(&self, message: Writer) -> Writer {
        message.u32(*self)
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.u32()
    }
}

impl Wire for Cgroups {
    fn put(&self, message: Writer) -> Writer {
        let Self { version, cpu } = self;
        message.u8(*version).u8((*cpu).into())
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            version: reader.u8()?,
            cpu: flag(reader)?,
        })
    }
}

impl<T: Wire> Wire for Found<T> {
    fn put(&self, message: Writer) -> Writer {
        match self {
            Ok(value) => value.put(message.u8(1)),
            Err(reason) => message.u8(0).block(reason.as_bytes()),
        }
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        if flag(reader)? {
            return T::take(reader).map(Ok);
        }
        let reason = reader.block()?.to_vec();
        String::from_utf8(reason).map(Err).map_err(|_| Malformed)
    }
}

impl Wire for Namespaces {
    fn put(&self, message: Writer) -> Writer {
        let Self {
            cell,
            root,
            proc,
            proc_subset,
            network,
            loopback,
        } = self;
        [cell, root, proc, proc_subset, network, loopback]
            .into_iter()
            .fold(message, |message, found| found.put(message))
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            cell: Found::take(reader)?,
            root: Found::take(reader)?,
            proc: Found::take(reader)?,
            proc_subset: Found::take(reader)?,
            network: Found::take(reader)?,
            loopback: Found::take(reader)?,
        })
    }
}

/// The first byte of encoded features.
const KIND: u8 = 1;

impl Features {
    /// As bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self {
            euid,
            privileged,
            unprivileged,
            process_count,
            landlock,
            landlock_signals,
            seccomp,
            user_notification,
            set_uid,
            others_files,
            open_to_others,
            mapped_uids,
            no_new_privs,
            close_range,
            clone_parent,
            copies,
            copies_roots,
            cgroup,
        } = self;
        let mut message = Writer::new(KIND).u32(*euid);
        message = unprivileged.put(privileged.put(message));
        message = landlock.put(process_count.put(message));
        message = seccomp.put(landlock_signals.put(message));
        message = set_uid.put(user_notification.put(message));
        message = open_to_others.put(others_files.put(message));
        message = message.u32(u32::try_from(mapped_uids.len()).unwrap_or(u32::MAX));
        for Uids { first, count } in mapped_uids {
            message = message.u32(*first).u32(*count);
        }
        message = close_range.put(no_new_privs.put(message));
        message = copies.put(clone_parent.put(message));
        cgroup.put(copies_roots.put(message)).finish()
    }

    /// The inverse of [`encode`](Self::encode).
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let reader = &mut Reader::new(bytes);
        if reader.u8()? != KIND {
            return Err(Malformed);
        }
        let features = Self {
            euid: reader.u32()?,
            privileged: Namespaces::take(reader)?,
            unprivileged: Namespaces::take(reader)?,
            process_count: Found::take(reader)?,
            landlock: Found::take(reader)?,
            landlock_signals: Found::take(reader)?,
            seccomp: Found::take(reader)?,
            user_notification: Found::take(reader)?,
            set_uid: Found::take(reader)?,
            others_files: Found::take(reader)?,
            open_to_others: Found::take(reader)?,
            mapped_uids: match reader.u32()? {
                count @ 0..=UID_RANGES_MAX => (0..count)
                    .map(|_| {
                        Ok(Uids {
                            first: reader.u32()?,
                            count: reader.u32()?,
                        })
                    })
                    .collect::<Result<_, Malformed>>()?,
                _ => return Err(Malformed),
            },
            no_new_privs: Found::take(reader)?,
            close_range: Found::take(reader)?,
            clone_parent: Found::take(reader)?,
            copies: Found::take(reader)?,
            copies_roots: Found::take(reader)?,
            cgroup: Found::take(reader)?,
        };
        reader.end()?;
        Ok(features)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found() -> impl Strategy<Value = Found> {
        proptest::result::maybe_ok(Just(()), ".{0,12}")
    }

    fn namespaces() -> impl Strategy<Value = Namespaces> {
        (found(), found(), found(), found(), found(), found()).prop_map(
            |(cell, root, proc, proc_subset, network, loopback)| Namespaces {
                cell,
                root,
                proc,
                proc_subset,
                network,
                loopback,
            },
        )
    }

    prop_compose! {
        fn features()(
            (euid, privileged, unprivileged) in (any::<u32>(), namespaces(), namespaces()),
            landlock in proptest::result::maybe_ok(any::<u32>(), ".{0,12}"),
            cgroup in proptest::result::maybe_ok((1_u8..3, any::<bool>()), ".{0,12}"),
            mapped in proptest::collection::vec((any::<u32>(), any::<u32>()), 0..4),
            (process_count, landlock_signals, seccomp) in (found(), found(), found()),
            (user_notification, set_uid, no_new_privs) in (found(), found(), found()),
            (close_range, clone_parent, copies) in (found(), found(), found()),
            (others_files, open_to_others, copies_roots) in (found(), found(), found()),
        ) -> Features {
            Features {
                euid, privileged, unprivileged, process_count, landlock, landlock_signals, seccomp,
                user_notification, set_uid, others_files, open_to_others, no_new_privs, close_range, clone_parent, copies, copies_roots,
                mapped_uids: mapped.into_iter().map(|(first, count)| Uids { first, count }).collect(),
                cgroup: cgroup.map(|(version, cpu)| Cgroups { version, cpu }),
            }
        }
    }

    proptest! {
        #[test]
        fn features_come_out_as_they_went_in(features in features()) {
            prop_assert_eq!(Features::decode(&features.encode()), Ok(features));
        }

        #[test]
        fn a_part_of_a_message_or_more_than_one_is_malformed(features in features(), cut in any::<proptest::sample::Index>()) {
            let mut bytes = features.encode();
            let part = bytes[..cut.index(bytes.len())].to_vec();
            prop_assert_eq!(Features::decode(&part), Err(Malformed));
            bytes.push(0);
            prop_assert_eq!(Features::decode(&bytes), Err(Malformed));
        }

        #[test]
        fn what_can_be_decoded_is_what_is_encoded(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(Features::decode(&bytes).is_ok_and(|features| features.encode() != bytes), false);
        }
    }
}
