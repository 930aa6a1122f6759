//! The command line, as the daemon writes it and every runner reads it.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

use crate::failure::Failure;

/// What `help` prints of the runner of this name.
pub(crate) fn usage(runner: &str, modes: &[Mode]) -> String {
    let modes = modes
        .iter()
        .map(|mode| mode.as_str())
        .collect::<Vec<_>>()
        .join("|");
    format!(
        "\
Usage: {runner} run --mode {modes} [--name NAME] [--env NAME=VALUE]... [--dir HOST[::GUEST]]... [--perf-map] MODULE [-- ARGS...]
       {runner} compile MODULE.wasm > CODE
       {runner} version
"
    )
}

/// What to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Run a module.
    Run(Run),
    /// Write a module's machine code to standard output.
    Compile(PathBuf),
    /// Name the engine.
    Version,
    /// Print the usage.
    Help,
}

/// What to run, and what its guest gets.
#[derive(Debug)]
pub struct Run {
    /// When the guest's code is made, if at all.
    pub mode: Mode,
    /// The module, or for [`Mode::Aot`] what `compile` made of it.
    pub module: PathBuf,
    /// What the guest is told that it is called; the module's file name where absent.
    pub name: Option<String>,
    /// The guest's arguments, without its own name.
    pub arguments: Vec<String>,
    /// The guest's environment: all of it.
    pub environment: Vec<(String, String)>,
    /// The directories that the guest may use: no others.
    pub preopens: Vec<Preopen>,
    /// Whether the engine, if it can, is to name the guest's functions in `/tmp/perf-PID.map`. It takes time, and so
    /// does not belong into a run that is measured.
    pub perf_map: bool,
}

impl Run {
    /// The guest's `argv[0]`.
    #[must_use]
    pub fn program_name(&self) -> String {
        let file_name = || {
            self.module
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        self.name.clone().unwrap_or_else(file_name)
    }
}

/// When machine code is made of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In this very process, before the guest runs.
    Jit,
    /// Before, by `compile`.
    Aot,
    /// Never: the guest is interpreted.
    Interp,
}

impl Mode {
    const ALL: [Self; 3] = [Self::Jit, Self::Aot, Self::Interp];

    /// As the command line spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jit => "jit",
            Self::Aot => "aot",
            Self::Interp => "interp",
        }
    }
}

/// A directory the guest may use, and the name it knows it by.
#[derive(Debug, PartialEq, Eq)]
pub struct Preopen {
    /// The directory's path here.
    pub host: String,
    /// Its path in the guest.
    pub guest: String,
}

/// Reads this process's command line.
pub(crate) fn parse(runner: &str, modes: &[Mode]) -> Result<Command, Failure> {
    command(lexopt::Parser::from_env(), modes)
        .map_err(|error| Failure::new(format_args!("{error}; see `{runner} help`")))
}

fn command(mut parser: lexopt::Parser, modes: &[Mode]) -> Result<Command, lexopt::Error> {
    let command = match parser.next()? {
        Some(Value(word)) if word == "run" => return run(parser, modes).map(Command::Run),
        Some(Value(word)) if word == "compile" => Command::Compile(parser.value()?.into()),
        Some(Value(word)) if word == "version" => Command::Version,
        Some(Value(word)) if word == "help" => Command::Help,
        Some(Long("version")) => Command::Version,
        Some(Long("help") | Short('h')) => Command::Help,
        Some(other) => return Err(other.unexpected()),
        None => return Err("no command given".into()),
    };
    match parser.next()? {
        Some(surplus) => Err(surplus.unexpected()),
        None => Ok(command),
    }
}

fn run(mut parser: lexopt::Parser, modes: &[Mode]) -> Result<Run, lexopt::Error> {
    let (mut mode, mut module, mut name) = (None, None, None);
    let (mut arguments, mut environment, mut preopens) = (vec![], vec![], vec![]);
    let mut perf_map = false;
    while let Some(word) = parser.next()? {
        match word {
            Long("mode") => mode = Some(parser.value()?.parse_with(|text| read_mode(text, modes))?),
            Long("name") => name = Some(parser.value()?.string()?),
            Long("env") => environment.push(parser.value()?.parse_with(read_variable)?),
            Long("dir") => preopens.push(parser.value()?.parse_with(read_preopen)?),
            Long("perf-map") => perf_map = true,
            Value(path) if module.is_none() => module = Some(path),
            Value(argument) => arguments.push(argument.string()?),
            other => return Err(other.unexpected()),
        }
    }
    let module: OsString = module.ok_or("no module given")?;
    Ok(Run {
        mode: mode.ok_or("no --mode given")?,
        module: module.into(),
        name,
        arguments,
        environment,
        preopens,
        perf_map,
    })
}

fn read_mode(text: &str, modes: &[Mode]) -> Result<Mode, String> {
    let known = Mode::ALL.into_iter().find(|mode| mode.as_str() == text);
    known.filter(|mode| modes.contains(mode)).ok_or_else(|| {
        let names: Vec<_> = modes.iter().map(|mode| mode.as_str()).collect();
        format!("this engine's modes: {}", names.join(", "))
    })
}

fn read_variable(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a variable is NAME=VALUE"),
    }
}

fn read_preopen(text: &str) -> Result<Preopen, &'static str> {
    let (host, guest) = text.split_once("::").unwrap_or((text, text));
    if host.is_empty() || guest.is_empty() {
        return Err("a directory is HOST or HOST::GUEST");
    }
    Ok(Preopen {
        host: host.to_owned(),
        guest: guest.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &[&str]) -> Result<Command, lexopt::Error> {
        command(lexopt::Parser::from_args(line), &[Mode::Jit, Mode::Aot])
    }

    #[test]
    fn a_run_is_taken_apart() {
        let line = [
            "run",
            "--mode",
            "aot",
            "--name",
            "m",
            "--env",
            "A=b=c",
            "--dir",
            "/h::/g",
            "--perf-map",
            "m.cwasm",
            "--",
            "--x",
            "--",
        ];
        let Ok(Command::Run(run)) = parsed(&line) else {
            panic!("a good line was refused");
        };
        assert_eq!(run.mode, Mode::Aot);
        assert!(run.perf_map);
        assert_eq!(run.module, PathBuf::from("m.cwasm"));
        assert_eq!(run.name.as_deref(), Some("m"));
        assert_eq!(run.arguments, ["--x", "--"]);
        assert_eq!(run.environment, [("A".to_owned(), "b=c".to_owned())]);
        let (host, guest) = ("/h".to_owned(), "/g".to_owned());
        assert_eq!(run.preopens, [Preopen { host, guest }]);
    }

    #[test]
    fn a_directory_without_a_guest_name_keeps_its_own() {
        assert_eq!(
            read_preopen("/data").map(|preopen| preopen.guest),
            Ok("/data".to_owned())
        );
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for line in [
            &[][..],
            &["walk"],
            &["run"],
            &["run", "m.wasm"],
            &["run", "--mode", "jit"],
            &["run", "--mode", "fast", "m.wasm"],
            &["run", "--mode", "interp", "m.wasm"], // a mode, but not one of this engine's
            &["run", "--mode", "jit", "--env", "=x", "m.wasm"],
            &["run", "--mode", "jit", "--env", "x", "m.wasm"],
            &["run", "--mode", "jit", "--dir", "::/g", "m.wasm"],
            &["run", "--mode", "jit", "m.wasm", "--unknown"],
            &["compile"],
            &["compile", "m.wasm", "surplus"],
            &["version", "surplus"],
        ] {
            assert!(parsed(line).is_err(), "{line:?} was taken");
        }
    }
}
