//! Conversations and the inbox cost what they return, not what exists: measured in steps of SQLite's
//! virtual machine, with few rows and with many.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bottle::model::clock::Timestamp;
use bottle::model::fields::ReplyText;
use bottle::model::inbox::Kind;
use bottle::store::inbox::{self, NewItem};
use bottle::store::pages::PageRequest;
use bottle::store::replies::{self, Side, ThreadKey};
use bottle::store::{migrate, users};
use rusqlite::Connection;

/// The number of items on a page.
const PAGE: u32 = 20;

/// The owner of the only bottle; the openers are the accounts after it.
const OWNER: i64 = 1;
const BOTTLE: i64 = 1;

/// A thread that is neither the first nor the last.
const THREAD: ThreadKey = ThreadKey { bottle: BOTTLE, opener: 15 };

/// A database with one bottle, whose every opener has a thread of as many replies.
struct Sea {
    db: Connection,
    steps: Arc<AtomicU64>,
    openers: i64,
    replies: i64,
}

impl Sea {
    /// The openers write in turn, so the replies of a thread are scattered over the table. Half of
    /// the items are unread.
    fn new(openers: i64, replies: i64, items: i64) -> Self {
        let mut db = Connection::open_in_memory().unwrap();
        migrate::to_newest(&mut db).unwrap();
        db.execute_batch(&format!(
            "CREATE TEMP VIEW numbers AS
                 WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999)
                 SELECT i FROM n;
             BEGIN;
             INSERT INTO users (username, password_hash, nickname, gender, created_at)
             SELECT 'user' || i, '', '', 'unknown', 0 FROM numbers LIMIT {openers} + 1;
             INSERT INTO bottles (owner_id, formatted_address, latitude, longitude, style, created_at)
             VALUES ({OWNER}, '', 1, 2, 0, 0);
             INSERT INTO messages VALUES ({BOTTLE}, 'a message');
             INSERT INTO openings SELECT {BOTTLE}, id, id FROM users WHERE id <> {OWNER};
             INSERT INTO threads (bottle_id, opener_id)
             SELECT {BOTTLE}, id FROM users WHERE id <> {OWNER};
             INSERT INTO replies (bottle_id, opener_id, author_id, content, created_at)
             SELECT {BOTTLE}, 2 + i % {openers}, iif(i / {openers} % 2, {OWNER}, 2 + i % {openers}),
                    'a reply', i
             FROM numbers LIMIT {openers} * {replies};
             INSERT INTO inbox_items (user_id, kind, bottle_id, actor_id, created_at)
             SELECT {OWNER} + i % 2, 'replied', {BOTTLE}, 3, i FROM numbers LIMIT 2 * {items};
             COMMIT"
        ))
        .unwrap();
        let steps = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&steps);
        let count = move || {
            counter.fetch_add(1, Ordering::Relaxed);
            false
        };
        db.progress_handler(1, Some(count)).unwrap();
        let sea = Self { db, steps, openers, replies };
        inbox::mark_read(&sea.db, OWNER, sea.item(items / 2)).unwrap();
        sea
    }

    /// The number of steps that `run` takes.
    fn cost(&self, run: impl FnOnce(&Self)) -> u64 {
        let before = self.steps.load(Ordering::Relaxed);
        run(self);
        self.steps.load(Ordering::Relaxed) - before
    }

    /// The id of the reply with this number in its thread.
    fn reply(&self, number: i64) -> i64 {
        number * self.openers + THREAD.opener - 1
    }

    /// The id of the owner's item with this number.
    fn item(&self, number: i64) -> i64 {
        2 * number + 1
    }
}

type Operation<'a> = &'a dyn Fn(&Sea);

fn page(after: Option<i64>) -> PageRequest {
    PageRequest { limit: PAGE, after }
}

/// Counts the items of a page.
fn count<T>(items: &mut u32) -> impl FnMut(T) -> bottle::model::error::Result<usize> {
    move |_| {
        *items += 1;
        Ok(1)
    }
}

fn read_thread(sea: &Sea) {
    let (mut items, after) = (0, sea.reply(sea.replies / 2));
    let page = page(Some(after));
    let has_more =
        replies::in_thread(&sea.db, THREAD, OWNER, false, page, count(&mut items)).unwrap();
    assert_eq!((items, has_more), (PAGE, true));
}

/// Twenty replies, of which the opener wrote half, after those that were read before.
fn mark_page_as_read(sea: &Sea) {
    let last = sea.reply(sea.replies / 2 + i64::from(PAGE));
    assert!(replies::has_unread(&sea.db, THREAD, Side::Owner, last).unwrap());
    replies::mark_read(&sea.db, THREAD, Side::Owner, last).unwrap();
}

fn list_threads(sea: &Sea, after: Option<i64>) {
    let mut items = 0;
    let has_more = replies::threads(&sea.db, BOTTLE, page(after), count(&mut items)).unwrap();
    assert_eq!((items, has_more), (PAGE, true));
}

fn count_unread(sea: &Sea) {
    assert!(inbox::unread(&sea.db, OWNER).unwrap() > 0);
}

fn list_items(sea: &Sea, after: Option<i64>) {
    let mut items = 0;
    let has_more = inbox::items(&sea.db, OWNER, page(after), count(&mut items)).unwrap();
    assert_eq!((items, has_more), (PAGE, true));
}

/// A reply, and the item that its reader gets.
fn write(sea: &Sea) {
    let now = Timestamp::from_millis(1);
    let author = users::by_id(&sea.db, THREAD.opener).unwrap().unwrap().account;
    let content = ReplyText::parse("another reply").unwrap();
    let reply = replies::insert(&sea.db, THREAD, author, &content, now).unwrap();
    let item = NewItem {
        user: OWNER,
        kind: Kind::Replied,
        bottle: BOTTLE,
        actor: Some(THREAD.opener),
        reply: Some(reply.id),
    };
    inbox::add(&sea.db, item, now).unwrap();
}

/// Every operation, its steps with 30 threads of 60 replies, and those with 100 threads of 1,000.
#[test]
fn an_operation_costs_what_it_returns() {
    let (few, many) = (Sea::new(30, 60, 100), Sea::new(100, 1000, 900));
    let middle = |sea: &Sea| Some(sea.openers * (sea.replies - 1) + 26);
    let operations: [(&str, Operation<'_>); 9] = [
        ("read the middle of a thread", &read_thread),
        ("list the latest threads", &|sea| list_threads(sea, None)),
        ("list further threads", &|sea| list_threads(sea, middle(sea))),
        ("count the unread items", &count_unread),
        ("list the newest items", &|sea| list_items(sea, None)),
        ("list the items in the middle", &|sea| list_items(sea, Some(sea.item(50)))),
        ("mark the first half as read", &|sea| {
            let last = sea.reply(sea.replies / 2);
            replies::mark_read(&sea.db, THREAD, Side::Owner, last).unwrap();
        }),
        ("mark a page as read", &mark_page_as_read),
        ("write a reply", &write),
    ];
    for (name, run) in operations {
        let [few, many] = [&few, &many].map(|sea| sea.cost(|sea| run(sea)));
        // Each unread reply is counted once, when it is read: that this is noticed shows that the
        // steps are counted.
        if name == "mark the first half as read" {
            assert!(many > 5 * few, "{name}: {few} steps of few, {many} of many");
            continue;
        }
        assert!(few > 0 && many <= few + few / 10, "{name}: {few} steps of few, {many} of many");
    }
}
