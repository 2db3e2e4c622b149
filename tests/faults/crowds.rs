//! Many at one time.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use bottle_test_support::{Client, Program, TIMEOUT, read_until_closed};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, socket};
use serde_json::json;

use crate::sea::Sea;

pub(crate) const MIB: u64 = 1024 * 1024;

/// The default of `max_connections_per_address`.
const MOST_PER_ADDRESS: usize = 512;

/// Bytes of memory that are the program's own.
pub(crate) fn memory(program: &Program) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// How long it takes to be answered with 200.
#[track_caller]
pub(crate) fn time_of(client: &Client, path: &str) -> Duration {
    let began = Instant::now();
    let response = client.get(path);
    assert_eq!(response.status, 200, "{}", response.text);
    began.elapsed()
}

/// The program over the file of `sea`, with so many descriptors.
fn limited(sea: &Sea, descriptors: usize) -> Command {
    let plain = sea.command();
    let mut command = Command::new("prlimit");
    command.arg(format!("--nofile={descriptors}")).arg(plain.get_program());
    command.current_dir(sea.folder());
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn few_descriptors(times: usize) -> String {
    let sea = Sea::new();
    let program = Program::start(limited(&sea, 64));
    for _ in 0..times {
        let crowd: Vec<TcpStream> = (0..200).map(|_| program.connect()).collect();
        // While they stay, and once they have gone.
        for crowd in [Some(crowd), None] {
            time_of(&program.client(), "/api/settings");
            assert_eq!(sea.throw(&program), 200);
            drop(crowd);
        }
    }
    drop(program);
    sea.check();
    "others were answered while the crowd stayed, and afterwards".into()
}

/// How many sockets the program has open.
fn open_sockets(program: &Program) -> usize {
    let descriptors = fs::read_dir(format!("/proc/{}/fd", program.id())).unwrap();
    let links = descriptors.filter_map(|descriptor| fs::read_link(descriptor.ok()?.path()).ok());
    links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
}

/// Connects 4,600 clients at one time, and sends this on each connection. They have an address of their
/// own: what the limit for one address closes is nobody else's.
fn crowd_that_sends(bytes: &[u8], program: &Program) -> Vec<TcpStream> {
    let server = SockaddrIn::new(127, 0, 0, 1, program.port);
    let crowd: Vec<TcpStream> = (0..4600)
        .map(|_| {
            let flags = SockFlag::SOCK_NONBLOCK;
            let socket = socket(AddressFamily::Inet, SockType::Stream, flags, None).unwrap();
            bind(socket.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 2, 0)).unwrap();
            // It goes on by itself.
            let _ = connect(socket.as_raw_fd(), &server);
            TcpStream::from(socket)
        })
        .collect();
    let is_connecting =
        |e: io::Error| [ErrorKind::WouldBlock, ErrorKind::NotConnected].contains(&e.kind());
    let mut silent: Vec<&TcpStream> = crowd.iter().collect();
    while !silent.is_empty() {
        // One that fails otherwise was closed by the server already.
        silent.retain_mut(|socket| socket.write(bytes).is_err_and(is_connecting));
        thread::yield_now();
    }
    crowd
}

pub(crate) fn half_sent_bodies(times: usize) -> String {
    bottle::http::connections::raise_fd_limit();
    let sea = Sea::new();
    let head = b"POST /api/sessions HTTP/1.1\r\nHost: bottle\r\nContent-Length: 900\r\n\r\n";
    let half = [&head[..], &[b' '; 600]].concat();
    let mut found = Vec::new();
    for descriptors in [4096, 20_000] {
        let mut command = limited(&sea, descriptors);
        // The limits alone close them, not their deadline.
        command.env("ROCKET_BOTTLE", "{request_timeout_seconds=600,throws_per_minute=0}");
        let program = Program::start(command);
        let most = open_sockets(&program) + MOST_PER_ADDRESS;
        let mut slowest = Duration::ZERO;
        for _ in 0..times {
            let began = Instant::now();
            thread::scope(|scope| {
                let crowd = scope.spawn(|| crowd_that_sends(&half, &program));
                while !crowd.is_finished() || open_sockets(&program) > most {
                    assert!(began.elapsed() < TIMEOUT, "{} sockets", open_sockets(&program));
                    slowest = slowest.max(time_of(&program.client(), "/healthz"));
                    assert_eq!(sea.throw_in_one_packet(&program), 200);
                }
                drop(crowd.join().unwrap());
            });
        }
        found.push(format!("with {descriptors} descriptors within {} ms", slowest.as_millis()));
    }
    sea.check();
    format!("the limits held; others were answered {}", found.join(", "))
}

pub(crate) fn slow_clients(times: usize) -> String {
    bottle::http::connections::raise_fd_limit();
    let sea = Sea::new();
    let head = b"GET /api/settings HTTP/1.1\r\nHost: bottle\r\n\r\n";
    let (mut slowest, mut most, mut longest) = (Duration::ZERO, 0, Duration::ZERO);
    for _ in 0..times {
        let program = sea.start();
        let idle = memory(&program);
        let began = Instant::now();
        let crowd: Vec<TcpStream> = (0..1000)
            .map(|n| {
                let mut socket = program.connect();
                // It may be closed again already: there are more than one address may have.
                let _ = socket.write_all(&head[..n % head.len()]);
                socket
            })
            .collect();
        slowest = slowest.max(time_of(&program.client(), "/api/settings"));
        most = most.max(memory(&program) - idle);
        for socket in crowd {
            read_until_closed(socket);
        }
        longest = longest.max(began.elapsed());
        assert_eq!(sea.throw(&program), 200);
    }
    assert!(most < 100 * MIB, "{} MiB more", most / MIB);
    format!(
        "another was answered within {} ms, all were gone after {:.0} s, {} MiB above idle",
        slowest.as_millis(),
        longest.as_secs_f64(),
        most / MIB
    )
}

pub(crate) fn logins(times: usize) -> String {
    let sea = Sea::new();
    // Passwords cost what they cost.
    let mut command = sea.command();
    command.env("ROCKET_BOTTLE", "{login_attempts_per_minute=0,registrations_per_minute=0}");
    let program = Program::start(command);
    let account = json!({ "username": "bob", "password": "pass" });
    assert_eq!(program.client().post("/api/users", &account).status, 200);
    let ada = sea.ada(&program);
    let read = || {
        time_of(&ada, "/api/bottles/nearby?latitude=1&longitude=1&latitude_span=1&longitude_span=1")
    };
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    let alone = median((0..200).map(|_| read()).collect());
    let idle = memory(&program);
    let (mut most, mut beside) = (0, Vec::new());
    for _ in 0..times {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let crowd: Vec<_> = (0..500)
                .map(|_| scope.spawn(|| program.client().post("/api/sessions", &account).status))
                .collect();
            let watch = scope.spawn(|| {
                let (mut most, mut times) = (0, Vec::new());
                while !done.load(Ordering::Relaxed) {
                    times.push(read());
                    most = most.max(memory(&program).saturating_sub(idle));
                }
                (most, times)
            });
            // The watch must end in any case.
            let answered: Vec<_> = crowd.into_iter().map(ScopedJoinHandle::join).collect();
            done.store(true, Ordering::Relaxed);
            let (more, times) = watch.join().unwrap();
            for status in answered {
                assert_eq!(status.unwrap(), 200);
            }
            most = most.max(more);
            beside.extend(times);
        });
    }
    let (reads, beside) = (beside.len(), median(beside));
    assert!(most < 100 * MIB, "{} MiB more", most / MIB);
    format!(
        "at most {} MiB above idle; of {reads} reads beside them the median took {:.1} times as long",
        most / MIB,
        beside.as_secs_f64() / alone.as_secs_f64()
    )
}
