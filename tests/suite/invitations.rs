//! Invitations: codes that let a number of people register within a time.

use std::thread;
use std::time::Duration;

use bottle_test_support::{App, Client, run_err, run_ok};
use rstest::rstest;
use serde_json::{Value, json};

use crate::registration::{invite, register, set, status_of};

#[test]
fn an_invitation_lets_in() {
    let app = App::new();
    let root = app.operator("root");
    set(&root, "invite");
    let code = invite(&root, &json!({ "uses": 2 }));
    assert_eq!(register(&app.anon(), "ada", &code).status, 200);
    assert_eq!(register(&app.anon(), "ada", &code).status, 409, "and is not counted");
    // As a person types it.
    let typed = code.to_uppercase().replace('-', " ");
    assert_eq!(register(&app.anon(), "bob", &typed).status, 200);
    let used_up = register(&app.anon(), "eve", &code);
    assert_eq!(status_of(&used_up), (403, "INVITATION_INVALID".to_owned()));
    for wrong in ["0000-0000-0000-0000", "x", &"x".repeat(5000)] {
        assert_eq!(status_of(&register(&app.anon(), "eve", wrong)).1, "INVITATION_INVALID");
    }
    for none in ["", " - "] {
        assert_eq!(status_of(&register(&app.anon(), "eve", none)).1, "REGISTRATION_CLOSED");
    }
    let listed = root.get("/api/admin/invitations").data();
    let invitation = &listed["invitations"][0];
    assert_eq!((&invitation["uses"], &invitation["used"]), (&json!(2), &json!(2)));
    assert_eq!(invitation["created_by"], "root");
    let mut bob = app.anon();
    bob.log_in("bob", "pass");
    assert_eq!(bob.get("/api/teacher/sea").status, 403);

    // The first draft takes one too.
    let code = invite(&root, &json!({ "role": "teacher" }));
    let body = json!({ "username": "grace", "password": "pass", "invitation": code });
    let grace = app.anon().post("/users", &body);
    assert_eq!((grace.status, &grace.data()["is_teacher"]), (200, &json!(true)));
}

#[test]
fn an_invitation_ends() {
    let app = App::new();
    let root = app.operator("root");
    set(&root, "invite");
    let (old, revoked) =
        (invite(&root, &json!({ "hours": 1 })), invite(&root, &json!({ "hours": 9 })));
    let listed = root.get("/api/admin/invitations").data();
    let id = listed["invitations"][0]["invitation_id"].clone();
    let path = format!("/api/admin/invitations/{id}");
    assert_eq!(root.delete(&path).status, 200);
    assert_eq!(root.delete(&path).status, 404);
    assert_eq!(root.delete("/api/admin/invitations/x").status, 404);
    assert_eq!(register(&app.anon(), "eve", &revoked).status, 403);

    app.clock.advance(Duration::from_secs(60 * 60));
    assert_eq!(register(&app.anon(), "eve", &old).status, 403);

    // Nobody gets in while registration is closed.
    let code = invite(&root, &json!({}));
    set(&root, "closed");
    assert_eq!(status_of(&register(&app.anon(), "eve", &code)).1, "REGISTRATION_CLOSED");
    set(&root, "open");
    assert_eq!(register(&app.anon(), "eve", &code).status, 200);
    assert_eq!(status_of(&register(&app.anon(), "bob", &code)).1, "INVITATION_INVALID");
}

#[rstest]
#[case::role(json!({ "role": "operator" }), "role")]
#[case::uses(json!({ "uses": 0 }), "uses")]
#[case::many(json!({ "uses": 10_001 }), "uses")]
#[case::hours(json!({ "hours": 0 }), "hours")]
#[case::years(json!({ "hours": 9_000 }), "hours")]
#[case::half(json!({ "hours": 1.5 }), "hours")]
fn terms_have_limits(#[case] terms: Value, #[case] field: &str) {
    let app = App::new();
    let made = app.operator("root").post("/api/admin/invitations", &terms);
    assert_eq!((made.status, &made.data()["field"]), (422, &json!(field)));
}

#[test]
fn a_teacher_invites_users_only() {
    let app = App::new();
    let (root, grace) = (app.operator("root"), app.teacher("grace"));
    invite(&grace, &json!({ "uses": 30 }));
    let staff = grace.post("/api/admin/invitations", &json!({ "role": "teacher" }));
    assert_eq!(staff.status, 403, "{}", staff.text);
    invite(&root, &json!({ "role": "teacher" }));
    let seen = |client: &Client| {
        let listed = client.get("/api/admin/invitations").data()["invitations"].clone();
        listed.as_array().unwrap().iter().map(|one| one["role"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        (seen(&root), seen(&grace)),
        (vec![json!("teacher"), json!("user")], vec![json!("user")])
    );
    assert_eq!(grace.delete("/api/admin/invitations/2").status, 404);
    assert_eq!(grace.delete("/api/admin/invitations/1").status, 200);
    let page = root.get("/api/admin/invitations?limit=1").data();
    assert_eq!(
        (&page["invitations"][0]["invitation_id"], &page["next"]),
        (&json!(2), &Value::Null)
    );
}

/// With a wrong clock nothing is known about the end of an invitation.
#[test]
fn an_invitation_from_the_future_lets_nobody_in() {
    let app = App::new();
    let root = app.operator("root");
    set(&root, "invite");
    let code = invite(&root, &json!({}));
    let db = rusqlite::Connection::open(app.database()).unwrap();
    let later = "UPDATE invitations SET created_at = created_at + 600000";
    db.execute(later, []).unwrap();
    assert_eq!(status_of(&register(&app.anon(), "eve", &code)).1, "INVITATION_INVALID");
    app.clock.advance(Duration::from_secs(300));
    assert_eq!(register(&app.anon(), "ada", &code).status, 200);
}

/// An invitation ends with the role that made it, and with the account.
#[test]
fn an_invitation_ends_with_the_authority_of_its_maker() {
    let app = App::new();
    let (root, other, grace) = (app.operator("root"), app.operator("other"), app.teacher("grace"));
    set(&root, "invite");
    let codes = [
        invite(&other, &json!({ "role": "teacher" })),
        invite(&other, &json!({})),
        invite(&grace, &json!({})),
    ];
    let is_valid = |n: usize, name: &str| register(&app.anon(), name, &codes[n]).status == 200;
    run_ok(app.folder(), &["user", "role", "other", "teacher"]);
    assert!(!is_valid(0, "a") && is_valid(1, "b"));
    run_ok(app.folder(), &["user", "delete", "grace", "--yes"]);
    assert!(!is_valid(2, "c"));
}

#[test]
fn of_fifty_at_once_the_stated_number_gets_in() {
    let app = App::new();
    let root = app.operator("root");
    set(&root, "invite");
    let code = &invite(&root, &json!({ "uses": 7 }));
    let statuses: Vec<u16> = thread::scope(|scope| {
        let one = |n| {
            let client = app.anon();
            scope.spawn(move || register(&client, &format!("pupil{n}"), code).status)
        };
        let all: Vec<_> = (0..50).map(one).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 7, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 403].contains(status)), "{statuses:?}");
    let listed = root.get("/api/admin/invitations").data();
    assert_eq!(listed["invitations"][0]["used"], 7);
    assert_eq!(run_ok(app.folder(), &["user", "list"]).lines().count(), 1 + 1 + 7);
}

#[test]
fn guessing_an_invitation_is_slowed_down() {
    let app = App::with(|settings| settings.login_attempts_per_minute = 2);
    let root = app.operator("root");
    set(&root, "invite");
    let code = invite(&root, &json!({ "uses": 2 }));
    // Ten times the limit of an account, as for passwords.
    for n in 0..20 {
        assert_eq!(register(&app.anon(), "eve", &format!("guess{n}")).status, 403, "{n}");
    }
    let rejected = register(&app.anon(), "eve", &code);
    assert_eq!((rejected.status, rejected.header("retry-after")), (429, "60"));
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(register(&app.anon(), "eve", &code).status, 200);
}

#[test]
fn only_the_hash_of_a_code_is_stored() {
    let app = App::new();
    let code = invite(&app.operator("root"), &json!({}));
    let plain = code.replace('-', "");
    for entry in std::fs::read_dir(app.folder()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in [&code, &plain] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret}");
        }
    }
}

#[test]
fn the_command_line_invites() {
    let app = App::new();
    let root = app.operator("root");
    set(&root, "invite");
    let made = run_ok(app.folder(), &["invite", "create", "--uses", "2", "--hours", "3"]);
    let code = made.lines().find_map(|line| line.strip_prefix("Code: ")).unwrap();
    assert!(made.contains(&format!("/#invite/{code}")), "{made}");
    assert_eq!(register(&app.anon(), "ada", code).status, 200);
    let args = ["invite", "create", "--role", "teacher", "--json"];
    let made: Value = serde_json::from_str(&run_ok(app.folder(), &args)).unwrap();
    let grace = register(&app.anon(), "grace", made["invitation"].as_str().unwrap());
    assert_eq!(grace.data()["is_teacher"], true);

    let listed = run_ok(app.folder(), &["invite", "list"]);
    assert!(listed.contains("Invitation 1: 1 of 2 used, role user"), "{listed}");
    let listed: Value =
        serde_json::from_str(&run_ok(app.folder(), &["invite", "list", "--json"])).unwrap();
    assert_eq!((&listed[0]["role"], &listed[1]["used"]), (&json!("teacher"), &json!(1)));
    assert_eq!(run_ok(app.folder(), &["invite", "revoke", "1"]), "invitation 1 is revoked\n");
    assert_eq!(register(&app.anon(), "bob", code).status, 403);
    run_err(app.folder(), &["invite", "revoke", "1"], "invitation 1 does not exist");
    run_err(app.folder(), &["invite", "create", "--uses", "0"], "uses must be a number from 1");
    run_err(app.folder(), &["invite", "create", "--role", "operator"], "role must be one of");
}
