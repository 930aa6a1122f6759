//! What every runner has in common: its command line, its marks, its exit status.
//!
//! A runner is a small program that runs one WASI preview 1 module under one engine. It is a program of its own
//! so that no other engine's code or memory weighs on the engine's figures, and it does no more than a plain
//! embedding does: engine, module, instance, `_start`. Each of these steps ends with a mark ([`marks`]) that the
//! kernel can see and that costs one `nop` when nobody looks.
//!
//! Exit status: the guest's own; 134 where the guest trapped; 125 where the runner could not run it. Of what went
//! wrong it prints one line on standard error, `wbd-runner: ...` or `wbd-runner: trap: ...`.

mod arguments;
mod failure;
pub mod marks;
pub mod module;

use std::io::Write as _;
use std::path::Path;

pub use arguments::{Mode, Preopen, Run};
pub use failure::Failure;

use arguments::Command;

/// Exit status of a run whose guest trapped: what a shell reports of a native program that aborted.
const STATUS_TRAP: i32 = 134;

/// Exit status of a run that never came to its guest.
const STATUS_FAILURE: i32 = 125;

/// How a guest ended.
#[derive(Debug)]
pub enum Ending {
    /// It returned from `_start` or called `proc_exit`.
    Exited(i32),
    /// It trapped: why, in the engine's words.
    Trapped(String),
}

/// An engine in a program of its own.
pub trait Runner {
    /// The program's name: `wbd-runner-ENGINE`.
    const NAME: &'static str;

    /// The modes it has.
    const MODES: &'static [Mode];

    /// The engine and its version, as `wasmtime 48.0.8`.
    fn version() -> String;

    /// Runs the module's `_start`, and passes the marks on the way.
    ///
    /// # Errors
    ///
    /// The guest could not be brought to run.
    fn run(run: &Run) -> Result<Ending, Failure>;

    /// The machine code of the module at `path`, for a [`Mode::Aot`] run by this very program on this machine.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the engine refuses the module, or compiles none at all.
    fn compile(path: &Path) -> Result<Vec<u8>, Failure>;
}

/// The whole of a runner's `main`.
pub fn main<R: Runner>() -> ! {
    let status = arguments::parse(R::NAME, R::MODES)
        .and_then(obey::<R>)
        .unwrap_or_else(|failure| {
            eprintln!("wbd-runner: {failure}");
            STATUS_FAILURE
        });
    // Ends here rather than by returning: tearing the instance down would be charged to the guest.
    std::process::exit(status)
}

fn obey<R: Runner>(command: Command) -> Result<i32, Failure> {
    match command {
        Command::Run(run) => R::run(&run).map(status),
        Command::Compile(path) => print(&R::compile(&path)?),
        Command::Version => print(format!("{}\n", R::version()).as_bytes()),
        Command::Help => print(arguments::usage(R::NAME, R::MODES).as_bytes()),
    }
}

fn status(ending: Ending) -> i32 {
    match ending {
        Ending::Exited(status) => status,
        Ending::Trapped(reason) => {
            eprintln!("wbd-runner: trap: {}", failure::one_line(reason));
            STATUS_TRAP
        }
    }
}

fn print(bytes: &[u8]) -> Result<i32, Failure> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    written.map(|()| 0).map_err(|error| {
        Failure::new(format_args!(
            "cannot write to standard output: {error}; give it a file with room"
        ))
    })
}
