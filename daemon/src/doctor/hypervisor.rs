//! Whether the machine is a guest, and whose.
//!
//! No single place tells on every machine: x86 has a flag without a name, firmware tables a name that
//! hardware vendors have too, and the clock sources are the hypervisor's own.

use procfs::CpuInfo;

use super::read;

/// System vendors whose machines are virtual, but for a cloud's products called metal.
const VIRTUAL_VENDORS: [&str; 7] = ["QEMU", "KVM", "VMware", "innotek", "Xen", "Amazon EC2", "Google"];
/// Clock sources that a hypervisor gives its guests.
const CLOCKS: [(&str, &str); 3] = [("kvm-clock", "KVM"), ("hyperv", "Hyper-V"), ("xen", "Xen")];

/// What may betray a hypervisor.
#[derive(Debug, Default)]
pub(super) struct Traces {
    /// The processor's `hypervisor` flag (x86).
    flag: bool,
    /// `/sys/hypervisor/type`.
    kind: Option<String>,
    /// The firmware's system vendor.
    vendor: Option<String>,
    /// The firmware's product name.
    product: Option<String>,
    /// The device tree's machine (ARM without firmware tables).
    device_tree: Option<String>,
    /// The clock sources there are.
    clocks: Option<String>,
}

impl Traces {
    pub(super) fn read(cpu: Option<&CpuInfo>) -> Self {
        let flags = cpu.and_then(|cpu| cpu.flags(0)).unwrap_or_default();
        Self {
            flag: flags.contains(&"hypervisor"),
            kind: read::text("/sys/hypervisor/type"),
            vendor: read::text("/sys/class/dmi/id/sys_vendor"),
            product: read::text("/sys/class/dmi/id/product_name"),
            device_tree: read::text("/proc/device-tree/compatible"),
            clocks: read::text("/sys/devices/system/clocksource/clocksource0/available_clocksource"),
        }
    }

    fn is_guest(&self) -> bool {
        self.flag || self.kind.is_some() || self.is_virtual_product() || self.is_bare_qemu()
    }

    fn is_virtual_product(&self) -> bool {
        let vendor = self.vendor.as_deref().unwrap_or_default();
        let product = self.product.as_deref().unwrap_or_default();
        VIRTUAL_VENDORS.iter().any(|known| vendor.starts_with(known)) && !product.contains("metal")
    }

    /// QEMU's `virt` machine without firmware.
    fn is_bare_qemu(&self) -> bool {
        self.device_tree
            .as_deref()
            .is_some_and(|machine| machine.contains("dummy-virt"))
    }

    fn clock(&self) -> Option<String> {
        let clocks = self.clocks.as_deref()?;
        let (_, name) = CLOCKS.iter().find(|(clock, _)| clocks.contains(clock))?;
        Some((*name).to_owned())
    }

    fn product(&self) -> Option<String> {
        match (self.vendor.as_deref(), self.product.as_deref()) {
            (Some(vendor), Some(product)) => Some(format!("{vendor} {product}")),
            (Some(name), None) | (None, Some(name)) => Some(name.to_owned()),
            (None, None) => None,
        }
    }
}

/// The hypervisor, where the machine is a guest.
pub(super) fn name(traces: &Traces) -> Option<String> {
    if !traces.is_guest() {
        return None;
    }
    let qemu = traces.is_bare_qemu().then(|| "QEMU".to_owned());
    let known = traces
        .product()
        .or_else(|| traces.kind.clone())
        .or_else(|| traces.clock())
        .or(qemu);
    Some(known.unwrap_or_else(|| "one that does not say its name".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn hardware_is_no_guest() {
        let laptop = Traces {
            vendor: text("LENOVO"),
            product: text("20XW"),
            ..Traces::default()
        };
        assert_eq!(name(&laptop), None);
        let metal = Traces {
            vendor: text("Amazon EC2"),
            product: text("m7g.metal"),
            ..Traces::default()
        };
        assert_eq!(name(&metal), None);
        assert_eq!(name(&Traces::default()), None);
    }

    #[test]
    fn a_guest_is_named_by_what_it_shows() {
        let firmware = Traces {
            vendor: text("QEMU"),
            product: text("Standard PC"),
            ..Traces::default()
        };
        assert_eq!(name(&firmware).as_deref(), Some("QEMU Standard PC"));
        let without_firmware = Traces {
            flag: true,
            clocks: text("tsc kvm-clock acpi_pm"),
            ..Traces::default()
        };
        assert_eq!(name(&without_firmware).as_deref(), Some("KVM"));
        let arm = Traces {
            device_tree: text("linux,dummy-virt"),
            ..Traces::default()
        };
        assert_eq!(name(&arm).as_deref(), Some("QEMU"));
        let cloud = Traces {
            vendor: text("Amazon EC2"),
            product: text("m7g.large"),
            ..Traces::default()
        };
        assert_eq!(name(&cloud).as_deref(), Some("Amazon EC2 m7g.large"));
        let xen = Traces {
            kind: text("xen"),
            ..Traces::default()
        };
        assert_eq!(name(&xen).as_deref(), Some("xen"));
    }

    #[test]
    fn a_guest_that_hides_its_host_is_still_a_guest() {
        assert!(
            name(&Traces {
                flag: true,
                ..Traces::default()
            })
            .is_some()
        );
    }
}
