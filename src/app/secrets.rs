//! Secrets from files.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::config::{self, Spanned};
use crate::problem::{Place, Problem, Problems, readable};
use crate::routing::{Cookies, Secret};

/// Secrets that are good at the same time: the one in use, its successor, its predecessor, and one
/// to spare. Each costs a hash for every cookie that is wrong.
const SECRETS_MAX: usize = 4;
/// No file of secrets is longer, in octets.
const FILE_MAX: u64 = 64 << 10;
const KEY: &str = "server.cookies.secret_file";
const WANTED: &str = "secrets of 32 hexadecimal digits each, a line each: the one in use first";

/// How server cookies are made, by the configuration and the file that it names.
pub(super) fn cookies(config: &config::Cookies, problems: &mut Problems) -> Cookies {
    match &config.secret_file {
        _ if !config.enabled => Cookies::Off,
        None => Cookies::Own,
        Some(path) => match read(KEY, path, problems) {
            Some(text) => parse(&path.value, &text, problems),
            None => Cookies::Own,
        },
    }
}

/// Reads a file of secrets, and warns if too many may do so.
pub(super) fn read(
    key: &str,
    path: &Spanned<impl AsRef<Path>>,
    problems: &mut Problems,
) -> Option<String> {
    let (text, mode) = read_with_mode(key, path, problems)?;
    if mode & 0o007 > 0 {
        let file = path.value.as_ref();
        let found = format!("a file that everybody may use (mode {:03o})", mode & 0o777);
        let wanted = "one that only the server may read";
        let hint = format!("chmod 640 {}", file.display());
        problems.push(Problem::warning(Place::File(file.into()), key, found, wanted).hint(hint));
    }
    Some(text)
}

/// Reads a file of secrets, and refuses it if others than its owner may use it.
pub(super) fn read_private(
    key: &str,
    path: &Spanned<impl AsRef<Path>>,
    problems: &mut Problems,
) -> Option<String> {
    let (text, mode) = read_with_mode(key, path, problems)?;
    if mode & 0o077 > 0 {
        let file = path.value.as_ref();
        let found = format!("a file that others may use (mode {:03o})", mode & 0o777);
        let wanted = "one that only its owner may use";
        let hint = format!("chmod 600 {}", file.display());
        problems.push(Problem::error(Place::File(file.into()), key, found, wanted).hint(hint));
        return None;
    }
    Some(text)
}

/// Reads a file, with its permissions.
pub(super) fn read_with_mode(
    key: &str,
    path: &Spanned<impl AsRef<Path>>,
    problems: &mut Problems,
) -> Option<(String, u32)> {
    read_up_to(key, path, FILE_MAX, problems)
}

/// The same of a file that may be of another length, in octets.
pub(super) fn read_up_to(
    key: &str,
    path: &Spanned<impl AsRef<Path>>,
    most: u64,
    problems: &mut Problems,
) -> Option<(String, u32)> {
    let file = path.value.as_ref();
    let read = || -> io::Result<(String, u32)> {
        let mut text = String::new();
        let file = File::open(file)?;
        let mode = file.metadata()?.permissions().mode();
        // A secret behind the end of what is read would be missed.
        if file.take(most).read_to_string(&mut text)? as u64 == most {
            return Err(io::Error::other("more than such a file can be"));
        }
        Ok((text, mode))
    };
    let unreadable = |error: io::Error| {
        let found = format!("{}: {error}", file.display());
        let mut problem = Problem::error(path.place.clone(), key, found, "a file that can be read");
        problem.hint = readable(&error).map(Into::into);
        problem
    };
    read().map_err(|error| problems.push(unreadable(error))).ok()
}

/// One secret a line; blank lines and what follows a `#` do not count.
fn parse(path: &Path, text: &str, problems: &mut Problems) -> Cookies {
    let mut secrets = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        match hex(line) {
            Some(secret) => secrets.push(secret),
            // What was found is not told: it may be nearly a secret.
            None => {
                let place = Place::Line { path: path.into(), line: number, column: 1 };
                let found = format!("{} characters that are no secret", line.chars().count());
                let hint = "make one: openssl rand -hex 16";
                problems.push(Problem::error(place, KEY, found, WANTED).hint(hint));
            }
        }
    }
    if !(1..=SECRETS_MAX).contains(&secrets.len()) {
        let found = format!("{} secrets", secrets.len());
        let wanted = format!("1 to {SECRETS_MAX} {WANTED}");
        problems.push(Problem::error(Place::File(path.into()), KEY, found, wanted));
    }
    Cookies::Shared(secrets.into())
}

fn hex(text: &str) -> Option<Secret> {
    if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(|number| Secret(number.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    fn load(text: &str, mode: u32) -> (Cookies, Problems) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cookie.secret");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let file = Spanned { value: path.clone(), place: Place::File("trimtab.toml".into()) };
        let config = config::Cookies { enabled: true, secret_file: Some(file) };
        let mut problems = Problems::default();
        let cookies = cookies(&config, &mut problems);
        (cookies, problems)
    }

    const ONE: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";

    #[test]
    fn secrets_are_read_in_their_order() {
        let text = format!("# in use\n{ONE}\n\n  00000000000000000000000000000A0b  # next\n");
        let (cookies, problems) = load(&text, 0o640);
        assert!(problems.0.is_empty(), "{problems}");
        let Cookies::Shared(secrets) = cookies else { panic!("{cookies:?}") };
        let first = u128::from_str_radix(ONE, 16).unwrap().to_be_bytes();
        let mut next = [0; 16];
        [next[14], next[15]] = [0x0a, 0x0b];
        assert_eq!(*secrets, [Secret(first), Secret(next)]);
        assert_eq!(format!("{secrets:?}"), "[Secret(..), Secret(..)]", "never shown");
    }

    #[test]
    fn what_is_no_secret_is_refused_and_not_told() {
        for (text, found) in [
            ("", "0 secrets"),
            ("# only words\n", "0 secrets"),
            (&format!("{ONE}0"), "33 characters that are no secret"),
            (&format!("{ONE}\n+123"), "4 characters that are no secret"),
            ("+5e973e5a6b2a43f48e7dc849e37bfcf", "32 characters that are no secret"),
            (&format!("{ONE}\n").repeat(5), "5 secrets"),
        ] {
            let (_, problems) = load(text, 0o600);
            assert!(problems.any_error(), "{text:?}");
            let told = problems.to_string();
            assert!(told.contains(found), "{told}");
            assert!(!told.contains("e973e5"), "{told}");
        }
    }

    #[test]
    fn a_file_for_everybody_is_warned_of() {
        for (mode, warned) in [(0o600, 0), (0o640, 0), (0o644, 1), (0o602, 1)] {
            let (cookies, problems) = load(ONE, mode);
            assert_eq!((problems.errors(), problems.warnings()), (0, warned), "{mode:o}");
            assert!(matches!(cookies, Cookies::Shared(_)));
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_told_where_it_is_named() {
        let place = Place::File("trimtab.toml".into());
        let file = Spanned { value: "no/such/file".into(), place: place.clone() };
        let mut problems = Problems::default();
        let config = config::Cookies { enabled: true, secret_file: Some(file) };
        cookies(&config, &mut problems);
        assert_eq!((problems.errors(), &problems.0[0].place), (1, &place));
        // Nor may secrets be missed because they are far behind.
        let (_, problems) = load(&format!("{}{ONE}", "#\n".repeat(40_000)), 0o600);
        assert_eq!(problems.errors(), 1, "{problems}");
        // It is not looked for where cookies are off.
        let mut problems = Problems::default();
        let off = config::Cookies { enabled: false, ..config };
        assert_eq!(cookies(&off, &mut problems), Cookies::Off);
        assert!(problems.0.is_empty());
    }
}
