//! A receiver of webhooks: takes requests over plain HTTP, answers as it is told, and keeps them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// A request.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Asked {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> &str {
        let of = |line: &&str| {
            line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name))
        };
        let line = self.head.lines().find(of);
        let line = line.unwrap_or_else(|| panic!("no {name} in {}", self.head));
        line.split_once(": ").unwrap().1
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Takes requests until the test ends.
pub(crate) struct Taker {
    address: SocketAddr,
    status: Arc<AtomicU16>,
    heard: Mutex<Receiver<Asked>>,
}

impl Taker {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let status = Arc::new(AtomicU16::new(200));
        let (told, heard) = channel();
        let says = Arc::clone(&status);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (says, told) = (Arc::clone(&says), told.clone());
                std::thread::spawn(move || take(stream, &says, &told));
            }
        });
        Self { address, status, heard: Mutex::new(heard) }
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers with this from here on.
    pub(crate) fn says(&self, status: u16) {
        self.status.store(status, Relaxed);
    }

    /// All requests that have come since.
    pub(crate) fn heard(&self) -> Vec<Asked> {
        self.heard.lock().unwrap().try_iter().collect()
    }

    /// The next request.
    #[track_caller]
    pub(crate) fn hear(&self) -> Asked {
        let heard = self.heard.lock().unwrap().recv_timeout(Duration::from_secs(20));
        heard.expect("a request within 20 s")
    }
}

/// One connection: any number of requests.
fn take(mut stream: TcpStream, says: &AtomicU16, told: &Sender<Asked>) {
    let mut octets = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&octets).into_owned();
        let whole = text.split_once("\r\n\r\n").filter(|(head, body)| {
            let length = head.to_lowercase();
            let length = length.lines().find_map(|line| line.strip_prefix("content-length: "));
            body.len() >= length.unwrap_or("0").parse().unwrap()
        });
        if let Some((head, body)) = whole {
            let asked = Asked { head: head.into(), body: body.into() };
            let status = says.load(Relaxed);
            let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 3\r\n\r\nyes");
            if stream.write_all(answer.as_bytes()).is_err() || told.send(asked).is_err() {
                return;
            }
            octets.clear();
            continue;
        }
        match stream.read(&mut part) {
            Ok(count) if count > 0 => octets.extend(&part[..count]),
            _ => return,
        }
    }
}
