//! What the kernel must have for wbd's programs: types to find fields by, and compilation to machine code.

use std::path::Path;

use wbd_model::host::Check;

use super::check::{good, missing, warning};
use super::read;

pub(super) fn checks() -> Vec<Check> {
    vec![
        check_types(Path::new("/sys/kernel/btf/vmlinux").exists()),
        check_jit(read::number("/proc/sys/net/core/bpf_jit_enable")),
    ]
}

fn check_types(present: bool) -> Check {
    let name = "kernel types (BTF)";
    if present {
        return good(name, "present");
    }
    let mend = "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y, as distributions' own are";
    missing(
        name,
        "absent: the kernel does not describe its types, so no run can be watched",
        mend,
    )
}

fn check_jit(enabled: Option<i64>) -> Check {
    let name = "BPF compiler";
    let mend = "sysctl net.core.bpf_jit_enable=1";
    match enabled {
        Some(0) => warning(
            name,
            "off: wbd's programs are interpreted and weigh more on every run",
            mend,
        ),
        Some(_) => good(name, "on"),
        None => good(name, "its setting is not shown here"),
    }
}

#[cfg(test)]
mod tests {
    use wbd_model::host::Grade;

    use super::*;

    #[test]
    fn a_kernel_without_types_cannot_be_watched() {
        assert_eq!(check_types(true).grade, Grade::Good);
        assert_eq!(check_types(false).grade, Grade::Missing);
    }

    #[test]
    fn interpreted_programs_are_warned_of() {
        assert_eq!(check_jit(Some(1)).grade, Grade::Good);
        assert_eq!(check_jit(None).grade, Grade::Good);
        assert_eq!(
            check_jit(Some(0)).mend.as_deref(),
            Some("sysctl net.core.bpf_jit_enable=1")
        );
    }
}
