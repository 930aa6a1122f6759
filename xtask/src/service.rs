//! A daemon started for the time of a task: waited for, and stopped whatever happens.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::dist::make_dir;
use crate::interrupt;
use crate::progress;
use crate::shell;

const POLL: Duration = Duration::from_millis(50);
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// How much of a daemon's log an error quotes.
const LOG_LINES: usize = 15;

/// A running daemon; dropping it stops it.
pub(crate) struct Service {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Service {
    /// Starts a daemon, with its output going to `log`, and waits until `ready` holds.
    pub(crate) fn start(
        name: &'static str,
        command: &mut Command,
        log: &Path,
        ready: impl Fn() -> bool,
    ) -> Result<Self> {
        interrupt::check()?;
        make_dir(log.parent().context("a log lies in a folder")?)?;
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let errors = file.try_clone().context("cannot share the log's descriptor")?;
        command
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .process_group(0);
        shell::show(command);
        let child = command.spawn().with_context(|| shell::cannot_run(command))?;
        let mut service = Self {
            name,
            child,
            log: log.to_owned(),
        };
        service.await_ready(ready)?;
        progress::line(format!("{name} is ready; its log is {}", log.display()));
        Ok(service)
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn await_ready(&mut self, ready: impl Fn() -> bool) -> Result<()> {
        let begun = Instant::now();
        while !ready() {
            interrupt::check()?;
            if let Some(status) = self.ended() {
                bail!("{} ended at once ({status}). {}", self.name, self.quote_log());
            }
            if begun.elapsed() > START_LIMIT {
                bail!(
                    "{} was not ready after {} s. {}",
                    self.name,
                    START_LIMIT.as_secs(),
                    self.quote_log()
                );
            }
            sleep(POLL);
        }
        Ok(())
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    fn quote_log(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let tail = &lines[lines.len().saturating_sub(LOG_LINES)..];
        format!("The end of {}:\n{}", self.log.display(), tail.join("\n"))
    }

    /// Asks the daemon to end; after a long wait ends it and its family by force.
    fn stop(&mut self) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        let _ = kill(pid, Signal::SIGTERM); // it may have ended by itself
        let begun = Instant::now();
        while self.ended().is_none() {
            if begun.elapsed() > STOP_LIMIT {
                progress::line(format!("{} ignores SIGTERM: killing it", self.name));
                let _ = killpg(pid, Signal::SIGKILL);
                let _ = self.child.wait();
                return;
            }
            sleep(POLL);
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.stop();
            progress::line(format!("stopped {}", self.name));
        } else {
            progress::line(format!("{} had ended by itself. {}", self.name, self.quote_log()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_daemon_which_ends_at_once_is_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let started = Service::start(
            "d",
            &mut sh("echo no such device >&2; exit 9"),
            &dir.path().join("log"),
            || false,
        );
        let error = started.err().unwrap().to_string();
        assert!(
            error.contains("exit status: 9") && error.contains("no such device"),
            "{error}"
        );
    }

    #[test]
    fn dropping_stops_the_daemon() {
        let dir = tempfile::tempdir().unwrap();
        let service =
            Service::start("d", &mut sh("exec sleep 1000"), &dir.path().join("log"), || true).unwrap();
        let entry = PathBuf::from(format!("/proc/{}", service.child.id()));
        assert!(entry.exists());
        drop(service);
        assert!(!entry.exists());
    }
}
