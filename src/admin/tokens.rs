//! The tokens that operators and their tools show, and whose they are.
//!
//! A file has one a line, as `TOKEN`, `NAME:TOKEN` or `NAME:ROLE:TOKEN`. Only their digests are kept: so
//! neither the length of a token nor how much of it was right shows in the time of a comparison, and no
//! dump of memory has one.

use std::path::Path;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq;

use crate::problem::{Place, Problem, Problems};

/// Tokens of one file; more would make each request dear.
const MOST: usize = 100;
/// Octets of a token: shorter ones can be guessed.
const LEAST: usize = 20;
/// The longest, in octets.
const LONGEST: usize = 512;
/// Whose a token is that has no name.
const NAMELESS: &str = "token";
const WANTED: &str = "a token a line: TOKEN, NAME:TOKEN or NAME:ROLE:TOKEN";
const MAKE: &str = "make one: openssl rand -hex 32";

/// What a token's holder may do; the later, the more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// See everything.
    Read,
    /// Change what is served as well.
    Operate,
}

/// Whose a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The name that stands beside what he did.
    pub name: Arc<str>,
    /// What he may do.
    pub role: Role,
}

/// All tokens of a file.
#[derive(Clone, Default)]
pub struct Tokens(Vec<([u8; 32], Holder)>);

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(_, holder)| holder)).finish()
    }
}

impl Tokens {
    /// Reads the text of a file. What was found is never told: it may be nearly a token.
    pub fn parse(key: &str, path: &Path, text: &str, problems: &mut Problems) -> Self {
        let mut tokens = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let added = read(line).and_then(|(holder, token)| tokens.add(holder, token));
            if let Err((found, wanted, hint)) = added {
                let place = Place::Line { path: path.into(), line: number, column: 1 };
                problems.push(Problem::error(place, key, found, wanted).hint(hint));
            }
        }
        if tokens.0.is_empty() && !problems.any_error() {
            let place = Place::File(path.into());
            problems.push(Problem::error(place, key, "no token", WANTED).hint(MAKE));
        }
        tokens
    }

    fn add(&mut self, holder: Holder, token: &str) -> Result<(), Fault> {
        let digest = hashed(token.as_bytes());
        if self.0.iter().any(|(other, _)| *other == digest) {
            let found = "the same token for a second time".into();
            return Err((found, "each token once".into(), MAKE));
        }
        if self.0.len() == MOST {
            let hint = "remove those that nobody uses any more";
            return Err(("one token more".into(), format!("at most {MOST} tokens"), hint));
        }
        self.0.push((digest, holder));
        Ok(())
    }

    /// Whose a token is, in a time that tells nothing of those that are right.
    #[must_use]
    pub fn holder(&self, token: &[u8]) -> Option<&Holder> {
        let shown = hashed(token);
        let mut found = None;
        for (digest, holder) in &self.0 {
            if bool::from(digest.ct_eq(&shown)) {
                found = Some(holder);
            }
        }
        found
    }
}

/// What is wrong with a line: what was found, what is wanted, what to do.
type Fault = (String, String, &'static str);

fn read(line: &str) -> Result<(Holder, &str), Fault> {
    let parts: Vec<&str> = line.split(':').collect();
    let (name, role, token) = match parts[..] {
        [token] => (NAMELESS, "operate", token),
        [name, token] => (name, "operate", token),
        [name, role, token] => (name, role, token),
        _ => return Err(("a line with more than two colons".into(), WANTED.into(), MAKE)),
    };
    let good = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    if !(1..=64).contains(&name.len()) || !name.chars().all(good) {
        let wanted = "a name of 1 to 64 letters, digits or any of . _ @ -".into();
        return Err(("a name that cannot be one".into(), wanted, WANTED));
    }
    let role = match role {
        "read" => Role::Read,
        "operate" => Role::Operate,
        _ => return Err(("an unknown role".into(), "the role read or operate".into(), WANTED)),
    };
    // What may stand behind "Bearer" (RFC 6750 section 2.1).
    let good = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    if !token.chars().all(good) {
        let found = "a token with characters that none can have".into();
        return Err((found, "letters, digits and any of - . _ ~ + / =".into(), MAKE));
    }
    if !(LEAST..=LONGEST).contains(&token.len()) {
        let found = format!("a token of {} octets", token.len());
        return Err((found, format!("a token of {LEAST} to {LONGEST} octets"), MAKE));
    }
    Ok((Holder { name: name.into(), role }, token))
}

fn hashed(token: &[u8]) -> [u8; 32] {
    let mut octets = [0; 32];
    octets.copy_from_slice(digest(&SHA256, token).as_ref());
    octets
}

/// The first token of a file, for those who show one: of the same form as the server's.
#[must_use]
pub fn first_token(text: &str) -> Option<&str> {
    let mut lines = text.lines().map(str::trim);
    let line = lines.find(|line| !line.is_empty() && !line.starts_with('#'))?;
    line.rsplit(':').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const C: &str = "AZaz09-._~+/AZaz09==";

    fn parse(text: &str) -> (Tokens, Problems) {
        let mut problems = Problems::default();
        let tokens =
            Tokens::parse("admin.token_file", Path::new("admin.token"), text, &mut problems);
        (tokens, problems)
    }

    #[test]
    fn a_token_is_its_holders() {
        let text = format!("# of the team\n\n{A}\n  alice:{B}\r\nprometheus:read:{C}\n");
        let (tokens, problems) = parse(&text);
        assert_eq!(problems, Problems::default());
        let of = |token: &str| tokens.holder(token.as_bytes()).map(|h| (&*h.name, h.role));
        assert_eq!(of(A), Some(("token", Role::Operate)));
        assert_eq!(of(B), Some(("alice", Role::Operate)));
        assert_eq!(of(C), Some(("prometheus", Role::Read)));
        for wrong in ["", "a", &A[1..], &format!("{A}a"), "alice", &format!("alice:{B}")] {
            assert_eq!(of(wrong), None, "{wrong:?}");
        }
        assert!(!format!("{tokens:?}").contains(&A[..8]), "never shown");
        assert_eq!(first_token(&text), Some(A));
        assert_eq!(first_token(&format!("#x\nbob:read:{B}\n")), Some(B));
        assert_eq!(first_token("# nothing\n"), None);
    }

    #[test]
    fn what_is_no_token_is_refused_and_not_told() {
        for (text, found) in [
            ("", "no token"),
            ("# only words\n", "no token"),
            ("secretsecret", "a token of 12 octets"),
            (&"x".repeat(513), "a token of 513 octets"),
            (&format!("{A}\nal ice:{B}"), "a name that cannot be one"),
            (&format!(":{B}"), "a name that cannot be one"),
            (&format!("alice:root:{B}"), "an unknown role"),
            (&format!("a:read:{B}:x"), "more than two colons"),
            ("secretsecret secretsecret", "characters that none can have"),
            (&format!("{A}\nbob:{A}"), "for a second time"),
        ] {
            let (_, problems) = parse(text);
            let told = problems.to_string();
            assert!(problems.any_error() && told.contains(found), "{text:?}: {told}");
            assert!(!told.contains("secretsecret") && !told.contains(&B[..8]), "{told}");
        }
        let many: String = (0..=MOST).map(|n| format!("{n:032}\n")).collect();
        let (_, problems) = parse(&many);
        assert!(
            problems.to_string().contains("admin.token:101: admin.token_file: found one token")
        );
    }
}
