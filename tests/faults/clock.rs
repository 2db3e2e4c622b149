//! A clock that is wrong, and becomes right again: no token gets in before it was given nor after its
//! end, whatever the clock said in between.

use bottle_test_support::{Client, Program, bottle};
use serde_json::json;

use crate::sea::{self, a_bottle};
use crate::shim::Shim;

const HOUR: i64 = 3600;

/// Someone logged in by each contract, for half an hour.
struct Everywhere {
    bottle: Client,
    ledger: Client,
    music: Client,
    bookstore: Client,
}

impl Everywhere {
    fn log_in(program: &Program) -> Self {
        let with = |name: &str, value: String| {
            let mut client = program.client();
            client.headers.push((name.into(), value));
            client
        };
        let mut bottle = program.client();
        bottle.log_in("ada", "pass");
        let anon = program.client();
        let jwt = anon.post("/user/login", &json!({ "name": "ada", "password": "pass" }));
        let jwt = jwt.header("set-cookie").split(';').next().unwrap().to_owned();
        let music = anon.post("/api/user/login", &json!({ "email": "ada", "password": "pass" }));
        let bearer = music.data()["token"].as_str().unwrap().to_owned();
        let bookstore = json!({ "user_id": "ada", "password": "pass", "terminal": "t" });
        let token = anon.post("/auth/login", &bookstore).json()["token"].clone();
        Self {
            bottle,
            ledger: with("Cookie", jwt),
            music: with("Authorization", format!("Bearer {bearer}")),
            bookstore: with("token", token.as_str().unwrap().to_owned()),
        }
    }

    /// Returns for each of them whether its request is accepted.
    fn get_in(&self) -> [bool; 3] {
        [
            self.bottle.get("/api/users/self").status == 200,
            self.ledger.get("/card").status == 200,
            self.music.get("/api/user/profile").status == 200,
        ]
    }

    /// The same of the terminal, whose only use for its token is to log out.
    fn terminal_gets_in(&self) -> bool {
        self.bookstore.post("/auth/logout", &json!({ "user_id": "ada" })).status == 200
    }
}

pub(crate) fn jumps(times: usize) -> String {
    let shim = Shim::new();
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    shim.under(&mut command);
    command.env(
        "ROCKET_BOTTLE",
        "{argon2_memory_kib=8,argon2_iterations=1,session_seconds=1800,ledger_token_seconds=1800,\
          music_token_seconds=1800,bookstore_token_seconds=1800}",
    );
    let program = Program::start(command);
    sea::join(&program, "ada");
    let now = chrono::Utc::now().timestamp();
    let in_2038 = (1_i64 << 31) + 5 - now;
    for _ in 0..times {
        for wrong in [HOUR, -HOUR, -now + 5, in_2038] {
            shim.turn_clock(0);
            let before = Everywhere::log_in(&program);
            assert_eq!(before.get_in(), [true; 3]);

            shim.turn_clock(wrong);
            assert_eq!(before.get_in(), [false; 3], "{wrong} s off: ended, or not yet begun");
            assert!(!before.terminal_gets_in(), "{wrong} s off");
            let meanwhile = Everywhere::log_in(&program);
            assert_eq!(meanwhile.get_in(), [true; 3], "{wrong} s off");
            let thrown = meanwhile.bottle.post("/api/bottles", &a_bottle("c"));
            assert_eq!(thrown.status, 200, "{wrong} s off: {}", thrown.text);

            shim.turn_clock(0);
            assert_eq!(meanwhile.get_in(), [false; 3], "given {wrong} s off");
            assert!(!meanwhile.terminal_gets_in(), "given {wrong} s off");
            // A clock that went forward ended the sessions for good; one that went back ended none.
            let goes_on = wrong < 0;
            assert_eq!(before.get_in(), [goes_on; 3], "after {wrong} s off");
        }
    }
    drop(program);
    sea::check(&folder.path().join("bottle.db"), &[]);
    "four contracts, four jumps each time; no token was accepted outside its lifetime".into()
}
