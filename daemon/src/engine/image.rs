//! Images of our own programs, made without a registry.
//!
//! An image is one static program and nothing else, imported as a file system. Its tag carries the hash of
//! the program, so a rebuilt program makes a new image and an unchanged one makes none.

use std::path::Path;

use bollard::query_parameters::{CreateImageOptions, CreateImageOptionsBuilder};
use sha2::{Digest, Sha256};
use tokio_stream::StreamExt as _;

use super::Engine;
use super::error::{EngineError, refused, status};

/// Bytes of the program's hash in its image's tag: 12 hexadecimal digits.
const TAG_BYTES: usize = 6;

impl Engine {
    /// The image that runs the static program at `program`, made now unless the engine has it.
    ///
    /// The program is the image's entry point under the workload's name, so a container's arguments are
    /// the program's. The workload's name must be lower case, as image names are.
    pub(crate) async fn ensure_image(&self, workload: &str, program: &Path) -> Result<String, EngineError> {
        let unreadable = |cause| EngineError::Program {
            path: program.to_owned(),
            cause,
        };
        let program = std::fs::read(program).map_err(unreadable)?;
        let reference = reference(workload, &program);
        if !self.has_image(&reference).await? {
            let archive = archive(workload, &program).map_err(unreadable)?;
            self.import(workload, &reference, archive).await?;
        }
        Ok(reference)
    }

    /// Bytes of an image's file system, where the engine tells.
    pub(crate) async fn image_bytes(&self, reference: &str) -> Option<u64> {
        let image = self.docker.inspect_image(reference).await.ok()?;
        image.size.and_then(|bytes| u64::try_from(bytes).ok())
    }

    /// Fails where the engine has no image of this reference; it is never fetched from elsewhere.
    pub(crate) async fn must_have_image(&self, reference: &str) -> Result<(), EngineError> {
        if self.has_image(reference).await? {
            return Ok(());
        }
        Err(EngineError::NoImage(reference.to_owned()))
    }

    async fn has_image(&self, reference: &str) -> Result<bool, EngineError> {
        match self.docker.inspect_image(reference).await {
            Ok(_) => Ok(true),
            Err(error) if status(&error) == Some(404) => Ok(false),
            Err(error) => Err(refused(|| format!("look the image {reference} up"))(error)),
        }
    }

    async fn import(&self, workload: &str, reference: &str, archive: Vec<u8>) -> Result<(), EngineError> {
        let body = bollard::body_full(archive.into());
        let mut progress = self
            .docker
            .create_image(Some(options(workload, reference)), Some(body), None);
        while let Some(step) = progress.next().await {
            step.map_err(refused(|| format!("import the image {reference}")))?;
        }
        Ok(())
    }
}

fn reference(workload: &str, program: &[u8]) -> String {
    let hash = Sha256::digest(program);
    let tag: String = hash
        .iter()
        .take(TAG_BYTES)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("wbd/{workload}:{tag}")
}

fn options(workload: &str, reference: &str) -> CreateImageOptions {
    let changes = vec![format!("ENTRYPOINT [\"/{workload}\"]"), "LABEL wbd=1".to_owned()];
    CreateImageOptionsBuilder::new()
        .from_src("-")
        .repo(reference)
        .changes(changes)
        .build()
}

/// The file system: the program alone, executable by anyone, with no date so that it is always the same.
fn archive(workload: &str, program: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut header = tar::Header::new_ustar();
    header.set_size(program.len() as u64);
    header.set_mode(0o755);
    let mut archive = tar::Builder::new(Vec::with_capacity(program.len() + 4096));
    archive.append_data(&mut header, workload, program)?;
    archive.into_inner()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_tag_is_the_programs_hash() {
        // SHA-256 of "abc", from FIPS 180-2, appendix B.1.
        assert_eq!(reference("empty", b"abc"), "wbd/empty:ba7816bf8f01");
    }

    #[test]
    fn the_file_system_holds_the_program_alone() {
        let bytes = archive("n_body", b"program").unwrap();
        let mut archive = tar::Archive::new(&bytes[..]);
        let mut entries = archive.entries().unwrap();
        let mut entry = entries.next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap().to_str(), Some("n_body"));
        assert_eq!(entry.header().mode().unwrap(), 0o755);
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        assert_eq!(content, "program");
        assert!(entries.next().is_none());
    }
}
