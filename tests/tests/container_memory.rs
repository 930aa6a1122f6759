//! The memory of a container: against a program that knows how much it touches.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use wbd_model::Metric;
use wbd_tests::Home;
use wbd_tests::docker::require;
use wbd_tests::documents::p50;

const MIB: u64 = 1 << 20;
/// A workload that touches so many MiB by size, and prints nothing.
const MANIFEST: &str = r#"
about = "Touches memory and ends with all of it resident"
source = "touch.c"

[sizes.small]
args = ["64"]
output = { bytes = 0, xxh3 = "99aa06d3014798d86001c324468d497f" }

[sizes.quick]
args = ["512"]
output = { bytes = 0, xxh3 = "99aa06d3014798d86001c324468d497f" }
"#;

/// A place whose distribution has the program as a workload.
fn home() -> Home {
    let home = Home::with_dist_for_everyone();
    let folder = home.path("dist/share/wbd/workloads/touch");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("workload.toml"), MANIFEST).unwrap();
    let program = folder.join("touch.static");
    fs::copy(home.path("dist/tests/touch"), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    home
}

/// What is charged to a container is its program's memory and what belongs to it: page tables, the stack of the C library,
/// and what each CPU holds in stock (256 KiB), as the kernel charges 64 pages at once. Needs root and Docker.
#[test]
fn docker_memory_of_a_container_is_what_its_program_touched_and_little_more() {
    require();
    let home = home();
    let _wbd = home.start();
    let cpus = std::thread::available_parallelism().unwrap().get() as u64;
    for (size, mib) in [("small", 64), ("quick", 512)] {
        let line = ["-t", "docker", "-w", "touch", "--size", size, "-n", "5"];
        let made = home.measure(&line);
        let [cgroup, process] =
            [Metric::CgroupPeak, Metric::RssPeak].map(|metric| p50(&made.cells[0], metric));
        println!("{mib} MiB touched: cgroup_peak {cgroup} bytes, rss_peak {process} bytes");
        let truth = mib * MIB;
        assert!(process >= truth && process < truth + MIB, "{mib} MiB: {process}");
        let most = truth + truth / 100 + cpus * MIB / 4;
        assert!(cgroup >= truth && cgroup <= most, "{mib} MiB: {cgroup}");
    }
}
