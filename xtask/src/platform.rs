//! What programs are built for: this host, or a machine of another architecture.

use std::ffi::OsString;

use anyhow::Result;

use crate::compiler::Compiler;
use crate::dist::Dist;
use crate::tree::Tree;

/// A kind of machine, with the means to make programs for it.
pub(crate) struct Platform {
    /// Where its programs are put.
    pub dist: Dist,
    /// Variables for cargo.
    pub environment: Vec<(&'static str, OsString)>,
    /// How cargo is asked for tests: on this host they share what is compiled for them with unit tests, elsewhere with
    /// the programs they test.
    pub test_command: &'static [&'static str],
    /// Compiles C.
    pub compiler: Compiler,
}

impl Platform {
    /// This machine's own.
    pub(crate) fn host(tree: &Tree) -> Result<Self> {
        Ok(Self {
            dist: Dist::below(&tree.target),
            environment: Vec::new(),
            test_command: &["test"],
            compiler: Compiler::find(&tree.target)?,
        })
    }
}
