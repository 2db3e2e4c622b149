//! Makes `bottle.db.sample` from `bottles.tsv`, at the current schema:
//!
//! ```text
//! cargo run --example sample
//! ```
//!
//! Accounts, bottles, openings and replies come about as they do in life, through the domain; only the clock
//! runs faster. What belongs to one server alone (keys, sessions) is left out.

use std::error::Error;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bottle::domain::accounts::{Accounts, Contract, Login, Name, Registration, SessionKind};
use bottle::domain::bottles::{Bottles, NewBottle};
use bottle::domain::conversations::Conversations;
use bottle::domain::events::EventBus;
use bottle::domain::inbox::Inbox;
use bottle::domain::password::Passwords;
use bottle::domain::rate_limit::{RateLimiter, Rates};
use bottle::model::clock::{Clock, Timestamp};
use bottle::model::fields::{Address, Content, Gender, Nickname, ReplyText, Style, Username};
use bottle::model::geo::Position;
use bottle::server::config::Settings;
use bottle::store::{Options, Store};

const BOTTLES: &str = include_str!("bottles.tsv");

/// 1 September 2026, when the sample's first account is registered.
const BEGINNING: Timestamp = Timestamp::from_millis(1_788_220_800_000);

/// Everyone's.
const PASSWORD: &str = "driftwood";

const PEOPLE: [(&str, &str, Gender); 8] = [
    ("ada", "Ada", Gender::Female),
    ("amina", "Amina أمينة", Gender::Female),
    ("emeka", "Emeka", Gender::Male),
    ("grace", "Grace", Gender::Female),
    ("lin", "林小舟", Gender::Other),
    ("mateo", "Mateo", Gender::Male),
    ("noor", "Noor नूर", Gender::Unknown),
    ("yuki", "雪 Yuki", Gender::Female),
];

/// The conversations: what an opener writes, what the owner answers, and what the opener writes back, or
/// nothing. The opener of each `EVERY_NTH` opened bottle begins one.
const TALKS: [[&str; 3]; 6] = [
    [
        "I found your bottle on my way to work. It made my morning!",
        "That made mine, too.",
        "Have a good day!",
    ],
    ["我也去过那里，真怀念。", "下次一起去吧！", ""],
    [
        "What does the sea look like where you are?",
        "Grey today, and very loud.",
        "Here it is flat as a mirror.",
    ],
    ["وجدتُ رسالتك، شكرًا لك!", "Thank you for answering. What is the weather like there?", ""],
    ["I have an answer to your riddle, but I am not sure of it.", "Tell me!", "Is it a towel?"],
    ["Greetings from the other side of the world.", "", ""],
];
const EVERY_NTH: usize = 9;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("bottle.db.sample");
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("bottle.db");
    fill(&database).await?;

    let db = rusqlite::Connection::open(&database)?;
    db.execute_batch("DELETE FROM meta; DELETE FROM sessions; VACUUM;")?;
    db.close().map_err(|(_, e)| e)?;
    std::fs::copy(&database, &path)?;
    println!("{}: {} bytes", path.display(), std::fs::metadata(&path)?.len());
    Ok(())
}

async fn fill(database: &Path) -> Result<(), Box<dyn Error>> {
    let settings = Settings::default();
    let store = open_store(database, &settings)?;
    let clock = Clock::starting_at(BEGINNING);
    let passwords = Passwords::new(settings.password_cost(), settings.password_workers);
    let rate_limiter = Arc::new(RateLimiter::new(Rates::default(), &clock));
    let events = EventBus::new(0);
    let accounts = Accounts::new(
        Arc::clone(&store),
        passwords,
        clock.clone(),
        4,
        rate_limiter,
        events.clone(),
    );
    let bottles = Bottles::new(Arc::clone(&store), clock.clone(), events.clone());
    let expiry = bottles.expiry().clone();
    let conversations =
        Conversations::new(Arc::clone(&store), clock.clone(), events.clone(), expiry.clone());
    let inbox = Inbox::new(store, clock.clone(), events, expiry);

    let people = register_people(&accounts, &clock).await?;

    // The rows are grouped by city; a stride that shares no factor with their number mixes the cities.
    let rows: Vec<&str> = BOTTLES.lines().skip(1).collect();
    let stride = (37..).find(|stride| !rows.len().is_multiple_of(*stride)).unwrap_or(1);
    let mut opened = Vec::new();
    for turn in 0..rows.len() {
        let (author, new) = parse(rows[turn * stride % rows.len()], &people)?;
        let bottle = bottles.throw(author, new, None).await?;
        clock.advance(Duration::from_secs(3600 + 613 * (turn as u64 % 17)));
        // Some bottles are opened by nobody, some by many.
        let openers = people.iter().filter(|person| person.account.id != author.account.id);
        for (at, opener) in
            openers.enumerate().filter(|(at, _)| (turn * 7 + at * 5) % 11 < turn % 5)
        {
            clock.advance(Duration::from_secs(60 + at as u64 * 211));
            bottles.open(opener, bottle.id, None).await?;
            opened.push((bottle.id, author, opener));
        }
    }
    // So that the news of the demo are the conversations.
    for person in &people {
        inbox.mark_read(person, i64::MAX).await?;
    }
    write_replies(&conversations, &clock, &opened).await
}

async fn register_people(accounts: &Accounts, clock: &Clock) -> Result<Vec<Login>, Box<dyn Error>> {
    let mut people: Vec<Login> = Vec::new();
    for (username, nickname, gender) in PEOPLE {
        accounts
            .register(Registration {
                username: Username::parse("username", username)?,
                password: accounts.new_password("password", PASSWORD)?,
                nickname: Some(Nickname::parse(nickname)?),
                gender: Some(gender),
                email: None,
            })
            .await?;
        people.push(log_in(accounts, username).await?);
        clock.advance(Duration::from_secs(47 * 60));
    }
    Ok(people)
}

/// Writes the conversations of openers with owners: bottle, owner, opener.
async fn write_replies(
    conversations: &Conversations,
    clock: &Clock,
    opened: &[(i64, &Login, &Login)],
) -> Result<(), Box<dyn Error>> {
    for ((bottle, owner, opener), talk) in
        opened.iter().step_by(EVERY_NTH).zip(TALKS.iter().cycle())
    {
        for (turn, text) in talk.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
            clock.advance(Duration::from_secs(97));
            let (author, named) = match turn {
                1 => (owner, Some(opener.account.id)),
                _ => (opener, None),
            };
            conversations.reply(author, *bottle, named, ReplyText::parse(text)?).await?;
        }
    }
    Ok(())
}

/// Creates the file, for one reader.
fn open_store(database: &Path, settings: &Settings) -> Result<Arc<Store>, Box<dyn Error>> {
    let options = Options {
        readers: 1,
        long_readers: 1,
        busy_timeout: settings.busy_timeout(),
        slow: None,
        map_cache_bytes: 0,
    };
    Ok(Arc::new(Store::open(database, &options)?))
}

/// A session that outlives the sample's time.
async fn log_in(accounts: &Accounts, username: &str) -> Result<Login, Box<dyn Error>> {
    let contract = Contract::Bottle;
    let kind = SessionKind { contract, seconds: u32::MAX, terminal: None, replaces: None };
    let (name, here) = (Name::Username(username), Ipv4Addr::LOCALHOST.into());
    let begun = accounts.log_in(name, PASSWORD.to_owned(), kind, here).await?;
    Ok(accounts.resolve(contract, &begun.token)?)
}

/// The author and the bottle of one line: city, country, latitude, longitude, address, author, style
/// and message.
fn parse<'a>(line: &str, people: &'a [Login]) -> Result<(&'a Login, NewBottle), Box<dyn Error>> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [_, _, latitude, longitude, address, author, style, message] = columns[..] else {
        return Err(format!("not eight columns: {line}").into());
    };
    let author = people.iter().find(|person| person.account.username == author);
    let author = author.ok_or("unknown author")?;
    let new = NewBottle {
        content: Content::parse(message)?,
        formatted_address: Address::parse(address)?,
        position: Position::new(latitude.parse()?, longitude.parse()?)?,
        style: Style::parse(style.parse()?)?,
        expires_at: None,
        open_within: None,
    };
    Ok((author, new))
}
