//! Secrets stay secret: no log at any level, no rejection, no `Debug` output and no file that other users can
//! read contains one.

use bottle_test_support::{Client, Program, Response, bottle};
use rusqlite::Connection;
use serde_json::{Value, json};

/// A client that remembers what it must not see again.
struct Spy {
    client: Client,
    secrets: Vec<String>,
    refusals: Vec<Response>,
}

impl Spy {
    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let json = [("Content-Type", "application/json")];
        let mut headers = headers.to_vec();
        if !headers.iter().any(|(name, _)| *name == "Content-Type") {
            headers.extend(json);
        }
        let response = self.client.send(method, path, &headers, Some(body.as_bytes()));
        if response.status >= 400 {
            self.refusals.push(Response {
                headers: response.headers.clone(),
                text: response.text.clone(),
                ..response
            });
        }
        response
    }

    /// Sends what is taken, and returns the answer.
    fn ok(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Value) -> Response {
        let response = self.send(method, path, headers, &body.to_string());
        assert!(response.status < 400, "{method} {path}: {}", response.text);
        response
    }

    /// Sends what is refused.
    fn refused(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) {
        let response = self.send(method, path, headers, body);
        assert!(response.status >= 400, "{method} {path}: {}", response.text);
    }

    /// A new password, remembered.
    fn password(&mut self) -> String {
        self.secret(format!("Pw-{}-dRift", self.secrets.len()))
    }

    fn secret(&mut self, text: String) -> String {
        self.secrets.push(text.clone());
        text
    }
}

/// Registrations, logins, changes and failures of one contract.
fn walk_bottle(spy: &mut Spy) {
    let (first, second, wrong) = (spy.password(), spy.password(), spy.password());
    let ada = |password: &str| json!({ "username": "ada", "password": password });
    spy.ok("POST", "/api/users", &[], ada(&first));
    spy.refused("POST", "/api/users", &[], &ada(&wrong).to_string());
    spy.refused("POST", "/api/sessions", &[], &ada(&wrong).to_string());
    let cookie = spy.ok("POST", "/api/sessions", &[], ada(&first));
    let cookie = cookie.header("set-cookie").split(';').next().unwrap().to_owned();
    spy.secret(cookie.split_once('=').unwrap().1.to_owned());
    let with = [("Cookie", cookie.as_str())];
    let token =
        spy.ok("POST", "/api/tokens", &with, json!({ "name": "n" })).data()["token"].clone();
    let token = spy.secret(token.as_str().unwrap().to_owned());
    let bearer = format!("Bearer {token}");
    spy.refused("PUT", "/api/users/self", &[("Authorization", &*bearer)], r#"{"nickname":"n"}"#);
    spy.refused("GET", "/api/users/self", &[("Authorization", &format!("{bearer}x"))], "");
    spy.refused("GET", "/card", &[("Authorization", &*bearer), ("token", &*token)], "");
    let guess = json!({ "password": second, "current_password": wrong });
    spy.refused("PUT", "/api/users/self", &with, &guess.to_string());
    let change = json!({ "password": second, "current_password": first });
    spy.ok("PUT", "/api/users/self", &with, change);
    spy.refused("DELETE", "/api/users/self", &with, &json!({ "password": wrong }).to_string());
    spy.ok("DELETE", "/api/sessions/self", &with, json!({}));
    spy.refused("GET", "/api/users/self", &with, "");
}

fn walk_ledger(spy: &mut Spy) {
    let (first, second, wrong) = (spy.password(), spy.password(), spy.password());
    let bob = |password: &str| json!({ "name": "bob", "password": password });
    spy.ok("POST", "/user/register", &[], bob(&first));
    spy.refused("POST", "/user/login", &[], &bob(&wrong).to_string());
    let jwt = spy.ok("POST", "/user/login", &[], bob(&first));
    let jwt = jwt.header("set-cookie").split(';').next().unwrap().to_owned();
    let parts: Vec<String> = jwt.split('.').skip(1).map(str::to_owned).collect();
    spy.secrets.extend(parts);
    spy.ok("PUT", "/user", &[("Cookie", &jwt)], bob(&second));
    spy.refused("DELETE", "/user", &[("Cookie", &format!("{jwt}x"))], "");
    spy.ok("DELETE", "/user", &[("Cookie", &jwt)], json!({}));
}

fn walk_music(spy: &mut Spy) {
    let (first, second, wrong) = (spy.password(), spy.password(), spy.password());
    let new = json!({ "nickname": "kim", "email": "kim@example.org", "password": first });
    spy.ok("POST", "/api/user/register", &[], new);
    let kim = |password: &str| json!({ "email": "kim@example.org", "password": password });
    spy.refused("POST", "/api/user/login", &[], &kim(&wrong).to_string());
    let token = spy.ok("POST", "/api/user/login", &[], kim(&first)).data()["token"].clone();
    let token = spy.secret(token.as_str().unwrap().to_owned());
    let bearer = format!("Bearer {token}");
    let with = [("Authorization", bearer.as_str())];
    let change = json!({ "password": wrong, "new_password": second });
    spy.refused("PUT", "/api/user/update/password", &with, &change.to_string());
    let change = json!({ "password": first, "new_password": second });
    spy.ok("PUT", "/api/user/update/password", &with, change);
    spy.refused("DELETE", "/api/user/delete", &with, &json!({ "password": wrong }).to_string());
}

fn walk_bookstore(spy: &mut Spy) {
    let (first, second, wrong) = (spy.password(), spy.password(), spy.password());
    let lin = |password: &str| json!({ "user_id": "lin", "password": password, "terminal": "t" });
    spy.ok("POST", "/auth/register", &[], lin(&first));
    spy.refused("POST", "/auth/login", &[], &lin(&wrong).to_string());
    let token = spy.ok("POST", "/auth/login", &[], lin(&first)).json()["token"].clone();
    let token = spy.secret(token.as_str().unwrap().to_owned());
    spy.refused("POST", "/auth/logout", &[("token", &token)], r#"{"user_id":"ada"}"#);
    let change = json!({ "user_id": "lin", "oldPassword": first, "newPassword": second });
    spy.ok("POST", "/auth/password", &[], change);
    spy.refused("POST", "/auth/unregister", &[], &lin(&wrong).to_string());
}

/// Passwords where none is looked for: in bodies of another shape, and as credentials.
fn walk_nonsense(spy: &mut Spy) {
    for path in ["/api/sessions", "/users", "/user/login", "/api/user/login", "/auth/login"] {
        let secret = spy.password();
        let bodies = [
            format!(r#"{{"username":"ada","password":"{secret}"#),
            format!(
                r#"{{"username":"ada","name":"ada","email":"a","user_id":"a","password":["{secret}"]}}"#
            ),
            format!(r#"{{"password":{{"{secret}":1}}}}"#),
            format!(r#"{{"username":"{secret}\u0000","{secret}":1,"password":"{secret}\u0000"}}"#),
            format!("\"{secret}\""),
            format!("{secret}={secret}"),
        ];
        for body in bodies {
            spy.refused("POST", path, &[], &body);
        }
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        spy.refused("POST", path, &form, &format!("_method=put&username=ada&password={secret}"));
    }
    let secret = spy.password();
    let cookie = format!("bottle_session={secret}; token=eyJ.{secret}.a; {secret}");
    let bearer = format!("Bearer {secret}");
    let with = [("Cookie", &*cookie), ("Authorization", &*bearer), ("token", &*secret)];
    for path in ["/api/users/self", "/card", "/api/user/profile"] {
        spy.refused("GET", path, &with, "");
    }
    spy.refused("POST", "/auth/logout", &with, r#"{"user_id":"ada"}"#);
}

#[test]
fn neither_log_nor_refusal_holds_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_LOG_LEVEL", "debug");
    let mut program = Program::start(command);
    let listeners = program.read_pipes();
    let mut spy = Spy { client: program.client(), secrets: Vec::new(), refusals: Vec::new() };
    for walk in [walk_bottle, walk_ledger, walk_music, walk_bookstore, walk_nonsense] {
        walk(&mut spy);
    }
    let db = Connection::open(folder.path().join("bottle.db")).unwrap();
    for sql in ["SELECT value FROM meta", "SELECT password_hash FROM users"] {
        let mut statement = db.prepare(sql).unwrap();
        let kept = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        spy.secrets.extend(kept.map(Result::unwrap));
    }
    program.signal("TERM");
    program.status();
    let [printed, log] = listeners.map(|listener| listener.join().unwrap());

    assert!(log.matches("POST /auth/login").count() >= 2, "the log is not what it was: {log}");
    assert!(spy.secrets.len() >= 20 && spy.refusals.len() >= 40);
    for secret in &spy.secrets {
        for (place, text) in [("output", &printed), ("log", &log)] {
            let line = text.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(line, None, "{secret} in the {place}");
        }
        for refusal in &spy.refusals {
            assert!(!refusal.text.contains(secret.as_str()), "{secret}: {}", refusal.text);
            assert!(!format!("{:?}", refusal.headers).contains(secret.as_str()), "{secret}");
        }
    }
}

/// A type that derives `Debug` may end in a log or a panic, so it holds no secret as plain text. Secrets have types of their own, or their holders print themselves.
#[test]
fn debug_output_holds_no_secret() {
    let mut printing = 0;
    for (path, source) in sources(std::path::Path::new("src")) {
        for item in source.split("#[derive(").skip(1) {
            let (traits, rest) = item.split_once(")]").unwrap();
            if !traits.split(", ").any(|name| name == "Debug") {
                continue;
            }
            printing += 1;
            let end = if rest.find(';') < rest.find('{') { ";" } else { "\n}" };
            let fields = rest.split(end).next().unwrap();
            for line in fields.lines().filter(|line| line.contains("String")) {
                let name = line.split(": ").next().unwrap().to_lowercase();
                let secret = ["password", "token", "secret", "key", "hash", "jwt", "jti"]
                    .iter()
                    .any(|word| name.contains(word));
                assert!(!secret, "{path}: {}", line.trim());
            }
        }
    }
    assert!(printing > 30, "only {printing} types were looked at");
}

/// Every source file below `folder`, with its text.
fn sources(folder: &std::path::Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    found
}
