//! The machines that tests run on beside the host: a kernel of a Debian suite, and how QEMU makes a computer for it.

use std::path::Path;
use std::process::Command;

/// Longest time a guest may take, in seconds, before it is taken for hung.
const GUEST_SECONDS: &str = "1800";

/// With `cx16` QEMU 7.2 corrupts memory.
const COMPUTER: &[&str] = &[
    "-machine",
    "q35",
    "-cpu",
    "max,cx16=off",
    "-accel",
    "tcg,thread=single",
    "-smp",
    "2",
    "-m",
    "2048",
];
const COMMAND_LINE: &str = "console=ttyS0 panic=-1 quiet root=/dev/nvme0n1 rootfstype=ext4 rw init=/wbd/init";

/// One machine.
#[derive(Debug)]
pub(crate) struct Machine {
    /// How it is named on the command line.
    pub name: &'static str,
    /// Debian's name of its architecture.
    pub architecture: &'static str,
    /// The suite its kernel is from.
    pub suite: &'static str,
    /// The package that depends on the newest kernel.
    pub kernel: &'static str,
    /// What such a kernel calls itself, as `uname -r` begins.
    pub release: &'static str,
}

/// All of them.
pub(crate) const MACHINES: [Machine; 2] = [
    Machine {
        name: "x86-6.12",
        architecture: "amd64",
        suite: "trixie",
        kernel: "linux-image-cloud-amd64",
        release: "6.12.",
    },
    Machine {
        name: "x86-6.1",
        architecture: "amd64",
        suite: "bookworm",
        kernel: "linux-image-cloud-amd64",
        release: "6.1.",
    },
];

impl Machine {
    /// The machine of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        MACHINES.iter().find(|machine| machine.name == name)
    }

    /// QEMU, emulating, with the console on its standard output. The disk is written to, and nothing of that is kept.
    pub(crate) fn boot(kernel: &Path, disk: &Path) -> Command {
        let mut qemu = Command::new("timeout");
        qemu.args([GUEST_SECONDS, "qemu-system-x86_64"]).args(COMPUTER);
        qemu.args(["-nic", "none", "-nographic", "-no-reboot"]);
        qemu.arg("-drive").arg(format!(
            "file={},format=raw,if=none,id=disk,snapshot=on",
            disk.display()
        ));
        qemu.args(["-device", "nvme,drive=disk,serial=wbd"]);
        qemu.arg("-kernel").arg(kernel).args(["-append", COMMAND_LINE]);
        qemu
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_found_by_its_name_alone() {
        for machine in &MACHINES {
            assert_eq!(
                Machine::named(machine.name).map(|found| found.name),
                Some(machine.name)
            );
        }
        assert!(Machine::named("x86").is_none());
    }
}
