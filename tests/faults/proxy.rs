//! A proxy before a primary and two standbys: changes go to the primary, reads to the standbys, and a
//! client that has changed something reads from the primary until a standby has it too.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bottle_test_support::{Client, connect};
use serde_json::Value;

use crate::sea;
use crate::standby::Pair;

const PEOPLE: usize = 4;
const READS_PER_THROW: usize = 100;

/// The header in which the proxy says which server has answered.
const SERVER: &str = "X-Server";

struct Proxy {
    primary: u16,
    standbys: [u16; 2],
    /// The time of each client's last change, in milliseconds since 1970, by its cookie.
    pinned: Mutex<HashMap<String, f64>>,
    /// The reads that the primary and each standby have answered.
    reads: [AtomicUsize; 3],
}

/// A request, as it is sent on.
struct Request {
    is_read: bool,
    cookie: String,
    bytes: Vec<u8>,
}

impl Request {
    fn receive(socket: &TcpStream) -> Self {
        let mut input = BufReader::new(socket);
        let (mut head, mut cookie, mut length) = (String::new(), String::new(), 0);
        loop {
            let mut line = String::new();
            assert!(input.read_line(&mut line).unwrap() > 0, "no request");
            let (name, value) = line.split_once(": ").unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "cookie" => cookie = value.trim().to_owned(),
                "content-length" => length = value.trim().parse().unwrap(),
                "connection" => continue,
                _ => {}
            }
            if line == "\r\n" {
                break;
            }
            head += &line;
        }
        let mut bytes = format!("{head}Connection: close\r\n\r\n").into_bytes();
        let start = bytes.len();
        bytes.resize(start + length, 0);
        input.read_exact(&mut bytes[start..]).unwrap();
        Self { is_read: head.starts_with("GET "), cookie, bytes }
    }
}

fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1000.0
}

impl Proxy {
    fn serve(self: Arc<Self>) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for socket in listener.incoming() {
                let proxy = Arc::clone(&self);
                thread::spawn(move || proxy.pass(socket.unwrap()));
            }
        });
        port
    }

    fn pass(&self, mut socket: TcpStream) {
        let request = Request::receive(&socket);
        let server = if request.is_read { self.reader_of(&request.cookie) } else { 0 };
        let mut upstream = connect([self.primary, self.standbys[0], self.standbys[1]][server]);
        upstream.write_all(&request.bytes).unwrap();
        let mut response = Vec::new();
        upstream.read_to_end(&mut response).unwrap();
        if request.is_read {
            self.reads[server].fetch_add(1, Ordering::Relaxed);
        } else {
            self.pinned.lock().unwrap().insert(request.cookie, now_ms());
        }
        let (status, rest) = response.split_at(response.iter().position(|b| *b == b'\r').unwrap());
        socket
            .write_all(&[status, format!("\r\n{SERVER}: {server}").as_bytes(), rest].concat())
            .unwrap();
    }

    /// Returns the number of a server that has all that this client has changed.
    fn reader_of(&self, cookie: &str) -> usize {
        let total: usize = self.reads.iter().map(|reads| reads.load(Ordering::Relaxed)).sum();
        let standby = total % 2;
        let pinned = self.pinned.lock().unwrap().get(cookie).copied();
        if pinned.is_none_or(|changed| changed < self.has_all_before(standby)) {
            standby + 1
        } else {
            0
        }
    }

    /// Returns the time before which a standby has every change.
    fn has_all_before(&self, standby: usize) -> f64 {
        let asked = now_ms();
        let health: Value = Client::new(self.standbys[standby]).get("/readyz").json();
        health["lag_seconds"].as_f64().map_or(0.0, |lag| asked - lag * 1000.0)
    }
}

/// Throws a bottle, and reads it at once and until standbys have answered often enough.
fn throw_and_read(client: &Client, times: usize) {
    for _ in 0..times {
        let id = client.throw(1.5, 1.5);
        let mut by_standbys = 0;
        while by_standbys < READS_PER_THROW {
            let response = client.get("/api/bottles/created");
            let created = response.data();
            let has = |bottle: &Value| bottle["bottle_id"] == id;
            assert!(
                created["bottles"].as_array().unwrap().iter().any(has),
                "bottle {id} is not there"
            );
            by_standbys += usize::from(response.header(SERVER) != "0");
        }
    }
}

pub(crate) fn reads_what_it_wrote(times: usize) -> String {
    let pair = Pair::start();
    let (_follower, other, _folder) = pair.another_standby();
    let proxy = Arc::new(Proxy {
        primary: pair.primary.port,
        standbys: [pair.standby.port, other.port],
        pinned: Mutex::default(),
        reads: Default::default(),
    });
    let port = Arc::clone(&proxy).serve();
    let clients: Vec<Client> = (0..PEOPLE)
        .map(|n| {
            let mut client = Client::new(port);
            client.headers = vec![("Cookie".into(), sea::join(&pair.primary, &format!("eve{n}")))];
            client
        })
        .collect();
    let began = Instant::now();
    thread::scope(|scope| {
        for client in &clients {
            scope.spawn(|| throw_and_read(client, times));
        }
    });
    let [primary, one, another] = proxy.reads.each_ref().map(|reads| reads.load(Ordering::Relaxed));
    assert!(one > 0 && another > 0, "a standby has answered nothing");
    let rate = (primary + one + another) as f64 / began.elapsed().as_secs_f64();
    format!(
        "each read had what its client wrote; {primary} by the primary, {one} and {another} by the standbys, \
         {rate:.0} a second"
    )
}
