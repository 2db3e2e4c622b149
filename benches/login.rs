//! Compares the time to reject an unknown name with the time to reject a wrong password: equal times reveal
//! nothing about which names exist.
//!
//! `cargo bench --bench login`; compare the two medians.

#![allow(clippy::expect_used)] // a bench that cannot be set up may panic

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bottle::domain::accounts::{Accounts, Contract, Name, Registration, SessionKind};
use bottle::domain::events::EventBus;
use bottle::domain::password::Passwords;
use bottle::domain::rate_limit::{RateLimiter, Rates};
use bottle::model::clock::Clock;
use bottle::model::fields::Username;
use bottle::server::config::Settings;
use bottle::store::{Options, Store};
use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::Runtime;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn refused_logins(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = Settings::default();
    let options = Options {
        readers: 2,
        long_readers: 1,
        busy_timeout: settings.busy_timeout(),
        slow: None,
        map_cache_bytes: 0,
    };
    let store = Store::open(&folder.path().join("bottle.db"), &options).expect("a new database");
    let passwords = Passwords::new(settings.password_cost(), 1);
    let clock = Clock::default();
    let rate_limiter = Arc::new(RateLimiter::new(Rates::default(), &clock));
    let (store, events) = (Arc::new(store), EventBus::new(0));
    let accounts = Accounts::new(store, passwords, clock, 4, rate_limiter, events);
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let new = Registration {
            username: Username::parse("username", "ada").expect("a name"),
            password: accounts.new_password("password", "pass").expect("a password"),
            nickname: None,
            gender: None,
            email: None,
        };
        accounts.register(new).await.expect("an account");
    });

    let mut group = criterion.benchmark_group("refused login");
    for (case, name) in [("wrong password", "ada"), ("unknown name", "bob")] {
        group.bench_function(case, |bencher| {
            bencher.iter(|| {
                let kind = SessionKind {
                    contract: Contract::Bottle,
                    seconds: 60,
                    terminal: None,
                    replaces: None,
                };
                let login = accounts.log_in(Name::Username(name), "guess".into(), kind, HERE);
                runtime.block_on(login).expect_err("a refusal")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, refused_logins);
criterion_main!(benches);
