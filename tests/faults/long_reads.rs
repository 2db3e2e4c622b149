//! Reads that take long, and answers that are large.

use std::io::{Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use bottle_test_support::{Client, Program, TIMEOUT};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, connect, setsockopt, socket, sockopt::RcvBuf,
};
use rusqlite::Connection;
use serde_json::json;

use crate::crowds::{MIB, memory, time_of};
use crate::sea::{Sea, join};

const SHORT: &str =
    "/api/bottles/nearby?latitude=1&longitude=1&latitude_span=0.1&longitude_span=0.1";
const WORLD: &str =
    "/api/bottles/nearby?latitude=0&longitude=0&latitude_span=90&longitude_span=180";

/// The SQL of the message and the address that take most bytes of JSON.
const LONGEST: [&str; 2] =
    ["replace(printf('%4000s', ''), ' ', char(1))", "replace(printf('%256s', ''), ' ', char(1))"];
const SHORTEST: [&str; 2] = ["'c'", "''"];

/// Adds so many bottles of ada's with this message and address.
fn fill(sea: &Sea, bottles: usize, [content, address]: [&str; 2]) {
    let db = Connection::open(sea.path()).unwrap();
    db.execute_batch(&format!(
        "INSERT INTO bottles (owner_id, formatted_address, latitude, longitude, style, created_at)
         WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < {bottles})
         SELECT 1, {address}, n % 80 + 5, n % 170 + 5, 0, 0 FROM n;
         INSERT INTO messages SELECT id, {content} FROM bottles
         WHERE id NOT IN (SELECT bottle_id FROM messages)"
    ))
    .unwrap();
}

/// A connection on which the kernel receives almost nothing while nobody reads.
fn small_socket(port: u16) -> TcpStream {
    let plain = SockFlag::empty();
    let fd = socket(AddressFamily::Inet, SockType::Stream, plain, None).unwrap();
    setsockopt(&fd, RcvBuf, &4096).unwrap();
    let server = SockaddrIn::from(SocketAddrV4::new([127, 0, 0, 1].into(), port));
    connect(fd.as_raw_fd(), &server).unwrap();
    let stream = TcpStream::from(fd);
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream
}

fn head(client: &Client, path: &str, connection: &str) -> String {
    let (_, cookie) = &client.headers[0];
    format!(
        "GET {path} HTTP/1.1\r\nHost: bottle\r\nConnection: {connection}\r\nCookie: {cookie}\r\n\r\n"
    )
}

/// Requests `path`, waits until there is a response, and leaves it unread; its status.
fn leave_unread(program: &Program, client: &Client, path: &str) -> (TcpStream, u16) {
    let mut socket = small_socket(program.port);
    socket.write_all(head(client, path, "keep-alive").as_bytes()).unwrap();
    let mut start = [0; 12];
    while socket.peek(&mut start).unwrap() < start.len() {
        thread::yield_now();
    }
    let status = std::str::from_utf8(&start[9..]).unwrap().parse().unwrap();
    (socket, status)
}

/// Someone without bottles, who registers in the first round.
fn bob(program: &Program) -> Client {
    let mut bob = program.client();
    let account = json!({ "username": "bob", "password": "pass" });
    match bob.post("/api/sessions", &account).status {
        200 => bob.log_in("bob", "pass"),
        _ => bob.headers.push(("Cookie".into(), join(program, "bob"))),
    }
    bob
}

/// Eight lists, four exports and forty maps, which would be 3.7 GB, and nobody reads them.
pub(crate) fn unread(times: usize) -> String {
    let sea = Sea::new();
    fill(&sea, 10_000, LONGEST);
    let (mut most, mut begun) = (0, 0);
    for _ in 0..times {
        let program = sea.start();
        let (ada, bob) = (sea.ada(&program), bob(&program));
        let idle = memory(&program);
        let paths = [("/api/bottles/created", 8), ("/api/users/self/export", 4), (WORLD, 40)];
        let paths = paths.into_iter().flat_map(|(path, count)| (0..count).map(move |_| path));
        let responses: Vec<(TcpStream, u16)> = thread::scope(|scope| {
            let clients: Vec<_> =
                paths.map(|path| scope.spawn(|| leave_unread(&program, &ada, path))).collect();
            while !clients.iter().all(ScopedJoinHandle::is_finished) {
                most = most.max(memory(&program).saturating_sub(idle));
                time_of(&bob, SHORT);
            }
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        assert!(responses.iter().all(|(_, status)| [200, 503].contains(status)));
        begun = responses.iter().filter(|(_, status)| *status == 200).count();
        for path in ["/healthz", SHORT, "/api/bottles/created", "/api/users/self"] {
            time_of(&bob, path);
            most = most.max(memory(&program).saturating_sub(idle));
        }
        assert_eq!(sea.throw(&program), 200);
    }
    sea.check();
    assert!(most < 150 * MIB, "{} MiB more", most / MIB);
    format!(
        "at most {} MiB above idle; {begun} responses begun, the others 503; short ones went on",
        most / MIB
    )
}

/// The median and the longest.
fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let millis = |time: &Duration| time.as_secs_f64() * 1e3;
    format!("{:.1}/{:.0} ms", millis(&times[times.len() / 2]), times.last().map_or(0.0, millis))
}

/// The status of the response on `socket`, which must be whole.
fn status(mut socket: TcpStream) -> u16 {
    let mut response = Vec::new();
    socket.read_to_end(&mut response).unwrap();
    let response = String::from_utf8(response).unwrap();
    assert!(response.ends_with('}'), "{response}");
    let status = response[9..12].parse().unwrap();
    assert!(status == 200 || response.to_lowercase().contains("retry-after: 5\r\n"), "{response}");
    status
}

pub(crate) fn crowd(times: usize) -> String {
    bottle::http::connections::raise_fd_limit();
    let sea = Sea::new();
    fill(&sea, 20_000, SHORTEST);
    let (mut health, mut short, mut statuses) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..times {
        let mut command = sea.command();
        // All come from one address.
        command.env("ROCKET_BOTTLE", "{max_connections_per_address=2048}");
        let program = Program::start(command);
        let ada = sea.ada(&program);
        let crowd: Vec<TcpStream> = (0..900).map(|_| program.connect()).collect();
        for mut socket in &crowd {
            let head = head(&ada, &format!("{WORLD}&limit=600"), "close");
            socket.write_all(head.as_bytes()).unwrap();
        }
        thread::scope(|scope| {
            let responses = scope.spawn(|| crowd.into_iter().map(status).collect::<Vec<_>>());
            while !responses.is_finished() {
                health.push(time_of(&ada, "/healthz"));
                short.push(time_of(&ada, SHORT));
            }
            statuses.extend(responses.join().unwrap());
        });
        assert_eq!(sea.throw(&program), 200);
    }
    sea.check();
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    let (answered, refused) = (count(200), count(503));
    assert!(answered > 0 && answered + refused == 900 * times, "{statuses:?}");
    format!(
        "{answered} returned, {refused} rejected with 503; p50/max of /healthz {}, of a short nearby {}",
        spread(health),
        spread(short)
    )
}
