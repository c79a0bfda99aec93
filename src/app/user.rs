//! From root to another user, once everything that wants root is done, and for good.
//!
//! The C library changes all threads of the process at once (nptl(7)), so it does not matter which
//! of them run already.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use privdrop::reexports::nix::unistd::User;
use privdrop::{PrivDrop, PrivDropError};
use rustix::process::{getegid, geteuid, getgid, getuid};
use rustix::thread::capabilities;

use crate::config::{Config, ZoneData};
use crate::problem::{Problem, Problems};

const KEY: &str = "server.user";

/// Why a server cannot become another user.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The system does not know the user, or cannot say.
    #[error("{KEY}: {0}")]
    Unknown(String),
    /// Only root can.
    #[error(
        "{KEY}: only root can become the user {name}, and this is user {uid}; start it as root or as \
         {name}, or take the key out"
    )]
    NotRoot {
        /// Who it should become.
        name: String,
        /// The number of the user that it is.
        uid: u32,
    },
    /// The directory for the user's state cannot be made.
    #[error("the state directory {} cannot be made for the user {name}: {error}", dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// Whose it should be.
        name: String,
        /// What the system says.
        error: io::Error,
    },
    /// The system refuses, although this is root.
    #[error("{KEY}: cannot become the user {name}: {error}; CAP_SETUID and CAP_SETGID are needed")]
    Refused {
        /// Who it should become.
        name: String,
        /// What the system says.
        error: PrivDropError,
    },
    /// Something of root is left.
    #[error("{KEY}: the system made this the user {name}, but left it {left}")]
    Left {
        /// Who it should become.
        name: String,
        /// What it should not have any more.
        left: String,
    },
}

/// Reports a user whom the system does not have.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    let Some(name) = &config.server.user else { return };
    if let Err(found) = find(name) {
        let place = name.place.clone();
        problems.push(Problem::error(place, KEY, found, "the name of a user of this system"));
    }
}

/// Looks a user up; the error is what was found instead.
fn find(name: &str) -> Result<User, String> {
    match User::from_name(name) {
        Ok(Some(user)) => Ok(user),
        Ok(None) => Err(format!("{name:?}, which is no user of this system")),
        Err(error) => Err(format!("{name:?}, whom the system cannot look up ({error})")),
    }
}

/// Becomes the user that the configuration names, if it names one. Root makes the state directory
/// before, when it is not there.
///
/// # Errors
/// When this is neither root nor that user, or when the system refuses; then it must not go on.
pub(super) fn become_configured(config: &Config) -> Result<(), UserError> {
    let Some(name) = &config.server.user else { return Ok(()) };
    let user = find(name).map_err(UserError::Unknown)?;
    if getuid().as_raw() == user.uid.as_raw() && geteuid() == getuid() {
        return Ok(());
    }
    if !geteuid().is_root() {
        return Err(UserError::NotRoot { name: user.name, uid: geteuid().as_raw() });
    }
    make(&config.state.dir, &user).map_err(|error| {
        let dir = config.state.dir.clone();
        UserError::Directory { dir, name: user.name.clone(), error }
    })?;
    let all = PrivDrop::default().user(&user.name).include_default_supplementary_groups();
    all.apply().map_err(|error| UserError::Refused { name: user.name.clone(), error })?;
    confirm(&user)?;
    tracing::info!("now running as the user {} ({})", user.name, user.uid);
    for file in unreadable(config) {
        tracing::warn!(
            "{} cannot be read by the user {}: the next reload will be refused unless that changes",
            file.display(),
            user.name
        );
    }
    Ok(())
}

/// Makes a directory that is not there, for a user alone.
fn make(dir: &Path, user: &User) -> io::Result<()> {
    // Also what is no directory: whoever opens it will tell.
    if dir.symlink_metadata().is_ok() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
    }
    DirBuilder::new().mode(0o700).create(dir)?;
    // What was made, and not what somebody may have put in its place meanwhile.
    let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW;
    let made = OpenOptions::new().read(true).custom_flags(flags).open(dir)?;
    fchown(made, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
}

/// Nothing of root may be left, whatever the system has been told about user ids and capabilities.
fn confirm(user: &User) -> Result<(), UserError> {
    let left = |left: String| Err(UserError::Left { name: user.name.clone(), left });
    let ids = [getuid(), geteuid()].map(|uid| uid.as_raw());
    let groups = [getgid(), getegid()].map(|gid| gid.as_raw());
    if ids != [user.uid.as_raw(); 2] || groups != [user.gid.as_raw(); 2] {
        return left(format!("the user ids {ids:?} and group ids {groups:?}"));
    }
    match capabilities(None) {
        Ok(sets) if (sets.effective | sets.permitted).is_empty() => Ok(()),
        Ok(sets) => left(format!("capabilities ({:?})", sets.permitted)),
        Err(error) => left(format!("in doubt about its capabilities ({error})")),
    }
}

/// The files of a configuration that whoever runs this may not read.
fn unreadable(config: &Config) -> Vec<PathBuf> {
    let zones = config.zones.iter().filter_map(|zone| match &zone.data {
        ZoneData::File(file) => Some(&file.value),
        ZoneData::Made { .. } => None,
    });
    let server = &config.server;
    let keys = server.transfer.keys.iter().map(|key| &key.secret_file.value);
    let clients = config.geo.databases.iter().chain(&config.latency.table).map(|file| &file.value);
    let cookies = server.cookies.secret_file.iter().map(|file| &file.value);
    let tls = config.admin.tls.iter().flat_map(|tls| [&tls.cert.value, &tls.key.value]);
    let admin = config.admin.token_file.iter().map(|file| &file.value).chain(tls);
    let all = zones.chain(keys).chain(clients).chain(cookies).chain(admin);
    let denied = |error: io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    all.filter(|file| File::open(file).is_err_and(denied)).cloned().collect()
}
