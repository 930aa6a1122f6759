//! From one statement to a test for each claim.

/// Makes a test of every claim about this runner: `program::CLAIM`, and `MODE::CLAIM` for each of its modes.
///
/// ```text
/// wbd_runner_tests::contract! {
///     runner: env!("CARGO_BIN_EXE_wbd-runner-engine"),
///     version: "engine 1.2.3",
///     modes: [jit, aot],
///     exceptions: { a_sleeping_guest_wakes: "engine 1.2 has no clocks" },
/// }
/// ```
///
/// `modes` are of `jit`, `aot` and `interp`. An exception says of a claim that the engine cannot keep it, and why.
/// Its tests then pass only as long as the claim fails, and print the reason.
#[macro_export]
macro_rules! contract {
    (
        runner: $program:expr,
        version: $version:expr,
        modes: [$($mode:ident),+ $(,)?]
        $(, exceptions: { $($claim:ident: $reason:literal),+ $(,)? })? $(,)?
    ) => {
        /// The runner and what is expected of it.
        pub(crate) const SUBJECT: $crate::Subject = $crate::Subject {
            program: $program,
            version: $version,
            modes: &[$($crate::list!(@mode $mode)),+],
            exceptions: &[$($((stringify!($claim), $reason)),+)?],
        };
        // An exception names a claim, or it does not compile.
        $($(const _: fn(&$crate::Trial) = $crate::claims::$claim;)+)?

        mod program {
            $crate::list!(program);
        }
        $(mod $mode {
            $crate::list!($mode);
        })+
    };
}

/// Which claims are made of what.
#[doc(hidden)]
#[macro_export]
macro_rules! list {
    (program) => {
        $crate::tests! { super::SUBJECT;
            each_mark_stands_in_the_program_once
            the_version_is_one_line
            a_command_line_without_a_mode_is_refused
            what_it_has_no_mode_for_is_refused
        }
    };
    (aot) => {
        $crate::list!(@every aot);
        $crate::tests! { super::SUBJECT.in_mode($crate::Mode::Aot);
            what_cannot_be_compiled_is_refused
            machine_code_cut_short_anywhere_is_refused
            what_is_no_machine_code_is_refused
        }
    };
    ($mode:ident) => {
        $crate::list!(@every $mode);
        $crate::tests! { super::SUBJECT.in_mode($crate::list!(@mode $mode));
            a_file_that_is_no_module_is_refused
            a_module_with_a_damaged_body_is_refused
            a_component_is_refused
        }
    };
    (@every $mode:ident) => {
        $crate::tests! { super::SUBJECT.in_mode($crate::list!(@mode $mode));
            the_marks_are_passed_once_each_and_in_order
            the_guests_exit_status_is_passed_on
            nothing_is_printed_but_by_the_guest
            the_guest_sees_its_file_name_and_the_words_after_the_dashes
            a_guest_can_be_given_a_name
            the_guests_environment_holds_what_was_named_and_nothing_of_the_hosts
            the_guest_reads_the_runners_standard_input
            a_sleeping_guest_wakes
            a_guest_given_no_directory_opens_no_file
            a_guest_opens_a_file_in_the_directory_it_was_given
            a_guest_does_not_leave_the_directory_it_was_given
            a_trap_is_told_from_an_exit
            a_trap_before_the_start_function_is_a_trap
            an_exhausted_stack_is_a_trap
            a_file_that_is_not_there_is_refused
            a_directory_that_is_not_there_is_refused
            a_module_with_an_unknown_import_is_refused
            a_module_for_an_older_wasi_is_refused
            a_module_without_a_start_function_is_refused
        }
    };
    (@mode jit) => { $crate::Mode::Jit };
    (@mode aot) => { $crate::Mode::Aot };
    (@mode interp) => { $crate::Mode::Interp };
}

/// One test for each claim about a subject or a trial.
#[doc(hidden)]
#[macro_export]
macro_rules! tests {
    ($about:expr; $($claim:ident)+) => {
        $(#[test]
        fn $claim() {
            super::SUBJECT.uphold(stringify!($claim), || $crate::claims::$claim(&$about));
        })+
    };
}
