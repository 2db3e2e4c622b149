//! The limits of browsers: they change nothing on behalf of another site, and are allowed no feature that
//! the page does not need.

use bottle_test_support::{App, Client};
use rstest::rstest;

use crate::hostile::{known, stored};

/// Every documented route that changes something, with the id of a bottle in its path.
fn changing_routes(id: i64) -> Vec<(String, String)> {
    let routes: Vec<(String, String)> = include_str!("../../docs/contracts.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next()?.split_once(' '))
        .filter(|(method, _)| *method != "GET")
        .map(|(method, path)| {
            let id = id.to_string();
            let path = path.replace("<name>", "backup_hour");
            (method.to_owned(), path.replace("<id>", &id).replace("<_>", &id))
        })
        .collect();
    assert!(routes.len() > 25, "{routes:?}");
    routes
}

/// Bodies that every route takes something from.
const BODY: &[u8] =
    br#"{"username":"eve","password":"pass","name":"eve","nickname":"eve","user_id":"eve",
    "email":"eve@example.org","new_nickname":"eve","new_password":"stolen","oldPassword":"pass",
    "newPassword":"stolen","terminal":"t","content":"c","location":{"latitude":1,"longitude":1}}"#;

#[rstest]
#[case::another_site("Origin", "https://elsewhere.example")]
#[case::a_file_or_a_sandbox("Origin", "null")]
#[case::no_origin_at_all("Origin", "")]
#[case::cross_site("Sec-Fetch-Site", "cross-site")]
#[case::same_site("Sec-Fetch-Site", "same-site")]
#[case::unheard_of("Sec-Fetch-Site", "friendly-site")]
fn a_request_of_another_site_changes_nothing(#[case] header: &str, #[case] value: &str) {
    let app = App::new();
    let ada = known(&app);
    let id = ada.throw(1.0, 1.0);
    let before = stored(&app);
    for (method, path) in changing_routes(id) {
        // As a script would send it, as a form would, and bare.
        for kind in ["application/json", "text/plain", "application/x-www-form-urlencoded"] {
            let headers = [(header, value), ("Content-Type", kind)];
            let response = ada.send(&method, &path, &headers, Some(BODY));
            assert_eq!(response.status, 403, "{method} {path} {kind}: {}", response.text);
            assert!(response.json().is_object(), "{method} {path}: {}", response.text);
        }
        let response = ada.send(&method, &path, &[(header, value)], None);
        assert_eq!(response.status, 403, "{method} {path}: {}", response.text);
    }
    assert_eq!(stored(&app), before);
}

#[test]
fn the_own_page_and_clients_that_are_no_browsers_pass() {
    let app = App::new();
    let own = app.origin();
    let cases: [&[(&str, &str)]; 5] = [
        &[],
        &[("Origin", &own)],
        &[("Sec-Fetch-Site", "same-origin")],
        &[("Sec-Fetch-Site", "none")],
        &[("Origin", &own), ("Sec-Fetch-Site", "same-origin")],
    ];
    for (n, headers) in cases.into_iter().enumerate() {
        let body = format!(r#"{{"username":"ada{n}","password":"pass"}}"#);
        let headers = [headers, &[("Content-Type", "application/json")]].concat();
        let response = app.anon().send("POST", "/api/users", &headers, Some(body.as_bytes()));
        assert_eq!(response.status, 200, "{headers:?}: {}", response.text);
    }
}

#[test]
fn a_read_may_be_followed_from_anywhere() {
    let app = App::new();
    let from = [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://elsewhere.example")];
    assert_eq!(app.anon().send("GET", "/", &from, None).status, 200);
    assert_eq!(app.anon().send("GET", "/api/settings", &from, None).status, 200);
}

#[rstest]
#[case::over_https("https://bottle.example.org", "https://bottle.example.org", 200)]
#[case::over_http("https://bottle.example.org", "http://bottle.example.org", 403)]
#[case::another_port("http://bottle.example.org:81", "http://bottle.example.org", 403)]
fn behind_a_proxy_the_public_url_is_ones_own(
    #[case] url: &str,
    #[case] origin: &str,
    #[case] status: u16,
) {
    let app = App::with(|settings| settings.public_url = url.into());
    let headers = [("Origin", origin), ("Content-Type", "application/json")];
    let body = br#"{"username":"ada","password":"pass"}"#;
    assert_eq!(app.anon().send("POST", "/api/users", &headers, Some(body)).status, status);
}

#[rstest]
#[case::page("/", 200)]
#[case::script("/js/main.js", 200)]
#[case::data("/api/settings", 200)]
#[case::refusal("/api/users/self", 401)]
#[case::ledger("/card", 400)]
#[case::nothing("/nowhere", 404)]
fn every_answer_says_what_a_browser_may_do(#[case] path: &str, #[case] status: u16) {
    let response = App::new().anon().get(path);
    assert_eq!(response.status, status);
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("strict-transport-security", ""),
        ("access-control-allow-origin", ""),
    ] {
        assert_eq!(response.header(name), value, "{name}");
    }
    assert!(response.header("permissions-policy").contains("geolocation=(self)"));
    let policy = response.header("content-security-policy");
    for part in ["frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    for danger in ["unsafe-inline", "unsafe-eval", "script-src", " * "] {
        assert!(!policy.contains(danger), "{policy}");
    }
}

#[test]
fn a_personal_response_is_not_cached() {
    let app = App::new();
    let ada = known(&app);
    let here = "latitude=0&longitude=0&latitude_span=1&longitude_span=1";
    for path in [
        "/api/users/self",
        "/api/bottles/created",
        &format!("/api/bottles/nearby?{here}"),
        "/card",
        "/api/user/profile",
    ] {
        let response = ada.get(path);
        assert_eq!(
            (response.status, response.header("cache-control")),
            (200, "no-store"),
            "{path}"
        );
    }
}

/// The cookie that a login sets.
fn cookie(client: &Client, path: &str, name: &str) -> String {
    let login = serde_json::json!({ name: "ada", "password": "pass" });
    client.post(path, &login).header("set-cookie").to_owned()
}

#[test]
fn over_https_cookies_stay_there() {
    let app = App::with(|settings| settings.public_url = "https://bottle.example.org".into());
    let ada = app.user("ada");
    let private = cookie(&app.anon(), "/api/sessions", "username");
    assert!(private.starts_with("__Host-bottle_session="), "{private}");
    for part in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(private.contains(part), "{private}");
    }
    assert!(!private.contains("Domain"), "{private}");
    assert_eq!(ada.get("/api/users/self").status, 200);
    assert!(cookie(&app.anon(), "/user/login", "name").ends_with("; Secure"));

    let hsts = ada.get("/").header("strict-transport-security").to_owned();
    assert_eq!(hsts, "max-age=31536000");

    let gone = ada.delete("/api/sessions/self").header("set-cookie").to_owned();
    assert!(gone.starts_with("__Host-bottle_session=;") && gone.contains("Secure"), "{gone}");
}

#[test]
fn without_https_cookies_still_work() {
    let app = App::new();
    let ada = app.user("ada");
    let private = cookie(&ada, "/api/sessions", "username");
    assert!(private.starts_with("bottle_session=") && !private.contains("Secure"), "{private}");
}
