//! What a daemon holds of the machine, as the kernel lists it, and what of it outlives the daemon.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use aya::maps::loaded_maps;
use aya::programs::{loaded_links, loaded_programs};

/// What a daemon held at one moment.
#[derive(Clone, Debug)]
pub struct Held {
    programs: BTreeSet<u32>,
    maps: BTreeSet<u32>,
    links: BTreeSet<u32>,
    cgroups: Vec<PathBuf>,
}

impl Held {
    /// What the daemon `pid` with this state directory holds now.
    ///
    /// # Panics
    /// Where it holds no BPF program or no cgroup: this module would then look at the wrong places.
    #[must_use]
    pub fn by(pid: u32, state: &Path) -> Self {
        let held = Self {
            programs: bpf_ids(pid, "prog_id"),
            maps: bpf_ids(pid, "map_id"),
            links: bpf_ids(pid, "link_id"),
            cgroups: cgroups(state),
        };
        assert!(
            !held.programs.is_empty() && held.cgroups.iter().any(|cgroup| cgroup.is_dir()),
            "a daemon without a BPF program or a cgroup of its own: {held:?}"
        );
        held
    }

    /// What of it is still there, in words.
    #[must_use]
    pub fn left(&self) -> Vec<String> {
        let programs: BTreeSet<u32> = loaded_programs().flatten().map(|info| info.id()).collect();
        let maps: BTreeSet<u32> = loaded_maps().flatten().map(|info| info.id()).collect();
        let links: BTreeSet<u32> = loaded_links().flatten().map(|info| info.id()).collect();
        let bpf = [
            ("program", &self.programs & &programs),
            ("map", &self.maps & &maps),
            ("link", &self.links & &links),
        ];
        let bpf = bpf
            .iter()
            .flat_map(|(kind, ids)| ids.iter().map(move |id| format!("BPF {kind} {id}")));
        let cgroups = self.cgroups.iter().filter(|cgroup| cgroup.exists());
        bpf.chain(cgroups.map(|cgroup| cgroup.display().to_string()))
            .collect()
    }

    /// The cgroups of runs that are there now, in every hierarchy.
    #[must_use]
    pub fn runs(&self) -> Vec<PathBuf> {
        let below = |cgroup: &PathBuf| fs::read_dir(cgroup).into_iter().flatten().flatten();
        let entries = self.cgroups.iter().flat_map(below);
        entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect()
    }
}

/// The numbers that the descriptors of a process carry under `key`.
fn bpf_ids(pid: u32, key: &str) -> BTreeSet<u32> {
    let entries = fs::read_dir(format!("/proc/{pid}/fdinfo"))
        .into_iter()
        .flatten()
        .flatten();
    let texts = entries.filter_map(|entry| fs::read_to_string(entry.path()).ok());
    let id = |text: String| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.and_then(|value| value.trim().parse().ok())
    };
    texts.filter_map(id).collect()
}

/// The name a daemon gives its cgroups and containers: made of its state directory.
///
/// # Panics
/// Where no daemon has made the directory yet.
#[must_use]
pub fn instance(state: &Path) -> String {
    let state = state.canonicalize().expect("the daemon made its state directory");
    format!(
        "{:016x}",
        xxhash_rust::xxh3::xxh3_64(state.as_os_str().as_bytes())
    )
}

/// Where the daemon of a state directory has its cgroups: `wbd/INSTANCE` below the root of any hierarchy.
fn cgroups(state: &Path) -> Vec<PathBuf> {
    let name = format!("wbd/{}", instance(state));
    let root = Path::new("/sys/fs/cgroup");
    let hierarchies = fs::read_dir(root).expect("cgroups are mounted").flatten();
    hierarchies
        .map(|entry| entry.path())
        .chain([root.to_owned()])
        .map(|hierarchy| hierarchy.join(&name))
        .collect()
}
