//! Which of the tests as root a guest runs: those that depend on the kernel, as far as emulation has time for them.
//!
//! The others ask of documents, engines, statistics and the store what no kernel changes; `cargo xtask test` runs them.

use std::path::Path;

use anyhow::Result;

use super::machine::Machine;
use crate::dist::{list, read};

/// A file of tests, and what of it is run.
type Chosen = (&'static str, Which);

/// The tests of a file that are run.
#[derive(Clone, Copy, Debug)]
enum Which {
    All,
    /// All but these, for the reason beside them.
    But(&'static [(&'static str, &'static str)]),
    /// These alone.
    Only(&'static [&'static str]),
}

const CHOSEN: &[Chosen] = &[
    ("kernel", Which::All),
    (
        "truths",
        Which::But(&[
            (
                "cpu_time_is_what_was_burned",
                "its bounds are of hundredths, which a busy host does not leave an emulated machine",
            ),
            (
                "a_program_that_never_waits_hardly_switches",
                "its bound is of microseconds, which emulation stretches",
            ),
            (
                "time_asleep_is_neither_cpu_time_nor_waiting_for_a_cpu",
                "it bounds the CPU time of a dynamic linker, which emulation stretches",
            ),
        ]),
    ),
    (
        "first_instruction",
        Which::But(&[(
            "the_entry_is_never_seen_after_the_programs_first_act_and_seldom_long_before",
            "its bounds are of microseconds, which emulation stretches",
        )]),
    ),
    ("rights", Which::All),
    (
        "conditions",
        Which::Only(&[
            "a_target_has_its_callers_limits_nice_value_cpus_and_umask",
            "a_cold_run_finds_its_own_files_dropped_and_its_neighbours_not",
        ]),
    ),
    (
        "daemon",
        Which::Only(&[
            "after_kill_9_in_a_run_the_next_daemon_keeps_the_finished_runs_and_clears_away_the_rest",
            "without_root_it_says_what_it_needs",
        ]),
    ),
    (
        "failures",
        Which::Only(&[
            "a_child_that_outlives_its_parent_is_ended_and_noted",
            "cgroups_that_a_run_made_go_with_it",
            "a_program_that_left_its_cgroup_does_not_count",
            "a_program_that_needs_more_memory_than_it_may_have_is_ended_and_the_next_one_is_not",
        ]),
    ),
    (
        "wasm",
        Which::Only(&["the_engine_is_ready_before_the_module_the_instance_and_the_guest"]),
    ),
];

/// What a machine runs besides that can be put to sleep.
const SLEEPING: &[Chosen] = &[("suspend", Which::All)];
/// What a machine runs whose services are managed, and nothing else.
const MANAGED: &[Chosen] = &[("managed", Which::All)];

/// The files of tests that a machine runs, each with its arguments.
pub(crate) fn files(machine: &Machine) -> impl Iterator<Item = (&'static str, String)> {
    let sleeping = if machine.computer.sleeps { SLEEPING } else { &[] };
    let chosen = if machine.manager {
        [MANAGED, &[]]
    } else {
        [CHOSEN, sleeping]
    };
    let arguments = |which: &Which| match which {
        Which::All => String::new(),
        Which::But(left) => left.iter().map(|(test, _)| format!(" --skip {test}")).collect(),
        Which::Only(tests) => format!(" --exact {}", tests.join(" ")),
    };
    let told = move |(file, which): &Chosen| (*file, arguments(which));
    chosen.into_iter().flatten().map(told)
}

/// The files that some machine runs.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    every().map(|(file, _)| *file)
}

fn every() -> impl Iterator<Item = &'static Chosen> {
    [CHOSEN, SLEEPING, MANAGED].into_iter().flatten()
}

/// How many tests there are in files of tests, whoever runs them.
pub(crate) fn all(tests: &Path) -> Result<usize> {
    let mut number = 0;
    for file in list(tests)? {
        number += String::from_utf8_lossy(&read(&file)?).matches("#[test]").count();
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_are_named_are_there() {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/tests");
        for (file, which) in every() {
            let text = read(&tests.join(format!("{file}.rs"))).unwrap();
            let text = String::from_utf8(text).unwrap();
            let named: Vec<&str> = match which {
                Which::All => Vec::new(),
                Which::But(left) => left.iter().map(|(test, _)| *test).collect(),
                Which::Only(tests) => tests.to_vec(),
            };
            for test in named {
                assert!(text.contains(&format!("fn {test}()")), "{file}.rs has no {test}");
            }
        }
    }
}
