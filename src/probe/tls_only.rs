//! The end of a tls check, whose handshake is all that it asks.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ProtocolVersion;

use super::attempt::{Attempt, Failure};
use super::reason;

/// A target that has an objection has this long to make it at least, and at most.
const LEAST: Duration = Duration::from_millis(50);
const MOST: Duration = Duration::from_millis(500);

/// Waits for what the target thinks of this side's certificate. In TLS 1.3 (RFC 8446 section 4.4.2.4)
/// it says so only after the handshake has ended here: it is told goodbye, and what comes then is
/// either its own goodbye or its objection. One that says nothing for as long as twice the handshake
/// has none.
///
/// # Errors
///
/// `TLS: the target wants a client certificate`, for one.
pub(super) async fn objection<S>(
    stream: &mut TlsStream<S>,
    attempt: &Attempt,
) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if stream.get_ref().1.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
        return Ok(());
    }
    let patience = attempt.phases.tls.unwrap_or_default() * 2;
    let patience = patience.clamp(LEAST, MOST).min(attempt.left());
    let answer = async {
        // A target that is gone already is heard below.
        let _ = stream.shutdown().await;
        stream.read(&mut [0; 512]).await
    };
    match tokio::time::timeout(patience, answer).await {
        Ok(Err(error)) if is_alert(&error) => Err(Failure::in_phase("TLS", reason::of_io(&error))),
        // That it ends the connection in any other way is no objection.
        Ok(_) | Err(_) => Ok(()),
    }
}

fn is_alert(error: &std::io::Error) -> bool {
    use tokio_rustls::rustls::Error;
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    matches!(inner, Some(Error::AlertReceived(_)))
}
