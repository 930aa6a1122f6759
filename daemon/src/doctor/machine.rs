//! What is recorded of the machine with every experiment.

use procfs::{CpuInfo, Current as _, LoadAverage, Meminfo};
use wbd_linux::cgroup::{Hierarchies, NoCgroups};
use wbd_model::host::Machine;

use super::{environment, frequency, hypervisor};

/// What a field says that cannot be read.
const UNKNOWN: &str = "unknown";

/// The machine as it is now.
pub(crate) fn machine() -> Machine {
    let cpu = CpuInfo::current().ok();
    let load = LoadAverage::current().map_or(0.0, |load| load.one);
    let hypervisor = hypervisor::name(&hypervisor::Traces::read(cpu.as_ref()));
    let cpus = cpu.as_ref().map_or(0, |cpu| cpu.num_cores() as u32);
    let (environment, disturbing) = environment::record(&environment::checks(hypervisor.as_deref(), cpus));
    Machine {
        kernel: kernel_release(),
        arch: std::env::consts::ARCH.to_owned(),
        cpu: cpu
            .as_ref()
            .and_then(cpu_name)
            .unwrap_or_else(|| UNKNOWN.to_owned()),
        cpus,
        memory_bytes: Meminfo::current().map_or(0, |memory| memory.mem_total),
        cgroups: cgroup_mode(),
        governor: frequency::governor(),
        hypervisor,
        environment,
        disturbing,
        load_centi: (load * 100.0).round() as u32,
        entry_bias: None,
        wbd: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn kernel_release() -> String {
    let name = nix::sys::utsname::uname();
    name.map_or(UNKNOWN.to_owned(), |name| {
        name.release().to_string_lossy().into_owned()
    })
}

/// ARM processors give numbers in place of a name.
fn cpu_name(cpu: &CpuInfo) -> Option<String> {
    let field = |name| cpu.get_field(0, name);
    field("model name").map(str::to_owned).or_else(|| {
        let (implementer, part) = (field("CPU implementer")?, field("CPU part")?);
        Some(format!("implementer {implementer}, part {part}"))
    })
}

fn cgroup_mode() -> String {
    match Hierarchies::detect() {
        Ok(hierarchies) => hierarchies.kind(),
        Err(NoCgroups::NoUnified) => "v1",
        Err(NoCgroups::Mounts(_)) => UNKNOWN,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use procfs::FromRead as _;

    use super::*;

    fn cpu(text: &str) -> CpuInfo {
        CpuInfo::from_read(text.as_bytes()).unwrap()
    }

    fn printed_by(program: &str, argument: &str) -> String {
        let output = Command::new(program).arg(argument).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn this_machine_is_told_as_other_tools_tell_it() {
        let machine = machine();
        assert_eq!(machine.kernel, printed_by("uname", "-r"));
        assert_eq!(machine.arch, printed_by("uname", "-m"));
        assert_eq!(
            machine.cpus.to_string(),
            printed_by("getconf", "_NPROCESSORS_ONLN")
        );
        let pages: u64 = printed_by("getconf", "_PHYS_PAGES").parse().unwrap();
        let page_bytes: u64 = printed_by("getconf", "PAGE_SIZE").parse().unwrap();
        assert_eq!(machine.memory_bytes, pages * page_bytes);
    }

    #[test]
    fn a_processor_is_named_or_numbered() {
        let x86 = "processor\t: 0\nmodel name\t: Some CPU @ 2.30GHz\n\n";
        assert_eq!(cpu_name(&cpu(x86)).as_deref(), Some("Some CPU @ 2.30GHz"));
        let arm = "processor\t: 0\nBogoMIPS\t: 125.00\nCPU implementer\t: 0x41\nCPU part\t: 0xd07\n\n";
        assert_eq!(
            cpu_name(&cpu(arm)).as_deref(),
            Some("implementer 0x41, part 0xd07")
        );
        assert_eq!(cpu_name(&cpu("processor\t: 0\n\n")), None);
    }
}
