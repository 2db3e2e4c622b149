//! The routes, catchers and specification of each surface in [`MOUNTS`].

use rocket::{Build, Catcher, Rocket, Route};

use crate::api::{bookstore, bottle, ledger, music};
use crate::http::mounts::{MOUNTS, Surface};
use crate::http::openapi::ContractSpec;

/// Mounts every contract at its base, with its catchers wrapped by `wrap`.
pub(super) fn mount_all(
    rocket: Rocket<Build>,
    wrap: impl Fn(Vec<Catcher>) -> Vec<Catcher>,
) -> Rocket<Build> {
    // Bottle's catchers at `/` answer for every path that belongs to no other contract.
    MOUNTS.iter().fold(rocket, |rocket, mount| {
        let rocket = rocket.mount(mount.base, routes(mount.surface));
        match catchers(mount.surface) {
            Some(catchers) => rocket.register(mount.base, wrap(catchers)),
            None => rocket,
        }
    })
}

fn routes(surface: Surface) -> Vec<Route> {
    match surface {
        Surface::Bottle => {
            let documented = [
                bottle::routes(),
                bottle::page_routes(),
                bottle::conversation_routes(),
                bottle::class_routes(),
                bottle::token_routes(),
                bottle::admin_routes(),
                bottle::guest_class_routes(),
                bottle::server_routes(),
            ];
            [documented.concat(), bottle::picture_routes()].concat()
        }
        Surface::BottleDraft => bottle::routes(),
        Surface::Ledger => ledger::routes(),
        Surface::Cards | Surface::Members | Surface::Divisions => ledger::holding_routes(),
        Surface::Music => music::routes(),
        Surface::Bookstore => bookstore::routes(),
        Surface::Feeds => bottle::feed_routes(),
    }
}

fn catchers(surface: Surface) -> Option<Vec<Catcher>> {
    match surface {
        // The catchers at `/` answer for `/api` and `/feeds` as well.
        Surface::Bottle | Surface::Feeds => None,
        Surface::BottleDraft => Some(bottle::catchers()),
        Surface::Ledger | Surface::Cards | Surface::Members | Surface::Divisions => {
            Some(ledger::catchers())
        }
        Surface::Music => Some(music::catchers()),
        Surface::Bookstore => Some(bookstore::catchers()),
    }
}

/// Returns the specifications of a surface for the OpenAPI document.
pub(super) fn specs(surface: Surface) -> Vec<ContractSpec> {
    match surface {
        Surface::Bottle => {
            vec![
                bottle::describe(),
                bottle::describe_page(),
                bottle::describe_conversations(),
                bottle::describe_class(),
                bottle::describe_tokens(),
                bottle::describe_admin(),
                bottle::describe_guest_classes(),
                bottle::describe_server(),
            ]
        }
        Surface::BottleDraft => {
            vec![ContractSpec { contract: "Bottle, first draft", ..bottle::describe() }]
        }
        Surface::Ledger => vec![ledger::describe()],
        Surface::Cards | Surface::Members | Surface::Divisions => vec![ledger::describe_holdings()],
        Surface::Music => vec![music::describe()],
        Surface::Bookstore => vec![bookstore::describe()],
        Surface::Feeds => vec![bottle::describe_feeds()],
    }
}
