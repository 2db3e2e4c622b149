//! Returns 429 with `Retry-After` in each contract's envelope when a client exceeds a rate limit.

use std::time::Duration;

use bottle_test_support::{App, Client, Response};
use rstest::rstest;
use serde_json::{Value, json};

const PROXY: &str = "127.0.0.1";

/// Starts a server that allows three of each a minute, behind a proxy on this machine.
fn strict() -> App {
    App::with(|settings| {
        settings.login_attempts_per_minute = 3;
        settings.registrations_per_minute = 3;
        settings.throws_per_minute = 3;
        settings.trusted_proxy = PROXY.parse().ok();
    })
}

/// Someone whom the proxy says to be at `address`.
fn at(app: &App, address: &str) -> Client {
    let mut client = app.anon();
    client.headers.push(("X-Real-IP".into(), address.into()));
    client
}

/// The four contracts, by the base of their paths.
#[derive(Clone, Copy, Debug)]
enum Contract {
    Bottle,
    Ledger,
    Music,
    Bookstore,
}

use Contract::{Bookstore, Bottle, Ledger, Music};

impl Contract {
    fn register(self, client: &Client, name: &str) -> Response {
        match self {
            Bottle => client.post("/api/users", &json!({ "username": name, "password": "pass" })),
            Ledger => client.post("/user/register", &json!({ "name": name, "password": "pass" })),
            Music => client.post(
                "/api/user/register",
                &json!({
                    "nickname": name, "email": format!("{name}@example.org"), "password": "pass"
                }),
            ),
            Bookstore => {
                client.post("/auth/register", &json!({ "user_id": name, "password": "pass" }))
            }
        }
    }

    fn log_in(self, client: &Client, name: &str, password: &str) -> Response {
        match self {
            Bottle => {
                client.post("/api/sessions", &json!({ "username": name, "password": password }))
            }
            Ledger => client.post("/user/login", &json!({ "name": name, "password": password })),
            Music => {
                client.post("/api/user/login", &json!({ "email": name, "password": password }))
            }
            Bookstore => client.post(
                "/auth/login",
                &json!({
                    "user_id": name, "password": password, "terminal": "t"
                }),
            ),
        }
    }

    fn too_often(self) -> Value {
        match self {
            Bottle => json!({
                "status": "TOO_MANY_REQUESTS", "msg": "操作过于频繁，请一分钟后再试", "data": {}
            }),
            Ledger => json!({ "code": 429, "message": "too many attempts, try again in a minute" }),
            Music => json!({ "code": 42900, "message": "操作过于频繁，请一分钟后再试" }),
            Bookstore => json!({
                "message": "Too many attempts, try again in a minute.", "token": ""
            }),
        }
    }

    #[track_caller]
    fn assert_too_often(self, response: &Response) {
        assert_eq!(response.status, 429, "{}", response.text);
        assert_eq!(response.header("retry-after"), "60");
        assert_eq!(response.json(), self.too_often());
    }
}

#[rstest]
fn wrong_passwords_are_counted(#[values(Bottle, Ledger, Music, Bookstore)] contract: Contract) {
    let app = strict();
    let client = at(&app, "192.0.2.1");
    assert!(contract.register(&client, "ada").status < 300);
    assert!(contract.register(&client, "bob").status < 300);

    for _ in 0..3 {
        let wrong = contract.log_in(&client, "ada", "wrong").status;
        assert!((400..429).contains(&wrong), "{wrong}");
    }
    contract.assert_too_often(&contract.log_in(&client, "ada", "wrong"));
    // The right one tells nothing either, but who is elsewhere gets in, as does another account.
    contract.assert_too_often(&contract.log_in(&client, "ada", "pass"));
    assert_eq!(contract.log_in(&at(&app, "192.0.2.2"), "ada", "pass").status, 200);
    assert_eq!(contract.log_in(&client, "bob", "pass").status, 200);

    app.clock.advance(Duration::from_secs(60));
    assert_eq!(contract.log_in(&client, "ada", "pass").status, 200);
}

#[rstest]
fn names_that_nobody_has_are_counted_alike(
    #[values(Bottle, Ledger, Music, Bookstore)] contract: Contract,
) {
    let app = strict();
    let client = at(&app, "192.0.2.1");
    for _ in 0..3 {
        contract.log_in(&client, "nobody", "wrong");
    }
    contract.assert_too_often(&contract.log_in(&client, "nobody", "wrong"));
}

#[test]
fn an_account_is_one_whichever_contract_asks() {
    let app = strict();
    let client = at(&app, "192.0.2.1");
    Music.register(&client, "ada");
    for contract in [Bottle, Ledger, Bookstore] {
        contract.log_in(&client, "ada", "wrong");
    }
    Music.assert_too_often(&Music.log_in(&client, "ada@example.org", "pass"));
}

#[rstest]
#[case::change("PUT", "/api/users/self", json!({ "current_password": "wrong", "password": "stolen" }))]
#[case::deletion("DELETE", "/api/users/self", json!({ "password": "wrong" }))]
fn a_stolen_session_guesses_no_faster(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: Value,
) {
    let app = strict();
    let mut client = at(&app, "192.0.2.1");
    Bottle.register(&client, "ada");
    client.log_in("ada", "pass");
    for _ in 0..3 {
        assert_eq!(client.json(method, path, &body).status, 403);
    }
    Bottle.assert_too_often(&client.json(method, path, &body));
    assert_eq!(client.get("/api/users/self").status, 200);
}

#[test]
fn many_at_one_time_get_no_more_tries() {
    let app = App::with(|settings| {
        settings.login_attempts_per_minute = 3;
        settings.password_workers = 1;
    });
    Bottle.register(&app.anon(), "ada");
    let tried = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..40)
            .map(|_| scope.spawn(|| Bottle.log_in(&app.anon(), "ada", "wrong").status))
            .collect();
        let statuses = tries.into_iter().map(|tried| tried.join().unwrap());
        statuses.filter(|status| *status == 403).count()
    });
    assert_eq!(tried, 3);
}

#[test]
fn one_address_tries_ten_accounts_worth() {
    let app = strict();
    let client = at(&app, "192.0.2.1");
    for n in 0..30 {
        assert_eq!(Bottle.log_in(&client, &format!("user{n}"), "wrong").status, 403, "{n}");
    }
    Bottle.assert_too_often(&Bottle.log_in(&client, "user31", "wrong"));
    assert_eq!(Bottle.log_in(&at(&app, "192.0.2.2"), "user31", "wrong").status, 403);
}

#[rstest]
#[case::one_network("2001:db8::1", "2001:db8::ffff:2", true)]
#[case::two_networks("2001:db8::1", "2001:db8:0:1::1", false)]
#[case::v4_in_v6("192.0.2.1", "::ffff:192.0.2.1", true)]
fn of_ipv6_a_whole_network_is_one_client(
    #[case] one: &str,
    #[case] other: &str,
    #[case] same: bool,
) {
    let app = strict();
    for n in 0..3 {
        assert_eq!(Bottle.register(&at(&app, one), &format!("user{n}")).status, 200);
    }
    let status = Bottle.register(&at(&app, other), "ada").status;
    assert_eq!(status, if same { 429 } else { 200 });
}

#[rstest]
fn registrations_are_counted(#[values(Bottle, Ledger, Music, Bookstore)] contract: Contract) {
    let app = strict();
    let client = at(&app, "192.0.2.1");
    for n in 0..3 {
        assert!(contract.register(&client, &format!("user{n}")).status < 300);
    }
    contract.assert_too_often(&contract.register(&client, "ada"));
    assert!(contract.register(&at(&app, "192.0.2.2"), "ada").status < 300);
    app.clock.advance(Duration::from_secs(60));
    assert!(contract.register(&client, "bob").status < 300);
}

#[test]
fn throws_are_counted_by_account_and_by_address() {
    let app = strict();
    let thrown = json!({ "content": "hello", "location": { "latitude": 1, "longitude": 1 } });
    let mut class: Vec<Client> = Vec::new();
    for n in 0..11 {
        let mut client = at(&app, &format!("192.0.2.{n}"));
        Bottle.register(&client, &format!("user{n}"));
        client.log_in(&format!("user{n}"), "pass");
        client.headers.retain(|(name, _)| name != "X-Real-IP");
        class.push(client);
    }
    for client in &class[..10] {
        for _ in 0..3 {
            assert_eq!(client.post("/api/bottles", &thrown).status, 200);
        }
        Bottle.assert_too_often(&client.post("/api/bottles", &thrown));
    }
    // Thirty came from this address, so the eleventh of its accounts may not even begin ...
    Bottle.assert_too_often(&class[10].post("/api/bottles", &thrown));
    // ... but elsewhere.
    class[10].headers.push(("X-Real-IP".into(), "192.0.2.99".into()));
    assert_eq!(class[10].post("/api/bottles", &thrown).status, 200);
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(class[0].post("/api/bottles", &thrown).status, 200);
}

#[test]
fn a_class_behind_one_address_is_not_locked_out() {
    let app = App::with(|settings| {
        let defaults = bottle::server::config::Settings::default();
        settings.login_attempts_per_minute = defaults.login_attempts_per_minute;
        settings.registrations_per_minute = defaults.registrations_per_minute;
        settings.throws_per_minute = defaults.throws_per_minute;
    });
    for n in 0..60 {
        let name = format!("pupil{n}");
        // Two in three mistype.
        assert_eq!(Bottle.register(&app.anon(), &name).status, 200);
        assert_eq!(Bottle.register(&app.anon(), &name).status, 409);
        if n % 3 > 0 {
            assert_eq!(Bottle.log_in(&app.anon(), &name, "wrong").status, 403);
        }
        let mut client = app.anon();
        client.log_in(&name, "pass");
        client.throw(1.0, f64::from(n));
    }
}

#[test]
fn a_header_that_no_trusted_proxy_sent_is_not_believed() {
    let app = App::with(|settings| settings.registrations_per_minute = 3);
    let other = App::with(|settings| {
        settings.registrations_per_minute = 3;
        settings.trusted_proxy = "192.0.2.7".parse().ok();
    });
    for app in [app, other] {
        for n in 0..3 {
            let client = at(&app, &format!("192.0.2.{n}"));
            assert_eq!(Bottle.register(&client, &format!("user{n}")).status, 200);
        }
        Bottle.assert_too_often(&Bottle.register(&at(&app, "192.0.2.9"), "ada"));
    }
}

#[test]
fn zero_turns_a_limit_off() {
    let app = App::with(|settings| {
        settings.login_attempts_per_minute = 0;
        settings.registrations_per_minute = 0;
        settings.throws_per_minute = 0;
    });
    for n in 0..400 {
        assert_eq!(Bottle.register(&app.anon(), &format!("user{n}")).status, 200);
        assert_eq!(Bottle.log_in(&app.anon(), "user0", "wrong").status, 403);
    }
    let mut client = app.anon();
    client.log_in("user0", "pass");
    for _ in 0..400 {
        client.throw(1.0, 1.0);
    }
}

#[test]
fn a_proxy_may_be_named_by_its_v4_address_in_v6() {
    let app = App::with(|settings| {
        settings.registrations_per_minute = 1;
        settings.trusted_proxy = "::ffff:127.0.0.1".parse().ok();
    });
    for n in 0..3 {
        let client = at(&app, &format!("192.0.2.{n}"));
        assert_eq!(Bottle.register(&client, &format!("user{n}")).status, 200);
    }
}
