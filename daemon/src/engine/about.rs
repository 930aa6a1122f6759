//! What the engine says of itself: recorded with every experiment, since each part costs time.

use bollard::models::SystemVersion;

use super::Engine;
use super::error::{EngineError, refused};

/// The engine's parts and settings. What the engine does not tell is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// Version of the engine, such as `20.10.24`.
    pub(crate) engine: String,
    /// Version of the API it speaks.
    pub(crate) api: String,
    /// Version of containerd.
    pub(crate) containerd: String,
    /// Version of runc.
    pub(crate) runc: String,
    /// What makes containers' cgroups: `cgroupfs` or `systemd`.
    pub(crate) cgroup_driver: String,
    /// `1` or `2`.
    pub(crate) cgroup_version: String,
    /// What makes containers' file systems, such as `overlay2`.
    pub(crate) storage_driver: String,
}

impl Engine {
    /// Asks the engine about itself.
    pub(crate) async fn about(&self) -> Result<About, EngineError> {
        let version = self
            .docker
            .version()
            .await
            .map_err(refused(|| "tell its version".into()))?;
        let info = self
            .docker
            .info()
            .await
            .map_err(refused(|| "tell its settings".into()))?;
        Ok(About {
            containerd: component(&version, "containerd"),
            runc: component(&version, "runc"),
            engine: version.version.unwrap_or_default(),
            api: version.api_version.unwrap_or_default(),
            cgroup_driver: info
                .cgroup_driver
                .map(|driver| driver.to_string())
                .unwrap_or_default(),
            cgroup_version: info
                .cgroup_version
                .map(|version| version.to_string())
                .unwrap_or_default(),
            storage_driver: info.driver.unwrap_or_default(),
        })
    }
}

fn component(version: &SystemVersion, name: &str) -> String {
    let mut components = version.components.iter().flatten();
    let found = components.find(|component| component.name == name);
    found
        .map(|component| component.version.clone())
        .unwrap_or_default()
}
