//! Command line and configuration.

use std::path::PathBuf;

use clap::Parser;
use serde::Deserialize;

use crate::allowance::Allowance;

/// The daemon of wbd: launches targets and tells from the kernel when their first instruction ran.
#[derive(Debug, Parser)]
#[command(name = "wbd", version)]
pub(crate) struct Args {
    /// Where to listen
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// Where experiments are kept
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// A TOML file with the keys `socket` and `state`, which flags win over, and what each user may have, `[limits]`
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// The same, from a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    socket: Option<PathBuf>,
    state: Option<PathBuf>,
    #[serde(default)]
    limits: Allowance,
}

/// What the daemon goes by.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Where to listen.
    pub(crate) socket: PathBuf,
    /// Where experiments are kept.
    pub(crate) state: PathBuf,
    /// What each user may have.
    pub(crate) limits: Allowance,
}

impl Args {
    /// Flags over file over defaults.
    pub(crate) fn settings(self) -> anyhow::Result<Settings> {
        let file = match &self.config {
            Some(path) => read(path)?,
            None => File::default(),
        };
        let socket = self
            .socket
            .or(file.socket)
            .unwrap_or_else(|| wbd_model::DEFAULT_SOCKET.into());
        let state = self.state.or(file.state).unwrap_or_else(|| "/var/lib/wbd".into());
        Ok(Settings {
            socket,
            state,
            limits: file.limits,
        })
    }
}

fn read(path: &std::path::Path) -> anyhow::Result<File> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| anyhow::anyhow!("configuration {}: {error}", path.display()))?;
    parse(&text).map_err(|error| anyhow::anyhow!("configuration {}: {error}", path.display()))
}

pub(crate) fn parse(text: &str) -> Result<File, toml::de::Error> {
    toml::from_str(text)
}
