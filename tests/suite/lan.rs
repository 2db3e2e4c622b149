//! Others on the network come in: the address, its QR code, and a certificate of the machine's own.

use std::fs;
use std::net::TcpStream;
use std::process::Command;

use bottle::server::lan;
use bottle_test_support::{Program, bottle};
use rstest::rstest;
use serde_json::Value;

/// Returns the output of curl for a request over https, without checking the certificate.
fn curl(port: u16, path: &str, options: &[&str]) -> Vec<u8> {
    let url = format!("https://127.0.0.1:{port}{path}");
    let output = Command::new("curl").args(["-sSk", &url]).args(options).output();
    let output = output.unwrap_or_else(|e| panic!("{e}: apt-get install curl"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Returns the body at `path` over https, without checking the certificate.
fn over_https(port: u16, path: &str) -> Value {
    serde_json::from_slice(&curl(port, path, &[])).unwrap()
}

/// Returns true if an HTTPS server sends HSTS.
fn sends_hsts(port: u16) -> bool {
    let head = String::from_utf8(curl(port, "/healthz", &["--head"])).unwrap();
    assert!(head.contains("x-frame-options: DENY"), "{head}");
    head.contains("strict-transport-security: max-age=31536000")
}

#[test]
fn a_class_is_told_where_to_come_in() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(bottle(folder.path(), &["serve", "--lan"]));
    let client = program.client();
    let joined = client.get("/api/join").data();
    let addresses = joined["addresses"].as_array().unwrap();
    for address in addresses {
        let address = address.as_str().unwrap();
        assert!(address.starts_with("http://"), "{address}");
        assert!(address.ends_with(&format!(":{}", program.port)), "{address}");
        // Names are found by mDNS, which not every machine asks.
        if !address.contains(lan::NAME) {
            TcpStream::connect(address.trim_start_matches("http://")).unwrap();
        }
    }
    let picture = client.get("/api/join.svg");
    match addresses.is_empty() {
        true => assert_eq!(picture.status, 404),
        false => assert!(picture.text.contains("<svg"), "{}", picture.text),
    }
    // The setup link is for the same address, as a QR code of its own.
    let first = addresses
        .first()
        .and_then(Value::as_str)
        .map_or_else(|| format!("http://127.0.0.1:{}", program.port), str::to_owned);
    let (before, after) = program.banner.split_once("/setup#").unwrap();
    assert!(before.ends_with(&first), "{}", program.banner);
    let has_code = after.contains("█");
    assert_eq!(has_code, !addresses.is_empty(), "{}", program.banner);
    for page in ["join", "live", "setup", "teacher", "admin", "docs"] {
        let page = client.get(&format!("/{page}"));
        assert!(page.text.starts_with("<!doctype html>"), "{}", page.text);
    }
}

#[test]
fn nobody_is_invited_to_a_server_for_this_machine_alone() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(bottle(folder.path(), &[]));
    assert_eq!(program.client().get("/api/join").data()["addresses"], serde_json::json!([]));
    assert_eq!(program.client().get("/api/join.svg").status, 404);
}

/// The same certificate at each start, so that a phone that trusted it goes on doing so.
#[test]
fn the_certificate_is_kept_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let fingerprint = || {
        let program = Program::start(bottle(folder.path(), &["serve", "--tls", "auto"]));
        over_https(program.port, "/api/join")["data"]["fingerprint"].as_str().unwrap().to_owned()
    };
    let first = fingerprint();
    assert_eq!(first.split(':').count(), 32, "{first}");
    assert_eq!(fingerprint(), first);
}

/// With HSTS, a browser would let nobody past its warning.
#[rstest]
fn no_hsts_with_a_certificate_of_its_own(
    #[values("debug", "release")] profile: &str,
    #[values("", "https://bottle.example.org")] public_url: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &["serve", "--tls", "auto"]);
    command.env("ROCKET_PROFILE", profile);
    command.env("ROCKET_BOTTLE", format!("{{public_url=\"{public_url}\"}}"));
    let program = Program::start(command);
    assert!(!sends_hsts(program.port));
}

/// The operator named this one, and so vouches for it.
#[rstest]
fn hsts_with_a_certificate_of_the_operators(#[values("debug", "release")] profile: &str) {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
    fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_PROFILE", profile);
    command.env("ROCKET_TLS", r#"{certs="cert.pem",key="key.pem"}"#);
    let program = Program::start(command);
    assert!(sends_hsts(program.port));
}
