//! What can be changed about a cell, one thing at a time.

use std::ffi::CStr;

use wbd_linux::gate::Program;
use wbd_linux::inherited::Inherited;
use wbd_model::explanation::{Cause, CauseKind};

use super::subject::Subject;
use crate::session::conditions;
use crate::session::experiment::ExperimentError;
use crate::session::laboratory::Laboratory;
use crate::session::news::News;
use crate::session::plan::Plan;
use crate::session::prepare::How;

/// Has the C library ask for huge pages for what is allocated.
const HUGE_PAGES: &CStr = c"GLIBC_TUNABLES=glibc.malloc.hugetlb=1";
/// Nothing on the machine comes before this nice value.
const FIRST: i32 = -20;
/// Has a shell execute a program whose standard output goes nowhere.
const TO_NULL: &CStr = c"exec \"$0\" \"$@\" >/dev/null";
/// Has it go to a file, which goes when the program ends.
const TO_FILE: &CStr = c"file=$(mktemp) && exec >\"$file\" && rm \"$file\" && exec \"$0\" \"$@\"";

/// A change of one factor, made to both cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Standard output goes nowhere.
    NullOutput,
    /// Standard output goes to a file, which nobody has to read.
    FileOutput,
    /// The workload writes the same in few large blocks.
    Blocks,
    /// Code is compiled before the run.
    Ahead,
    /// The command's last number is doubled.
    Doubled,
    /// The workload has another size.
    Size,
    /// Memory that is allocated comes in huge pages.
    HugePages,
    /// Files that are read are in memory.
    WarmCache,
    /// Any CPU will do, not only those that were chosen.
    AnyCpu,
    /// One CPU for all: threads of an engine take turns and hardly meet.
    OneCpu,
    /// Nothing else gets a CPU that this wants.
    Priority,
}

impl Change {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::NullOutput => "standard output to the null device",
            Self::FileOutput => "standard output to a file",
            Self::Blocks => "the same output in blocks of 64 KiB",
            Self::Ahead => "code compiled ahead of time",
            Self::Doubled => "twice the work (the last argument doubled)",
            Self::Size => "another size of the workload",
            Self::HugePages => "huge pages for what is allocated",
            Self::WarmCache => "the page cache warm",
            Self::AnyCpu => "any CPU, not only those that were chosen",
            Self::OneCpu => "all threads on one CPU",
            Self::Priority => "nice -20, before everybody else on the CPUs",
        }
    }

    /// What may put a cause to the test, the most telling first.
    pub(super) fn of(cause: &Cause) -> &'static [Self] {
        match cause.kind {
            CauseKind::Syscalls if cause.text.contains("write") => {
                &[Self::Blocks, Self::NullOutput, Self::Doubled, Self::Size]
            }
            CauseKind::LockWait => &[Self::Blocks, Self::OneCpu, Self::Doubled, Self::Size],
            CauseKind::Compile => &[Self::Ahead],
            CauseKind::Interference => &[Self::AnyCpu, Self::Priority],
            CauseKind::IoWait if cause.text.contains("write") => {
                &[Self::NullOutput, Self::FileOutput, Self::Doubled, Self::Size]
            }
            CauseKind::IoWait => &[Self::WarmCache, Self::Doubled, Self::Size],
            CauseKind::PageFaults | CauseKind::MemoryBandwidth => {
                &[Self::HugePages, Self::Doubled, Self::Size]
            }
            CauseKind::Syscalls
            | CauseKind::UserCpu
            | CauseKind::EngineCpu
            | CauseKind::Sleep
            | CauseKind::Processes => &[Self::Doubled, Self::Size],
        }
    }

    /// Whether a run of each with the change is needed under probes: what the cause carries then is the question.
    pub(super) fn is_of_amount(self) -> bool {
        matches!(self, Self::Doubled | Self::Size)
    }
}

/// A cell with a change made to it.
pub(super) fn subject(
    laboratory: &mut Laboratory,
    plan: Plan,
    change: Change,
    news: &News,
) -> Result<Subject, ExperimentError> {
    let changes = conditions::changes(&plan);
    let mut subject = Subject::new(laboratory, plan, news)?;
    let How::Process { program, .. } = subject.how() else {
        return Ok(subject);
    };
    match change {
        Change::NullOutput => *program = through_shell(program, TO_NULL),
        Change::FileOutput => *program = through_shell(program, TO_FILE),
        Change::Priority => {
            if let (Ok(mut changes), Ok(_)) = (changes, Inherited::of_this_thread()) {
                changes.renice(FIRST);
                *program = program.clone().with(changes);
            }
        }
        Change::HugePages => *program = program.clone().and_variable(HUGE_PAGES.to_owned()),
        Change::Blocks
        | Change::Ahead
        | Change::Doubled
        | Change::Size
        | Change::WarmCache
        | Change::AnyCpu
        | Change::OneCpu => {}
    }
    Ok(subject)
}

/// A program started by a shell that does something first.
fn through_shell(program: &Program, script: &CStr) -> Program {
    let words = [c"sh", c"-c", script].map(CStr::to_owned);
    program.clone().started_by(c"/bin/sh".to_owned(), words.into())
}
