//! From the configuration to hooks, with what their files have.

use std::sync::Arc;

use reqwest::header::HeaderValue;

use super::super::secrets;
use crate::config::{Config, Spanned, Webhook};
use crate::problem::{Place, Problem, Problems};
use crate::webhook::{Authorities, Hook, NoTls, Secret};

/// Secrets that are good at the same time: the one in use, its successor, and some to spare.
const SECRETS_MAX: usize = 4;
const SECRETS_WANTED: &str = "1 to 4 secrets, a line each: whsec_ and 24 to 64 octets in base64";
const SECRET_HINT: &str = "make one: echo whsec_$(openssl rand -base64 32)";
const TOKEN_WANTED: &str = "a token in a line of its own";

/// What this nameserver calls itself towards others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance(pub Arc<str>);

impl Instance {
    /// `server.nsid`, or else the name of the host; with what neither a header nor a URL takes as `-`.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let host = || rustix::system::uname().nodename().to_string_lossy().into_owned();
        let name = config.server.nsid.clone().unwrap_or_else(host);
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let name: String = name.chars().map(|c| if good(c) { c } else { '-' }).collect();
        Self(if name.is_empty() { "trimtab".into() } else { name.into() })
    }
}

/// The hooks of a configuration; what is wrong with a file goes to `problems`.
pub fn hooks(config: &Config, problems: &mut Problems) -> Vec<Arc<Hook>> {
    let instance = Instance::of(config);
    let hooks = config.webhooks.iter();
    hooks.filter_map(|webhook| hook(webhook, &instance, problems).map(Arc::new)).collect()
}

fn hook(webhook: &Webhook, instance: &Instance, problems: &mut Problems) -> Option<Hook> {
    let key = |key: &str| format!("webhooks.{}.{key}", *webhook.name);
    let secrets = webhook.secret_file.as_ref();
    let secrets = secrets.map(|file| read_secrets(&key("secret_file"), file, problems));
    let token = webhook.token_file.as_ref();
    let token = token.map(|file| read_token(&key("token_file"), file, problems));
    let client = client(webhook, &key("ca_file"), problems);
    let (secrets, authorization) = (optional(secrets)?, optional(token)?);
    Some(Hook {
        name: Arc::clone(&webhook.name),
        instance: Arc::clone(&instance.0),
        url: webhook.url.value.clone(),
        format: webhook.format,
        topics: webhook.events.clone(),
        secrets: secrets.unwrap_or_default(),
        authorization,
        client: client?,
        timeout: webhook.timeout,
        queue: usize::try_from(webhook.queue).unwrap_or(usize::MAX),
        retry_for: webhook.retry_for,
        repeat: webhook.repeat,
    })
}

/// `None`: there should be something, and it cannot be read.
fn optional<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

fn client(webhook: &Webhook, key: &str, problems: &mut Problems) -> Option<reqwest::Client> {
    let text = match &webhook.ca_file {
        Some(file) => Some(secrets::read_with_mode(key, file, problems)?.0),
        None => None,
    };
    let authorities = match (webhook.url.scheme(), &text) {
        ("http", _) => Authorities::None,
        (_, Some(text)) => Authorities::Given(text),
        (_, None) => Authorities::Machine,
    };
    let error = match authorities.client() {
        Ok(client) => return Some(client),
        Err(error) => error,
    };
    let place = match (&error, &webhook.ca_file) {
        (NoTls::File(_), Some(file)) => Place::File(file.value.clone()),
        _ => webhook.url.place.clone(),
    };
    let wanted = "authorities that can be trusted, in PEM";
    problems.push(Problem::error(place, key, error.to_string(), wanted));
    None
}

/// Lines that say something.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = (1..).zip(text.lines().map(str::trim));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// What was found is never told: it may be nearly a secret.
fn read_secrets(
    key: &str,
    file: &Spanned<std::path::PathBuf>,
    problems: &mut Problems,
) -> Option<Vec<Secret>> {
    let text = secrets::read(key, file, problems)?;
    let before = problems.errors();
    let mut secrets = Vec::new();
    for (line, text) in lines(&text) {
        match Secret::parse(text) {
            Some(secret) => secrets.push(secret),
            None => {
                let place = Place::Line { path: file.value.clone(), line, column: 1 };
                let found = "a line that is no secret";
                let problem = Problem::error(place, key, found, SECRETS_WANTED);
                problems.push(problem.hint(SECRET_HINT));
            }
        }
    }
    if problems.errors() == before && !(1..=SECRETS_MAX).contains(&secrets.len()) {
        let found = format!("{} secrets", secrets.len());
        let problem = Problem::error(Place::File(file.value.clone()), key, found, SECRETS_WANTED);
        problems.push(problem.hint(SECRET_HINT));
    }
    (problems.errors() == before).then_some(secrets)
}

fn read_token(
    key: &str,
    file: &Spanned<std::path::PathBuf>,
    problems: &mut Problems,
) -> Option<HeaderValue> {
    let text = secrets::read(key, file, problems)?;
    let all: Vec<&str> = lines(&text).map(|(_, line)| line).collect();
    let found = match all[..] {
        [token] if token.bytes().all(|b| b.is_ascii_graphic()) => {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
            value.set_sensitive(true);
            return Some(value);
        }
        [_] => "a line with what no token has (blanks, or other than ASCII)".into(),
        _ => format!("{} lines", all.len()),
    };
    let place = Place::File(file.value.clone());
    problems.push(Problem::error(place, key, found, TOKEN_WANTED));
    None
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// A site with these files, all its owner's alone.
    fn load(keys: &str, files: &[(&str, &str)]) -> (Vec<Arc<Hook>>, Problems) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        }
        let path = dir.path().join("trimtab.toml");
        let text = format!("version = 1\nserver.nsid = \"ns 1/a\"\n[webhooks.ops]\n{keys}\n");
        fs::write(&path, text).unwrap();
        let (config, mut problems) = config::read(&path);
        let hooks = hooks(&config.unwrap(), &mut problems);
        (hooks, problems)
    }

    #[test]
    fn files_are_read_and_what_they_have_is_never_shown() {
        let keys = "url = \"http://a.test/s3cret\"\nsecret_file = \"s\"\ntoken_file = \"t\"";
        let secrets = format!("# two\n{SECRET}\n\n{}\n", &SECRET[6..]);
        let (hooks, problems) = load(keys, &[("s", &secrets), ("t", "# ours\nabc\n")]);
        assert_eq!(problems, Problems::default(), "{problems}");
        let [hook] = &hooks[..] else { panic!("one hook") };
        assert_eq!((&*hook.instance, hook.secrets.len()), ("ns-1-a", 2));
        let shown = hook.authorization.as_ref().unwrap();
        assert_eq!(shown.to_str().unwrap(), "Bearer abc");
        let debug = format!("{hook:?}{shown:?}");
        assert!(!debug.contains("abc") && !debug.contains("s3cret"), "{debug}");
    }

    #[test]
    fn what_cannot_be_used_is_told_and_there_is_no_such_hook() {
        let five = format!("{SECRET}\n").repeat(5);
        for (key, text, found) in [
            ("secret_file", "", "0 secrets"),
            ("secret_file", five.as_str(), "5 secrets"),
            ("secret_file", "whsec_c2hvcnQ=\n", "file:1: webhooks.ops.secret_file: found a line"),
            ("token_file", "a\nb\n", "2 lines"),
            ("token_file", "a b\n", "a line with what no token has"),
            ("ca_file", "nothing\n", "no certificate"),
            ("ca_file", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "no PEM"),
        ] {
            let keys = format!("url = \"https://a.test/\"\n{key} = \"file\"");
            let (hooks, problems) = load(&keys, &[("file", text)]);
            assert_eq!((hooks.len(), problems.errors()), (0, 1), "{key} {text}: {problems}");
            assert!(problems.to_string().contains(found), "{problems}");
            assert!(!problems.to_string().contains("c2hvcnQ"), "{problems}");
            let (_, problems) = load(&keys, &[]);
            assert!(problems.to_string().contains("file: No such file"), "{problems}");
        }
    }

    #[test]
    fn own_authorities_may_be_the_only_ones() {
        let authority = rcgen::generate_simple_self_signed(["a.test".to_string()]).unwrap();
        let keys = "url = \"https://a.test/\"\nca_file = \"ca\"";
        let (hooks, problems) = load(keys, &[("ca", &authority.cert.pem())]);
        assert_eq!((hooks.len(), problems.errors()), (1, 0), "{problems}");
    }
}
