//! The HTTP/1.1 exchange of http and https checks: one request on a connection of its own.
//!
//! Redirects are not followed. What a response says is read by `headers` and `body`.

use std::error::Error as _;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::attempt::{Attempt, Failure};
use super::body::Body;
use super::watched::{FirstByte, Watched, beside};
use super::{headers, reason};
use crate::clock;
use crate::model::{Destination, HttpProbe, Target};

/// A response's head may not be longer.
const HEAD_MAX: usize = 32 * 1024;
/// Read buffer; holds a head and a part of the body.
const BUFFER_MAX: usize = 64 * 1024;

/// How probes call themselves.
pub(super) const AGENT: &str = concat!("trimtab/", env!("CARGO_PKG_VERSION"));

/// Asks over an established stream and compares the response with what is wanted.
///
/// # Errors
///
/// The reason why the target failed.
pub(super) async fn exchange<S>(
    probe: &HttpProbe,
    target: &Target,
    stream: S,
    attempt: &mut Attempt,
) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let request = request(probe, target)?;
    let first = FirstByte::default();
    let stream = TokioIo::new(Watched::new(stream, Arc::clone(&first)));
    let mut builder = http1::Builder::new();
    builder.max_header_size(HEAD_MAX).max_buf_size(BUFFER_MAX);
    let (mut sender, connection) = builder
        .handshake::<_, Empty<Bytes>>(stream)
        .await
        .map_err(|error| Failure::in_phase("request", told(&error)))?;
    let sent = clock::now();
    let phase = || if first.get().is_some() { "response" } else { "first byte" };
    let verdict = async {
        let response = attempt.within(phase, sender.send_request(request)).await?;
        let response = response.map_err(|error| Failure::in_phase(phase(), told(&error)))?;
        judge(probe, response, attempt).await
    };
    let verdict = beside(connection, verdict).await;
    attempt.phases.first_byte = first.get().map(|at| at.saturating_duration_since(sent));
    verdict.and_then(|()| in_time(probe, clock::now().saturating_duration_since(sent)))
}

/// Whether the time from the request to the last octet wanted is none too long.
fn in_time(probe: &HttpProbe, took: Duration) -> Result<(), Failure> {
    match probe.max_response_time {
        Some(longest) if took > longest => {
            let (took, longest) = (reason::told(took), reason::told(longest));
            Err(Failure::target(&format!("answered in {took}, wanted at most {longest}")))
        }
        _ => Ok(()),
    }
}

async fn judge(
    probe: &HttpProbe,
    response: Response<Incoming>,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    let status = response.status();
    let said = headers::read(probe, response.headers(), attempt);
    let wanted = probe.expect_status.iter().any(|range| range.contains(status.as_u16()));
    if !wanted {
        let mut why = unwanted(status, probe);
        // A target that knows what it lacks says so in the body.
        if probe.health
            && let Ok(body) = Body::read(probe, response.into_body(), attempt).await
            && let Some(told) = body.failing()
        {
            why = format!("{told} (HTTP {})", status.as_u16());
        }
        return Err(Failure::target(&why));
    }
    said?;
    Body::read(probe, response.into_body(), attempt).await?.judge(probe, attempt)
}

fn unwanted(status: StatusCode, probe: &HttpProbe) -> String {
    let mut text = format!("HTTP {}, wanted ", status.as_u16());
    for (n, range) in probe.expect_status.iter().enumerate() {
        let _ = write!(text, "{}{range}", if n == 0 { "" } else { ", " });
    }
    if status.is_redirection() {
        text.push_str(" (redirects are not followed)");
    }
    text
}

fn request(probe: &HttpProbe, target: &Target) -> Result<Request<Empty<Bytes>>, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in &probe.headers {
        let pair = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
        let (name, value) = pair.ok_or_else(|| {
            Failure::in_phase(
                "request",
                format_args!("header {} is not valid", reason::quoted(name)),
            )
        })?;
        headers.append(name, value);
    }
    let host = HeaderValue::try_from(host(probe.host.as_deref(), probe.tls.is_some(), target))
        .map_err(|_| Failure::in_phase("request", "the host is not valid in a header"))?;
    // What the configuration gives stands.
    headers.entry(HOST).or_insert(host);
    headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
    headers.entry(CONNECTION).or_insert(HeaderValue::from_static("close"));
    let mut request = Request::builder()
        .method(probe.method.as_str())
        .uri(probe.path.as_str())
        .body(Empty::new())
        .map_err(|error| Failure::in_phase("request", error))?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// The Host header: as configured, else the destination, with the port if it is not the usual.
pub(super) fn host(host: Option<&str>, secure: bool, target: &Target) -> String {
    if let Some(host) = host {
        return host.to_owned();
    }
    let host = match &target.destination {
        Destination::Address(std::net::IpAddr::V6(address)) => format!("[{address}]"),
        other => other.to_string(),
    };
    let usual = if secure { 443 } else { 80 };
    match target.check.port {
        port if port == usual => host,
        port => format!("{host}:{port}"),
    }
}

/// The name by which a server is asked for and verified: the host without a port.
pub(super) fn server_name(host: Option<&str>, target: &Target) -> String {
    let Some(host) = host else { return target.destination.to_string() };
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address.to_owned();
    }
    match host.split_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name.to_owned(),
        _ => host.to_owned(),
    }
}

/// What went wrong in an exchange.
pub(super) fn told(error: &hyper::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return reason::of_io(io);
        }
        cause = inner.source();
    }
    if error.is_parse_too_large() {
        "longer than this client reads".into()
    } else if error.is_parse() {
        "not an HTTP/1 response".into()
    } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        "connection closed".into()
    } else {
        error.to_string()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::probe::tests::{http, target_at};

    #[rstest]
    #[case(None, "192.0.2.1", 80, "192.0.2.1", "192.0.2.1")]
    #[case(None, "192.0.2.1", 8080, "192.0.2.1:8080", "192.0.2.1")]
    #[case(None, "2001:db8::1", 80, "[2001:db8::1]", "2001:db8::1")]
    #[case(None, "2001:db8::1", 8080, "[2001:db8::1]:8080", "2001:db8::1")]
    #[case(Some("app.example.com"), "192.0.2.1", 8080, "app.example.com", "app.example.com")]
    #[case(Some("app.example.com:81"), "192.0.2.1", 81, "app.example.com:81", "app.example.com")]
    #[case(Some("[2001:db8::2]:81"), "192.0.2.1", 81, "[2001:db8::2]:81", "2001:db8::2")]
    #[case(Some("2001:db8::2"), "192.0.2.1", 81, "2001:db8::2", "2001:db8::2")]
    fn host_and_server_name(
        #[case] configured: Option<&str>,
        #[case] address: &str,
        #[case] port: u16,
        #[case] header: &str,
        #[case] name: &str,
    ) {
        let target = target_at(Destination::Address(address.parse().unwrap()), port);
        assert_eq!(host(configured, false, &target), header);
        assert_eq!(server_name(configured, &target), name);
    }

    #[test]
    fn the_configurations_own_headers_stand() {
        let mut probe = http();
        probe.headers = [("Host", "other"), ("X-Probe", "1"), ("X-Probe", "2")]
            .map(|(name, value)| (name.into(), value.into()))
            .into();
        let target = target_at(Destination::Name("a.example".into()), 80);
        let request = request(&probe, &target).unwrap();
        assert_eq!(request.headers()[HOST], "other");
        assert_eq!(request.headers().get_all("x-probe").iter().count(), 2);
        assert_eq!(request.headers()[USER_AGENT], AGENT);
    }

    #[rstest]
    #[case::header(|probe: &mut HttpProbe| probe.headers.push(("a b".into(), "c".into())))]
    #[case::value(|probe: &mut HttpProbe| probe.headers.push(("a".into(), "b\r\nc: d".into())))]
    #[case::method(|probe: &mut HttpProbe| probe.method = "GE T".into())]
    #[case::path(|probe: &mut HttpProbe| probe.path = "/a b\u{0}".into())]
    #[case::host(|probe: &mut HttpProbe| probe.host = Some("a\nb".into()))]
    fn a_request_that_cannot_be_made_is_a_failure(#[case] spoil: fn(&mut HttpProbe)) {
        let mut probe = http();
        spoil(&mut probe);
        let target = target_at(Destination::Name("a.example".into()), 80);
        let failure = request(&probe, &target).unwrap_err();
        assert!(matches!(failure, Failure::Target(why) if why.starts_with("request: ")));
    }

    #[test]
    fn the_reason_lists_what_is_wanted() {
        let mut probe = http();
        let moved = unwanted(StatusCode::FOUND, &probe);
        assert_eq!(moved, "HTTP 302, wanted 200-299 (redirects are not followed)");
        probe.expect_status.push(crate::model::StatusRange { first: 401, last: 401 });
        let text = unwanted(StatusCode::SERVICE_UNAVAILABLE, &probe);
        assert_eq!(text, "HTTP 503, wanted 200-299, 401");
    }
}
