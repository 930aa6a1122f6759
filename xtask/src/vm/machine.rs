//! The machines that tests run on beside the host: a kernel of a Debian suite, and how QEMU makes a computer for it.

use std::path::Path;
use std::process::Command;

/// Longest time a guest may take, in seconds, before it is taken for hung.
const GUEST_SECONDS: &str = "1800";

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
pub(crate) const MACHINES: [Machine; 3] = [
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
    Machine {
        name: "arm64-6.12",
        architecture: "arm64",
        suite: "trixie",
        kernel: "linux-image-cloud-arm64",
        release: "6.12.",
    },
];

impl Machine {
    /// The machine of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        MACHINES.iter().find(|machine| machine.name == name)
    }

    /// QEMU, emulating, with the console on its standard output. The disk is written to, and nothing of that is kept.
    pub(crate) fn boot(&self, kernel: &Path, disk: &Path) -> Command {
        let mut qemu = Command::new("timeout");
        qemu.args([GUEST_SECONDS, self.qemu()]).args(self.computer());
        qemu.args(["-nic", "none", "-nographic", "-no-reboot"]);
        qemu.arg("-drive").arg(format!(
            "file={},format=raw,if=none,id=disk,snapshot=on",
            disk.display()
        ));
        qemu.args(["-device", "nvme,drive=disk,serial=wbd"]);
        qemu.arg("-kernel").arg(kernel).arg("-append").arg(format!(
            "console={} panic=-1 quiet root=/dev/nvme0n1 rootfstype=ext4 rw init=/wbd/init",
            self.console()
        ));
        qemu
    }

    fn qemu(&self) -> &'static str {
        match self.architecture {
            "arm64" => "qemu-system-aarch64",
            _ => "qemu-system-x86_64",
        }
    }

    /// With `cx16` QEMU 7.2 corrupts memory. On arm64 only `icount` gives counters that count.
    fn computer(&self) -> &'static [&'static str] {
        match self.architecture {
            "arm64" => &[
                "-M",
                "virt",
                "-cpu",
                "cortex-a57",
                "-accel",
                "tcg",
                "-smp",
                "1",
                "-icount",
                "shift=0",
                "-m",
                "2048",
            ],
            _ => &[
                "-machine",
                "q35",
                "-cpu",
                "max,cx16=off",
                "-accel",
                "tcg,thread=multi",
                "-smp",
                "2",
                "-m",
                "2048",
            ],
        }
    }

    fn console(&self) -> &'static str {
        match self.architecture {
            "arm64" => "ttyAMA0",
            _ => "ttyS0",
        }
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
