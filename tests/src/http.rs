//! As much of HTTP as the admin API takes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::namespace::Namespace;

/// An answer: status and body.
#[derive(Debug)]
pub struct Answer {
    /// 200 if all is well.
    pub status: u16,
    /// The body as text.
    pub body: String,
}

/// Asks from inside `namespace`. `Err` if nobody answers.
pub fn ask(namespace: &Namespace, server: SocketAddr, method: &str, path: &str) -> std::io::Result<Answer> {
    // HTTP/1.0: the answer ends with the connection and is never chunked.
    let request = format!("{method} {path} HTTP/1.0\r\nHost: {server}\r\nContent-Length: 0\r\n\r\n");
    namespace.run(move || {
        let mut stream = TcpStream::connect_timeout(&server, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let parsed = answer.split_once("\r\n\r\n").and_then(|(head, body)| {
            let status = head.split(' ').nth(1)?.parse().ok()?;
            Some(Answer { status, body: body.to_owned() })
        });
        parsed.ok_or_else(|| std::io::Error::other(format!("no HTTP: {answer:?}")))
    })
}
