//! Who may: looked at before anything else of a request.
//!
//! With tokens, who shows one of them. Without (on a loopback address, which `config` sees to), whoever can
//! connect; a browser on this machine can as well, for any page in it, and so the host that a request names
//! has to be this one, and the page that it comes from this server's.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::access::Access;
use super::fault::{
    Fault, READ_ONLY, TIMED_OUT, TOKEN_MISSING, TOKEN_WRONG, TOO_MANY_GUESSES, WRONG_HOST,
    WRONG_ORIGIN,
};
use super::guesses::Guesses;
use super::http::Peer;
use super::tokens::{Role, Tokens};
use crate::clock;
use crate::control::command::Actor;

/// The header in which who needs no token says who he is.
pub const ACTOR: &str = "X-Trimtab-Actor";
/// Who does not say.
const ANONYMOUS: &str = "anonymous";
/// Paths whose questions have a body, and so are posted, but change nothing.
const READING: [&str; 1] = ["/api/v1/explain"];
/// How long the reply to a wrong token is held back, where many are behind one address: their bucket
/// would lock out all of them.
const HELD_BACK: Duration = Duration::from_millis(250);
/// For a request in all, the longest wait for events included.
const REQUEST: Duration = Duration::from_secs(90);

/// What is known of those who ask.
#[derive(Debug)]
pub(super) struct Guard {
    access: watch::Receiver<Arc<Access>>,
    guesses: Mutex<Guesses>,
}

impl Guard {
    pub(super) fn new(access: watch::Receiver<Arc<Access>>) -> Self {
        Self { access, guesses: Mutex::default() }
    }

    /// Who it is that asks.
    async fn admit(&self, request: &Parts) -> Result<Actor, Fault> {
        let Parts { headers, uri, .. } = request;
        let access = Arc::clone(&self.access.borrow());
        let from = request.extensions.get::<Peer>().map(|peer| peer.0);
        same_origin(headers, uri)?;
        let Some(tokens) = &access.tokens else {
            this_host(headers, uri)?;
            return Ok(Actor { name: says(headers)?, from });
        };
        let shown = bearer(headers)?;
        let (name, role) = self.holder(tokens, shown, from, access.proxied).await?;
        let reads = request.method.is_safe() || READING.contains(&uri.path());
        if role < Role::Operate && !reads {
            let detail = format!("the token of {name} has the role read");
            let fault = Fault::new(READ_ONLY, detail);
            let challenge = r#"Bearer realm="trimtab", error="insufficient_scope""#;
            return Err(fault.sending(header::WWW_AUTHENTICATE, challenge));
        }
        Ok(Actor { name, from })
    }

    async fn holder(
        &self,
        tokens: &Tokens,
        shown: &[u8],
        from: Option<IpAddr>,
        proxied: bool,
    ) -> Result<(String, Role), Fault> {
        let found = self.look(from, proxied, || {
            tokens.holder(shown).map(|holder| (holder.name.to_string(), holder.role))
        });
        found.await?.ok_or_else(|| wrong("the token is in no line of admin.token_file"))
    }

    /// Lets a region in that shows a token of this check; `None`: no check listens to it, which is not told
    /// to those who show nothing.
    pub(super) async fn admit_region(
        &self,
        request: &Parts,
        check: Option<&str>,
    ) -> Result<(), Fault> {
        same_origin(&request.headers, &request.uri)?;
        let access = Arc::clone(&self.access.borrow());
        let from = request.extensions.get::<Peer>().map(|peer| peer.0);
        let shown = bearer(&request.headers)?;
        let Some(check) = check else { return Ok(()) };
        let tokens = access.push.get(check);
        let found = self.look(from, access.proxied, || {
            tokens.and_then(|tokens| tokens.holder(shown)).map(|_| ())
        });
        let detail = || format!("the token is in no line of checks.{check}.token_file");
        found.await?.ok_or_else(|| wrong(detail()))
    }

    /// Looks for who holds a token, and counts it where nobody does.
    async fn look<T>(
        &self,
        from: Option<IpAddr>,
        proxied: bool,
        find: impl FnOnce() -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        // Many may be behind a proxy or on this machine, and one of them must not lock out the others.
        let counted = from.filter(|from| !proxied && !from.is_loopback());
        // Looked at and counted in one step, so that a hundred at once count as a hundred.
        let held_back = {
            let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
            let now = clock::now();
            if let Some(from) = counted {
                guesses.may(from, now).map_err(wait)?;
            }
            if let Some(found) = find() {
                return Ok(Some(found));
            }
            if let Some(from) = counted {
                guesses.wrong(from, now);
            }
            counted.is_none()
        };
        if held_back {
            sleep(HELD_BACK).await;
        }
        Ok(None)
    }
}

fn wrong(detail: impl Into<String>) -> Fault {
    let challenge = r#"Bearer realm="trimtab", error="invalid_token""#;
    Fault::new(TOKEN_WRONG, detail).sending(header::WWW_AUTHENTICATE, challenge)
}

fn wait(wait: Duration) -> Fault {
    let secs = wait.as_secs() + 1;
    let detail = format!("no token of this client is looked at for {secs} s");
    Fault::new(TOO_MANY_GUESSES, detail).sending(header::RETRY_AFTER, secs.to_string())
}

/// Lets a request in, and sees to its end in time; who asks is among its extensions from here on.
pub(super) async fn guard(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let mut response = match guard.admit(&parts).await {
        Ok(actor) => {
            parts.extensions.insert(actor);
            timeout(REQUEST, next.run(Request::from_parts(parts, body))).await.unwrap_or_else(
                |_| {
                    let detail = format!("it was not done within {} s", REQUEST.as_secs());
                    Fault::new(TIMED_OUT, detail).into_response()
                },
            )
        }
        Err(fault) => fault.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The token that is shown (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Result<&[u8], Fault> {
    let said = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let token = said.and_then(|said| {
        let (scheme, token) = said.split_at_checked("Bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
    });
    token.ok_or_else(|| {
        let fault = Fault::new(TOKEN_MISSING, "send the header Authorization: Bearer TOKEN");
        fault.sending(header::WWW_AUTHENTICATE, r#"Bearer realm="trimtab""#)
    })
}

/// Who somebody without a token says that he is.
fn says(headers: &HeaderMap) -> Result<String, Fault> {
    let Some(said) = headers.get(ACTOR) else { return Ok(ANONYMOUS.into()) };
    let name = std::str::from_utf8(said.as_bytes()).ok().map(str::trim).filter(|name| {
        (1..=128).contains(&name.chars().count()) && !name.chars().any(char::is_control)
    });
    name.map(Into::into)
        .ok_or_else(|| Fault::header(ACTOR, "wanted 1 to 128 characters, none of control"))
}

/// The host that a request names, with its port.
fn host<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let named = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    uri.authority().map(|authority| authority.as_str()).or(named)
}

/// A name that somebody has pointed at a loopback address is not this host's.
fn this_host(headers: &HeaderMap, uri: &Uri) -> Result<(), Fault> {
    let named = host(headers, uri).unwrap_or_default();
    let bare = match named.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|b| b.is_ascii_digit()) => bare,
        _ => named,
    };
    let address = bare.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    if bare.eq_ignore_ascii_case("localhost") || address.is_ok_and(|at| at.is_loopback()) {
        return Ok(());
    }
    let detail = format!(
        "without tokens the host of a request must be localhost, 127.0.0.1 or [::1], not {named:?}; \
         to use another, set admin.token_file"
    );
    Err(Fault::new(WRONG_HOST, detail))
}

/// Browsers say which page a request comes from: it has to be one of this server.
fn same_origin(headers: &HeaderMap, uri: &Uri) -> Result<(), Fault> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let page = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let same = |page: &str| host(headers, uri).is_some_and(|host| host.eq_ignore_ascii_case(page));
    if page.is_some_and(same) {
        return Ok(());
    }
    let detail = format!("a page of {origin:?} may not use this server");
    Err(Fault::new(WRONG_ORIGIN, detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problems;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (name.parse::<header::HeaderName>().unwrap(), HeaderValue::from_static(value))
        });
        pairs.collect()
    }

    #[test]
    fn only_this_hosts_names_are_its_own() {
        let allowed = |host| this_host(&headers(&[("host", host)]), &Uri::from_static("/")).is_ok();
        for good in
            ["localhost", "LOCALHOST:9953", "127.0.0.1:9953", "127.0.0.2", "[::1]:80", "[::1]"]
        {
            assert!(allowed(good), "{good:?}");
        }
        for bad in
            ["", "evil.test:9953", "localhost.evil.test", "192.0.2.1", "127.0.0.1.evil.test", "x"]
        {
            assert!(!allowed(bad), "{bad:?}");
        }
        assert!(this_host(&HeaderMap::new(), &Uri::from_static("/")).is_err(), "none at all");
        let absolute = Uri::from_static("http://evil.test/api/v1/status");
        assert!(this_host(&headers(&[("host", "localhost")]), &absolute).is_err());
    }

    #[test]
    fn a_page_of_another_site_is_refused() {
        let allowed = |origin| {
            let headers = headers(&[("host", "127.0.0.1:9953"), ("origin", origin)]);
            same_origin(&headers, &Uri::from_static("/")).is_ok()
        };
        assert!(allowed("http://127.0.0.1:9953") && allowed("https://127.0.0.1:9953"));
        for bad in ["null", "", "http://127.0.0.1", "http://127.0.0.1:9954", "http://evil.test"] {
            assert!(!allowed(bad), "{bad:?}");
        }
        assert!(same_origin(&HeaderMap::new(), &Uri::from_static("/")).is_ok(), "no browser");
    }

    #[test]
    fn a_token_stands_behind_its_scheme() {
        let shown = |value| bearer(&headers(&[("authorization", value)])).map(<[u8]>::to_vec).ok();
        assert_eq!(shown("Bearer abc"), Some(b"abc".to_vec()));
        assert_eq!(shown("bearer  abc "), Some(b"abc".to_vec()));
        for none in ["", "abc", "Basic abc", "Bearer", "Bearerabc"] {
            assert_eq!(shown(none), None, "{none:?}");
        }
        assert!(bearer(&HeaderMap::new()).is_err());
    }

    #[test]
    fn who_needs_no_token_says_who_he_is() {
        assert_eq!(says(&HeaderMap::new()).unwrap(), "anonymous");
        assert_eq!(says(&headers(&[("x-trimtab-actor", "alice")])).unwrap(), "alice");
        assert!(says(&headers(&[("x-trimtab-actor", "")])).is_err());
        let long: &'static str = Box::leak("x".repeat(129).into_boxed_str());
        assert!(says(&headers(&[("x-trimtab-actor", long)])).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn who_guesses_is_not_listened_to_and_others_are() {
        let token = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        let tokens = Tokens::parse("k", "t".as_ref(), token, &mut Problems::default());
        let guard = Guard::new(watch::channel(Arc::default()).1);
        let shows = async |shown: &str, from: [u8; 4], proxied| {
            let held = guard.holder(&tokens, shown.as_bytes(), Some(from.into()), proxied).await;
            held.map_err(|fault| fault.into_response().status().as_u16())
        };
        let (guesser, other) = ([192, 0, 2, 1], [192, 0, 2, 2]);
        let good = Ok(("token".to_owned(), Role::Operate));
        for _ in 0..10 {
            assert_eq!(shows("wrong", guesser, false).await, Err(401));
        }
        assert_eq!(shows("wrong", guesser, false).await, Err(429));
        assert_eq!(shows(token, guesser, false).await, Err(429), "not looked at");
        assert_eq!(shows(token, other, false).await, good);
        sleep(Duration::from_secs(10)).await;
        assert_eq!(shows(token, guesser, false).await, good);
        // Where many are behind one address, each waits a little for his own mistake.
        for (from, proxied) in [([127, 0, 0, 1], false), (other, true)] {
            let start = clock::now();
            for _ in 0..20 {
                assert_eq!(shows("wrong", from, proxied).await, Err(401));
            }
            assert_eq!(clock::now() - start, HELD_BACK * 20);
            assert_eq!(shows(token, from, proxied).await, good);
            assert_eq!(clock::now() - start, HELD_BACK * 20);
        }
    }
}
