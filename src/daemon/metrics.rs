//! Serves numbers to whoever asks on one address of this machine. Off unless a person asks for it.
//!
//! One request at a time, at most a few kilobytes of it, and not for longer than two seconds: whoever connects can
//! neither hold a thread for long nor fill the memory. Nothing of the request but its first line is looked at.

#![expect(
    clippy::disallowed_methods,
    reason = "the one place that offers something on a network, if asked to"
)]

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::fault::{Code, Fault, Result};
use crate::env::Stopwatch;
use crate::store::queue::Queue;

/// Makes the page from the orchestrator's queue as it is now.
pub(crate) type Page = fn(&Queue) -> Result<String>;

/// The longest request that is read.
const LONGEST: usize = 4 << 10;

/// How long one request may take to come, and its answer to go.
const PATIENCE: Duration = Duration::from_secs(2);

/// An address from `PORT`, `ADDRESS:PORT` or `[ADDRESS]:PORT`; a port alone is one of this machine only.
///
/// # Errors
/// [`Code::InvalidValue`]
pub(crate) fn address(text: &str) -> Result<SocketAddr> {
    if let Ok(port) = text.trim_start_matches(':').parse::<u16>() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    text.replace("localhost:", "127.0.0.1:").parse().map_err(|_| {
        let shown = crate::domain::text::shown(text);
        Fault::new(Code::InvalidValue, format!("`{shown}` is no address"))
            .hint("for example `127.0.0.1:9187`")
    })
}

/// Begin to serve; gives the address that is served on.
///
/// # Errors
/// [`Code::Io`] if the address cannot be had.
pub(super) fn begin(address: SocketAddr, home: PathBuf, page: Page) -> Result<SocketAddr> {
    let fault = |error: std::io::Error| {
        Fault::of_system(format_args!("metrics cannot be served on {address}"), &error)
            .hint("another port may be free; port 0 takes any")
    };
    let listener = TcpListener::bind(address).map_err(fault)?;
    let bound = listener.local_addr().map_err(fault)?;
    let served = std::thread::Builder::new().spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Err(error) = answer(stream, &home, page) {
                tracing::debug!("a request for metrics was not answered: {error}");
            }
        }
    });
    served.map(|_| bound).map_err(fault)
}

fn answer(mut stream: TcpStream, home: &Path, page: Page) -> std::io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let line = first_line(&mut stream)?;
    let mut words = line.split(' ');
    let (status, body) = match (words.next(), words.next()) {
        (Some("GET"), Some("/metrics" | "/")) => match Queue::open(home).and_then(|queue| page(&queue)) {
            Ok(body) => ("200 OK", body),
            Err(fault) => ("503 Service Unavailable", format!("{fault}\n")),
        },
        (Some("GET"), Some(_)) => ("404 Not Found", "there is /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "only GET\n".to_owned()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The first line of a request whose head is read to its end, so that closing does not cut the answer off.
fn first_line(stream: &mut TcpStream) -> std::io::Result<String> {
    let watch = Stopwatch::start();
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let rest = PATIENCE.saturating_sub(watch.passed());
        if rest.is_zero() || head.len() > LONGEST {
            return Err(std::io::Error::other("the request has no end"));
        }
        stream.set_read_timeout(Some(rest))?;
        match stream.read(&mut piece)? {
            0 => break,
            count => head.extend_from_slice(&piece[..count]),
        }
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_this_machine() {
        for (text, expected) in [
            ("9187", "127.0.0.1:9187"),
            (":9187", "127.0.0.1:9187"),
            ("localhost:1", "127.0.0.1:1"),
            ("[::1]:80", "[::1]:80"),
            ("0.0.0.0:80", "0.0.0.0:80"),
        ] {
            assert_eq!(address(text).unwrap().to_string(), expected);
        }
        for wrong in ["", "70000", "example.org:80", "127.0.0.1", "::"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
