//! The memory that this process may use.

use std::fs;
use std::path::Path;

/// Returns the number of bytes: the memory of the machine, or less in a control group, such as that of
/// a container or of a unit with `MemoryMax`. Returns `None` if the system does not say.
pub(super) fn limit() -> Option<u64> {
    let machine = total(&fs::read_to_string("/proc/meminfo").ok()?);
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = group_limit(&groups, Path::new("/sys/fs/cgroup"));
    machine.into_iter().chain(group).min()
}

/// Returns the total memory in the text of `/proc/meminfo`, in bytes.
fn total(meminfo: &str) -> Option<u64> {
    let kib = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(kib.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.saturating_mul(1024))
}

/// Returns the smallest limit of the groups in the text of `/proc/self/cgroup`, each a line
/// `number:controllers:path`, and of the groups around them. `root` is the folder in which the system
/// shows all groups; those of version 1, which have controllers, are in a folder for each controller.
fn group_limit(groups: &str, root: &Path) -> Option<u64> {
    let paths = groups.lines().filter_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let is_memory =
            controllers.split(',').any(|controller| matches!(controller, "" | "memory"));
        is_memory.then(|| (controllers.is_empty(), Path::new(path)))
    });
    let files = paths.flat_map(|(is_version_2, path)| {
        let (folder, file) = match is_version_2 {
            true => (root.to_owned(), "memory.max"),
            false => (root.join("memory"), "memory.limit_in_bytes"),
        };
        let inside = path.strip_prefix("/").unwrap_or(path);
        inside.ancestors().map(move |group| folder.join(group).join(file))
    });
    // Without a limit, it is `max` in version 2 and a number beyond any memory in version 1.
    files.filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok()).min()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("MemTotal:         507904 kB\nMemFree: 1 kB\n", Some(507_904 * 1024))]
    #[case("MemTotal: many\n", None)]
    #[case("", None)]
    fn the_memory_of_the_machine_is_read(#[case] meminfo: &str, #[case] bytes: Option<u64>) {
        assert_eq!(total(meminfo), bytes);
    }

    #[rstest]
    #[case::of_a_unit("0::/system.slice/bottle.service\n", Some(3000))]
    #[case::of_the_group_around("0::/system.slice/bottle.service/inner\n", Some(3000))]
    #[case::none("0::/user.slice\n", None)]
    #[case::missing("0::/elsewhere\n", None)]
    #[case::version_1("4:cpu,memory:/docker/1\n3:cpuset:/docker/2\n0::/\n", Some(2000))]
    #[case::other_controllers("3:cpuset:/docker/1\n", None)]
    #[case::damaged("memory\n", None)]
    fn the_limit_of_a_control_group_is_read(#[case] groups: &str, #[case] bytes: Option<u64>) {
        let root = tempfile::tempdir().unwrap();
        for (file, limit) in [
            ("system.slice/memory.max", "4000\n"),
            ("system.slice/bottle.service/memory.max", "3000\n"),
            ("system.slice/bottle.service/inner/memory.max", "max\n"),
            ("user.slice/memory.max", "max\n"),
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory/docker/1/memory.limit_in_bytes", "2000\n"),
        ] {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, limit).unwrap();
        }
        assert_eq!(group_limit(groups, root.path()), bytes);
    }
}
