//! Lists of CPUs as `taskset` and the kernel write them: `0`, `0,2`, `1-3`, `0-6:2`.

/// The highest number a CPU can have here; Linux is built for 8192 at most.
const MAX_CPU: u32 = 8191;

/// The CPUs of a list, ascending and each once; none where it is no such list.
#[must_use]
pub fn parse(list: &str) -> Option<Vec<u32>> {
    let mut cpus = Vec::new();
    for part in list.split(',') {
        cpus.extend(range(part)?);
    }
    cpus.sort_unstable();
    cpus.dedup();
    Some(cpus)
}

fn range(part: &str) -> Option<impl Iterator<Item = u32> + use<>> {
    let (range, step) = part.split_once(':').unwrap_or((part, "1"));
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last) = (number(first)?, number(last)?);
    let step = number(step).filter(|&step| step > 0)?;
    (first <= last).then(|| (first..=last).step_by(step as usize))
}

fn number(digits: &str) -> Option<u32> {
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = all_digits.then(|| digits.parse().ok()).flatten()?;
    (number <= MAX_CPU).then_some(number)
}

/// The list of these CPUs, neighbours as ranges.
#[must_use]
pub fn text(cpus: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &cpu in cpus {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == cpu => *last = cpu,
            _ => ranges.push((cpu, cpu)),
        }
    }
    let range = |(first, last)| match first == last {
        true => format!("{first}"),
        false => format!("{first}-{last}"),
    };
    ranges.into_iter().map(range).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_are_read_as_taskset_reads_them() {
        for (list, cpus) in [
            ("0", &[0][..]),
            ("1-3", &[1, 2, 3]),
            ("5,0,0-1", &[0, 1, 5]),
            ("0-6:3", &[0, 3, 6]),
        ] {
            assert_eq!(parse(list).as_deref(), Some(cpus), "{list}");
        }
        for list in [
            "",
            "a",
            "1-",
            "3-1",
            "0,,1",
            "-1",
            "+1",
            "0-4:0",
            "99999999999",
            "9000",
        ] {
            assert_eq!(parse(list), None, "{list}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(cpus in proptest::collection::btree_set(0_u32..=MAX_CPU, 1..20)) {
            let cpus: Vec<u32> = cpus.into_iter().collect();
            prop_assert_eq!(parse(&text(&cpus)), Some(cpus));
        }

        #[test]
        fn nothing_foreign_panics(list in ".{0,40}") {
            let _ = parse(&list);
        }
    }
}
