//! Containers from images that are none of ours: who may have them run, and with what rights.

use wbd_model::{Exit, Metric};
use wbd_tests::client::Client;
use wbd_tests::docker::{docker, process, require};
use wbd_tests::documents::{only_run, p50};
use wbd_tests::user::User;
use wbd_tests::{Daemon, Home, process, wait};

/// An image of one of the tests' programs, which is removed with this value.
struct Image {
    reference: String,
}

impl Image {
    /// The program is root's and raises whoever starts it to root, where nothing forbids it.
    fn of(home: &Home, program: &str) -> Self {
        let reference = format!("wbd-test-image/{program}:{}", std::process::id());
        let path = home.program(program);
        let (folder, name) = path.rsplit_once('/').expect("a path");
        let script = format!(
            "tar -C {folder} --owner=0 --group=0 --mode=4755 -c {name} | \
             docker import -c 'ENTRYPOINT [\"/{name}\"]' - {reference}"
        );
        Client::spawn(std::process::Command::new("/bin/sh").args(["-ec", &script]))
            .answer()
            .expect(0);
        Self { reference }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        docker(&["rmi", "--force", &self.reference]);
    }
}

fn start_allowing<'home>(home: &'home Home, image: &str) -> Daemon<'home> {
    let config = home.file("wbd.toml", &format!("[limits]\nimages = [\"{image}\"]\n"), 0o644);
    let wbd = Daemon::start(home, home.wbd().args(["--config", &config]));
    home.admit(&User::nobody());
    wbd
}

/// It runs as `docker run` has it: the arguments are its program's. Needs root and Docker.
#[test]
fn docker_images_of_others_run_with_what_follows_the_dashes() {
    require();
    let home = Home::new();
    let image = Image::of(&home, "exit_code");
    let _wbd = home.start();
    let made = home.fail(&["-n", "1", "--warmup", "0", "--image", &image.reference, "--", "7"]);
    let cell = &made.cells[0];
    let name = format!("exit_code_{}", std::process::id());
    assert_eq!((cell.target.as_str(), &cell.workload), ("docker", &name));
    assert_eq!(only_run(&made).exit, Exit::Code(7));
    let made = home.measure(&["-n", "3", "--image", &image.reference, "--", "0"]);
    assert!(p50(&made.cells[0], Metric::Startup) > 0);
    let shown = home.wbctl(&["show", "latest"]).expect(0);
    assert!(shown.stdout.contains(&name), "{shown:#?}");
}

/// Needs root and Docker.
#[test]
fn docker_images_are_for_users_where_the_configuration_names_them() {
    require();
    let home = Home::with_dist_for_everyone();
    let (allowed, other) = (Image::of(&home, "noop"), Image::of(&home, "exit_code"));
    let _wbd = start_allowing(&home, &allowed.reference);
    let run = |image: &Image| {
        let line = ["run", "-n", "2", "--image", &image.reference];
        home.wbctl_as(&User::nobody(), &line)
    };
    run(&allowed).expect(0);
    run(&other)
        .expect(4)
        .saying(&[&other.reference, "`images`", "[limits]"]);
    home.measure(&["-n", "2", "--image", &other.reference, "--", "0"]); // root is not bound
}

/// Not by a program that raises to root whoever starts it, either. Needs root and Docker.
#[test]
fn docker_images_run_as_the_caller_with_no_way_up() {
    require();
    let home = Home::with_dist_for_everyone();
    let image = Image::of(&home, "hang");
    let _wbd = start_allowing(&home, &image.reference);
    let line = ["run", "-n", "1", "--warmup", "0", "--image", &image.reference];
    let _client = home.begin_as(&User::nobody(), &line);
    let pid = wait::until_some("the container hangs", || process(&home, "hang"));
    let status = process::status(pid);
    for (field, value) in [
        ("Uid", "65534 65534 65534 65534"),
        ("CapEff", "0000000000000000"),
        ("NoNewPrivs", "1"),
    ] {
        assert_eq!(status[field], value, "{field}");
    }
}

/// It is never fetched. Needs root and Docker.
#[test]
fn docker_images_that_are_not_there_are_named_with_what_to_do() {
    require();
    let home = Home::new();
    let _wbd = home.start();
    home.wbctl(&["run", "--image", "wbd-test-image/none:1"])
        .expect(4)
        .saying(&["wbd-test-image/none:1", "docker pull"]);
    home.wbctl(&["run", "--image", "two words"])
        .expect(2)
        .saying(&["alpine:3.20"]);
}
