//! The engine's wrapper against a real engine.
//!
//! These tests need an engine that runs and the right to use it; without one they fail and say so. Each has
//! an image and an owner of its own, so they disturb neither each other nor a daemon on the same engine.

use std::path::{Path, PathBuf};
use std::process::Command;

use bollard::query_parameters::RemoveImageOptions;
use tempfile::TempDir;

use super::Engine;
use super::container::{Piece, Spec};

/// A static program that does what its first argument says.
const PROGRAM: &str = r#"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
    if (!strcmp(argv[1], "exit")) return atoi(argv[2]);
    if (!strcmp(argv[1], "kill")) kill(0, atoi(argv[2]));
    if (!strcmp(argv[1], "id")) printf("%d:%d", getuid(), getgid());
    if (!strcmp(argv[1], "speak")) { fputs("out", stdout); fputs("err", stderr); }
    if (!strcmp(argv[1], "lines")) for (int i = 0; i < atoi(argv[2]); i++) printf("line %d\n", i);
    if (!strcmp(argv[1], "pause")) pause();
    return 0;
}
"#;

/// An engine, an image of [`PROGRAM`], and an owner of containers.
struct Bench {
    engine: Engine,
    image: String,
    owner: &'static str,
    directory: TempDir,
}

impl Bench {
    async fn new(owner: &'static str) -> Self {
        let docker_host = std::env::var("DOCKER_HOST").ok();
        let engine = Engine::connect(docker_host.as_deref()).await.unwrap();
        engine.remove_leftovers(owner).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let image = engine
            .ensure_image(owner, &program(directory.path()))
            .await
            .unwrap();
        Self {
            engine,
            image,
            owner,
            directory,
        }
    }

    async fn create(&self, args: &[&str], user: Option<(u32, u32)>) -> String {
        let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        self.engine.create(&self.spec(&args, user)).await.unwrap()
    }

    fn spec<'a>(&'a self, args: &'a [String], user: Option<(u32, u32)>) -> Spec<'a> {
        Spec {
            image: &self.image,
            args,
            cgroup_parent: None,
            user,
            cpus: &[],
            owner: self.owner,
            run: 1,
        }
    }

    /// Makes an image of another file.
    async fn image_of(&self, content: &[u8]) -> String {
        let file = self.directory.path().join("another");
        std::fs::write(&file, content).unwrap();
        self.engine.ensure_image(self.owner, &file).await.unwrap()
    }

    async fn image_id(&self, image: &str) -> Option<String> {
        self.engine.docker.inspect_image(image).await.unwrap().id
    }

    /// Removes the images. A test that fails leaves them, to be looked at.
    async fn clear(self, others: &[String]) {
        const ANY: Option<RemoveImageOptions> = None;
        for image in others.iter().chain([&self.image]) {
            self.engine.docker.remove_image(image, ANY, None).await.unwrap();
        }
    }

    /// Runs the program to its end: what it wrote to each stream, and its exit status.
    async fn run(&self, args: &[&str], user: Option<(u32, u32)>) -> (Vec<u8>, Vec<u8>, i64) {
        let id = self.create(args, user).await;
        let mut output = self.engine.attach(&id).await.unwrap();
        self.engine.start(&id).await.unwrap();
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        while let Some(piece) = output.next().await {
            match piece.unwrap() {
                Piece::Stdout(bytes) => stdout.extend(bytes),
                Piece::Stderr(bytes) => stderr.extend(bytes),
            }
        }
        let code = self.engine.wait(&id).await.unwrap();
        assert_eq!(self.engine.end(&id).await.unwrap().code, code);
        self.engine.remove(&id).await.unwrap();
        (stdout, stderr, code)
    }
}

fn program(directory: &Path) -> PathBuf {
    let (source, program) = (directory.join("program.c"), directory.join("program"));
    std::fs::write(&source, PROGRAM).unwrap();
    let compiler = Command::new("cc")
        .args(["-static", "-O1", "-o"])
        .args([&program, &source])
        .status();
    assert!(compiler.unwrap().success(), "the test program cannot be compiled");
    program
}

#[tokio::test]
async fn the_engine_tells_its_parts_and_its_processes_are_found() {
    let bench = Bench::new("wbd-test-about").await;
    let about = bench.engine.about().await.unwrap();
    for part in [
        &about.engine,
        &about.api,
        &about.containerd,
        &about.runc,
        &about.storage_driver,
    ] {
        assert!(
            part.starts_with(|first: char| first.is_alphanumeric()),
            "{about:?}"
        );
    }
    let processes = bench.engine.processes().await;
    assert_ne!(processes.dockerd, None);
    assert_ne!(processes.containerd, None);
    bench.clear(&[]).await;
}

#[tokio::test]
async fn an_image_is_made_once_for_each_program() {
    let bench = Bench::new("wbd-test-image").await;
    let before = bench.image_id(&bench.image).await;
    let program = bench.directory.path().join("program");
    let again = bench.engine.ensure_image(bench.owner, &program).await.unwrap();
    assert_eq!(again, bench.image);
    assert_eq!(bench.image_id(&again).await, before);
    let another = bench.image_of(b"another program").await;
    assert_ne!(another, bench.image);
    bench.clear(&[another]).await;
}

#[tokio::test]
async fn the_exit_status_is_the_programs() {
    let bench = Bench::new("wbd-test-exit").await;
    assert_eq!(bench.run(&["exit", "0"], None).await.2, 0);
    assert_eq!(bench.run(&["exit", "7"], None).await.2, 7);
    // A program that is process 1 of its namespace survives its own signals but not those from outside.
    assert_eq!(bench.run(&["kill", "9"], None).await.2, 0);
    bench.clear(&[]).await;
}

#[tokio::test]
async fn both_streams_arrive_whole() {
    let bench = Bench::new("wbd-test-output").await;
    let (stdout, stderr, _) = bench.run(&["speak"], None).await;
    assert_eq!((&stdout[..], &stderr[..]), (&b"out"[..], &b"err"[..]));
    let expected: String = (0..500_000).map(|line| format!("line {line}\n")).collect();
    assert!(bench.run(&["lines", "500000"], None).await.0 == expected.into_bytes());
    bench.clear(&[]).await;
}

#[tokio::test]
async fn the_program_runs_as_the_user_asked_for() {
    let bench = Bench::new("wbd-test-user").await;
    assert_eq!(bench.run(&["id"], Some((1234, 567))).await.0, b"1234:567");
    bench.clear(&[]).await;
}

#[tokio::test]
async fn a_leftover_is_removed_with_its_running_program() {
    let bench = Bench::new("wbd-test-leftover").await;
    let id = bench.create(&["pause"], None).await;
    bench.engine.start(&id).await.unwrap();
    assert_eq!(bench.engine.remove_leftovers("wbd-test-nobody").await.unwrap(), 0);
    assert_eq!(bench.engine.remove_leftovers(bench.owner).await.unwrap(), 1);
    assert!(bench.engine.end(&id).await.is_err());
    bench.engine.remove(&id).await.unwrap();
    bench.clear(&[]).await;
}

#[tokio::test]
async fn a_file_that_is_no_program_does_not_pass_for_one_that_ran() {
    let bench = Bench::new("wbd-test-broken").await;
    let image = bench.image_of(b"no program").await;
    let spec = Spec {
        image: &image,
        ..bench.spec(&[], None)
    };
    let id = bench.engine.create(&spec).await.unwrap();
    // Some versions of runc find out after the engine answered; the container then ends with a status.
    if bench.engine.start(&id).await.is_ok() {
        assert_ne!(bench.engine.wait(&id).await.unwrap(), 0);
    }
    bench.engine.remove(&id).await.unwrap();
    bench.clear(&[image]).await;
}

#[tokio::test]
async fn an_image_that_is_not_there_is_named() {
    let bench = Bench::new("wbd-test-absent").await;
    let spec = Spec {
        image: "wbd/absent:0",
        ..bench.spec(&[], None)
    };
    let refusal = bench.engine.create(&spec).await.unwrap_err().to_string();
    assert!(refusal.contains("wbd/absent:0"), "{refusal}");
    bench.clear(&[]).await;
}
