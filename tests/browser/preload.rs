//! A proxy in front of the server that adds a script to each document, for browsers whose driver cannot.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// The path of the script.
pub(crate) const PATH: &str = "story.js";

/// Starts a proxy of the server at `port`, whose documents run `script` before their own scripts. Returns its port.
/// The proxy runs until the program ends.
pub(crate) fn start(port: u16, script: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own_port = listener.local_addr().unwrap().port();
    let script = Arc::new(script);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let script = script.clone();
            // An error is that of a connection which one side has closed.
            thread::spawn(move || forward(client, port, &script));
        }
    });
    own_port
}

/// Forwards the only request of a connection, and its response.
fn forward(mut client: TcpStream, port: u16, script: &str) -> io::Result<()> {
    let mut request = BufReader::new(client.try_clone()?);
    let head = read_head(&mut request)?;
    if head.starts_with(&format!("GET /{PATH} ")) {
        let length = script.len();
        return write!(
            client,
            "HTTP/1.1 200 OK\r\nContent-Type: text/javascript; charset=utf-8\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{script}"
        );
    }
    // Only navigations accept HTML.
    let is_document = head.contains("text/html");
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    let mut dropped = vec!["connection"];
    if is_document {
        dropped.extend(["accept-encoding", "if-none-match"]);
    }
    server.write_all(replace_headers(&head, &dropped, "Connection: close").as_bytes())?;
    let body_end = server.try_clone()?;
    thread::spawn(move || {
        let _ = io::copy(&mut request, &mut &body_end);
        body_end.shutdown(Shutdown::Both)
    });
    if is_document {
        let mut response = BufReader::new(server);
        let head = read_head(&mut response)?;
        let mut document = String::new();
        response.read_to_string(&mut document)?;
        let script = format!("<head><script src=\"/{PATH}\"></script>");
        let document = document.replacen("<head>", &script, 1);
        let length = format!("Content-Length: {}", document.len());
        write!(client, "{}{document}", replace_headers(&head, &["content-length"], &length))?;
    } else {
        io::copy(&mut server, &mut client)?;
    }
    client.shutdown(Shutdown::Both)
}

/// Reads the first line, the headers and the empty line of a message.
fn read_head(message: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    while message.read_line(&mut head)? > "\r\n".len() {}
    Ok(head)
}

/// Returns the head of a message without some headers and with another one.
fn replace_headers(head: &str, dropped: &[&str], added: &str) -> String {
    let name = |line: &str| line.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let kept = head.trim_end().split("\r\n").filter(|line| !dropped.contains(&&*name(line)));
    kept.chain([added, "", ""]).collect::<Vec<_>>().join("\r\n")
}
