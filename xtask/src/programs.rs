//! Compiles the programs of `tests/programs`, each in the forms its folder stands for.

use std::path::Path;

use anyhow::{Context, Result};

use crate::compiler::{Form, Program};
use crate::dist::{list, make_dir};
use crate::platform::Platform;
use crate::progress::Bar;
use crate::tree::Tree;

const FOLDERS: [(&str, &[Form]); 5] = [
    ("freestanding", &[Form::Freestanding]),
    ("merged", &[Form::Merged]),
    ("native", &[Form::Static]),
    ("portable", &[Form::Static, Form::Wasm]),
    ("wasm", &[Form::Wasm]),
];

/// Makes what is not up to date.
pub(crate) fn build(tree: &Tree, platform: &Platform) -> Result<()> {
    let tests = platform.dist.tests();
    let programs = all(&tree.root.join("tests/programs"), &tests)?;
    make_dir(&tests)?;
    let bar = Bar::new("test programs", programs.len());
    for program in &programs {
        platform.compiler.make(program)?;
        bar.advance();
    }
    bar.finish();
    Ok(())
}

fn all(from: &Path, into: &Path) -> Result<Vec<Program>> {
    let mut programs = Vec::new();
    for (folder, forms) in FOLDERS {
        for source in list(&from.join(folder))? {
            for form in forms {
                programs.push(program(&source, into, *form)?);
            }
        }
    }
    Ok(programs)
}

fn program(source: &Path, into: &Path, form: Form) -> Result<Program> {
    let name = source
        .file_stem()
        .with_context(|| format!("{} is not a source", source.display()))?;
    let mut output = into.join(name);
    if form == Form::Wasm {
        output.set_extension("wasm");
    }
    Ok(Program {
        source: source.to_owned(),
        libraries: Vec::new(),
        form,
        output,
    })
}
