//! Figures for people: three significant digits and a unit, so that two of them compare at a glance.

use wbd_model::Unit;

/// Names of units, each with how many of the base unit it is.
type Scale = [(&'static str, f64)];

const TIME: &Scale = &[(" ns", 1.0), (" us", 1e3), (" ms", 1e6), (" s", 1e9)];
const BYTES: &Scale = &[
    (" B", 1.0),
    (" KiB", 1024.0),
    (" MiB", 1_048_576.0),
    (" GiB", 1_073_741_824.0),
    (" TiB", 1_099_511_627_776.0),
];
const COUNT: &Scale = &[("", 1.0), (" k", 1e3), (" M", 1e6), (" G", 1e9), (" T", 1e12)];
/// Below this a count is written in full.
const FULL_COUNTS: u64 = 10_000;

/// `value` in `unit`.
pub(crate) fn figure(value: u64, unit: Unit) -> String {
    match unit {
        Unit::Ns => scaled(value, TIME),
        Unit::Bytes => scaled(value, BYTES),
        Unit::Count if value < FULL_COUNTS => value.to_string(),
        Unit::Count => scaled(value, COUNT),
    }
}

/// A length of time in nanoseconds.
pub(crate) fn duration(ns: u64) -> String {
    figure(ns, Unit::Ns)
}

/// In the first unit in which it rounds to less than 1,000, or the last.
fn scaled(value: u64, scale: &Scale) -> String {
    let fits = |&&(_, size): &&(&str, f64)| value as f64 / size < 999.5;
    let (name, size) = scale.iter().find(fits).unwrap_or(&scale[scale.len() - 1]);
    if *size == 1.0 {
        return format!("{value}{name}");
    }
    let number = value as f64 / size;
    let decimals = match number {
        ..0.9995 => 3,
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{number:.decimals$}{name}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn figures_change_their_unit_where_three_digits_end() {
        for (value, unit, text) in [
            (0, Unit::Ns, "0 ns"),
            (999, Unit::Ns, "999 ns"),
            (1_000, Unit::Ns, "1.00 us"),
            (12_345, Unit::Ns, "12.3 us"),
            (999_499, Unit::Ns, "999 us"),
            (999_500, Unit::Ns, "1.00 ms"),
            (9_994_999, Unit::Ns, "9.99 ms"),
            (9_995_000, Unit::Ns, "10.0 ms"),
            (1_500_000_000, Unit::Ns, "1.50 s"),
            (3_600_000_000_000, Unit::Ns, "3600 s"),
            (1000, Unit::Bytes, "0.977 KiB"),
            (1024, Unit::Bytes, "1.00 KiB"),
            (5_000_000, Unit::Bytes, "4.77 MiB"),
            (9_999, Unit::Count, "9999"),
            (10_000, Unit::Count, "10.0 k"),
            (2_500_000_000, Unit::Count, "2.50 G"),
        ] {
            assert_eq!(figure(value, unit), text);
        }
    }

    /// What a reader takes the text to mean.
    fn read_back(text: &str, scale: &Scale) -> f64 {
        let (number, name) = text.split_at(text.find(' ').unwrap_or(text.len()));
        let size = scale.iter().find(|(unit, _)| *unit == name).unwrap().1;
        number.parse::<f64>().unwrap() * size
    }

    proptest! {
        #[test]
        fn a_figure_is_off_by_half_of_its_third_digit_at_most(bits in 0_u32..64, fill: u64) {
            let value = fill >> bits;
            for (unit, scale) in [(Unit::Ns, TIME), (Unit::Bytes, BYTES), (Unit::Count, COUNT)] {
                let text = figure(value, unit);
                let error = (read_back(&text, scale) - value as f64).abs();
                prop_assert!(error <= value as f64 * 0.005_001, "{} as {}", value, text);
            }
        }

        #[test]
        fn a_figure_has_at_most_three_digits_below_the_last_unit(value in 0..999_499_999_999_u64) {
            let text = figure(value, Unit::Ns);
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            prop_assert!(digits.trim_start_matches('0').len() <= 3, "{} as {}", value, text);
        }
    }
}
