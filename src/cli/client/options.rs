//! Which servers, and how: the arguments that all verbs with a running server have.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use reqwest::header::HeaderValue;
use reqwest::{Client, redirect};
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::crypto::ring;

use super::admin::Admin;
use super::server::Server;
use super::{actor, tls};
use crate::cli::Failure;

/// Where a server is when nothing names one.
const DEFAULT: &str = "http://127.0.0.1:9953";
/// To connect, at most.
const CONNECT: Duration = Duration::from_secs(5);
/// For an answer, when nothing says otherwise.
const ANSWER: Duration = Duration::from_secs(10);

/// Which servers, and how.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Servers and output")]
pub(in crate::cli) struct Servers {
    /// The admin address of a server; several times: all of them [default: TRIMTAB_ADMIN, separated
    /// by commas, then http://127.0.0.1:9953]
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) admin: Vec<Admin>,
    /// The file with the token [default: TRIMTAB_TOKEN_FILE]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) token_file: Option<PathBuf>,
    /// Trust the certificates of this authority alone (PEM)
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) ca: Option<PathBuf>,
    /// Wait so long for an answer [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(in crate::cli) timeout: Option<Duration>,
    /// Who you are, where no token says it [default: user and host]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) actor: Option<String>,
    /// Print JSON, for programs
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

impl Servers {
    /// Whether they say anything of servers.
    pub(in crate::cli) fn name_any(&self) -> bool {
        let Self { admin, token_file, ca, timeout, actor, json: _ } = self;
        !admin.is_empty()
            || token_file.is_some()
            || ca.is_some()
            || timeout.is_some()
            || actor.is_some()
    }

    /// The servers that they name.
    ///
    /// # Errors
    /// A variable of the environment is wrong, or a file cannot be read.
    pub(super) fn resolve(&self) -> Result<Vec<Server>, Failure> {
        let admins = admins(&self.admin, variable("TRIMTAB_ADMIN").as_deref())?;
        let file = self.token_file.clone();
        let file = file.or_else(|| variable("TRIMTAB_TOKEN_FILE").map(PathBuf::from));
        let token = file.as_deref().map(token).transpose()?;
        let actor = self.actor.clone().unwrap_or_else(actor::actor);
        let actor = HeaderValue::from_bytes(actor.as_bytes()).map_err(|_| {
            Failure::Usage("--actor: wanted a name without control characters".into())
        })?;
        let server = |admin: Admin| -> anyhow::Result<Server> {
            let client = client(&admin, self.ca.as_deref())?;
            let timeout = self.timeout.unwrap_or(ANSWER);
            Ok(Server { admin, client, token: token.clone(), actor: Some(actor.clone()), timeout })
        };
        Ok(admins.into_iter().map(server).collect::<anyhow::Result<_>>()?)
    }
}

/// A variable of the environment that says something.
#[expect(
    clippy::disallowed_methods,
    reason = "what a shell's start-up file may set for all commands"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// The servers named as arguments, else in the environment, else the usual one; each once.
fn admins(given: &[Admin], environment: Option<&str>) -> Result<Vec<Admin>, Failure> {
    let mut admins: Vec<Admin> = Vec::new();
    let texts = environment.unwrap_or(DEFAULT).split(',').filter(|text| !text.trim().is_empty());
    let usual = texts.map(|text| {
        text.parse().map_err(|error| Failure::Usage(format!("TRIMTAB_ADMIN: {text:?}: {error}")))
    });
    let all: Vec<Admin> =
        if given.is_empty() { usual.collect::<Result<_, _>>()? } else { given.to_vec() };
    for admin in all {
        if !admins.contains(&admin) {
            admins.push(admin);
        }
    }
    Ok(admins)
}

/// The first token of a file: a line of its own, or one as in the server's `admin.token_file`, with a
/// name and a role before it.
fn token(path: &Path) -> anyhow::Result<HeaderValue> {
    let told = || format!("the token file {}", path.display());
    let text = std::fs::read_to_string(path).with_context(told)?;
    let mut lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let line = lines.next().ok_or_else(|| anyhow!("no token in it")).with_context(told)?;
    let token = line.rsplit(':').next().unwrap_or(line);
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| anyhow!("its first line is no token"))
        .with_context(told)?;
    value.set_sensitive(true);
    Ok(value)
}

/// HTTP to one server. Nothing is followed elsewhere: a token is for the server that was named.
fn client(admin: &Admin, ca: Option<&Path>) -> anyhow::Result<Client> {
    let tls = if admin.is_plain() {
        // Not used: the machine's certificates need not be read.
        let builder = tokio_rustls::rustls::ClientConfig::builder_with_provider(
            ring::default_provider().into(),
        );
        let builder = builder.with_safe_default_protocol_versions()?;
        builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
    } else {
        tls::config(ca)?
    };
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT)
        .user_agent(concat!("trimtab/", env!("CARGO_PKG_VERSION")));
    let builder = if admin.is_loopback() { builder.no_proxy() } else { builder };
    Ok(builder.build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(given: &[&str], environment: Option<&str>) -> Vec<String> {
        let given: Vec<Admin> = given.iter().map(|text| text.parse().unwrap()).collect();
        let admins = admins(&given, environment).unwrap();
        admins.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn arguments_come_before_the_environment_and_it_before_the_usual() {
        assert_eq!(named(&[], None), ["http://127.0.0.1:9953"]);
        let both = Some("https://ns1:9953, https://ns2:9953,");
        assert_eq!(named(&[], both), ["https://ns1:9953", "https://ns2:9953"]);
        assert_eq!(named(&["http://a", "http://a/", "http://b"], both), ["http://a", "http://b"]);
        let wrong = admins(&[], Some("ns1:9953"));
        let Err(Failure::Usage(text)) = wrong else { panic!("{wrong:?}") };
        assert!(text.starts_with("TRIMTAB_ADMIN: \"ns1:9953\": wanted a URL with"), "{text}");
    }

    #[test]
    fn the_first_token_of_a_file_is_shown_and_never_printed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let of = |text: &str| {
            std::fs::write(&path, text).unwrap();
            token(&path)
        };
        for text in ["abc\n", "# ours\n\n  abc \nother\n", "alice:abc\n", "alice:operate:abc"] {
            let token = of(text).unwrap();
            assert_eq!(token.to_str().unwrap(), "Bearer abc", "{text:?}");
            assert!(!format!("{token:?}").contains("abc"));
        }
        for text in ["", "# nothing\n", "a\u{1}b"] {
            let error = format!("{:#}", of(text).unwrap_err());
            assert!(error.starts_with("the token file "), "{error}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(token(&path).is_err());
    }
}
