//! Generates the service's client and server from its list of methods.

use tonic_build::manual::{Builder, Method, Service};

fn method(name: &str, route: &str, input: &str, output: &str) -> tonic_build::manual::MethodBuilder {
    Method::builder()
        .name(name)
        .route_name(route)
        .input_type(format!("crate::request::{input}"))
        .output_type(format!("crate::{output}"))
        .codec_path("crate::codec::JsonCodec")
}

fn main() {
    let service = Service::builder()
        .name("Wbd")
        .package("wbd.v1")
        .comment("What the daemon does for its clients.")
        .method(method("doctor", "Doctor", "Empty", "host::Diagnosis").build())
        .method(method("targets", "Targets", "Empty", "request::TargetList").build())
        .method(method("workloads", "Workloads", "Empty", "request::WorkloadList").build())
        .method(
            method("run", "Run", "RunRequest", "request::Progress")
                .server_streaming()
                .build(),
        )
        .method(method("list", "List", "Empty", "request::ExperimentList").build())
        .method(method("show", "Show", "ExperimentName", "document::Experiment").build())
        .method(
            method("runs", "Runs", "ExperimentName", "request::RunBatch")
                .server_streaming()
                .build(),
        )
        .method(method("remove", "Remove", "ExperimentName", "request::Empty").build())
        .method(
            method(
                "histogram",
                "Histogram",
                "HistogramRequest",
                "request::Histograms",
            )
            .build(),
        )
        .method(method("timeline", "Timeline", "TimelineRequest", "request::Timelines").build())
        .method(method("report", "Report", "ExperimentName", "report::Report").build())
        .method(method("compare", "Compare", "CompareRequest", "compare::Comparison").build())
        .method(method("anomalies", "Anomalies", "AnomaliesRequest", "anomaly::Anomalies").build())
        .method(
            method("explain", "Explain", "ExplainRequest", "request::Progress")
                .server_streaming()
                .build(),
        )
        .method(
            method(
                "explanations",
                "Explanations",
                "ExperimentName",
                "request::Explanations",
            )
            .build(),
        )
        .build();
    Builder::new().compile(&[service]);
}
