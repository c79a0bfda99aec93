//! The exchange of grpc checks: one call of `grpc.health.v1.Health/Check` over HTTP/2.
//!
//! A call is one message of two fields in all, so that there is no client of gRPC behind this but HTTP/2
//! and protobuf (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).

use std::error::Error as _;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2;
use hyper::header::{CONTENT_TYPE, HeaderMap, TE, USER_AGENT};
use hyper::rt::Executor;
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use hyper_util::rt::TokioIo;
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

use super::attempt::{Attempt, Failure};
use super::watched::{FirstByte, Watched, beside};
use super::{http, reason};
use crate::clock;
use crate::model::{GrpcProbe, Target};

/// A reply has two octets; one that has more fields than are known may have some more.
const MESSAGE_MAX: usize = 1024;
/// A response's head, or its trailers, may not be longer.
const HEAD_MAX: u32 = 16 * 1024;
/// Before a message there is whether it is compressed, and its length.
const PREFIX: usize = 5;

#[derive(Clone, PartialEq, Message)]
struct HealthCheckRequest {
    #[prost(string, tag = "1")]
    service: String,
}

#[derive(Clone, PartialEq, Message)]
struct HealthCheckResponse {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// Calls over an established stream.
///
/// # Errors
///
/// The reason why the target failed: `gRPC: NOT_SERVING`.
pub(super) async fn exchange<S>(
    probe: &GrpcProbe,
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
    let phase = || if first.get().is_some() { "gRPC" } else { "first byte" };
    let broken = |error: hyper::Error| Failure::in_phase(phase(), told(&error));
    let tasks = Ending(Tasks::default());
    let mut builder = http2::Builder::new(tasks.0.clone());
    builder.max_header_list_size(HEAD_MAX);
    let sent = clock::now();
    let handshake = builder.handshake::<_, Full<Bytes>>(stream);
    let (mut sender, connection) = attempt.within(phase, handshake).await?.map_err(broken)?;
    let verdict = async {
        let response =
            attempt.within(phase, sender.send_request(request)).await?.map_err(broken)?;
        attempt.within(|| "gRPC", judge(probe, response)).await?
    };
    let verdict = beside(connection, verdict).await;
    attempt.phases.first_byte = first.get().map(|at| at.saturating_duration_since(sent));
    verdict
}

fn request(probe: &GrpcProbe, target: &Target) -> Result<Request<Full<Bytes>>, Failure> {
    let message = HealthCheckRequest { service: probe.service.clone() }.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let body: Vec<u8> = [0].into_iter().chain(length.to_be_bytes()).chain(message).collect();
    let uri = Uri::builder()
        .scheme(if probe.tls.is_some() { "https" } else { "http" })
        .authority(http::host(probe.host.as_deref(), probe.tls.is_some(), target))
        .path_and_query("/grpc.health.v1.Health/Check")
        .build()
        .map_err(|error| Failure::in_phase("request", error))?;
    Request::builder()
        .method(Method::POST)
        .uri(uri)
        .version(Version::HTTP_2)
        .header(CONTENT_TYPE, "application/grpc")
        .header(TE, "trailers")
        .header(USER_AGENT, http::AGENT)
        .body(Full::new(body.into()))
        .map_err(|error| Failure::in_phase("request", error))
}

async fn judge(probe: &GrpcProbe, response: Response<Incoming>) -> Result<(), Failure> {
    let (head, mut body) = response.into_parts();
    let of_grpc = head
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|t| t.as_bytes().starts_with(b"application/grpc"));
    if head.status != StatusCode::OK || !of_grpc {
        let status = head.status.as_u16();
        return Err(Failure::in_phase(
            "gRPC",
            format_args!("it is not spoken here (HTTP {status})"),
        ));
    }
    // A call that fails at once has its status in the head.
    let mut ended = status(&head.headers);
    let mut message = Vec::new();
    while ended.is_none()
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(|error| Failure::in_phase("gRPC", told(&error)))?;
        match frame.into_data() {
            Ok(data) => message.extend(data),
            Err(frame) => ended = frame.trailers_ref().and_then(status),
        }
        if message.len() > MESSAGE_MAX {
            return Err(Failure::in_phase("gRPC", "a reply of more than 1024 bytes"));
        }
    }
    match ended {
        None => Err(Failure::in_phase("gRPC", "the call ended without a status")),
        Some((0, _)) => serving(probe, &message),
        Some((code, said)) => Err(Failure::in_phase("gRPC", format_args!("{}{said}", name(code)))),
    }
}

/// The status of a call and what is said of it.
fn status(headers: &HeaderMap) -> Option<(u32, String)> {
    let code = headers.get("grpc-status")?.to_str().ok()?.parse().ok()?;
    let said = headers.get("grpc-message").map(|said| percent_decoded(said.as_bytes()));
    let said = said.filter(|said| !said.is_empty()).map(|said| format!(" ({said})"));
    Some((code, said.unwrap_or_default()))
}

/// Whether a reply says that the service is there for its users.
fn serving(probe: &GrpcProbe, reply: &[u8]) -> Result<(), Failure> {
    let broken = || Failure::in_phase("gRPC", "a reply that cannot be read");
    let (prefix, message) = reply.split_at_checked(PREFIX).ok_or_else(broken)?;
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
    if prefix.first() != Some(&0) || prefix.get(1..) != Some(&length[..]) {
        return Err(broken());
    }
    let state = match HealthCheckResponse::decode(message).map_err(|_| broken())?.status {
        1 => return Ok(()),
        0 => "UNKNOWN".into(),
        2 => "NOT_SERVING".into(),
        3 => "SERVICE_UNKNOWN".into(),
        other => format!("status {other}"),
    };
    let of = match probe.service.as_str() {
        "" => String::new(),
        service => format!(" ({service})"),
    };
    Err(Failure::in_phase("gRPC", format_args!("{state}{of}")))
}

/// The name of a code of gRPC.
fn name(code: u32) -> String {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    let known = usize::try_from(code).ok().and_then(|code| NAMES.get(code));
    known.map_or_else(|| format!("the code {code}"), |&name| name.to_owned())
}

/// A text in which odd octets are written `%XX`; what is no such thing stands as it is.
fn percent_decoded(text: &[u8]) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        let pair = behind.get(..2).filter(|_| first == b'%');
        let pair = pair.and_then(|pair| str::from_utf8(pair).ok());
        let coded = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        octets.push(coded.unwrap_or(first));
        rest = if coded.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// What went wrong in an exchange.
fn told(error: &hyper::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return reason::of_io(io);
        }
        if inner.source().is_none() {
            // What HTTP/2 has against it: a target of HTTP/1 answers in another language.
            return format!("HTTP/2: {inner}");
        }
        cause = inner.source();
    }
    if error.is_closed() || error.is_canceled() || error.is_incomplete_message() {
        "connection closed".into()
    } else {
        error.to_string()
    }
}

/// What a connection runs beside the call.
#[derive(Debug, Clone, Default)]
struct Tasks(Arc<Mutex<JoinSet<()>>>);

/// Ends all of it with the probe, however that ends.
struct Ending(Tasks);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[0, 0, 0, 0, 2, 8, 1], None)]
    #[case(&[0, 0, 0, 0, 5, 8, 1, 0x12, 1, b'x'], None)]
    #[case(&[0, 0, 0, 0, 0], Some("gRPC: UNKNOWN (app)"))]
    #[case(&[0, 0, 0, 0, 2, 8, 2], Some("gRPC: NOT_SERVING (app)"))]
    #[case(&[0, 0, 0, 0, 2, 8, 3], Some("gRPC: SERVICE_UNKNOWN (app)"))]
    #[case(&[0, 0, 0, 0, 2, 8, 9], Some("gRPC: status 9 (app)"))]
    #[case(&[1, 0, 0, 0, 2, 8, 1], Some("gRPC: a reply that cannot be read"))]
    #[case(&[0, 0, 0, 0, 3, 8, 1], Some("gRPC: a reply that cannot be read"))]
    #[case(&[0, 0, 0, 0, 1, 8], Some("gRPC: a reply that cannot be read"))]
    #[case(&[0, 0, 0, 0], Some("gRPC: a reply that cannot be read"))]
    #[case(&[], Some("gRPC: a reply that cannot be read"))]
    fn replies(#[case] reply: &[u8], #[case] why: Option<&str>) {
        let probe = GrpcProbe { service: "app".into(), ..GrpcProbe::default() };
        assert_eq!(serving(&probe, reply).err(), why.map(Failure::target));
    }

    #[rstest]
    #[case("plain", "plain")]
    #[case("caf%C3%A9 %25", "café %")]
    #[case("100% %zz %4", "100% %zz %4")]
    #[case("%ff", "\u{fffd}")]
    fn messages(#[case] sent: &str, #[case] said: &str) {
        assert_eq!(percent_decoded(sent.as_bytes()), said);
    }
}
