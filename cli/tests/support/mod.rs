//! A server that speaks the daemon's protocol over a real socket and answers by script: what is asked for
//! decides the answer.

use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Command, Output};

use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::runtime::Runtime;
use tokio_stream::wrappers::UnixListenerStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Code, Request, Response, Status};
use wbd_model::document::State;
use wbd_model::host::Diagnosis;
use wbd_model::request::*;
use wbd_model::service::wbd_server::{Wbd, WbdServer};
use wbd_model::{Anomalies, Comparison, Experiment, ExperimentLine, Report};

/// The document of the contract, by hand: the types must take it as it is.
pub(crate) const DOCUMENT: &str = r#"{"schema":1,"experiment":"7","created":1795374000,"state":"done","seed":7,
 "machine":{"kernel":"6.18","arch":"x86_64","cpu":"a \"quoted\", cpu","cpus":2,"memory_bytes":1024,"cgroups":"v2","load_centi":0,"wbd":"0.1.0"},
 "cells":[{"target":"native","workload":"a,b","args":[],"size":"small","runs":2,"valid":2,"failed":0,
   "metrics":{"startup":{"unit":"ns","n":2,"min":5,"p50":5,"p90":7,"p99":7,"max":7,"mean":6.0,"ci95":[5,7]}},
   "unavailable":{"cycles":"this machine has no hardware performance counters"},
   "samples":[
     {"run":0,"order":1,"valid":true,"exit":{"code":0},"instants":{"launch":{"ns":100,"method":"tp"}},"metrics":{"startup":5},"notes":[]},
     {"run":1,"order":0,"valid":true,"exit":{"not_started":"no, \"never\""},"instants":{},"metrics":{},"notes":[]}]}]}"#;

/// A cell of a comparison.
const CELL: &str = r#"{"experiment":"7","number":0,"target":"native","workload":"empty","args":[]}"#;

/// Enough experiments to fill a pipe.
const EXPERIMENTS: u32 = 5_000;

/// The document as a value.
pub(crate) fn document() -> Experiment {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// The server; it ends with the value.
pub(crate) struct Daemon {
    directory: TempDir,
    runtime: Runtime,
}

impl Daemon {
    /// Listens on a socket of its own.
    pub(crate) fn start() -> Self {
        let directory = TempDir::new().unwrap();
        let runtime = Runtime::new().unwrap();
        let listener =
            runtime.block_on(async { UnixListener::bind(directory.path().join("socket")).unwrap() });
        let service = WbdServer::new(Script);
        runtime.spawn(
            tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(UnixListenerStream::new(listener)),
        );
        Self { directory, runtime }
    }

    /// `wbctl` with its socket set to this server's.
    pub(crate) fn wbctl(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wbctl"));
        command.env("WBD_SOCKET", self.socket()).args(arguments);
        command
    }

    /// What comes of `wbctl ARGUMENTS`.
    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        self.wbctl(arguments).output().unwrap()
    }

    /// Cuts every connection.
    pub(crate) fn die(self) {
        self.runtime.shutdown_background();
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }
}

/// Answers by what it is asked.
struct Script;

fn status(name: &str) -> Option<Status> {
    let code = match name {
        "invalid" => Code::InvalidArgument,
        "gone" => Code::NotFound,
        "forbidden" => Code::PermissionDenied,
        "full" => Code::ResourceExhausted,
        "early" => Code::FailedPrecondition,
        "ending" => Code::Unavailable,
        "broken" => Code::Internal,
        _ => return None,
    };
    Some(Status::new(code, format!("the script says {name}")))
}

fn finished(failed: u32, state: State) -> Progress {
    let mut experiment = document();
    experiment.state = state;
    experiment.cells[0].failed = failed;
    if failed > 0 {
        experiment.cells[0]
            .failures
            .insert("exited with 3".into(), failed);
    }
    Progress::Finished(Box::new(experiment))
}

#[tonic::async_trait]
impl Wbd for Script {
    type RunStream = Pin<Box<dyn Stream<Item = Result<Progress, Status>> + Send>>;
    type ExplainStream = Self::RunStream;
    type RunsStream = Pin<Box<dyn Stream<Item = Result<RunBatch, Status>> + Send>>;

    async fn run(&self, request: Request<RunRequest>) -> Result<Response<Self::RunStream>, Status> {
        let target = request.into_inner().targets.remove(0);
        let begin = [
            Progress::Queued { ahead: 1 },
            Progress::Preparing("fasta".into()),
            Progress::Started {
                experiment: "7".into(),
                runs: 2,
            },
            Progress::Ran { done: 1, failed: 0 },
        ];
        let end = match target.as_str() {
            "faulty" => Some(finished(1, State::Done)),
            "cut-short" => Some(finished(0, State::Interrupted)),
            "endless" | "vanishing" => None,
            _ => Some(finished(0, State::Done)),
        };
        let news = tokio_stream::iter(begin.into_iter().chain(end).map(Ok));
        Ok(Response::new(match target.as_str() {
            "endless" => Box::pin(news.chain(tokio_stream::pending())),
            _ => Box::pin(news),
        }))
    }

    async fn show(&self, request: Request<ExperimentName>) -> Result<Response<Experiment>, Status> {
        match status(&request.into_inner().experiment) {
            Some(status) => Err(status),
            None => Ok(Response::new(document())),
        }
    }

    async fn runs(&self, _: Request<ExperimentName>) -> Result<Response<Self::RunsStream>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::empty())))
    }

    async fn list(&self, _: Request<Empty>) -> Result<Response<ExperimentList>, Status> {
        let line = |number: u32| ExperimentLine {
            experiment: number.to_string(),
            created: 0,
            state: State::Done,
            targets: vec!["native".into()],
            workloads: vec!["empty".into()],
            runs: 10,
            failed: 0,
        };
        Ok(Response::new(ExperimentList {
            experiments: (0..EXPERIMENTS).map(line).collect(),
        }))
    }

    async fn doctor(&self, _: Request<Empty>) -> Result<Response<Diagnosis>, Status> {
        Ok(Response::new(Diagnosis::default()))
    }

    async fn targets(&self, _: Request<Empty>) -> Result<Response<TargetList>, Status> {
        Ok(Response::new(TargetList { targets: vec![] }))
    }

    async fn workloads(&self, _: Request<Empty>) -> Result<Response<WorkloadList>, Status> {
        Ok(Response::new(WorkloadList { workloads: vec![] }))
    }

    async fn remove(&self, _: Request<ExperimentName>) -> Result<Response<Empty>, Status> {
        Ok(Response::new(Empty {}))
    }

    async fn histogram(&self, request: Request<HistogramRequest>) -> Result<Response<Histograms>, Status> {
        let experiment = request.into_inner().experiment;
        Ok(Response::new(Histograms {
            experiment,
            cells: vec![],
        }))
    }

    async fn compare(&self, _: Request<CompareRequest>) -> Result<Response<Comparison>, Status> {
        let comparison = format!(
            r#"{{"schema":1,"level":0.05,"tests":1,"warnings":[],"pairs":[{{"a":{CELL},"b":{CELL},"interleaved":true,
                "metrics":[{{"metric":"startup","ratio":{{"value":1.1,"ci95":[1.09,1.11]}},"verdict":"higher","text":"slower by 10 %"}}]}}]}}"#
        );
        Ok(Response::new(serde_json::from_str(&comparison).unwrap()))
    }

    async fn anomalies(&self, request: Request<AnomaliesRequest>) -> Result<Response<Anomalies>, Status> {
        let asked = request.into_inner();
        let mut experiment = document();
        experiment.experiment = asked.experiment;
        Ok(Response::new(wbd_analysis::anomalies(
            &experiment,
            &asked.metrics,
        )))
    }

    async fn explain(&self, _: Request<ExplainRequest>) -> Result<Response<Self::ExplainStream>, Status> {
        let explanation = format!(
            r#"{{"schema":1,"a":{CELL},"b":{CELL},"difference":{{"ns":0,"ratio":1.0}},"causes":[],"unattributed":0.0,
                "verdict":"no difference to explain"}}"#
        );
        let explained = Progress::Explained(serde_json::from_str(&explanation).unwrap());
        Ok(Response::new(Box::pin(tokio_stream::iter([Ok(explained)]))))
    }

    async fn explanations(&self, request: Request<ExperimentName>) -> Result<Response<Explanations>, Status> {
        Ok(Response::new(Explanations {
            experiment: request.into_inner().experiment,
            explanations: vec![],
        }))
    }

    async fn report(&self, request: Request<ExperimentName>) -> Result<Response<Report>, Status> {
        let mut experiment = document();
        experiment.experiment = request.into_inner().experiment;
        Ok(Response::new(wbd_analysis::report::report(
            &experiment,
            &|_, _| None,
        )))
    }

    async fn timeline(&self, request: Request<TimelineRequest>) -> Result<Response<Timelines>, Status> {
        let experiment = request.into_inner().experiment;
        Ok(Response::new(Timelines {
            experiment,
            cells: vec![],
        }))
    }
}
