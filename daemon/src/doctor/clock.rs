//! The clock behind every instant: what the kernel reads when it reads the time.

use wbd_model::host::Check;

use super::check::{good, missing, warning};
use super::read;

const NAME: &str = "clock source";
/// Where the kernel names the source of its clock.
const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
/// Sources that are read by going to a device, a microsecond each time.
const SLOW: [&str; 4] = ["hpet", "acpi_pm", "jiffies", "refined-jiffies"];

pub(super) fn checks() -> Vec<Check> {
    vec![check_source(read::text(SOURCE).as_deref())]
}

fn check_source(source: Option<&str>) -> Check {
    match source {
        Some(slow) if SLOW.contains(&slow) => warning(
            NAME,
            format!("{slow}: each reading takes a microsecond or more, and every instant is one"),
            "see why the kernel gave up its faster one: dmesg | grep -i -e clocksource -e tsc; boot with tsc=reliable where the \
             processor's is sound",
        ),
        Some(source) => good(NAME, source),
        None => missing(NAME, format!("{SOURCE} cannot be read"), "mount sysfs on /sys"),
    }
}

#[cfg(test)]
mod tests {
    use wbd_model::host::Grade;

    use super::*;

    #[test]
    fn a_clock_that_is_slow_to_read_is_a_warning() {
        assert_eq!(check_source(Some("tsc")).grade, Grade::Good);
        assert_eq!(check_source(Some("kvm-clock")).grade, Grade::Good);
        let slow = check_source(Some("hpet"));
        assert_eq!(slow.grade, Grade::Warning);
        assert!(slow.mend.unwrap().contains("tsc"));
        assert_eq!(check_source(None).grade, Grade::Missing);
    }
}
