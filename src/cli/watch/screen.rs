//! The terminal: a screen of its own while it is watched, and the one before it again at the end.

use std::collections::VecDeque;
use std::io::{Write, stdout};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::News;
use super::frame::frame;
use crate::cli::client::Told;
use crate::cli::style::Paint;
use crate::cli::{Failure, show};
use crate::control::views::Status;

/// So many lines of events are kept for a screen.
const KEPT: usize = 200;
/// What a terminal has that does not tell.
const USUAL_HEIGHT: usize = 24;

/// The other screen, no cursor, no wrapping of long lines.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
/// All of it undone.
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// The other screen, for as long as this is there.
struct Screen;

impl Screen {
    fn enter() -> std::io::Result<Self> {
        stdout().write_all(ENTER.as_bytes())?;
        Ok(Self)
    }

    fn draw(lines: &[String]) -> std::io::Result<()> {
        // From the top, each line to its end: nothing flickers.
        let mut out = String::from("\x1b[H");
        for (at, line) in lines.iter().enumerate() {
            out += if at > 0 { "\r\n" } else { "" };
            out += line;
            out += "\x1b[K";
        }
        out += "\x1b[J";
        stdout().write_all(out.as_bytes())?;
        stdout().flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = stdout().write_all(LEAVE.as_bytes());
        let _ = stdout().flush();
    }
}

/// Draws until Ctrl-C, or until the terminal has gone.
///
/// # Errors
/// The terminal cannot be written to.
pub(super) async fn run(
    mut all: Vec<Told<Status>>,
    mut news: mpsc::Receiver<News>,
) -> Result<(), Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut resized = signal(SignalKind::window_change())?;
    let (paint, several) = (Paint::stdout(), all.len() > 1);
    let mut events = VecDeque::new();
    let _screen = Screen::enter()?;
    loop {
        Screen::draw(&frame(&all, &events, height(), paint))?;
        tokio::select! {
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            _ = hangup.recv() => return Ok(()),
            _ = resized.recv() => {}
            news = news.recv() => match news {
                None => return Ok(()),
                Some(News::Status(at, said)) => {
                    if let Some(told) = all.get_mut(at) {
                        told.said = *said;
                    }
                }
                // That a server has gone is told by its status.
                Some(News::Events(told)) => {
                    for event in told.said.iter().flatten() {
                        let text = show::event(event, paint);
                        let prefix = if several { format!("{}  ", told.admin) } else { String::new() };
                        events.extend(text.lines().map(|line| format!("{prefix}{line}")));
                    }
                    let over = events.len().saturating_sub(KEPT);
                    events.drain(..over);
                }
            },
        }
    }
}

/// How many lines the terminal has.
fn height() -> usize {
    let size = rustix::termios::tcgetwinsize(stdout());
    size.map(|size| usize::from(size.ws_row)).ok().filter(|rows| *rows > 0).unwrap_or(USUAL_HEIGHT)
}
