//! File systems whose locks do not keep two programs off one file.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use super::files::folder_of;
use super::open_error::OpenError;

/// Returns [`OpenError::NoLocks`] if the file system is mounted so that other machines do not see the
/// locks taken here. Where the system has no table of mounts, nothing is known.
pub(super) fn check_mount(path: &Path) -> Result<(), OpenError> {
    let folder = folder_of(path).canonicalize();
    let (Ok(folder), Ok(mounts)) = (folder, fs::read_to_string("/proc/self/mountinfo")) else {
        return Ok(());
    };
    match weakness(&mounts, &folder) {
        Some(reason) => Err(OpenError::NoLocks { path: path.to_owned(), reason }),
        None => Ok(()),
    }
}

/// Returns [`OpenError::NoLocks`] if the file, which `_held` has locked, can be locked a second time.
///
/// No connection may have the file open: closing the second descriptor ends the locks that SQLite
/// holds in this process.
pub(super) fn check_conflict(path: &Path, _held: &File) -> Result<(), OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    match File::open(path).map_err(io)?.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(e)) => Err(io(e)),
        Ok(()) => {
            let reason = "it locks one file for two programs".to_owned();
            Err(OpenError::NoLocks { path: path.to_owned(), reason })
        }
    }
}

/// Returns the error for a file system that could not lock the file at `path`.
pub(super) fn refusal(path: &Path, source: io::Error) -> OpenError {
    match source.kind() {
        // The errors of a file system without locks: ENOLCK, ENOSYS or EOPNOTSUPP.
        io::ErrorKind::Unsupported => no_locks(path, &source),
        _ if source.raw_os_error() == Some(rustix::io::Errno::NOLCK.raw_os_error()) => {
            no_locks(path, &source)
        }
        _ => OpenError::Io { path: path.to_owned(), source },
    }
}

fn no_locks(path: &Path, source: &io::Error) -> OpenError {
    OpenError::NoLocks { path: path.to_owned(), reason: source.to_string() }
}

/// Returns why locks in `folder` are not seen everywhere, by the lines of `/proc/self/mountinfo`
/// ([format](https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html)).
fn weakness(mounts: &str, folder: &Path) -> Option<String> {
    // A later mount hides an earlier one at the same place.
    let mount = mounts
        .lines()
        .filter_map(|line| {
            let (fields, system) = line.split_once(" - ")?;
            let point = unescaped(fields.split(' ').nth(4)?);
            folder.starts_with(&point).then_some((point.len(), fields, system))
        })
        .max_by_key(|(length, ..)| *length);
    let (_, fields, system) = mount?;
    let mut system = system.split(' ');
    let kind = system.next()?;
    let options = [fields.split(' ').nth(5)?, system.nth(1).unwrap_or_default()];
    let has = |wanted: &[&str]| {
        let mut all = options.iter().flat_map(|options| options.split([',', ';']));
        all.find(|option| wanted.contains(option)).map(|option| format!("{kind} with {option}"))
    };
    match kind {
        "nfs" | "nfs4" => {
            has(&["nolock", "local_lock=all", "local_lock=flock", "local_lock=posix"])
        }
        "cifs" | "smb3" => has(&["nobrl", "nolock"]),
        "9p" if has(&["aname=drvfs"]).is_some() => Some("a folder of Windows, in WSL".to_owned()),
        "fuse.sshfs" | "fuse.rclone" | "fuse.s3fs" | "fuse.gcsfuse" | "fuse.davfs" => {
            Some(kind.to_owned())
        }
        _ => None,
    }
}

/// Resolves the escapes of white space and backslashes in a mount point.
fn unescaped(point: &str) -> String {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    escapes.iter().fold(point.to_owned(), |point, (from, to)| point.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /srv/a\\040b rw,relatime - nfs4 nas:/a rw,vers=4.2,local_lock=none,addr=10.0.0.2
31 22 0:41 / /srv/old rw,relatime - nfs nas:/old rw,vers=3,nolock,local_lock=all,addr=10.0.0.2
32 22 0:42 / /srv/old/usb rw,relatime - vfat /dev/sdb1 rw
33 22 0:43 / /mnt/c rw,noatime - 9p C:\\134 rw,dirsync,aname=drvfs;path=C:\\;uid=1000,trans=fd
34 22 0:44 / /mnt/share rw - cifs //nas/share rw,vers=3.1.1,nobrl
35 22 0:45 / /mnt/ssh rw - fuse.sshfs ada@nas: rw,user_id=0
36 22 0:46 / /mnt/host rw - virtiofs host rw
37 22 0:47 / /mnt/box rw - 9p none rw,trans=fd,rfdno=4
38 22 0:48 / /mnt/ssh rw - ext4 /dev/sdc1 rw
";

    #[test]
    fn only_mounts_without_locks_are_weak() {
        let of = |folder: &str| weakness(MOUNTS, Path::new(folder));
        for sound in ["/", "/srv/a b/sea", "/srv/old/usb", "/srv/older", "/mnt/host", "/mnt/box"] {
            assert_eq!(of(sound), None, "{sound}");
        }
        assert_eq!(of("/mnt/ssh"), None, "the last mount at a place is the one that is seen");
        assert_eq!(of("/srv/old/sea").unwrap(), "nfs with nolock");
        assert_eq!(of("/mnt/share").unwrap(), "cifs with nobrl");
        assert!(of("/mnt/c/Users/ada").unwrap().contains("WSL"));
        let earlier = MOUNTS.lines().filter(|line| !line.starts_with("38")).collect::<Vec<_>>();
        assert_eq!(weakness(&earlier.join("\n"), Path::new("/mnt/ssh")).unwrap(), "fuse.sshfs");
    }
}
