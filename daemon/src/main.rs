//! The daemon as a program. All of it is in the library beside it, so that the fuzz targets reach it too.

use std::process::ExitCode;

fn main() -> ExitCode {
    wbd_daemon::main()
}
