//! The command line as it is written: raw flags, checked one by one. What they mean together is decided in
//! [`crate::request`]; nothing else sees the flags of `run`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};
use wbd_model::{CellRef, DEFAULT_SOCKET, Metric, Size, Suite};

use crate::conditions::ConditionArgs;

const EXIT_CODES: &str = "Exit codes: 0 done; 1 a run failed or a threshold was crossed; 2 bad usage; \
    3 the daemon cannot be reached; 4 refused; 130 interrupted.";

/// Measures how long programs take to start and run, and where the time goes, through the daemon wbd.
#[derive(Debug, Parser)]
#[command(name = "wbctl", version, after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// The daemon's socket
    #[arg(long, global = true, value_name = "PATH", env = "WBD_SOCKET", default_value = DEFAULT_SOCKET)]
    pub(crate) socket: PathBuf,
    /// Print one JSON document in place of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what this host can measure, what will disturb it, and what to do about it
    Doctor,
    /// List the ways to run a program, and why one is not available
    Targets,
    /// List the programs to measure, and why one is not available
    Workloads,
    /// Measure targets with workloads, a Wasm module of your own, or any command
    Run(RunArgs),
    /// List the experiments there are, the newest first
    List,
    /// Show an experiment's figures
    Show {
        #[command(flatten)]
        experiment: ExperimentArg,
        /// Show every run as well
        #[arg(long)]
        runs: bool,
    },
    /// Remove an experiment and its samples
    Rm {
        #[command(flatten)]
        experiment: ExperimentArg,
    },
    /// Draw the distribution of a metric, cell by cell
    Hist {
        #[command(flatten)]
        experiment: ExperimentArg,
        /// The metric to draw, such as startup, wall or rss_peak
        #[arg(long, default_value_t = Metric::Startup, hide_possible_values = true)]
        metric: Metric,
    },
    /// Draw the phases of a launch as a waterfall, cell by cell
    Timeline {
        #[command(flatten)]
        experiment: ExperimentArg,
        /// Draw this run of each cell (from 0) in place of the medians
        #[arg(long, value_name = "N")]
        run: Option<u32>,
    },
    /// Hold cells against each other: how far apart, how sure, and what it comes to
    Compare {
        /// What B is held against: an experiment's name (all its cells that B has too), EXPERIMENT:TARGET/WORKLOAD
        /// or EXPERIMENT:N
        a: CellRef,
        /// What is held against A, named likewise
        b: CellRef,
        /// A metric to compare; may be given several times [default: startup, execution, wall and rss_peak, as far
        /// as both have them]
        #[arg(long = "metric", value_name = "METRIC", hide_possible_values = true)]
        metrics: Vec<Metric>,
        /// Exit with 1 where a difference is found that is larger than this, either way
        #[arg(long, value_name = "PERCENT", value_parser = any_percent)]
        threshold: Option<f64>,
    },
    /// Find the cells that break the pattern of the rest: slow, or large, beyond what their target and workload suggest
    Anomalies {
        #[command(flatten)]
        experiment: ExperimentArg,
        /// A metric to look at; may be given several times [default: net_execution, net_startup, or where a cell
        /// lacks them execution and startup; and rss_peak]
        #[arg(long = "metric", value_name = "METRIC", hide_possible_values = true)]
        metrics: Vec<Metric>,
    },
    /// Run two cells again under probes, and tell what carries the difference between them
    Explain {
        /// The cell to explain: EXPERIMENT:TARGET/WORKLOAD or EXPERIMENT:N
        a: CellRef,
        /// What it is held against, named likewise
        b: CellRef,
        /// Write a differential flame graph of both to this file, as SVG for a browser
        #[arg(long, value_name = "FILE")]
        flamegraph: Option<PathBuf>,
    },
    /// Hold an experiment's figures against the study behind this project, and answer the study's claims
    Report {
        #[command(flatten)]
        experiment: ExperimentArg,
    },
    /// Write an experiment with all its samples to standard output
    Export {
        #[command(flatten)]
        experiment: ExperimentArg,
        /// How to write it
        #[arg(long, value_enum)]
        format: Format,
    },
}

/// Names the experiment.
#[derive(Debug, clap::Args)]
pub(crate) struct ExperimentArg {
    /// The experiment's name as `wbctl list` shows it, or `latest`
    #[arg(value_name = "EXPERIMENT", id = "experiment")]
    pub(crate) name: String,
}

/// A format of `export`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The document of `wbctl --json show --runs`
    Json,
    /// One line for each metric and instant of each run
    Csv,
    /// One page with the tables of `wbctl report` and charts, which needs no network
    Html,
    /// The runs as tracks of a trace, for ui.perfetto.dev or chrome://tracing
    Perfetto,
    /// HDR histogram log: each metric of each cell, for HdrHistogram's tools
    Hdr,
}

/// The flags of `run`.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// A target to measure; may be given several times
    #[arg(short, long = "target", value_name = "TARGET")]
    pub(crate) targets: Vec<String>,
    /// A workload to measure each target with; may be given several times [default: empty]
    #[arg(short, long = "workload", value_name = "WORKLOAD")]
    pub(crate) workloads: Vec<String>,
    /// Runs of each cell, after the warm-up; with --until, at most [default: 10; with --until, 10000]
    #[arg(short = 'n', long, value_name = "RUNS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: Option<u32>,
    /// Run until the medians of every cell's startup and wall are known to within this, such as 1%: the farther end
    /// of their 95 % intervals; after 20 runs at the earliest
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(crate) until: Option<f64>,
    /// With --until: end after this time of runs, such as 60s
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, requires = "until")]
    pub(crate) budget: Option<std::time::Duration>,
    /// Runs of each cell before those, thrown away
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) warmup: u32,
    /// Seed of the order of runs [default: chosen by the daemon, and stored]
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
    /// How much the workloads compute [default: quick]
    #[arg(long, value_parser = size_parser())]
    pub(crate) size: Option<Size>,
    /// A set of targets and workloads by name; -t and -w narrow it. `seed`: every target but native-dynamic, every
    /// workload but empty; interpreters, and native once more, at size small
    #[arg(long, value_parser = suite_parser())]
    pub(crate) suite: Option<Suite>,
    /// A Wasm module of your own, for the targets named or all that run Wasm; what follows `--` are its arguments
    #[arg(long, value_name = "FILE")]
    pub(crate) wasm: Option<PathBuf>,
    /// A directory the module of --wasm may use, by this name or by the one after `::`; opened with your rights.
    /// May be given several times
    #[arg(long = "dir", value_name = "HOST[::GUEST]", requires = "wasm")]
    pub(crate) dirs: Vec<OsString>,
    /// A variable the module of --wasm gets; may be given several times
    #[arg(long = "env", value_name = "NAME=VALUE", requires = "wasm")]
    pub(crate) variables: Vec<OsString>,
    /// An image that Docker has, in place of targets and workloads; what follows `--` its container runs in place of the
    /// image's command. With your user and group; for others than root where the daemon's configuration allows it
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,
    /// After how many seconds a run is ended and does not count
    #[arg(long, value_name = "SECONDS", default_value_t = 300.0)]
    pub(crate) time_limit: f64,
    /// How much memory a run may have, in MiB, before it is ended and does not count
    #[arg(long, value_name = "MIB", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) memory_limit: u64,
    /// Record which thread was on which CPU when, for `wbctl export --format perfetto`. It costs every switch on the
    /// machine, so these figures are not for comparing with others'
    #[arg(long)]
    pub(crate) switches: bool,
    #[command(flatten)]
    pub(crate) conditions: ConditionArgs,
    /// Any command to measure, in place of targets and workloads
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// A percentage above 0 and up to 100, with or without its sign.
fn percent(text: &str) -> Result<f64, String> {
    let number = any_percent(text).ok().filter(|percent| *percent <= 100.0);
    number.ok_or_else(|| "a percentage is above 0 and up to 100, such as 1%".to_owned())
}

/// A percentage above 0, with or without its sign: what is six times as slow is slower by 500 %.
fn any_percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim_end();
    match number.parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent.is_finite() => Ok(percent),
        _ => Err("a percentage is above 0, such as 5%".to_owned()),
    }
}

fn size_parser() -> impl TypedValueParser<Value = Size> {
    let names = Size::ALL.map(Size::as_str);
    PossibleValuesParser::new(names).map(|name| {
        Size::ALL
            .into_iter()
            .find(|size| size.as_str() == name)
            .unwrap_or_default()
    })
}

fn suite_parser() -> impl TypedValueParser<Value = Suite> {
    PossibleValuesParser::new(["seed"]).map(|_| Suite::Seed)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_contract_is_taken() {
        for line in [
            "wbctl doctor",
            "wbctl --json targets",
            "wbctl workloads --json",
            "wbctl --socket /s run -t native -t docker -w fasta -n 30 --warmup 2 --seed 7 --size seed",
            "wbctl run --wasm a.wasm -t wasmi -- x -y",
            "wbctl run --wasm a.wasm --dir . --dir /data::/d --env A=b -- x",
            "wbctl run --suite seed --size seed -n 3",
            "wbctl run -t wasm3 --size small",
            "wbctl run --image alpine:3.20 -- echo hello",
            "wbctl run --time-limit 0.5 -- ls -l",
            "wbctl list",
            "wbctl show 7 --runs",
            "wbctl rm latest",
            "wbctl hist 7 --metric rss_peak",
            "wbctl timeline 7 --run 3",
            "wbctl report latest",
            "wbctl compare 1 2",
            "wbctl compare 1:native/empty latest:0 --metric startup --metric wall --threshold 5",
            "wbctl --json compare 1:0 1:1 --threshold 2.5%",
            "wbctl anomalies latest",
            "wbctl explain 7:wasmer-cranelift-jit/fasta 7:native/fasta",
            "wbctl explain 7:0 7:1 --flamegraph fasta.svg",
            "wbctl --json anomalies 7 --metric wall --metric rss_peak",
            "wbctl run -t native --until 1% --budget 60s",
            "wbctl run -t native --until 0.5 -n 500",
            "wbctl export 7 --format csv",
            "wbctl export 7 --format html",
            "wbctl export 7 --format perfetto",
            "wbctl export 7 --format hdr",
        ] {
            assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
        }
    }

    #[test]
    fn flags_after_the_dashes_belong_to_the_command() {
        let Command::Run(run) = parse("wbctl run -n 3 -- ls -n --json").unwrap().command else {
            panic!("not a run");
        };
        assert_eq!(
            (run.runs, run.command),
            (Some(3), ["ls", "-n", "--json"].map(OsString::from).to_vec())
        );
    }

    #[test]
    fn bad_values_are_usage_errors_that_name_the_choices() {
        for (line, named) in [
            ("wbctl run -t native -n 0", "1.."),
            ("wbctl run -t native --size huge", "quick"),
            ("wbctl run --suite all", "seed"),
            ("wbctl run -t native --dir .", "--wasm"),
            ("wbctl run --env A=b -- ls", "--wasm"),
            ("wbctl hist 7 --metric speed", "startup, execution"),
            ("wbctl export 7 --format xml", "csv"),
            ("wbctl export 7", "--format"),
            ("wbctl compare 7", "<B>"),
            ("wbctl compare 7 8:native", "EXPERIMENT:TARGET/WORKLOAD"),
            ("wbctl compare 7 8 --threshold -1", "unexpected"),
            ("wbctl compare 7 8 --threshold 0", "such as 5%"),
            ("wbctl run -t native --until 101%", "such as 1%"),
            ("wbctl run -t native --budget 60s", "--until"),
            ("wbctl run -t native --until 1% --budget 60", "unit"),
            ("wbctl anomalies", "EXPERIMENT"),
            ("wbctl show", "EXPERIMENT"),
            ("wbctl timeline 7 --run -1", "-1"),
        ] {
            let error = parse(line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
            assert!(error.to_string().contains(named), "{line}: {error}");
        }
    }
}
