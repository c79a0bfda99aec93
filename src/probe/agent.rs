//! The exchange of agent checks: one line, as HAProxy's `agent-check` reads it.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::attempt::{Attempt, Failure};
use super::reason;
use super::words::Words;
use crate::clock;
use crate::model::AgentProbe;

/// No line may be longer, in octets.
const LINE_MAX: usize = 1024;

/// Asks over an established stream, and takes what the agent says.
///
/// # Errors
///
/// The reason why the target failed: what the agent says, or that it says nothing that is understood.
pub(super) async fn exchange<S>(
    probe: &AgentProbe,
    mut stream: S,
    attempt: &mut Attempt,
) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let asked = clock::now();
    let broken = |error| Failure::in_phase("agent", reason::of_io(&error));
    if let Some(text) = &probe.send {
        let sent = attempt.within(|| "agent", stream.write_all(text.as_bytes())).await?;
        sent.map_err(broken)?;
    }
    let mut line = Vec::new();
    let mut buffer = [0; LINE_MAX];
    let ended = loop {
        let read = attempt.within(|| "agent", stream.read(&mut buffer)).await?.map_err(broken)?;
        attempt.phases.first_byte.get_or_insert(clock::now().saturating_duration_since(asked));
        let read = buffer.get(..read).unwrap_or_default();
        let end = read.iter().position(|&octet| octet == b'\n');
        line.extend(read.iter().take(end.unwrap_or(read.len())));
        if read.is_empty() || end.is_some() {
            break true;
        }
        if line.len() > LINE_MAX {
            break false;
        }
    };
    if !ended || line.len() > LINE_MAX {
        return Err(Failure::in_phase("agent", "a line of more than 1024 bytes"));
    }
    let line = String::from_utf8_lossy(&line);
    match Words::read(&line) {
        Some(words) => words.report(&mut attempt.report),
        None if line.trim().is_empty() => Err(Failure::in_phase("agent", "it said nothing")),
        None => {
            let said = reason::quoted(line.trim());
            Err(Failure::in_phase("agent", format_args!("it said {said}, which is not understood")))
        }
    }
}
