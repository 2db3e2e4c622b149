//! Health checks, metrics, and the log as JSON.

use std::fs;
use std::os::unix::net::UnixDatagram;

use bottle_test_support::{App, Client, Program, TIMEOUT, bottle, fast_settings_with};
use rusqlite::Connection;
use serde_json::{Value, json};

#[test]
fn health_is_told() {
    let app = App::new();
    for path in ["/healthz", "/readyz"] {
        let response = app.anon().get(path);
        assert_eq!((response.status, response.json()), (200, json!({ "status": "ok" })), "{path}");
    }
}

#[test]
fn a_server_asks_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(bottle(folder.path(), &[]));
    let health = || {
        let mut command = bottle(folder.path(), &["health"]);
        command.env("ROCKET_PORT", program.port.to_string());
        command.output().unwrap()
    };
    let output = health();
    let received = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && received.contains(r#"{"status":"ok"}"#), "{received}");
    let port = program.port;
    program.signal("TERM");
    program.status();
    let mut command = bottle(folder.path(), &["health"]);
    let output = command.env("ROCKET_PORT", port.to_string()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("does not answer"));
}

#[test]
fn metrics_are_on_an_address_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_BOTTLE", r#"{metrics_address="127.0.0.1:0"}"#);
    let program = Program::start(command);
    let address = program.banner.split("Metrics: http://127.0.0.1:").nth(1).unwrap();
    let port: u16 = address.split('/').next().unwrap().parse().unwrap();
    let mut ada = program.client();
    ada.post("/api/users", &json!({ "username": "ada", "password": "pass" }));
    ada.log_in("ada", "pass");
    ada.throw(1.0, 1.0);
    ada.get("/user");
    assert_eq!(ada.get("/metrics").status, 404, "not where everyone is");

    let response = Client::new(port).get("/metrics");
    assert!(response.header("content-type").starts_with("application/openmetrics-text"));
    for line in [
        r#"bottle_requests_total{part="bottle",status="200"} 3"#,
        r#"bottle_request_seconds_count{part="bottle"} 3"#,
        "bottle_accounts 1",
        "bottle_bottles 1",
        "bottle_sessions 1",
        "bottle_blocked_changes 0",
    ] {
        assert!(
            response.text.lines().any(|received| received == line),
            "no {line} in {}",
            response.text
        );
    }
    assert!(response.text.contains(r#"{part="ledger",status="405"} 1"#), "{}", response.text);
    assert!(response.text.contains("bottle_database_bytes ") && response.text.ends_with("# EOF\n"));
    assert_eq!(Client::new(port).get("/").status, 404, "nothing else is there");
}

#[test]
fn a_request_bears_its_number_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_LOG_LEVEL", "normal").env("ROCKET_BOTTLE", "{log_format=\"json\"}");
    let mut program = Program::start(command);
    let [printed, log] = program.read_pipes();
    let response = program.client().get("/api/settings");
    let id = response.header("x-request-id").to_owned();
    assert_eq!(id.len(), 16);
    assert_ne!(program.client().get("/api/settings").header("x-request-id"), id);
    program.signal("TERM");
    program.status();
    printed.join().unwrap();
    let log = log.join().unwrap();
    let line: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&line["id"], &line["path"], &line["status"], &line["method"], &line["client"]),
        (&json!(id), &json!("/api/settings"), &json!(200), &json!("GET"), &json!("127.0.0.1"))
    );
    assert!(line["ms"].is_f64() && line["timestamp"].is_string(), "{line}");
}

#[test]
fn slow_queries_are_logged() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_LOG_LEVEL", "normal");
    command.env("ROCKET_BOTTLE", fast_settings_with("slow_query_ms=50,busy_timeout_ms=300"));
    let mut program = Program::start(command);
    let [printed, log] = program.read_pipes();
    let other = Connection::open(folder.path().join("bottle.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ada = json!({ "username": "ada", "password": "pass" });
    assert_eq!(program.client().post("/api/users", &ada).status, 503);
    other.execute_batch("ROLLBACK").unwrap();
    program.signal("TERM");
    program.status();
    printed.join().unwrap();
    let log = log.join().unwrap();
    assert!(
        log.contains("a slow change took") && log.contains("accounts/registration.rs:"),
        "{log}"
    );
}

#[test]
fn metrics_that_cannot_be_told_are_an_error_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_BOTTLE", format!("{{metrics_address=\"{address}\"}}"));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&address.to_string()));
    assert!(fs::exists(folder.path().join("bottle.db")).unwrap());
}

/// As a service of `Type=notify`.
#[test]
fn systemd_is_told_when_it_listens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("NOTIFY_SOCKET", &path);
    let program = Program::start(command);
    let mut received = [0; 64];
    let length = socket.recv(&mut received).unwrap();
    assert_eq!(String::from_utf8_lossy(&received[..length]).trim(), "READY=1");
    assert_eq!(program.client().get("/healthz").status, 200);
}
