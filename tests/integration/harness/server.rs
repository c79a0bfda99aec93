//! The real server as a child process, on ports that the system chose.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use hickory_proto::rr::RecordType;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::dns::{Client, Question, Reply};
use super::log::Log;
use super::metrics::Metrics;
use super::program::serve_command;
use super::site::Site;
use super::wait::{PATIENCE, until};

/// A running server; killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// What it logs.
    pub(crate) log: Log,
    /// Where it answers over IPv4, UDP and TCP.
    pub(crate) v4: SocketAddr,
    /// Where it answers over IPv6, UDP and TCP.
    pub(crate) v6: SocketAddr,
    /// Where its metrics are.
    pub(crate) admin: SocketAddr,
}

/// What a server is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signal {
    /// SIGHUP.
    Reload,
    /// SIGTERM.
    Stop,
    /// SIGSTOP: it stands still, and what is sent to it waits.
    Pause,
    /// SIGCONT.
    Resume,
}

impl Server {
    /// Starts it, and waits until it says where it answers.
    #[track_caller]
    pub(super) fn start(site: &Site, stdout: Stdio) -> (Self, Option<ChildStdout>) {
        let mut server = Self::spawn_by(serve_command(site).stdout(stdout));
        let stdout = server.child.stdout.take();
        (server.answering(), stdout)
    }

    /// Waits until it says where it answers.
    #[track_caller]
    pub(crate) fn answering(self) -> Self {
        let mut server = self;
        let line = until("the server answers", || {
            let seen = server.log.messages().into_iter().find(|m| m.starts_with("answering on "));
            if seen.is_none() && server.child.try_wait().unwrap().is_some() {
                server.log.finish();
                let log = server.log.text();
                assert!(
                    !log.contains("[::1]"),
                    "these tests need IPv6 on loopback, and this machine has none:\n{log}"
                );
                panic!("the server ended:\n{log}");
            }
            seen
        });
        let mut addresses = line
            .split([' ', ',', ';'])
            .filter_map(|word| word.parse::<SocketAddr>().ok())
            .filter(|address| address.port() != 0);
        let mut next = || addresses.next().unwrap_or_else(|| panic!("three addresses: {line}"));
        (server.v4, server.v6, server.admin) = (next(), next(), next());
        assert!(server.v4.is_ipv4() && server.v6.is_ipv6() && server.admin.is_ipv4(), "{line}");
        server
    }

    /// Starts it, and waits for nothing; it has no addresses.
    pub(crate) fn spawn(site: &Site) -> Self {
        Self::spawn_by(serve_command(site).stdout(Stdio::null()))
    }

    /// The same by a command that becomes the server and leaves its standard error alone.
    pub(crate) fn spawn_by(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = Log::read(child.stderr.take().unwrap());
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        Self { child, log, v4: nowhere, v6: nowhere, admin: nowhere }
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A client over UDP and IPv4.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.v4)
    }

    /// One answer over UDP and IPv4.
    #[track_caller]
    pub(crate) fn ask(&self, name: &str, rtype: RecordType) -> Reply {
        self.client().ask(&Question::new(name, rtype))
    }

    /// Waits until 30 answers in a row are each made of these addresses and of no others.
    #[track_caller]
    pub(crate) fn settles_on(&self, name: &str, wanted: &[IpAddr]) {
        let mut client = self.client();
        let rtype = match wanted {
            [IpAddr::V6(_), ..] => RecordType::AAAA,
            _ => RecordType::A,
        };
        let question = Question::new(name, rtype);
        until(&format!("{name} is answered by {wanted:?}"), || {
            let all = (0..30).all(|_| {
                let found = client.ask(&question).addresses();
                !found.is_empty() && found.iter().all(|address| wanted.contains(address))
            });
            all.then_some(())
        });
    }

    /// Sends a signal to this process alone.
    #[expect(unsafe_code, reason = "kill(2) has no safe wrapper here")]
    pub(crate) fn signal(&self, signal: Signal) {
        let number = match signal {
            Signal::Reload => libc::SIGHUP,
            Signal::Stop => libc::SIGTERM,
            Signal::Pause => libc::SIGSTOP,
            Signal::Resume => libc::SIGCONT,
        };
        // SAFETY: no memory is involved; the child has not been waited for, so the id is its own.
        let sent = unsafe { libc::kill(self.id().cast_signed(), number) };
        assert_eq!(sent, 0, "the server has gone:\n{}", self.log.text());
    }

    /// Sets how many files it may have open.
    pub(crate) fn limit_files(&self, files: u64) {
        let limit = Rlimit { current: Some(files), maximum: Some(files) };
        prlimit(Pid::from_raw(self.id().cast_signed()), Resource::Nofile, limit).unwrap();
    }

    /// Has it load its files again, and waits until it has told what came of it: whether they
    /// are in force.
    #[track_caller]
    pub(crate) fn reload(&self) -> bool {
        let count = || {
            let messages = self.log.messages();
            let done = messages.iter().filter(|message| message.starts_with("reloaded "));
            (done.count(), messages.iter().filter(|m| m.contains("was not reloaded")).count())
        };
        let before = count();
        self.signal(Signal::Reload);
        until("the reload is told of", || {
            let (done, refused) = count();
            if done > before.0 { Some(true) } else { (refused > before.1).then_some(false) }
        })
    }

    /// Sends SIGTERM and waits for the end.
    #[track_caller]
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal(Signal::Stop);
        self.wait()
    }

    /// Waits for the end of a server that has been told to stop.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        until("the server ends", || self.child.try_wait().unwrap())
    }

    /// What is served at a path of the admin port: the status, and the body.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        get(self.admin, path).expect("the admin port answers")
    }

    /// A scrape.
    #[track_caller]
    pub(crate) fn metrics(&self) -> Metrics {
        let (status, text) = self.get("/metrics");
        assert_eq!(status, 200, "{text}");
        Metrics::parse(&text)
    }

    /// Waits until a series has a value.
    #[track_caller]
    pub(crate) fn metric_becomes(&self, series: &str, value: f64) {
        until(&format!("{series} becomes {value}"), || {
            (self.metrics().find(series) == Some(value)).then_some(())
        });
    }
}

/// One HTTP request.
pub(crate) fn get(from: SocketAddr, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(from)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {from}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.unwrap_or_default(), body.to_owned()))
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            self.log.finish();
            eprintln!("--- what the server logged\n{}\n---", self.log.text());
        }
    }
}
