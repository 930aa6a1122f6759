//! Links the runner to a WasmEdge that brings its own C library and so its own dynamic loader.
//!
//! `cargo xtask build` names the folder of both in the environment. Without it the runner is linked the ordinary way,
//! which serves where the system's C library is new enough for the system's WasmEdge.

/// The folder, as an absolute path: the kernel finds a program's loader by nothing else.
const LIBRARIES: &str = "WBD_WASMEDGE_LIBRARIES";
/// The loader's file name in it.
const LOADER: &str = "WBD_WASMEDGE_LOADER";
/// Bytes for the loader's path: the daemon writes another one there when the installation was moved.
const ROOM: usize = 1024;

fn main() {
    for name in [LIBRARIES, LOADER] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    if let (Ok(libraries), Ok(loader)) = (std::env::var(LIBRARIES), std::env::var(LOADER)) {
        link(&libraries, &loader);
    }
}

/// Of the runner alone: what runs during the build must keep to the system's loader.
fn link(libraries: &str, loader: &str) {
    for flag in [
        // The libraries are linked against a newer C library than the one that is linked here.
        "--allow-shlib-undefined".to_owned(),
        // An rpath that holds for the libraries' own libraries too.
        "--disable-new-dtags".to_owned(),
        // Beside the installed runner; for one that cargo runs where it was built, the same folder by its whole path.
        format!("-rpath,$ORIGIN/wasmedge/lib:{libraries}"),
        format!("--dynamic-linker={}", roomy(&format!("{libraries}/{loader}"))),
    ] {
        println!("cargo::rustc-link-arg-bins=-Wl,{flag}");
    }
}

/// The same path, longer: slashes at its beginning count as one.
fn roomy(path: &str) -> String {
    format!("{path:/>ROOM$}")
}
