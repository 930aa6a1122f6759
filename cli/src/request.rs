//! What the flags of `run` mean together: the request they come to, or a sentence on why they contradict.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use wbd_model::request::Until;
use wbd_model::{Preopen, RunRequest};

use crate::args::RunArgs;
use crate::failure::Failure;
use crate::program;

/// The workload where only targets are named.
const DEFAULT_WORKLOAD: &str = "empty";
/// Runs of each cell where nothing says otherwise.
const DEFAULT_RUNS: u32 = 10;
/// Runs of each cell at most, where they are made until the medians are known.
const MOST_RUNS: u32 = 10_000;
/// The longest time limit in seconds: a week.
const LONGEST_SECONDS: f64 = 7.0 * 86_400.0;

/// What the caller's process has that a command inherits.
pub(crate) struct Caller {
    /// The working directory.
    pub(crate) directory: PathBuf,
    /// The environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
}

impl Caller {
    /// This process's own.
    ///
    /// # Errors
    /// Fails where the working directory is gone.
    pub(crate) fn this_process() -> Result<Self, Failure> {
        Ok(Self {
            directory: std::env::current_dir().map_err(|error| {
                usage(format!(
                    "the working directory cannot be named: {error}; change to another one"
                ))
            })?,
            environment: std::env::vars_os().collect(),
        })
    }

    fn variable(&self, name: &str) -> Option<&OsStr> {
        self.environment
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_os_str())
    }
}

/// What is to be measured: one of four kinds, which exclude each other.
#[derive(Default)]
struct Subject {
    workloads: Vec<String>,
    image: Option<String>,
    wasm: Option<PathBuf>,
    command: Vec<String>,
    env: Vec<String>,
    env_bytes: Vec<Vec<u8>>,
    dirs: Vec<Preopen>,
}

/// The request that `args` come to.
///
/// # Errors
/// Fails where the flags contradict each other, or name a file that is not there.
pub(crate) fn build(args: RunArgs, caller: &Caller) -> Result<RunRequest, Failure> {
    refuse_doubles("-t", &args.targets)?;
    refuse_doubles("-w", &args.workloads)?;
    let subject = subject(&args, caller)?;
    Ok(RunRequest {
        until: until(&args),
        time_limit_ms: milliseconds(args.time_limit)?,
        memory_limit_mib: args.memory_limit,
        targets: args.targets,
        workloads: subject.workloads,
        size: args.size.unwrap_or_default(),
        runs: args.runs.unwrap_or(if args.until.is_some() {
            MOST_RUNS
        } else {
            DEFAULT_RUNS
        }),
        warmup: args.warmup,
        seed: args.seed,
        image: subject.image,
        wasm: subject.wasm,
        command: subject.command,
        cwd: text(caller.directory.as_os_str(), "the working directory")?.into(),
        env: subject.env,
        env_bytes: subject.env_bytes,
        dirs: subject.dirs,
        suite: args.suite,
        switches: args.switches,
        conditions: args.conditions.conditions(),
    })
}

fn until(args: &RunArgs) -> Option<Until> {
    Some(Until {
        half_width_ppm: ((args.until? * 1e4).round() as u32).max(1),
        budget_ms: args
            .budget
            .map(|budget| u64::try_from(budget.as_millis()).unwrap_or(u64::MAX)),
    })
}

fn subject(args: &RunArgs, caller: &Caller) -> Result<Subject, Failure> {
    if let Some(reference) = &args.image {
        return image(args, reference);
    }
    match (&args.wasm, args.command.split_first()) {
        (Some(file), _) => module(args, file, caller),
        (None, Some((program, rest))) => command(args, program, rest, caller),
        (None, None) => workloads(args),
    }
}

fn workloads(args: &RunArgs) -> Result<Subject, Failure> {
    if args.suite.is_some() {
        return Ok(Subject {
            workloads: args.workloads.clone(),
            ..Subject::default()
        });
    }
    if args.targets.is_empty() && args.workloads.is_empty() {
        return Err(usage(
            "nothing to run: name a target, such as `-t native`, a suite, or give a command after `--`",
        ));
    }
    if args.targets.is_empty() {
        return Err(usage(
            "-w names a workload and no -t says how to run it: add a target, such as `-t native`",
        ));
    }
    let mut workloads = args.workloads.clone();
    if workloads.is_empty() {
        workloads.push(DEFAULT_WORKLOAD.to_owned());
    }
    Ok(Subject {
        workloads,
        ..Subject::default()
    })
}

fn image(args: &RunArgs, reference: &str) -> Result<Subject, Failure> {
    let why = "--image brings its own program";
    refuse(why, "--wasm", args.wasm.is_some())?;
    refuse(why, "-t", !args.targets.is_empty())?;
    refuse_own(why, args)?;
    Ok(Subject {
        image: Some(reference.to_owned()),
        command: texts(&args.command)?,
        ..Subject::default()
    })
}

/// What is for wbd's own workloads.
fn refuse_own(why: &str, args: &RunArgs) -> Result<(), Failure> {
    refuse(why, "-w", !args.workloads.is_empty())?;
    refuse(why, "--size", args.size.is_some())?;
    refuse(why, "--suite", args.suite.is_some())
}

fn module(args: &RunArgs, file: &Path, caller: &Caller) -> Result<Subject, Failure> {
    refuse_own("--wasm brings its own program", args)?;
    Ok(Subject {
        wasm: Some(readable_file(&caller.directory.join(file))?),
        command: texts(&args.command)?,
        env: args
            .variables
            .iter()
            .map(|raw| variable(raw))
            .collect::<Result<_, _>>()?,
        dirs: args
            .dirs
            .iter()
            .map(|raw| preopen(raw, caller))
            .collect::<Result<_, _>>()?,
        ..Subject::default()
    })
}

fn command(args: &RunArgs, program: &OsStr, rest: &[OsString], caller: &Caller) -> Result<Subject, Failure> {
    let why = "a command after `--` is run as it is";
    refuse(why, "-t", !args.targets.is_empty())?;
    refuse_own(why, args)?;
    let found = program::find(program, caller.variable("PATH"), &caller.directory)
        .map_err(|error| usage(error.to_string()))?;
    let mut command = vec![text(found.as_os_str(), "the program's path")?];
    command.extend(texts(rest)?);
    let (env, env_bytes) = environment(caller);
    Ok(Subject {
        command,
        env,
        env_bytes,
        ..Subject::default()
    })
}

/// `why` explains the flag that was given, `flag` is the one that does not go with it.
fn refuse(why: &str, flag: &str, given: bool) -> Result<(), Failure> {
    if given {
        return Err(usage(format!(
            "{why}, and {flag} says otherwise: leave one of them out"
        )));
    }
    Ok(())
}

fn refuse_doubles(flag: &str, names: &[String]) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(*name)) {
        Some(double) => Err(usage(format!(
            "{flag} {double} is given twice: for more runs of a cell raise -n"
        ))),
        None => Ok(()),
    }
}

fn readable_file(path: &Path) -> Result<PathBuf, Failure> {
    let fail = |why: &dyn Display| usage(format!("cannot read the module {}: {why}", path.display()));
    let metadata = std::fs::File::open(path)
        .and_then(|file| file.metadata())
        .map_err(|error| fail(&error))?;
    if !metadata.is_file() {
        return Err(fail(&"it is not a file"));
    }
    text(path.as_os_str(), "the module's path").map(PathBuf::from)
}

fn variable(raw: &OsStr) -> Result<String, Failure> {
    let variable = text(raw, "a variable")?;
    match variable.split_once('=') {
        Some((name, _)) if !name.is_empty() => Ok(variable),
        _ => Err(usage(format!("--env {variable} is not NAME=VALUE"))),
    }
}

/// The guest knows a directory by the name it was given here, unless another follows `::`.
fn preopen(raw: &OsStr, caller: &Caller) -> Result<Preopen, Failure> {
    let raw = text(raw, "a directory")?;
    let (host, guest) = raw.split_once("::").unwrap_or((&raw, &raw));
    if host.is_empty() || guest.is_empty() {
        return Err(usage(format!("--dir {raw} is not HOST or HOST::GUEST")));
    }
    let path = caller.directory.join(host);
    let fail = |why: &dyn Display| usage(format!("cannot give {} to the module: {why}", path.display()));
    std::fs::read_dir(&path).map_err(|error| fail(&error))?;
    let host = text(path.as_os_str(), "the directory's path")?;
    if host.contains("::") {
        return Err(fail(
            &"its path has `::` in it, which divides the names; use a link",
        ));
    }
    Ok(Preopen {
        host,
        guest: guest.to_owned(),
    })
}

fn milliseconds(seconds: f64) -> Result<u64, Failure> {
    if !(0.001..=LONGEST_SECONDS).contains(&seconds) {
        return Err(usage(format!(
            "--time-limit {seconds} is not between 0.001 s and a week ({LONGEST_SECONDS} s)"
        )));
    }
    Ok((seconds * 1000.0).round() as u64)
}

/// The caller's variables, and those among them that are not UTF-8.
fn environment(caller: &Caller) -> (Vec<String>, Vec<Vec<u8>>) {
    let (mut texts, mut others) = (Vec::new(), Vec::new());
    for (name, value) in &caller.environment {
        let variable = [name.as_bytes(), b"=", value.as_bytes()].concat();
        match String::from_utf8(variable) {
            Ok(text) => texts.push(text),
            Err(error) => others.push(error.into_bytes()),
        }
    }
    (texts, others)
}

fn texts(arguments: &[OsString]) -> Result<Vec<String>, Failure> {
    arguments
        .iter()
        .map(|argument| text(argument, "an argument"))
        .collect()
}

/// Documents are JSON, which is UTF-8: nothing else can be shown unharmed.
fn text(raw: &OsStr, what: &str) -> Result<String, Failure> {
    raw.to_str().map(str::to_owned).ok_or_else(|| {
        usage(format!(
            "{what} is not valid UTF-8: {}; give it another value",
            raw.display()
        ))
    })
}

fn usage(sentence: impl Into<String>) -> Failure {
    Failure::Usage(sentence.into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use wbd_model::{Size, Suite};

    use super::*;
    use crate::args::{Args, Command};

    fn caller() -> Caller {
        let variable = |name: &str, value: &str| (name.into(), value.into());
        Caller {
            directory: "/".into(),
            environment: vec![variable("PATH", "/usr/bin:/bin"), variable("LANG", "C")],
        }
    }

    fn raw(flags: &[&str]) -> RunArgs {
        let line = ["wbctl", "run"].into_iter().chain(flags.iter().copied());
        match Args::try_parse_from(line).unwrap().command {
            Command::Run(args) => args,
            other => panic!("not a run: {other:?}"),
        }
    }

    fn built(flags: &[&str]) -> Result<RunRequest, Failure> {
        build(raw(flags), &caller())
    }

    #[test]
    fn a_target_alone_runs_the_empty_workload() {
        let request = built(&["-t", "native", "-t", "wasmi"]).unwrap();
        assert_eq!(
            (request.targets, request.workloads),
            (vec!["native".into(), "wasmi".into()], vec!["empty".into()])
        );
        assert_eq!(
            (request.runs, request.warmup, request.size, request.seed),
            (10, 1, Size::Quick, None)
        );
        assert!(
            request.env.is_empty(),
            "a target gets nothing of the caller's environment"
        );
    }

    #[test]
    fn runs_until_medians_are_known_have_a_cap_and_perhaps_a_budget() {
        let request = built(&["-t", "native", "--until", "0.5%", "--budget", "1m 30s"]).unwrap();
        let until = Until {
            half_width_ppm: 5_000,
            budget_ms: Some(90_000),
        };
        assert_eq!((request.runs, request.until), (10_000, Some(until)));
        assert_eq!(
            built(&["-t", "native", "--until", "1", "-n", "50"]).unwrap().runs,
            50
        );
        assert_eq!(built(&["-t", "native"]).unwrap().until, None);
    }

    #[test]
    fn a_command_gets_its_path_directory_and_environment() {
        let request = built(&["--time-limit", "0.25", "--", "sh", "-c", "true"]).unwrap();
        assert_eq!(request.command[1..], ["-c", "true"]);
        assert!(request.command[0].ends_with("/bin/sh"), "{:?}", request.command);
        assert_eq!((request.cwd, request.time_limit_ms), ("/".into(), 250));
        assert_eq!(request.env, ["PATH=/usr/bin:/bin", "LANG=C"]);
        assert_eq!((request.targets.len(), request.workloads.len()), (0, 0));
    }

    #[test]
    fn a_module_keeps_its_arguments_as_they_are() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        let request = built(&["-t", "wasmi", "--wasm", path, "--", "no-such-program", "-x"]).unwrap();
        assert_eq!(request.wasm.as_deref(), Some(file.path()));
        assert_eq!(request.command, ["no-such-program", "-x"]);
        assert!(request.workloads.is_empty() && request.env.is_empty());
    }

    #[test]
    fn a_module_is_given_directories_and_variables_by_name() {
        let given = ["--dir", "etc", "--dir", "/usr::/u", "--env", "A=b=c"];
        let request = built(&[&["--wasm", "/etc/passwd"], &given[..]].concat()).unwrap();
        let dirs: Vec<_> = request
            .dirs
            .iter()
            .map(|dir| (&dir.host[..], &dir.guest[..]))
            .collect();
        assert_eq!(
            dirs,
            [("/etc", "etc"), ("/usr", "/u")],
            "relative to the caller's directory"
        );
        assert_eq!(request.env, ["A=b=c"]);
        assert!(request.targets.is_empty(), "every target that runs Wasm");
    }

    #[test]
    fn a_suite_needs_no_names_and_takes_those_it_is_given() {
        let request = built(&["--suite", "seed"]).unwrap();
        assert_eq!((request.suite, request.size), (Some(Suite::Seed), Size::Quick));
        assert!(request.targets.is_empty() && request.workloads.is_empty());
        let narrow = built(&["--suite", "seed", "-t", "wasmi", "-w", "fasta"]).unwrap();
        assert_eq!(
            (&narrow.targets[0][..], &narrow.workloads[0][..]),
            ("wasmi", "fasta")
        );
    }

    #[test]
    fn an_image_takes_what_follows_the_dashes_as_it_is() {
        let request = built(&["--image", "alpine:3.20", "--", "no-such-program", "-x"]).unwrap();
        assert_eq!(request.image.as_deref(), Some("alpine:3.20"));
        assert_eq!(request.command, ["no-such-program", "-x"]);
        assert!(request.env.is_empty() && request.workloads.is_empty());
    }

    #[test]
    fn contradictions_are_usage_errors_that_say_what_to_do() {
        for (flags, said) in [
            (&[][..], "nothing to run"),
            (&["-w", "fasta"], "-t native"),
            (&["-t", "native", "-t", "native"], "twice"),
            (&["-t", "native", "-w", "fasta", "-w", "fasta"], "raise -n"),
            (&["-t", "native", "--", "sh"], "-t says otherwise"),
            (&["-w", "fasta", "--", "sh"], "-w says otherwise"),
            (&["--size", "seed", "--", "sh"], "--size says otherwise"),
            (
                &["--wasm", "/a", "-t", "wasmi", "-w", "fasta"],
                "-w says otherwise",
            ),
            (
                &["--wasm", "/a", "-t", "wasmi", "--size", "seed"],
                "--size says otherwise",
            ),
            (&["--wasm", "/a", "--suite", "seed"], "--suite says otherwise"),
            (&["--suite", "seed", "--", "sh"], "--suite says otherwise"),
            (&["--image", "a:1", "-t", "docker"], "-t says otherwise"),
            (&["--image", "a:1", "-w", "fasta"], "-w says otherwise"),
            (
                &["--image", "a:1", "--wasm", "/etc/passwd"],
                "--wasm says otherwise",
            ),
            (&["--wasm", "/etc/passwd", "--env", "A"], "NAME=VALUE"),
            (&["--wasm", "/etc/passwd", "--env", "=a"], "NAME=VALUE"),
            (&["--wasm", "/etc/passwd", "--dir", "::/a"], "HOST::GUEST"),
            (&["--wasm", "/etc/passwd", "--dir", "/no/such"], "/no/such"),
            (&["--wasm", "/etc/passwd", "--dir", "/etc/passwd"], "cannot give"),
            (&["--wasm", "/no/such", "-t", "wasmi"], "/no/such"),
            (&["--wasm", "/etc", "-t", "wasmi"], "not a file"),
            (&["-t", "native", "--time-limit", "0"], "0.001"),
            (&["-t", "native", "--time-limit", "NaN"], "0.001"),
            (&["-t", "native", "--time-limit", "1e9"], "week"),
            (&["--", "no-such-program"], "no-such-program"),
        ] {
            let failure = built(flags).expect_err(&format!("{flags:?} was taken"));
            assert_eq!(failure.exit_code(), 2, "{flags:?}");
            assert!(failure.to_string().contains(said), "{flags:?}: {failure}");
        }
    }

    #[test]
    fn what_is_not_utf8_is_named_or_sent_as_it_is() {
        let foreign = OsStr::from_bytes(b"a\xff");
        let mut args = raw(&["--", "sh"]);
        args.command.push(foreign.to_owned());
        assert!(
            build(args, &caller())
                .unwrap_err()
                .to_string()
                .contains("an argument is not valid UTF-8")
        );

        let mut odd = caller();
        odd.environment.push(("ODD".into(), foreign.to_owned()));
        let request = build(raw(&["--", "sh"]), &odd).unwrap();
        assert_eq!(
            request.env_bytes,
            [b"ODD=a\xff"],
            "no less than any other variable"
        );

        odd.directory = Path::new("/").join(foreign);
        let failure = build(raw(&["-t", "native"]), &odd).unwrap_err();
        assert!(failure.to_string().contains("working directory"), "{failure}");
    }
}
