//! Others on the network come in: the address, its QR code, and a certificate of the machine's own.

use std::net::TcpStream;
use std::process::Command;

use bottle::server::lan;
use rstest::rstest;
use serde_json::Value;

use crate::program::{Program, bottle};

/// What stands at `path`, over https whoever vouches for it.
fn over_https(port: u16, path: &str) -> Value {
    let url = format!("https://127.0.0.1:{port}{path}");
    let output = Command::new("curl").args(["-sSk", &url]).output();
    let output = output.unwrap_or_else(|e| panic!("{e}: apt-get install curl"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[rstest]
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
    for page in ["join", "live", "teacher", "docs"] {
        let page = client.get(&format!("/{page}"));
        assert!(page.text.starts_with("<!doctype html>"), "{}", page.text);
    }
}

#[rstest]
fn nobody_is_invited_to_a_server_for_this_machine_alone() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(bottle(folder.path(), &[]));
    assert_eq!(program.client().get("/api/join").data()["addresses"], serde_json::json!([]));
    assert_eq!(program.client().get("/api/join.svg").status, 404);
}

/// The same certificate at each start, so that a phone that trusted it goes on doing so.
#[rstest]
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
