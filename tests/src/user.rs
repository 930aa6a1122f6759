//! Users who are not root.

use std::process::Command;

/// The rights a command is started with.
#[derive(Clone, Debug)]
pub struct User {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Supplementary groups; the first one opens the daemon's socket.
    pub groups: Vec<u32>,
}

impl User {
    /// Root.
    #[must_use]
    pub fn root() -> Self {
        Self {
            uid: 0,
            gid: 0,
            groups: vec![0],
        }
    }

    /// A user whom no file of the machine belongs to, and who may ask the daemon.
    #[must_use]
    pub fn nobody() -> Self {
        Self {
            uid: 65_534,
            gid: 65_534,
            groups: vec![64_001, 64_002],
        }
    }

    /// Another such user.
    #[must_use]
    pub fn somebody() -> Self {
        Self {
            uid: 64_010,
            gid: 64_010,
            ..Self::nobody()
        }
    }

    /// A command that runs `program` with these rights.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let groups: Vec<String> = self.groups.iter().map(u32::to_string).collect();
        let mut command = Command::new("setpriv");
        command
            .arg(format!("--reuid={}", self.uid))
            .arg(format!("--regid={}", self.gid))
            .arg(format!("--groups={}", groups.join(",")))
            .arg(program);
        command
    }
}
