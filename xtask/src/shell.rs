//! External commands: shown before they run, and named in the error when they fail.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use nix::unistd::Pid;

use crate::interrupt::{self, Group};
use crate::progress;

/// Runs a command to its end with this program's output as its own.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let mut child = spawn(command)?;
    let group = Group::new(pid_of(&child));
    let status = child
        .wait()
        .with_context(|| format!("cannot wait for `{}`", text(command)))?;
    drop(group);
    must_succeed(command, status)
}

/// Runs a command to its end and hands its standard output on line by line; standard error goes above the bars.
pub(crate) fn run_lines(command: &mut Command, mut line: impl FnMut(&str)) -> Result<()> {
    let mut child = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let group = Group::new(pid_of(&child));
    let errors = child
        .stderr
        .take()
        .map(|pipe| thread::spawn(move || each_line(pipe, |line| progress::line(line))));
    if let Some(pipe) = child.stdout.take() {
        each_line(pipe, &mut line);
    }
    let status = child
        .wait()
        .with_context(|| format!("cannot wait for `{}`", text(command)))?;
    if let Some(errors) = errors {
        errors.join().expect("the forwarding thread does not panic");
    }
    drop(group);
    must_succeed(command, status)
}

/// Runs a short command and returns what it printed.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    show(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| cannot_run(command))?;
    must_succeed(command, output.status)?;
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed no text", text(command)))
}

/// Where PATH finds a program.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
}

/// Shows a command as one would type it.
pub(crate) fn show(command: &Command) {
    progress::line(format!("$ {}", text(command)));
}

/// What to say when a command cannot even be started.
pub(crate) fn cannot_run(command: &Command) -> String {
    format!(
        "cannot run `{}`: is {} installed?",
        text(command),
        command.get_program().display()
    )
}

fn spawn(command: &mut Command) -> Result<Child> {
    interrupt::check()?;
    show(command);
    command
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .with_context(|| cannot_run(command))
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

fn must_succeed(command: &Command, status: ExitStatus) -> Result<()> {
    interrupt::check()?;
    if !status.success() {
        bail!("`{}` failed ({status}); its own message is above", text(command));
    }
    Ok(())
}

/// Reads to the end; bytes which are no UTF-8 are replaced, since this is for people to read.
fn each_line(pipe: impl Read, mut act: impl FnMut(&str)) {
    for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
        act(&String::from_utf8_lossy(&line));
    }
}

fn text(command: &Command) -> String {
    let place = command
        .get_current_dir()
        .map(|dir| format!("cd {} &&", dir.display()));
    let set = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?)));
    let variables = set.map(|(name, value)| format!("{name}={}", quoted(value)));
    let program = Path::new(command.get_program()).display().to_string();
    let arguments = command
        .get_args()
        .map(|argument| quoted(&argument.to_string_lossy()));
    let words: Vec<String> = place
        .into_iter()
        .chain(variables)
        .chain([program])
        .chain(arguments)
        .collect();
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_reads_as_typed() {
        let mut command = Command::new("cargo");
        command
            .args(["run", "--", "two words", "it's"])
            .env("A", "1 2")
            .current_dir("/tmp");
        assert_eq!(
            text(&command),
            r"cd /tmp && A='1 2' cargo run -- 'two words' 'it'\''s'"
        );
    }

    #[test]
    fn a_failure_names_the_command_and_its_status() {
        let error = run(Command::new("sh").args(["-c", "exit 3"]))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("sh -c 'exit 3'") && error.contains("exit status: 3"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program")).unwrap_err().to_string();
        assert!(error.contains("is no-such-program installed?"), "{error}");
    }

    #[test]
    fn every_line_is_handed_on() {
        let mut lines = Vec::new();
        run_lines(Command::new("printf").arg("one\ntwo"), |line| {
            lines.push(line.to_owned())
        })
        .unwrap();
        assert_eq!(lines, ["one", "two"]);
    }
}
