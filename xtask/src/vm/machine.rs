//! The machines that tests run on beside the host: a kernel of a Debian suite, and how QEMU makes a computer for it.

use std::path::Path;
use std::process::Command;

use crate::cross::ARM64;

/// Longest time a guest may take, in seconds, before it is taken for hung.
const GUEST_SECONDS: &str = "1800";

/// A kind of computer, as QEMU makes it.
#[derive(Debug)]
pub(crate) struct Computer {
    /// Debian's name of its architecture.
    pub architecture: &'static str,
    qemu: &'static str,
    options: &'static [&'static str],
    console: &'static str,
    /// Whether it can be suspended to memory. On QEMU's `virt` the kernel says so too, and its clocks go on.
    pub sleeps: bool,
}

/// With `cx16` QEMU 7.2 corrupts memory.
const PC: Computer = Computer {
    architecture: "amd64",
    qemu: "qemu-system-x86_64",
    options: &[
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
    ],
    console: "ttyS0",
    sleeps: true,
};

/// It counts instructions where its clock does: one goes by in each nanosecond. Of the processor of the study.
const ARM: Computer = Computer {
    architecture: ARM64,
    qemu: "qemu-system-aarch64",
    options: &[
        "-machine",
        "virt",
        "-cpu",
        "cortex-a57",
        "-accel",
        "tcg,thread=single",
        "-icount",
        "shift=0",
        "-smp",
        "2",
        "-m",
        "2048",
    ],
    console: "ttyAMA0",
    sleeps: false,
};

const COMMAND_LINE: &str = "panic=-1 quiet root=/dev/nvme0n1 rootfstype=ext4 rw init=/wbd/init";

/// One machine.
#[derive(Debug)]
pub(crate) struct Machine {
    /// How it is named on the command line.
    pub name: &'static str,
    /// What QEMU makes.
    pub computer: Computer,
    /// The suite its kernel is from.
    pub suite: &'static str,
    /// The package that depends on the newest kernel.
    pub kernel: &'static str,
    /// What such a kernel calls itself, as `uname -r` begins.
    pub release: &'static str,
    /// Whether systemd is its first program, with the daemon installed as its service.
    pub manager: bool,
}

/// All of them.
pub(crate) const MACHINES: [Machine; 4] = [
    Machine {
        name: "x86-6.12",
        computer: PC,
        suite: "trixie",
        kernel: "linux-image-cloud-amd64",
        release: "6.12.",
        manager: false,
    },
    Machine {
        name: "x86-6.1",
        computer: PC,
        suite: "bookworm",
        kernel: "linux-image-cloud-amd64",
        release: "6.1.",
        manager: false,
    },
    Machine {
        name: "arm-6.12",
        computer: ARM,
        suite: "trixie",
        kernel: "linux-image-cloud-arm64",
        release: "6.12.",
        manager: false,
    },
    Machine {
        name: "systemd",
        computer: PC,
        suite: "trixie",
        kernel: "linux-image-cloud-amd64",
        release: "6.12.",
        manager: true,
    },
];

impl Machine {
    /// The machine of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        MACHINES.iter().find(|machine| machine.name == name)
    }

    /// Whether what it runs has to be made for it.
    pub(crate) fn is_arm64(&self) -> bool {
        self.computer.architecture == ARM64
    }

    /// QEMU, emulating, with the console on its standard output. The disk is written to, and nothing of that is kept.
    pub(crate) fn boot(&self, kernel: &Path, disk: &Path) -> Command {
        let Computer {
            qemu: program,
            options,
            console,
            ..
        } = self.computer;
        let mut qemu = Command::new("timeout");
        qemu.args([GUEST_SECONDS, program]).args(options);
        qemu.args(["-nic", "none", "-nographic", "-no-reboot"]);
        qemu.arg("-drive").arg(format!(
            "file={},format=raw,if=none,id=disk,snapshot=on",
            disk.display()
        ));
        qemu.args(["-device", "nvme,drive=disk,serial=wbd"]);
        qemu.arg("-kernel").arg(kernel);
        qemu.arg("-append")
            .arg(format!("console={console} {COMMAND_LINE}"));
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
